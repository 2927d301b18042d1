//! Times and limits of a connection.

use std::time::Duration;

/// How long a WebSocket waits, and how much it takes. The size of a message is a limit of the server:
/// [`frame_bytes`](transports::server::Limits::frame_bytes).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct WebSocketSettings {
    /// A client that was quiet for this long gets a ping: 25 s by default, less than proxies wait (nginx: 60 s).
    pub ping_interval: Duration,
    /// A client from which nothing comes for this long after a ping is closed with code 1011: 10 s by default.
    pub pong_timeout: Duration,
    /// A client that takes in no byte of what is due to it for this long is closed with code 1013: 10 s by default.
    pub write_timeout: Duration,
    /// For how long a connection that ends waits for the client to take note: 5 s by default.
    pub close_timeout: Duration,
    /// The bytes that are read and forgotten meanwhile: 16 MiB by default. More cuts the connection, and the client may
    /// not see the reason.
    pub close_bytes: usize,
    /// The messages a client may send, pings among them, in the long run: 1000 a second by default. More closes the
    /// connection with code 1008.
    pub messages_per_second: u32,
    /// The messages it may send at once: 2000 by default.
    pub message_burst: u32,
}

impl Default for WebSocketSettings {
    fn default() -> Self {
        Self {
            ping_interval: Duration::from_secs(25),
            pong_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(10),
            close_timeout: Duration::from_secs(5),
            close_bytes: 16 << 20,
            messages_per_second: 1000,
            message_burst: 2000,
        }
    }
}
