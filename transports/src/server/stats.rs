//! What a server did so far, in numbers.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use serde::Serialize;

use super::{Ended, Peer};

/// What a server did since it was built. Counts only grow, but for those of what is there now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Stats {
    /// The connections now.
    pub connections: usize,
    /// The models now.
    pub models: usize,
    /// The bytes that wait for connections now; what several wait for counts for each.
    pub queued_bytes: usize,
    /// The events so far: revisions, and models taken in.
    pub events: u64,
    /// The connections that were opened.
    pub opened: u64,
    /// The openings that were refused: by a hook, a limit, or because what was asked for is not there.
    pub refused: u64,
    /// The connections that ended, by the [name](Ended::name) of the reason; all names are there.
    pub ended: Vec<(&'static str, u64)>,
    /// The frames that came.
    pub frames_in: u64,
    /// The bytes that came.
    pub bytes_in: u64,
    /// The frames that were taken to be sent.
    pub frames_out: u64,
    /// The bytes that were taken to be sent.
    pub bytes_out: u64,
    /// Openings with `since`, for each model named: it was answered by what was missed.
    pub resumed_by_delta: u64,
    /// As before, but by a snapshot: too much was missed, or the revision is none.
    pub resumed_by_snapshot: u64,
    /// As before, but by a snapshot as the revision is of another epoch.
    pub resumed_by_epoch: u64,
    /// How often a connection fell out of the feed and had to catch up.
    pub catch_ups: u64,
    /// The edits that changed something.
    pub edits_made: u64,
    /// The edits that changed nothing.
    pub edits_empty: u64,
    /// The edits that were rejected.
    pub edits_rejected: u64,
    /// The passing states that were not of the type that a [`Presence`](crate::hub::Presence) asks for.
    pub states_refused: u64,
    /// How often a limit was reached, by its name in [`Limits`](super::Limits); all names are there.
    pub limit_hits: Vec<(&'static str, u64)>,
    /// The snapshots that the session encoded.
    pub snapshots_encoded: u64,
    /// Their bytes.
    pub snapshot_bytes: u64,
    /// The patches that the session encoded, each in all codecs that were in use.
    pub patches_encoded: u64,
    /// Their bytes.
    pub patch_bytes: u64,
}

impl Stats {
    /// How many connections ended for the reason of this name.
    #[must_use]
    pub fn ended(&self, name: &str) -> u64 {
        count_of(&self.ended, name)
    }

    /// How often the limit of this name was reached.
    #[must_use]
    pub fn limit_hits(&self, name: &str) -> u64 {
        count_of(&self.limit_hits, name)
    }
}

fn count_of(counts: &[(&str, u64)], name: &str) -> u64 {
    let named = counts.iter().find(|(other, _)| *other == name);
    named.map_or(0, |(_, count)| *count)
}

/// The limits, to count by.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Limit {
    FrameBytes,
    FrameNodes,
    EditOps,
    Depth,
    PathBytes,
    ListGrowth,
    MovedItems,
    SinceModels,
    Connections,
    QueuedBytes,
    QueuedEvents,
    AwarenessBytes,
    AwarenessPerSecond,
}

impl Limit {
    const NAMES: [&'static str; 13] = [
        "frame_bytes",
        "frame_nodes",
        "edit_ops",
        "depth",
        "path_bytes",
        "list_growth",
        "moved_items",
        "since_models",
        "connections",
        "queued_bytes",
        "queued_events",
        "awareness_bytes",
        "awareness_per_second",
    ];

    pub(super) fn name(self) -> &'static str {
        Self::NAMES.get(self as usize).copied().unwrap_or_default()
    }

    /// The names of the limits whose bits are set, counted from the lowest.
    pub(super) fn names_in(bits: u32) -> Vec<&'static str> {
        let named = Self::NAMES.into_iter().enumerate();
        let set = named.filter(|(place, _)| bits & 1 << place > 0);
        set.map(|(_, name)| name).collect()
    }
}

/// What the models of an opening got that names revisions.
#[derive(Clone, Copy, Debug)]
pub(super) enum Resumed {
    Delta,
    Snapshot,
    Epoch,
}

/// What became of an edit.
#[derive(Clone, Copy, Debug)]
pub(super) enum Edited {
    Made,
    Empty,
    Rejected,
}

