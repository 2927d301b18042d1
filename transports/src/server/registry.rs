//! The connections of a server, and what they did so far.

use std::collections::BTreeMap;
use std::sync::atomic::{
    AtomicBool, AtomicU32, AtomicU64, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;

use super::connection::Progress;
use super::meters::Meters;
use super::offer::Change;
use super::stats::{Limit, Totals};
use super::{Ended, Limits, Opening, OpeningError, Peer, RefusalKind};
use crate::codec::Codec;
use crate::session::Signal;

/// One connection as others see it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConnectionInfo {
    /// Its number. No other connection of the program has it.
    pub number: u64,
    /// Who it is.
    pub peer: Peer,
    /// The name of its codec.
    pub codec: String,
    /// When an adapter last heard of it: [`Connection::active`](super::Connection::active).
    pub last_active: Option<SystemTime>,
    /// The frames that came.
    pub frames_in: u64,
    /// The bytes that came.
    pub bytes_in: u64,
    /// The frames that were taken to be sent.
    pub frames_out: u64,
    /// The bytes that were taken to be sent.
    pub bytes_out: u64,
    /// The bytes that wait to be taken. What others wait for, too, is shared with them.
    pub queued_bytes: usize,
    /// How many events it has not seen yet.
    pub behind: u64,
    /// The [limits](Limits) that it reached, by name.
    pub limits_hit: Vec<&'static str>,
}

/// What a connection and the server share.
///
/// Counters have one writer, the connection, so that counting costs a load and a store.
pub(crate) struct Entry {
    pub(super) number: u64,
    pub(crate) peer: Peer,
    codec: String,
    signal: Arc<Signal>,
    /// Why others want it to end.
    pub(super) closing: OnceLock<Ended>,
    /// Milliseconds since 1970; 0 if never.
    active: AtomicU64,
    incoming: Traffic,
    outgoing: Traffic,
    meters: Meters,
    pub(super) queued: AtomicUsize,
    /// The limits that it reached, a bit for each.
    hit: AtomicU32,
    /// How far it has come with each session that it listens to.
    pub(super) progress: Mutex<Vec<Arc<Progress>>>,
    /// What it is to follow the next time that it is looked at.
    changes: Mutex<Vec<Change>>,
    changed: AtomicBool,
    /// When its rights run out: milliseconds since 1970, or `NEVER`.
    expiry: AtomicU64,
}

const NEVER: u64 = u64::MAX;

#[derive(Default)]
pub(super) struct Traffic {
    frames: AtomicU64,
    bytes: AtomicU64,
}

impl Traffic {
    fn count(&self, bytes: usize) {
        self.frames.store(self.frames.load(Relaxed) + 1, Relaxed);
        self.bytes
            .store(self.bytes.load(Relaxed) + bytes as u64, Relaxed);
    }

    /// Frames and bytes.
    pub(super) fn load(&self) -> [u64; 2] {
        [self.frames.load(Relaxed), self.bytes.load(Relaxed)]
    }

    /// Adds what a connection counted that is gone.
    fn absorb(&self, other: &Self) {
        let [frames, bytes] = other.load();
        self.frames.fetch_add(frames, Relaxed);
        self.bytes.fetch_add(bytes, Relaxed);
    }
}

impl Entry {
    pub(super) fn received(&self, bytes: usize) {
        self.incoming.count(bytes);
        self.meters.received(bytes);
    }

    pub(super) fn sent(&self, bytes: usize) {
        self.outgoing.count(bytes);
        self.meters.sent(bytes);
    }

    pub(super) fn hit(&self, limit: Limit) {
        self.hit.fetch_or(1 << limit as u32, Relaxed);
    }

    pub(super) fn active(&self, now: SystemTime) {
        self.active.store(millis(now), Relaxed);
    }

    /// When an adapter last heard of the client.
    pub(super) fn last_active(&self) -> Option<SystemTime> {
        match self.active.load(Relaxed) {
            0 => None,
            millis => time(millis),
        }
    }

    pub(crate) fn close(&self, reason: Ended) -> bool {
        let mut first = false;
        self.closing.get_or_init(|| {
            first = true;
            reason
        });
        self.signal.alert();
        first
    }

    /// When its rights run out.
    pub(crate) fn expiry(&self) -> Option<SystemTime> {
        match self.expiry.load(Relaxed) {
            NEVER => None,
            millis => time(millis),
        }
    }

    pub(crate) fn expire(&self, at: Option<SystemTime>) {
        self.expiry.store(at.map_or(NEVER, millis), Relaxed);
        // Whoever waits for the time that was has another to wait for.
        self.signal.raise();
    }

    /// Something changes for the connection, before it takes or gives another frame.
    pub(crate) fn change(&self, change: Change) {
        self.changes.lock().push(change);
        self.changed.store(true, Release);
        self.signal.raise();
    }

    pub(super) fn changes(&self) -> Vec<Change> {
        if !self.changed.load(Relaxed) || !self.changed.swap(false, Acquire) {
            return Vec::new();
        }
        std::mem::take(&mut *self.changes.lock())
    }

