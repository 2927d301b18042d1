//! A number over time, as a widget.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Map, Value as Json, json};

use super::cell::Cell;
use super::comms::KernelWidget;
use super::view;
use crate::jupyter::Widget;

/// A plot that grows. What is dropped is done: an interrupted cell leaves what it saw.
pub(super) struct Plot {
    widget: Arc<KernelWidget>,
    /// Time in seconds, value.
    points: Vec<(f64, f64)>,
    /// How many of them the views have.
    sent: usize,
    sent_at: Option<Instant>,
}

/// The points that are kept. With more, every other one goes.
const MOST: usize = 4096;
/// The time between two messages to the views.
const INTERVAL: Duration = Duration::from_millis(100);

impl Plot {
    pub(super) fn show(cell: &Cell, path: &str, seconds: f64) -> Self {
        let state = json!({ "path": path, "seconds": seconds, "points": [], "done": false });
        let state = match state {
            Json::Object(state) => state,
            _ => Map::new(),
        };
        Self {
            widget: cell.anywidget(view::PLOT, state),
            points: Vec::new(),
            sent: 0,
            sent_at: None,
        }
    }

    pub(super) fn add(&mut self, time: f64, value: f64) {
        if self.points.last().is_some_and(|(_, last)| *last == value) {
            return;
        }
        self.points.push((time, value));
        if self.sent_at.is_some_and(|at| at.elapsed() < INTERVAL) {
            return;
        }
        // For a page that is loaded anew.
        self.widget.keep("points", json!(self.points));
        let new = self.points.get(self.sent..).unwrap_or_default();
        self.widget.send(&json!({ "points": new }));
        self.sent = self.points.len();
        self.sent_at = Some(Instant::now());
        if self.points.len() >= MOST {
            let mut odd = false;
            self.points.retain(|_| {
                odd = !odd;
                odd
            });
            self.sent = self.points.len();
            self.widget.set("points", json!(self.points));
        }
    }

    /// Ends the plot and says in words what it shows.
    pub(super) fn finish(self) -> String {
        let values = || self.points.iter().map(|(_, value)| *value);
        let low = values().fold(f64::INFINITY, f64::min);
        let high = values().fold(f64::NEG_INFINITY, f64::max);
        let last = values().next_back().unwrap_or(f64::NAN);
        let changes = self.points.len() - 1;
        format!("{changes} changes, from {low} to {high}, last {last}\n")
    }
}

impl Drop for Plot {
    fn drop(&mut self) {
        self.widget.set("points", json!(self.points));
        self.widget.set("done", true.into());
    }
}
