//! What the page shows.

use std::collections::BTreeMap;

use transports::Synced;

#[derive(Synced, Debug)]
pub(crate) struct Machine {
    #[synced(read_only)]
    pub(crate) host: String,
    #[synced(read_only)]
    pub(crate) system: String,
    /// Samples taken so far, ten a second.
    #[synced(read_only)]
    pub(crate) samples: u64,
    /// Percent, of each core.
    #[synced(read_only)]
    pub(crate) cores: Vec<f64>,
    #[synced(read_only)]
    pub(crate) memory: Space,
    #[synced(read_only)]
    pub(crate) swap: Space,
    /// By the place where they are mounted.
    #[synced(read_only)]
    pub(crate) disks: BTreeMap<String, Space>,
    /// By their ids.
    #[synced(read_only)]
    pub(crate) processes: BTreeMap<u32, Process>,
}

/// Bytes.
#[derive(Synced, Debug, Default, PartialEq)]
pub(crate) struct Space {
    pub(crate) total: u64,
    pub(crate) used: u64,
}

#[derive(Synced, Debug, PartialEq)]
pub(crate) struct Process {
    pub(crate) name: String,
    /// Percent of one core.
    pub(crate) cpu: f64,
    /// Bytes.
    pub(crate) memory: u64,
    /// Whether it is there to fill the table only.
    pub(crate) invented: bool,
}
