//! What is counted. The names are listed in the crate's documentation.

use metrics::{Counter, Gauge, counter, gauge};
use transports::session::Frame;

use super::close::Ending;

/// Counts a request that was let in or turned away.
pub(super) fn connect(outcome: &'static str) {
    counter!("transports_connects_total", "transport" => "ws", "outcome" => outcome).increment(1);
}

/// Frames and bytes of a connection, looked up once and not at each frame.
pub(super) struct Traffic {
    frames_out: Counter,
    bytes_out: Counter,
    frames_in: Counter,
    bytes_in: Counter,
}

impl Traffic {
    pub(super) fn new() -> Self {
        Self {
            frames_out: counter!("transports_frames_total", "dir" => "out"),
            bytes_out: counter!("transports_bytes_total", "dir" => "out"),
            frames_in: counter!("transports_frames_total", "dir" => "in"),
            bytes_in: counter!("transports_bytes_total", "dir" => "in"),
        }
    }

    pub(super) fn sent(&self, frame: &Frame) {
        self.frames_out.increment(1);
        self.bytes_out.increment(frame.bytes.len() as u64);
    }

    pub(super) fn received(&self, frame: &Frame) {
        self.frames_in.increment(1);
        self.bytes_in.increment(frame.bytes.len() as u64);
    }
}

/// One open connection, while it exists.
pub(super) struct Open(Gauge);

impl Open {
    pub(super) fn new(codec: &'static str) -> Self {
        let gauge = gauge!("transports_connections", "transport" => "ws", "codec" => codec);
        gauge.increment(1);
        Self(gauge)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}

/// Counts why a connection ended.
pub(super) fn disconnect(ending: &Ending) {
    counter!("transports_disconnects_total", "transport" => "ws", "reason" => ending.label())
        .increment(1);
    if let Some(limit) = ending.limit() {
        counter!("transports_limit_hits_total", "limit" => limit).increment(1);
    }
    if matches!(ending, Ending::Stuck { .. }) {
        counter!("transports_slow_closed_total").increment(1);
    }
}
