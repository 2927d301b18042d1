//! One of the sessions that a connection listens to.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::SystemTime;

use super::outbox::Outbox;
use super::outgoing::{Ahead, Behind, Pending};
use super::passing::Passing;
use crate::codec::CodecError;
use crate::message::{Json, ModelId};
use crate::server::offer::{Common, Line};
use crate::server::stats::Resumed;
use crate::server::{Opening, Server};
use crate::session::{Have, Reader, Shared, Signal};

/// How far a connection has come with a session; others look at it.
pub(crate) struct Progress {
    shared: Arc<Shared>,
    pub(super) cursor: AtomicU64,
}

impl Progress {
    /// How many events the connection has not seen yet.
    pub(crate) fn behind(&self) -> u64 {
        let published = self.shared.published();
        published.saturating_sub(self.cursor.load(Relaxed))
    }
}

/// A session that a connection listens to: a cursor into its feed, and the answers to edits of its models.
pub(super) struct Source {
    pub(super) shared: Arc<Shared>,
    /// What is special about the session of a model that several tenants see.
    pub(super) common: Option<Common>,
    /// How the connection wants to be told of it, and what it sees.
    pub(super) reader: Reader,
    listener: usize,
    pub(super) progress: Arc<Progress>,
    /// Position in the feed of the next event to look at.
    pub(super) cursor: u64,
    /// What is told before the feed goes on.
    pub(super) behind: VecDeque<Behind>,
    /// Models that were told of beyond the cursor.
    pub(super) ahead: Vec<Ahead>,
    /// Models whose snapshot was sent since the client last said something.
    pub(super) renewed: Vec<ModelId>,
    /// Answers that do not stand in the feed, and proposals whose answer does; in order of their positions.
    pub(super) answers: VecDeque<Pending>,
    /// Where the feed ends for this connection, as the server shuts down.
    pub(super) last: Option<u64>,
    /// The position of the last passing state that was told; none: it is to be told what is there.
    told: Option<u64>,
    /// Whether a model may have gone without the client being told.
    pub(super) has_missed: bool,
    /// Where states were that came after the source did.
    joined: u64,
    passing: Passing,
}

/// How many passing states are told at a time.
const STATES: usize = 256;

impl Source {
    /// Listens to a session, from the state on that the client has of it.
    pub(super) fn new(
        line: Line,
        signal: &Arc<Signal>,
        reader: Reader,
        out: &Outbox,
        opening: Option<&Opening>,
    ) -> Self {
        let Line {
            shared,
            common,
            views,
        } = line;
        let reader = Reader { views, ..reader };
        shared.settle_first();
        let listener = shared.listeners.add(Arc::clone(signal));
        shared.forms.add(&reader);
        let cursor = shared.published();
        let joined = common.as_ref().map_or(0, |common| common.statuses.next());
        let progress = Arc::new(Progress {
            shared: Arc::clone(&shared),
            cursor: AtomicU64::new(cursor),
        });
        let mut this = Self {
            shared,
            common,
            reader,
            listener,
            progress,
            cursor,
            behind: VecDeque::new(),
            ahead: Vec::new(),
            renewed: Vec::new(),
            answers: VecDeque::new(),
            last: None,
            told: None,
            has_missed: false,
            joined,
            passing: Passing::default(),
        };
        if let Some(common) = &this.common
            && this.passing.begin(&common.statuses, out)
        {
            this.shared.listeners.raise();
        }
        this.behind = this.beginning(&out.server, opening);
        this
    }

    /// All models, with what the client has of them.
    fn beginning(&self, server: &Server, opening: Option<&Opening>) -> VecDeque<Behind> {
        // Revisions of another life of the session mean nothing in this one.
        let epoch = opening.and_then(|opening| opening.epoch.flatten());
        let same_life = epoch.is_none_or(|epoch| Some(epoch) == self.reader.epoch);
        // Published hubs send models that are shared as a whole, and their clients know nothing of epochs.
        let may_resume = |opening: &&Opening| self.common.is_none() || opening.epoch.is_some();
        let since = opening.filter(may_resume).map(|opening| &opening.since);
        let models = self.shared.models.read();
        let behind = models.iter().map(|(id, model)| {
            let have = match since.and_then(|since| since.get(id)) {
                None => Have::Nothing,
                // Who knows no epoch may have seen it with other views.
                Some(_) if !model.views().is_empty() && epoch.is_none() => Have::Nothing,
                Some(_) if !same_life => {
                    server.inner.totals.resumed(Resumed::Epoch);
                    Have::Nothing
                }
                Some(since) => Have::Revision(*since),
            };
            Behind::opening(*id, have)
        });
        behind.collect()
    }

    /// The client has models that are not here: it is told so in their places.
    pub(super) fn lacks(&mut self, ids: Vec<ModelId>) {
        self.behind.extend(ids.into_iter().map(Behind::missing));
        self.behind.make_contiguous().sort_by_key(Behind::id);
    }

    /// The client sees something else from now on: it is sent all models as they are.
    pub(super) fn restart(&mut self) {
        let models = self.shared.models.read();
        self.behind
            .retain(|behind| !models.contains_key(&behind.id()));
        let all = models.keys().map(|id| Behind::opening(*id, Have::Nothing));
        self.behind.extend(all);
        self.behind.make_contiguous().sort_by_key(Behind::id);
    }

    /// What frames of this source are marked with: the model that is shared; 0 for what is the tenant's own.
    pub(super) fn id(&self) -> ModelId {
        self.common.as_ref().map_or(0, |common| common.id)
    }

    /// The passing states of other connections that are new.
    pub(super) fn push_statuses(&mut self, out: &mut Outbox) -> Result<(), CodecError> {
        let Some(common) = &self.common else {
            return Ok(());
        };
        while out.is_empty() {
            let (news, next) = common.statuses.since(self.told, STATES);
            for status in &news {
                if self.passing.name.as_ref() != Some(status.name()) {
                    let frame = status.frame(common.id, &out.reader.codec)?;
                    out.push(common.id, frame);
                }
            }
            self.told = Some(next);
            if news.len() < STATES {
                break;
            }
        }
        Ok(())
    }

    /// Whether somebody went away unnoticed, so long ago that it is forgotten.
    pub(super) fn is_lost(&self) -> bool {
        let told = self.told.zip(self.common.as_ref());
        told.is_some_and(|(told, common)| common.statuses.has_forgotten(told.max(self.joined)))
    }

    /// The client has another passing state.
    pub(super) fn say(&mut self, state: Json, out: &mut Outbox) {
        if let Some(common) = &self.common
            && self.passing.say(state, &common.statuses, out)
        {
            self.shared.listeners.raise();
        }
    }

    /// When something is to be done about the client's passing state.
    pub(super) fn deadline(&self, out: &Outbox) -> Option<SystemTime> {
        self.passing.deadline(out)
    }

    /// Does what it is time for.
    pub(super) fn wake(&mut self, now: SystemTime, out: &mut Outbox) {
        if let Some(common) = &self.common
            && self.passing.wake(now, &common.statuses, out)
        {
            self.shared.listeners.raise();
        }
    }

    /// Ends here for this connection.
    pub(super) fn close(self, out: &Outbox) {
        self.shared.forms.remove(&self.reader);
        self.shared.listeners.remove(self.listener);
        if let Some(common) = &self.common
            && self.passing.end(&common.statuses, out.entry.number)
        {
            self.shared.listeners.raise();
        }
    }
}
