//! Bytes that mean nothing, as fast as they go.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{House, alone, connect, is_full, told};

fn bytes(len: usize) -> Vec<u8> {
    std::iter::repeat_with(|| fastrand::u8(..))
        .take(len)
        .collect()
}

/// One try; whether it got as far as to have a connection.
async fn annoy(address: SocketAddr) -> bool {
    let kind = fastrand::u32(0..4);
    if kind == 0 {
        let (answer, _) = told(address, &bytes(100_000)).await;
        assert!(!answer.contains("snapshot"));
        return false;
    }
    let mut client = connect(address, "").await;
    match kind {
        1 => drop(client.socket.get_mut().write_all(&bytes(100_000)).await),
        2 => drop(client.socket.send(Message::binary(bytes(100_000))).await),
        _ => drop(
            client
                .socket
                .send(Message::binary(vec![0xdd; 2 << 20]))
                .await,
        ),
    }
    while let Some(Ok(_)) = client.socket.next().await {}
    true
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_is_closed_and_nobody_else_notices() {
    let _alone = alone().await;
    let house = House::new(Duration::from_secs(10), |_| {}).await;
    let mut honest = house.connect().await;
    let pause = Duration::from_millis(5);
    let time = Duration::from_secs(if is_full() { 10 } else { 1 });
    let before = honest.edits(time, pause).await;

    let mut senders = JoinSet::new();
    for _ in 0..4 {
        let (address, begun) = (house.address, Instant::now());
        senders.spawn(async move {
            let (mut tries, mut connections) = (0, 0);
            while begun.elapsed() < time {
                connections += u64::from(annoy(address).await);
                tries += 1;
            }
            (tries, connections)
        });
    }
    let during = honest.edits(time, pause).await;
    let (mut tries, mut connections) = (0, 0);
    while let Some(sent) = senders.join_next().await {
        let sent: (u64, u64) = sent.unwrap();
        tries += sent.0;
        connections += sent.1;
    }
    eprintln!("{tries} times garbage: others before {before}, meanwhile {during}");
    house.down_to(1).await;
    let stats = house.server.stats();
    let by = ["protocol", "malformed", "too_large", "flooded", "left"];
    let by = by.map(|reason| (reason, stats.ended(reason)));
    assert_eq!(
        by.iter().map(|(_, count)| count).sum::<u64>(),
        connections,
        "{by:?}"
    );
    assert!(
        stats.ended("malformed") > 0 && stats.ended("too_large") > 0,
        "{by:?}"
    );
    assert_eq!(stats.edits_made, (before.0.len() + during.0.len()) as u64);
}