/// The counts that are not a connection's own.
#[derive(Default)]
pub(super) struct Totals {
    opened: AtomicU64,
    refused: AtomicU64,
    catch_ups: AtomicU64,
    ended: [AtomicU64; Ended::NAMES.len()],
    resumed: [AtomicU64; 3],
    edits: [AtomicU64; 3],
    states_refused: AtomicU64,
    limits: [AtomicU64; Limit::NAMES.len()],
}

fn count(counts: &[AtomicU64], place: usize) {
    if let Some(count) = counts.get(place) {
        count.fetch_add(1, Relaxed);
    }
}

/// Counts a request that was let in or turned away.
#[cfg_attr(
    not(feature = "metrics"),
    expect(unused_variables, reason = "there is nothing to count with")
)]
fn connects(transport: &'static str, outcome: &'static str) {
    #[cfg(feature = "metrics")]
    {
        let labels = [("transport", transport), ("outcome", outcome)];
        metrics::counter!("transports_connects_total", &labels).increment(1);
    }
}

impl Totals {
    pub(super) fn opened(&self, transport: &'static str) {
        self.opened.fetch_add(1, Relaxed);
        connects(transport, "opened");
    }

    pub(super) fn refused(&self, transport: &'static str, error: &super::OpeningError) {
        self.refused.fetch_add(1, Relaxed);
        tracing::debug!(name: "transports.refused", %error, "an opening is refused");
        connects(transport, "refused");
    }

    pub(super) fn ended(&self, connection: u64, peer: &Peer, reason: &Ended) {
        let transport = peer.transport;
        count(&self.ended, reason.place());
        let reason = reason.name();
        tracing::debug!(name: "transports.ended", connection, transport, reason, "a connection ended");
        #[cfg(feature = "metrics")]
        {
            let labels = [("transport", transport), ("reason", reason)];
            metrics::counter!("transports_disconnects_total", &labels).increment(1);
            if reason == "slow" {
                metrics::counter!("transports_slow_closed_total").increment(1);
            }
        }
    }

    pub(super) fn resumed(&self, how: Resumed) {
        count(&self.resumed, how as usize);
        #[cfg(feature = "metrics")]
        {
            let result = match how {
                Resumed::Delta => "delta",
                Resumed::Snapshot => "snapshot",
                Resumed::Epoch => "epoch",
            };
            metrics::counter!("transports_resumes_total", "result" => result).increment(1);
        }
    }

    pub(super) fn caught_up(&self, connection: u64, events: u64) {
        self.catch_ups.fetch_add(1, Relaxed);
        tracing::debug!(name: "transports.catch_up", connection, events, "a connection is behind and catches up");
    }

    pub(super) fn edited(&self, how: Edited) {
        count(&self.edits, how as usize);
        #[cfg(feature = "metrics")]
        {
            let result = match how {
                Edited::Made => "made",
                Edited::Empty => "empty",
                Edited::Rejected => "rejected",
            };
            metrics::counter!("transports_edits_total", "result" => result).increment(1);
        }
    }

    pub(super) fn state_refused(&self) {
        self.states_refused.fetch_add(1, Relaxed);
        #[cfg(feature = "metrics")]
        metrics::counter!("transports_states_refused_total").increment(1);
    }

    pub(super) fn hit(&self, limit: Limit) {
        count(&self.limits, limit as usize);
        let limit = limit.name();
        tracing::debug!(name: "transports.limit", limit, "a limit was reached");
        #[cfg(feature = "metrics")]
        metrics::counter!("transports_limit_hits_total", "limit" => limit).increment(1);
    }

    /// The counts, in what is otherwise empty.
    pub(super) fn stats(&self) -> Stats {
        let load = |count: &AtomicU64| count.load(Relaxed);
        let named = |names: &[&'static str], counts: &[AtomicU64]| {
            names.iter().copied().zip(counts.iter().map(load)).collect()
        };
        let [delta, snapshot, epoch] = &self.resumed;
        let [made, empty, rejected] = &self.edits;
        Stats {
            opened: load(&self.opened),
            refused: load(&self.refused),
            ended: named(&Ended::NAMES, &self.ended),
            resumed_by_delta: load(delta),
            resumed_by_snapshot: load(snapshot),
            resumed_by_epoch: load(epoch),
            catch_ups: load(&self.catch_ups),
            edits_made: load(made),
            edits_empty: load(empty),
            edits_rejected: load(rejected),
            states_refused: load(&self.states_refused),
            limit_hits: named(&Limit::NAMES, &self.limits),
            ..Stats::default()
        }
    }
}
