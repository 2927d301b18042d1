//! What is told to the `metrics` facade about one connection. Without the feature, nothing is.

#[cfg(feature = "metrics")]
use metrics::{Counter, Gauge, counter, gauge};

use crate::codec::Codec;

/// The counters that a connection moves, looked up once and not at each frame.
pub(super) struct Meters {
    #[cfg(feature = "metrics")]
    open: Gauge,
    /// Frames and bytes.
    #[cfg(feature = "metrics")]
    incoming: [Counter; 2],
    #[cfg(feature = "metrics")]
    outgoing: [Counter; 2],
}

#[cfg(feature = "metrics")]
impl Meters {
    pub(super) fn new(transport: &'static str, codec: &Codec) -> Self {
        let codec = match codec {
            Codec::Json => "json",
            Codec::MessagePack => "msgpack",
            Codec::Cbor => "cbor",
            Codec::Custom(_) => "custom",
        };
        let open = gauge!("transports_connections", "transport" => transport, "codec" => codec);
        open.increment(1);
        let traffic = |dir: &'static str| {
            [
                counter!("transports_frames_total", "dir" => dir),
                counter!("transports_bytes_total", "dir" => dir),
            ]
        };
        Self {
            open,
            incoming: traffic("in"),
            outgoing: traffic("out"),
        }
    }

    pub(super) fn received(&self, bytes: usize) {
        count(&self.incoming, bytes);
    }

    pub(super) fn sent(&self, bytes: usize) {
        count(&self.outgoing, bytes);
    }
}

#[cfg(feature = "metrics")]
fn count([frames, total]: &[Counter; 2], bytes: usize) {
    frames.increment(1);
    total.increment(bytes as u64);
}

#[cfg(feature = "metrics")]
impl Drop for Meters {
    fn drop(&mut self) {
        self.open.decrement(1);
    }
}

#[cfg(not(feature = "metrics"))]
#[expect(clippy::unused_self, reason = "as with the feature")]
impl Meters {
    pub(super) const fn new(_: &'static str, _: &Codec) -> Self {
        Self {}
    }

    pub(super) const fn received(&self, _: usize) {}

    pub(super) const fn sent(&self, _: usize) {}
}
