//! Who is woken when something was published.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use atomic_waker::AtomicWaker;
use parking_lot::RwLock;
use slab::Slab;

/// The connections that are to be woken. Kept apart from the feed, so that nobody waits for the feed while thousands
/// are woken.
#[derive(Default)]
pub(crate) struct Listeners(RwLock<Slab<Arc<Signal>>>);

impl Listeners {
    pub(crate) fn add(&self, signal: Arc<Signal>) -> usize {
        self.0.write().insert(signal)
    }

    pub(crate) fn remove(&self, key: usize) {
        self.0.write().remove(key);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.read().len()
    }

    pub(crate) fn raise(&self) {
        for (_, signal) in self.0.read().iter() {
            signal.raise();
        }
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

    /// As [`raise`](Self::raise), and wakes whoever only [watches](Self::watch), too.
    pub(crate) fn alert(&self) {
        self.raised.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// Waits until it was raised since the last wait was over.
    pub(crate) fn poll_raised(&self, context: &Context<'_>) -> Poll<()> {
        // Nobody but the task itself lowers it: whoever was woken by it need not say again whom to wake.
        if !self.lower() {
            self.waker.register(context.waker());
            if !self.lower() {
                return Poll::Pending;
            }
        }
        Poll::Ready(())
    }

    /// Wants to be woken by the next [`alert`](Self::alert), but leaves what was raised for later.
    pub(crate) fn watch(&self, context: &Context<'_>) {
        self.waker.register(context.waker());
    }

    fn lower(&self) -> bool {
        self.raised.load(Ordering::Relaxed) && self.raised.swap(false, Ordering::AcqRel)
    }
}
