//! One client that edits without end.

use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Honest, House, Times, alone, connect, counted, edit, hits, is_full};

/// Sends 10,000 edits a second until it is closed; the code.
async fn flood(client: Honest) -> u16 {
    let (mut send, mut receive) = client.socket.split();
    let begun = Instant::now();
    let flooding = async {
        let mut sent = 0;
        loop {
            let due = (begun.elapsed().as_secs_f64() * 10_000.0) as i64;
            while sent < due {
                if send.send(edit(sent, "flood")).await.is_err() {
                    return;
                }
                sent += 1;
            }
            sleep(Duration::from_millis(1)).await;
        }
    };
    let listening = async {
        loop {
            match receive.next().await {
                Some(Ok(Message::Close(Some(frame)))) => return u16::from(frame.code),
                Some(Ok(_)) => {}
                other => panic!("it is told: {other:?}"),
            }
        }
    };
    tokio::pin!(flooding, listening);
    tokio::select! {
        code = &mut listening => code,
        () = &mut flooding => listening.await,
    }
}

async fn work(honest: Vec<Honest>, time: Duration) -> (Vec<Honest>, Times) {
    let mut working = JoinSet::new();
    for mut client in honest {
        working.spawn(async move {
            sleep(Duration::from_millis(fastrand::u64(..500))).await;
            let times = client.edits(time, Duration::from_millis(500)).await;
            (client, times)
        });
    }
    let (mut honest, mut all) = (Vec::new(), Times::default());
    for (client, times) in working.join_all().await {
        honest.push(client);
        all.0.extend(times.0);
    }
    (honest, all)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_is_told_and_closed_and_nobody_else_notices() {
    let _alone = alone().await;
    let house = House::new(Duration::from_secs(10), |_| {}).await;
    let mut honest = Vec::new();
    for _ in 0..50 {
        honest.push(house.connect().await);
    }
    let time = Duration::from_secs(if is_full() { 20 } else { 2 });
    let (honest, before) = work(honest, time).await;

    let offender = tokio::spawn(flood(house.connect().await));
    let (honest, once) = work(honest, time).await;
    assert_eq!(offender.await.unwrap(), 1008);

    let (address, begun) = (house.address, Instant::now());
    let offender = async move {
        let mut times = 1;
        loop {
            assert_eq!(flood(connect(address, "").await).await, 1008);
            times += 1;
            // As published clients do.
            sleep(Duration::from_secs(1)).await;
            if begun.elapsed() > time {
                return times;
            }
        }
    };
    let ((honest, again), floods) = tokio::join!(work(honest, time), tokio::spawn(offender));
    let floods = floods.unwrap();
    eprintln!("a flood beside 50: before {before}, at one flood {once}, at {floods} {again}");
    house.down_to(honest.len()).await;
    assert_eq!(house.server.stats().ended("flooded"), floods);
    assert_eq!(hits(&counted(), "messages_per_second"), floods);
    // Each edit went to everybody until it was closed, which is soon.
    assert!(once.median() < before.median() + Duration::from_secs(1));
}
