//! The time of day, for connections that have to do something at one.

use std::pin::Pin;
use std::task::Context;
use std::time::SystemTime;

use tokio::time::{Sleep, sleep};
use transports::server::Connection;

/// Wakes a connection at its deadline. Most have none, and cost nothing.
#[derive(Debug, Default)]
pub(crate) struct Alarm {
    set: Option<(SystemTime, Pin<Box<Sleep>>)>,
}

impl Alarm {
    /// Has the connection do what it is time for; else the task is woken in time.
    pub(crate) fn poll(&mut self, connection: &mut Connection, cx: &mut Context<'_>) {
        while let Some(deadline) = connection
            .deadline()
            .filter(|_| connection.ended().is_none())
        {
            let (due, timer) = match self.set.take() {
                Some((due, timer)) if due == deadline => (due, timer),
                _ => {
                    let left = deadline.duration_since(SystemTime::now());
                    (deadline, Box::pin(sleep(left.unwrap_or_default())))
                }
            };
            let (_, timer) = self.set.insert((due, timer));
            if timer.as_mut().poll(cx).is_pending() {
                return;
            }
            // The two clocks need not agree to the millisecond.
            connection.wake(due.max(SystemTime::now()));
            self.set = None;
        }
        self.set = None;
    }
}
