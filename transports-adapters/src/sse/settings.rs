//! Times and limits of a stream.

use std::time::Duration;

/// How long an event stream waits, and how much it takes. The size of a message is a limit of the server:
/// [`frame_bytes`](transports::server::Limits::frame_bytes).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct EventStreamSettings {
    /// A comment follows when nothing was sent for this long: 15 s by default, less than proxies wait (nginx: 60 s).
    pub heartbeat: Duration,
    /// After how long an `EventSource` whose stream broke connects again: 2 s by default. Sent at the beginning.
    pub retry: Duration,
    /// A client that takes in less than 16 KiB of what is due to it within this time is closed: 10 s by default. Below
    /// [`serve`](crate::serve()) its socket is cut over HTTP/1.1; elsewhere the socket is left to the operating system, and
    /// holds nothing of the server's.
    pub write_timeout: Duration,
    /// Whether clients may edit by POST: true by default.
    pub uplink: bool,
    /// How long the body of a POST may take: 10 s by default.
    pub uplink_timeout: Duration,
    /// The messages a client may send, in the long run: 1000 a second by default. More closes the stream.
    pub messages_per_second: u32,
    /// The messages it may send at once: 2000 by default.
    pub message_burst: u32,
    /// The bytes of application events that may wait for a client: 256 KiB by default. With more the stream is closed, so
    /// that nobody misses an event without noticing.
    pub event_bytes: usize,
}

impl Default for EventStreamSettings {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_secs(15),
            retry: Duration::from_secs(2),
            write_timeout: Duration::from_secs(10),
            uplink: true,
            uplink_timeout: Duration::from_secs(10),
            messages_per_second: 1000,
            message_burst: 2000,
            event_bytes: 256 << 10,
        }
    }
}
