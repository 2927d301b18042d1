//! What the client knows of the server's models, and who wants to hear of it.

use std::sync::{Arc, Weak};

use futures_util::{Stream, stream};
use parking_lot::Mutex;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};
use transports::message::ModelId;
use transports::mirror::{MirrorError, MirrorEvent};
use transports::{Codec, Mirror, Mirrors, Op, Value};

/// Something that happened to a model.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Change {
    /// The model came as a whole: at first, after a reconnect that could not go on, when an edit of this client was
    /// refused, or because the receiver of these changes was too slow to be told each of them.
    Replaced {
        /// The model.
        id: ModelId,
        /// The revision it is at.
        rev: u64,
    },
    /// The model changed in these places.
    Patched {
        /// The model.
        id: ModelId,
        /// The revision it is at.
        rev: u64,
        /// What was done, each op with its path.
        ops: Arc<[Op]>,
    },
    /// The server shows the model no longer. Should it come again, it comes as a whole.
    Gone {
        /// The model.
        id: ModelId,
        /// The revision it was at.
        rev: u64,
    },
}

impl Change {
    /// The model.
    #[must_use]
    pub const fn id(&self) -> ModelId {
        match self {
            Self::Replaced { id, .. } | Self::Patched { id, .. } | Self::Gone { id, .. } => *id,
        }
    }

    /// The revision it is at, or was at.
    #[must_use]
    pub const fn rev(&self) -> u64 {
        match self {
            Self::Replaced { rev, .. } | Self::Patched { rev, .. } | Self::Gone { rev, .. } => *rev,
        }
    }
}

/// A model that a server has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ModelInfo {
    /// Its id.
    pub id: ModelId,
    /// The name of its type.
    pub type_name: String,
    /// The revision it is at.
    pub rev: u64,
}

/// A typed mirror that follows.
pub(super) trait Follower: Send + Sync {
    /// A model has changed. Called without any lock held.
    fn follow(&self, books: &Books, change: &Change);
}

pub(crate) struct Books {
    inner: Mutex<Inner>,
    arrivals: watch::Sender<()>,
    changes: broadcast::Sender<Change>,
}

struct Inner {
    mirrors: Mirrors,
    followers: Vec<Weak<dyn Follower>>,
}

/// How many changes a receiver may be behind before it is told that models were replaced.
const BEHIND: usize = 256;

impl Books {
    pub(super) fn new(codec: Codec) -> Self {
        let mirrors = Mirrors::new(codec);
        Self {
            inner: Mutex::new(Inner {
                mirrors,
                followers: Vec::new(),
            }),
            arrivals: watch::Sender::new(()),
            changes: broadcast::Sender::new(BEHIND),
        }
    }

    /// Raised when a model is shown for the first time, or anew.
    pub(super) fn arrivals(&self) -> watch::Receiver<()> {
        self.arrivals.subscribe()
    }

    pub(super) fn models(&self) -> Vec<ModelInfo> {
        let inner = self.inner.lock();
        let info = |mirror: &Mirror| {
            Some(ModelInfo {
                id: mirror.id(),
                type_name: mirror.type_name()?.to_owned(),
                rev: mirror.revision()?,
            })
        };
        inner.mirrors.iter().filter_map(info).collect()
    }

    pub(super) fn value(&self, id: ModelId) -> Option<Value> {
        self.inner.lock().mirrors.get(id)?.get().cloned()
    }

    pub(super) fn with<R>(&self, use_them: impl FnOnce(&mut Mirrors) -> R) -> R {
        use_them(&mut self.inner.lock().mirrors)
    }

    /// Adds a follower that is made from what the model is now, so that it misses nothing.
    pub(super) fn add<F: Follower + 'static>(
        &self,
        id: ModelId,
        make: impl FnOnce(&Mirror) -> Result<F, MirrorError>,
    ) -> Result<Arc<F>, MirrorError> {
        let mut inner = self.inner.lock();
        let mirror = inner.mirrors.get(id).ok_or(MirrorError::Unknown { id })?;
        let follower = Arc::new(make(mirror)?);
        let weak = Arc::downgrade(&follower);
        inner.followers.push(weak);
        Ok(follower)
    }

    /// Takes in a frame and tells everybody. Called by the client's task alone.
    pub(super) fn receive(&self, frame: &[u8]) -> Result<Vec<MirrorEvent>, MirrorError> {
        let mut inner = self.inner.lock();
        let received = inner.mirrors.receive(frame);
        let changes: Vec<_> = match &received {
            Ok(events) => events.iter().filter_map(change_of).collect(),
            // Of a batch that failed some messages may have been taken in.
            Err(_) => inner.mirrors.iter().filter_map(replaced).collect(),
        };
        inner
            .followers
            .retain(|follower| follower.strong_count() > 0);
        let followers: Vec<_> = inner.followers.iter().filter_map(Weak::upgrade).collect();
        drop(inner);

        for change in changes {
            for follower in &followers {
                follower.follow(self, &change);
            }
            if matches!(change, Change::Replaced { .. }) {
                self.arrivals.send_replace(());
            }
            // Nobody may be listening.
            let _ = self.changes.send(change);
        }
        received
    }

    /// The changes from now on, of one model or of all.
    pub(super) fn changes(
        self: &Arc<Self>,
        only: Option<ModelId>,
    ) -> impl Stream<Item = Change> + Send + Unpin + use<> {
        let listener = Listener {
            changes: self.changes.subscribe(),
            books: Arc::downgrade(self),
            only,
            renewed: Vec::new(),
        };
        Box::pin(stream::unfold(listener, async |mut listener| {
            let change = listener.next().await?;
            Some((change, listener))
        }))
    }

    fn all_replaced(&self) -> Vec<Change> {
        self.inner
            .lock()
            .mirrors
            .iter()
            .filter_map(replaced)
            .collect()
    }
}

/// Somebody who is told what happens.
struct Listener {
    changes: broadcast::Receiver<Change>,
    books: Weak<Books>,
    only: Option<ModelId>,
    /// What to tell instead of the changes that it was too slow for.
    renewed: Vec<Change>,
}

impl Listener {
    async fn next(&mut self) -> Option<Change> {
        loop {
            let change = match self.renewed.pop() {
                Some(change) => change,
                None => match self.changes.recv().await {
                    Ok(change) => change,
                    Err(RecvError::Lagged(_)) => {
                        self.renewed = self.books.upgrade()?.all_replaced();
                        continue;
                    }
                    Err(RecvError::Closed) => return None,
                },
            };
            if self.only.is_none_or(|id| id == change.id()) {
                return Some(change);
            }
        }
    }
}

fn change_of(event: &MirrorEvent) -> Option<Change> {
    match event {
        MirrorEvent::Replaced { id, rev } => Some(Change::Replaced { id: *id, rev: *rev }),
        MirrorEvent::Patched { id, patch, .. } => Some(Change::Patched {
            id: *id,
            rev: patch.rev,
            ops: patch.ops.as_slice().into(),
        }),
        MirrorEvent::Gone { id, rev } => Some(Change::Gone { id: *id, rev: *rev }),
        _ => None,
    }
}

fn replaced(mirror: &Mirror) -> Option<Change> {
    let (id, rev) = (mirror.id(), mirror.revision()?);
    Some(Change::Replaced { id, rev })
}
