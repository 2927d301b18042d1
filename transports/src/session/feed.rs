//! What happened lately, in one line for all connections, each of which is a cursor into it.

use std::collections::VecDeque;
use std::sync::Arc;

use super::logged::Logged;
use crate::message::ModelId;

/// Something that connections are to hear of.
#[derive(Clone)]
pub(crate) enum Event {
    Patch(Arc<Logged>),
    Hosted(ModelId),
    Gone(ModelId),
}

/// A connection that falls out of it catches up from the models' own histories, so it may be short: it only has to span
/// the time that a healthy connection takes to be served.
const EVENTS: usize = 1024;
const BYTES: usize = 4 << 20;

/// So many models that are hosted no longer are remembered, for connections that fall out of the feed.
const GONE: usize = 1024;

#[derive(Default)]
pub(crate) struct Feed {
    events: VecDeque<(Event, usize)>,
    bytes: usize,
    /// Position of the first event kept. Positions count all events ever.
    first: u64,
    /// Models that are hosted no longer, and the positions at which they went.
    gone: VecDeque<(u64, ModelId)>,
    /// Whoever has come no further than before this position may have missed that a model went.
    forgotten: u64,
}

impl Feed {
    /// The position that the next event will have.
    pub(crate) fn next(&self) -> u64 {
        self.first + self.events.len() as u64
    }

    /// Adds an event of so many bytes.
    pub(crate) fn push(&mut self, event: Event, bytes: usize) {
        if let Event::Gone(id) = event {
            self.gone.push_back((self.next(), id));
            if self.gone.len() > GONE
                && let Some((position, _)) = self.gone.pop_front()
            {
                self.forgotten = position + 1;
            }
        }
        self.events.push_back((event, bytes));
        self.bytes += bytes;
        while self.events.len() > EVENTS || (self.bytes > BYTES && self.events.len() > 1) {
            if let Some((_, bytes)) = self.events.pop_front() {
                self.bytes -= bytes;
                self.first += 1;
            }
        }
    }

    /// The models that went at `cursor` or after it, in order; `None` if that is not known any more.
    pub(crate) fn gone_since(&self, cursor: u64) -> Option<Vec<ModelId>> {
        let gone = self.gone.iter();
        let gone = gone.filter(|(position, _)| *position >= cursor);
        (cursor >= self.forgotten).then(|| gone.map(|(_, id)| *id).collect())
    }

    /// Up to `most` events from `cursor` up to `end`, as many as fit into `bytes`, but one at least if there is one;
    /// `None` if some of them are no longer kept.
    pub(crate) fn read(
        &self,
        cursor: u64,
        end: u64,
        most: usize,
        mut bytes: usize,
    ) -> Option<Vec<Event>> {
        let start = usize::try_from(cursor.checked_sub(self.first)?).ok()?;
        let len = usize::try_from(end.saturating_sub(cursor))
            .unwrap_or(usize::MAX)
            .min(most);
        Some(
            self.events
                .iter()
                .skip(start)
                .take(len)
                .enumerate()
                .map_while(|(place, (event, size))| {
                    let fits = *size <= bytes || place == 0;
                    bytes = bytes.saturating_sub(*size);
                    fits.then(|| event.clone())
                })
                .collect(),
        )
    }
}