    pub(super) fn info(&self) -> ConnectionInfo {
        let [frames_in, bytes_in] = self.incoming.load();
        let [frames_out, bytes_out] = self.outgoing.load();
        ConnectionInfo {
            number: self.number,
            peer: self.peer.clone(),
            codec: self.codec.clone(),
            last_active: self.last_active(),
            frames_in,
            bytes_in,
            frames_out,
            bytes_out,
            queued_bytes: self.queued.load(Relaxed),
            behind: self
                .progress
                .lock()
                .iter()
                .map(|progress| progress.behind())
                .sum(),
            limits_hit: Limit::names_in(self.hit.load(Relaxed)),
        }
    }
}

fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    let millis = since.map_or(0, |since| since.as_millis());
    millis.try_into().unwrap_or(u64::MAX)
}

fn time(millis: u64) -> Option<SystemTime> {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(millis))
}

/// All connections of a server.
#[derive(Default)]
pub(super) struct Registry {
    open: Mutex<Open>,
    /// What connections counted that are gone.
    pub(super) gone_in: Traffic,
    pub(super) gone_out: Traffic,
}

/// The number that the next connection gets. Answers find their connections by it, also where several servers show one
/// session.
static NEXT: AtomicU64 = AtomicU64::new(0);

#[derive(Default)]
struct Open {
    entries: BTreeMap<u64, Arc<Entry>>,
    /// Why nobody may connect any more.
    shutdown: Option<String>,
}

impl Registry {
    /// Whether one more may connect; asked before anything else is.
    pub(super) fn admit(&self, limits: &Limits, totals: &Totals) -> Result<(), OpeningError> {
        self.open.lock().admit(limits, totals)
    }

    pub(super) fn add(
        &self,
        limits: &Limits,
        totals: &Totals,
        peer: Peer,
        codec: &Codec,
        signal: Arc<Signal>,
    ) -> Result<Arc<Entry>, OpeningError> {
        let mut open = self.open.lock();
        open.admit(limits, totals)?;
        let number = NEXT.fetch_add(1, Relaxed);
        let entry = Arc::new(Entry {
            number,
            meters: Meters::new(peer.transport, codec),
            peer,
            codec: codec.name().to_owned(),
            signal,
            closing: OnceLock::new(),
            active: AtomicU64::new(0),
            incoming: Traffic::default(),
            outgoing: Traffic::default(),
            queued: AtomicUsize::new(0),
            hit: AtomicU32::new(0),
            progress: Mutex::default(),
            changes: Mutex::default(),
            changed: AtomicBool::new(false),
            expiry: AtomicU64::new(NEVER),
        });
        open.entries.insert(number, Arc::clone(&entry));
        Ok(entry)
    }

    pub(super) fn remove(&self, entry: &Entry) {
        // Counted as gone before it goes: totals may count it twice for a moment, but never fall.
        let mut open = self.open.lock();
        self.gone_in.absorb(&entry.incoming);
        self.gone_out.absorb(&entry.outgoing);
        open.entries.remove(&entry.number);
    }

    pub(super) fn shut_down(&self, reason: &str) {
        let mut open = self.open.lock();
        open.shutdown.get_or_insert_with(|| reason.to_owned());
        for entry in open.entries.values() {
            entry.close(Ended::Shutdown {
                reason: reason.to_owned(),
            });
        }
    }

    pub(super) fn get(&self, number: u64) -> Option<Arc<Entry>> {
        self.open.lock().entries.get(&number).cloned()
    }

    pub(super) fn all(&self) -> Vec<Arc<Entry>> {
        self.open.lock().entries.values().cloned().collect()
    }

    /// Up to so many, from this number on.
    pub(super) fn page(&self, first: u64, most: usize) -> Vec<Arc<Entry>> {
        let open = self.open.lock();
        let entries = open.entries.range(first..).take(most);
        entries.map(|(_, entry)| Arc::clone(entry)).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.open.lock().entries.len()
    }

    /// Frames and bytes that came and went, ever.
    pub(super) fn traffic(&self) -> ([u64; 2], [u64; 2], usize) {
        let open = self.open.lock();
        let (mut incoming, mut outgoing) = (self.gone_in.load(), self.gone_out.load());
        let mut queued = 0;
        let add = |sum: &mut [u64; 2], more: [u64; 2]| {
            sum.iter_mut()
                .zip(more)
                .for_each(|(sum, more)| *sum += more);
        };
        for entry in open.entries.values() {
            add(&mut incoming, entry.incoming.load());
            add(&mut outgoing, entry.outgoing.load());
            queued += entry.queued.load(Relaxed);
        }
        (incoming, outgoing, queued)
    }
}

impl Open {
    fn admit(&self, limits: &Limits, totals: &Totals) -> Result<(), OpeningError> {
        if let Some(reason) = &self.shutdown {
            return Err(RefusalKind::Unavailable.because(reason.clone()).into());
        }
        if self.entries.len() >= limits.connections {
            totals.hit(Limit::Connections);
            let limit = limits.connections;
            let reason = format!("there are {limit} connections already, which is the limit");
            return Err(RefusalKind::Unavailable.because(reason).into());
        }
        Ok(())
    }
}

/// Whether an opening asks for more than it may.
pub(super) fn within(
    limits: &Limits,
    totals: &Totals,
    opening: &Opening,
) -> Result<(), OpeningError> {
    let models = opening.since.len();
    if models > limits.since_models {
        totals.hit(Limit::SinceModels);
        return Err(OpeningError::TooManyModels {
            models,
            limit: limits.since_models,
        });
    }
    Ok(())
}
