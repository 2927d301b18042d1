//! Syncs a session whenever something changed.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use transports::Server;

/// The time from one flush to the next while changes keep coming: 10 ms.
pub const INTERVAL: Duration = Duration::from_millis(10);

/// Sends changes as they are made, for as long as it is polled: spawn it.
///
/// The first change after a quiet time goes out at once. While changes keep coming there is at most one flush per
/// [`INTERVAL`], and at most half of the time is spent on flushing, so that under load many changes become one patch.
/// Sleeps when nothing changes.
pub async fn autosync(server: Server) {
    autosync_every(server, INTERVAL).await;
}

/// As [`autosync`], with another time between flushes.
pub async fn autosync_every(server: Server, interval: Duration) {
    loop {
        server.session().changed().await;
        let started = Instant::now();
        // Faults are reported to the log by the sync itself.
        let _ = server.session().sync();
        let spent = started.elapsed();
        sleep_until(started + interval.max(2 * spent)).await;
    }
}
