//! Flushes as the time goes.

use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};
use transports_adapters::autosync;

use crate::support::counter;

#[tokio::test(start_paused = true)]
async fn each_of_a_hundred_changes_a_second_is_a_revision() {
    let (server, counter) = counter();
    tokio::spawn(autosync(server.clone()));
    // Between the ticks of the timer, which is late for that.
    sleep(Duration::from_micros(300)).await;
    let first = counter.revision();
    let started = Instant::now();
    for n in 1..=1000 {
        counter.write().n = n;
        sleep_until(started + Duration::from_micros(u64::try_from(n).unwrap() * 10_000)).await;
    }
    sleep(Duration::from_millis(100)).await;
    assert_eq!(counter.revision() - first, 1000);
}

#[tokio::test(start_paused = true)]
async fn more_changes_than_that_go_out_together() {
    let (server, counter) = counter();
    tokio::spawn(autosync(server.clone()));
    let first = counter.revision();
    for n in 1..=1000 {
        counter.write().n = n;
        sleep(Duration::from_millis(1)).await;
    }
    sleep(Duration::from_millis(100)).await;
    let flushes = counter.revision() - first;
    // A tick of the timer is a millisecond or two here.
    assert!((90..=250).contains(&flushes), "{flushes}");
}
