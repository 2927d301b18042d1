//! Syncs what is served whenever something changed.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use transports::Server;

/// The time from one flush to the next while changes keep coming: 10 ms.
pub const INTERVAL: Duration = Duration::from_millis(10);

/// Sends changes as they are made, for as long as it is polled: spawn it.
///
/// The first change after a quiet time goes out at once. While changes keep coming there is one flush per [`INTERVAL`],
/// so that each of 100 changes a second is a patch of its own if they come evenly, and at most half of the time is spent
/// on flushing, so that under load many changes become one patch. Sleeps when nothing changes. Of a
/// [`Hub`](transports::Hub) it looks only at the sessions in which something did.
pub async fn autosync(server: impl Into<Server>) {
    autosync_every(server, INTERVAL).await;
}

/// As [`autosync`], with another time between flushes.
pub async fn autosync_every(server: impl Into<Server>, interval: Duration) {
    let server = server.into();
    let mut due = Instant::now();
    loop {
        server.changed().await;
        let started = Instant::now();
        // Faults are reported to the log by the sync itself.
        let _ = server.sync();
        let spent = started.elapsed();
        // Timers are late. Were the next flush an interval after this one, it would be ever later than changes that come
        // as often, until two of them go out together.
        let late = started.saturating_duration_since(due);
        let begun = if late < interval { due } else { started };
        due = (begun + interval).max(started + 2 * spent);
        sleep_until(due).await;
    }
}
