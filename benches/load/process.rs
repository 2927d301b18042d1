//! What the kernel tells of a process.

use std::fs::{read_dir, read_to_string};
use std::io;

/// A process that is watched.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process(pub(crate) u32);

/// Microseconds in a tick of `/proc/PID/stat`, of which Linux has 100 a second.
const TICK: f64 = 10_000.0;

impl Process {
    pub(crate) fn own() -> Self {
        Self(std::process::id())
    }

    /// CPU time of all its threads, in microseconds.
    pub(crate) fn cpu(self) -> io::Result<f64> {
        let stat = read_to_string(format!("/proc/{}/stat", self.0))?;
        // The name, in brackets, may have anything in it. `utime` is the 14th field, `stime` the 15th.
        let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
        let ticks = after.split_whitespace().skip(11).take(2);
        Ok(ticks.filter_map(|n| n.parse::<f64>().ok()).sum::<f64>() * TICK)
    }

    /// Resident memory, in bytes.
    pub(crate) fn resident(self) -> io::Result<f64> {
        self.bytes("status", "VmRSS:")
    }

    /// The most resident memory there ever was, in bytes.
    pub(crate) fn peak(self) -> io::Result<f64> {
        self.bytes("status", "VmHWM:")
    }

    /// Resident memory without what others share, in bytes.
    pub(crate) fn proportional(self) -> io::Result<f64> {
        self.bytes("smaps_rollup", "Pss:")
    }

    /// How often its threads went to sleep, and thus were woken.
    pub(crate) fn sleeps(self) -> io::Result<f64> {
        let mut sum = 0.0;
        for task in read_dir(format!("/proc/{}/task", self.0))? {
            let status = read_to_string(task?.path().join("status"))?;
            sum += number(&status, "voluntary_ctxt_switches:");
        }
        Ok(sum)
    }

    fn bytes(self, file: &str, name: &str) -> io::Result<f64> {
        let text = read_to_string(format!("/proc/{}/{file}", self.0))?;
        Ok(number(&text, name) * 1024.0)
    }
}

/// The number in the line that begins with `name`.
fn number(text: &str, name: &str) -> f64 {
    text.lines()
        .find_map(|line| line.strip_prefix(name)?.split_whitespace().next())
        .and_then(|number| number.parse().ok())
        .unwrap_or_default()
}

/// CPU time that all processes together have used on all cores, in microseconds.
pub(crate) fn busy() -> io::Result<f64> {
    let stat = read_to_string("/proc/stat")?;
    let line = stat.lines().next().unwrap_or_default();
    let fields: Vec<f64> = line
        .split_whitespace()
        .skip(1)
        .filter_map(|n| n.parse().ok())
        .collect();
    // Without the fourth and fifth, which are idle, and guests, who are in the first two.
    let busy = fields
        .iter()
        .take(8)
        .enumerate()
        .filter(|(n, _)| !matches!(n, 3 | 4));
    Ok(busy.map(|(_, ticks)| ticks).sum::<f64>() * TICK)
}
