//! The host's own access to its models.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use parking_lot::{RecursiveRwLockReadGuard, RecursiveRwLockWriteGuard};

use super::model::Slot;
use crate::message::ModelId;
use crate::synced::Synced;
use crate::tracked::Tracked;

/// A model of a [`Session`](crate::Session), in the hands of its host.
///
/// Cheap to clone; all clones are the same model. Guards of [`read`](Self::read) and [`write`](Self::write) lock the
/// model and cannot be held across an `await`.
pub struct Hosted<T: Synced> {
    slot: Arc<Slot<T>>,
}

impl<T: Synced> Hosted<T> {
    pub(super) const fn new(slot: Arc<Slot<T>>) -> Self {
        Self { slot }
    }

    /// The model's id in its session.
    #[must_use]
    pub fn id(&self) -> ModelId {
        self.slot.id
    }

    /// How many times the model has changed for its peers. Changes made since the last sync are not counted yet.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.slot.seen_rev()
    }

    /// Looks at the model; waits while it is being changed.
    #[must_use = "the model is locked as long as the guard lives"]
    pub fn read(&self) -> ReadGuard<'_, T> {
        ReadGuard {
            // A second guard of one thread must not wait for an edit that waits for the first.
            tracked: self.slot.state.read(),
            _release: Release {
                slot: &self.slot,
                changed: false,
            },
        }
    }

    /// Changes the model as any other value; waits while others look at it. The change travels at the next sync.
    ///
    /// A thread that already holds a guard of this model waits for itself, for ever.
    #[must_use = "the model is locked as long as the guard lives"]
    pub fn write(&self) -> WriteGuard<'_, T> {
        WriteGuard {
            tracked: self.slot.state.write(),
            release: Release {
                slot: &self.slot,
                changed: false,
            },
        }
    }
}

impl<T: Synced> Clone for Hosted<T> {
    fn clone(&self) -> Self {
        Self {
            slot: Arc::clone(&self.slot),
        }
    }
}

impl<T: Synced + fmt::Debug> fmt::Debug for Hosted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Hosted");
        debug
            .field("id", &self.id())
            .field("revision", &self.revision());
        match self.slot.state.try_read() {
            Some(tracked) => {
                let release = Release {
                    slot: &self.slot,
                    changed: false,
                };
                debug
                    .field(
                        "model",
                        &*ReadGuard {
                            tracked,
                            _release: release,
                        },
                    )
                    .finish()
            }
            None => debug.finish_non_exhaustive(),
        }
    }
}

/// Shared access to a hosted model.
#[must_use = "the model is locked as long as the guard lives"]
pub struct ReadGuard<'a, T: Synced> {
    // Fields are dropped in this order: the lock goes before the session is told.
    tracked: RecursiveRwLockReadGuard<'a, Tracked<T>>,
    _release: Release<'a, T>,
}

/// Exclusive access to a hosted model. The session is told when it goes, if the model was borrowed mutably.
#[must_use = "the model is locked as long as the guard lives"]
pub struct WriteGuard<'a, T: Synced> {
    // Fields are dropped in this order: the lock goes before the session is told.
    tracked: RecursiveRwLockWriteGuard<'a, Tracked<T>>,
    release: Release<'a, T>,
}

struct Release<'a, T: Synced> {
    slot: &'a Slot<T>,
    changed: bool,
}

impl<T: Synced> Drop for Release<'_, T> {
    fn drop(&mut self) {
        self.slot.released(self.changed);
    }
}

impl<T: Synced> Deref for ReadGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.tracked
    }
}

impl<T: Synced> Deref for WriteGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.tracked
    }
}

impl<T: Synced> DerefMut for WriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        if !self.release.changed {
            self.release.changed = true;
            self.release.slot.mark_changed();
        }
        &mut self.tracked
    }
}

impl<T: Synced + fmt::Debug> fmt::Debug for ReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tracked.fmt(f)
    }
}

impl<T: Synced + fmt::Debug> fmt::Debug for WriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tracked.fmt(f)
    }
}
