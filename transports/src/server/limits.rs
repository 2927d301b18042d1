//! What one client may ask for.

/// What one client may ask of the server. Whatever goes beyond is refused, and nobody else notices.
///
/// An edit that goes too far is rejected, with the place and the limit in the error text; the connection goes on. A
/// frame that goes too far ends the connection with a [`ConnectionError`](super::ConnectionError), an opening with an
/// [`OpeningError`](super::OpeningError). [`Stats::limit_hits`](super::Stats::limit_hits) counts them by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The bytes of a frame from a client: 1 MiB by default. A larger one ends the connection.
    pub frame_bytes: usize,
    /// The values, keys, lists and maps of a frame, as its codec sees them: 262,144 by default. A number in a list is
    /// three (itself, its kind, and both together), a map two more, for the memory it takes. A frame with more ends the
    /// connection before anything of it is kept in memory: this is what bounds the memory that an edit takes, to some
    /// 20 MiB.
    pub frame_nodes: usize,
    /// The ops of one edit: 4096 by default. One with more is rejected.
    pub edit_ops: usize,
    /// How deep lists and maps may lie in each other in a model: 60 by default, as JSON readers of published clients
    /// stop at 63. An edit that goes deeper is rejected, also if each of its parts is shallow.
    pub depth: usize,
    /// The bytes of all keys in the path of an op: 4096 by default. An edit with a longer path is rejected.
    pub path_bytes: usize,
    /// By how many items all lists together may grow in one edit, those within new values included: 65,536 by default.
    /// An edit that adds more is rejected.
    pub list_growth: usize,
    /// How many items of lists one edit may move from place to place, those behind an item that is inserted or removed
    /// included: 2,000,000 by default. Sets count each item 16 times, as they are sorted for it.
    /// An edit that moves more is rejected.
    pub moved_items: usize,
    /// The models in `since`: 1024 by default. An opening that names more is refused.
    pub since_models: usize,
    /// The connections at one time: 65,536 by default. Further ones are refused.
    pub connections: usize,
    /// The bytes of answers that wait for one connection: 1 MiB by default. When a client that sends edits without reading
    /// the answers gets here, the connection ends. What else a connection has to be told is fetched as it is taken: up to
    /// 256 KiB, or one message that is larger, which it shares with the others who wait for it.
    pub queued_bytes: usize,
    /// How many events a connection may be behind before it is told what became of them together instead of each:
    /// 1024 by default, which is also how many a session keeps.
    pub queued_events: u64,
    /// The bytes that the passing state of a connection about a shared model may take as JSON: 16 KiB by default. A
    /// larger one is ignored.
    pub awareness_bytes: usize,
    /// The passing states that a connection may tell about a shared model in each second, and at once: 50 by default.
    /// Each wakes all who see the model. Of those that come too soon the last goes out as soon as it may. 0 counts
    /// as 1.
    pub awareness_per_second: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            frame_bytes: 1 << 20,
            frame_nodes: 1 << 18,
            edit_ops: 4096,
            depth: 60,
            path_bytes: 4096,
            list_growth: 1 << 16,
            moved_items: 2_000_000,
            since_models: 1024,
            connections: 1 << 16,
            queued_bytes: 1 << 20,
            queued_events: 1024,
            awareness_bytes: 16 << 10,
            awareness_per_second: 50,
        }
    }
}
