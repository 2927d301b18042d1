//! Clients that send too much.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::AsyncWriteExt;
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::Message;
use transports::{Server, Session};
use transports_adapters::WebSocket;

use crate::sums::Sums;
use crate::support::{close_of, counter, edit, framed, raw};

#[tokio::test(start_paused = true)]
async fn too_many_messages_a_second_are_closed_with_1008() {
    let (server, counter) = counter();
    let live = WebSocket::new(server.clone()).settings(|settings| {
        settings.messages_per_second = 100;
        settings.message_burst = 10;
    });
    // As many as may come, for a long time.
    let mut honest = raw(&live, &server, 1 << 20).client().await;
    for n in 1..=1000 {
        honest.send(Message::text(edit(n))).await.unwrap();
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(counter.read().n, 1000);
    // A burst, and another after some time.
    for round in 2..4 {
        for n in 1..=10 {
            honest
                .send(Message::text(edit(1000 * round + n)))
                .await
                .unwrap();
        }
        sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(counter.read().n, 3010);

    let mut flood = raw(&live, &server, 1 << 20).client().await;
    for n in 1..=11 {
        flood.send(Message::text(edit(-n))).await.unwrap();
    }
    let reason = "more than 100 messages a second";
    assert_eq!(close_of(&mut flood).await, (1008, reason.into()));
    assert_eq!(counter.read().n, -10, "the eleventh is one too many");
    // Nobody else notices.
    honest.send(Message::text(edit(5))).await.unwrap();
    loop {
        let message = honest.next().await.unwrap().unwrap();
        if message.to_text().unwrap().contains(r#"{"Int":5}"#) {
            break;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn pings_count_as_messages() {
    let (server, _counter) = counter();
    let live = WebSocket::new(server.clone()).settings(|settings| settings.message_burst = 5);
    let mut client = raw(&live, &server, 4096);
    client.frame().await.unwrap();
    for _ in 0..6 {
        client.send(0x89, b"").await;
    }
    for _ in 0..6 {
        assert_eq!(client.frame().await.unwrap(), (0x8a, vec![]));
    }
    assert_eq!(client.closed().await.0, 1008);
}

#[tokio::test(start_paused = true)]
async fn endless_empty_fragments_are_closed_with_1008() {
    let sums = Sums::default();
    let _recorder = metrics::set_default_local_recorder(&sums);
    let server = Server::builder(Session::new())
        .limits(|limits| limits.frame_bytes = 1000)
        .build();
    let mut client = raw(&WebSocket::new(server.clone()), &server, 4096);
    client.send(0x01, b"").await;
    // No byte of a message, in a quarter of a megabyte.
    let fragments = framed(0x00, b"").repeat(40_000);
    client.io.write_all(&fragments).await.unwrap();
    let reason = "a message in too many fragments";
    assert_eq!(client.closed().await, (1008, reason.into()));
    assert_eq!(sums.limit("fragments"), 1.0);
}
