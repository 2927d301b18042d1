//! What happened lately, in one line for all connections, each of which is a cursor into it.

use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use atomic_waker::AtomicWaker;

use super::logged::Logged;
use crate::message::ModelId;

/// Something that connections are to hear of.
#[derive(Clone)]
pub(crate) enum Event {
    Patch(Arc<Logged>),
    Hosted(ModelId),
}

/// A connection that falls out of it catches up from the models' own histories, so it may be short: it only has to span
/// the time that a healthy connection takes to be served.
const EVENTS: usize = 1024;
const BYTES: usize = 4 << 20;

#[derive(Default)]
pub(crate) struct Feed {
    events: VecDeque<(Event, usize)>,
    bytes: usize,
    /// Position of the first event kept. Positions count all events ever.
    first: u64,
    /// Events before this position may be read.
    published: u64,
    listeners: BTreeMap<u64, Arc<Signal>>,
    next_listener: u64,
}

impl Feed {
    /// The position that the next event will have.
    pub(crate) fn next(&self) -> u64 {
        self.first + self.events.len() as u64
    }

    pub(crate) const fn published(&self) -> u64 {
        self.published
    }

    /// Adds an event of so many bytes.
    pub(crate) fn push(&mut self, event: Event, bytes: usize) {
        self.events.push_back((event, bytes));
        self.bytes += bytes;
        while self.events.len() > EVENTS || (self.bytes > BYTES && self.events.len() > 1) {
            if let Some((_, bytes)) = self.events.pop_front() {
                self.bytes -= bytes;
                self.first += 1;
            }
        }
    }

    pub(crate) fn publish(&mut self) {
        if self.published < self.next() {
            self.published = self.next();
            for listener in self.listeners.values() {
                listener.raise();
            }
        }
    }

    /// Up to `most` events from `cursor` up to `end`; `None` if some of them are no longer kept.
    pub(crate) fn read(&self, cursor: u64, end: u64, most: usize) -> Option<Vec<Event>> {
        let start = usize::try_from(cursor.checked_sub(self.first)?).ok()?;
        let len = usize::try_from(end.saturating_sub(cursor))
            .unwrap_or(usize::MAX)
            .min(most);
        Some(
            self.events
                .iter()
                .skip(start)
                .take(len)
                .map(|(event, _)| event.clone())
                .collect(),
        )
    }

    pub(crate) fn listen(&mut self) -> (u64, Arc<Signal>) {
        let signal = Arc::<Signal>::default();
        let key = self.next_listener;
        self.next_listener += 1;
        self.listeners.insert(key, Arc::clone(&signal));
        (key, signal)
    }

    pub(crate) fn forget(&mut self, listener: u64) {
        self.listeners.remove(&listener);
    }
}

/// Wakes the task of one connection.
#[derive(Default)]
pub(crate) struct Signal {
    raised: AtomicBool,
    waker: AtomicWaker,
}

impl Signal {
    pub(crate) fn raise(&self) {
        if !self.raised.swap(true, Ordering::AcqRel) {
            self.waker.wake();
        }
    }

    /// Waits until it was raised since the last wait was over.
    pub(crate) async fn raised(&self) {
        poll_fn(|context| {
            self.waker.register(context.waker());
            if self.raised.swap(false, Ordering::AcqRel) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
}
