//! Each close code, and what happens around it.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use transports::{CodecError, CustomCodec, Server, Session};
use transports_adapters::{Shutdown, WebSocket};

use crate::support::{Counter, close_of, counter, edit, framed, raw, sync};

#[tokio::test(start_paused = true)]
async fn a_client_that_closes_is_answered_with_its_code() {
    let (server, _counter) = counter();
    let live = WebSocket::new(server.clone());
    let mut client = raw(&live, &server, 4096).client().await;
    client.next().await.unwrap().unwrap();
    let frame = CloseFrame {
        code: CloseCode::Away,
        reason: "bye".into(),
    };
    client.close(Some(frame)).await.unwrap();
    assert_eq!(close_of(&mut client).await, (1001, "bye".into()));
    assert!(client.next().await.is_none());
    assert_eq!(*server.connections().borrow(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_websocket_is_closed_with_1002() {
    let unmasked = [0x81, 0x01, b'x'].to_vec();
    let reserved_bit = framed(0xc1, b"x");
    let reserved_opcode = framed(0x83, b"x");
    let long_ping = framed(0x89, &[0; 126]);
    let stray_fragment = framed(0x80, b"x");
    for bytes in [
        unmasked,
        reserved_bit,
        reserved_opcode,
        long_ping,
        stray_fragment,
    ] {
        let (server, _counter) = counter();
        let mut client = raw(&WebSocket::new(server.clone()), &server, 4096);
        client.frame().await.unwrap();
        client.io.write_all(&bytes).await.unwrap();
        assert_eq!(client.closed().await.0, 1002, "{bytes:?}");
        assert_eq!(*server.connections().borrow(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn malformed_frames_are_closed_with_1007() {
    for (first, bytes) in [(0x81, &b"[1]"[..]), (0x81, b"\xff"), (0x82, b"\xc1")] {
        let (server, _counter) = counter();
        let mut client = raw(&WebSocket::new(server.clone()), &server, 4096);
        client.frame().await.unwrap();
        client.send(first, bytes).await;
        assert_eq!(client.closed().await.0, 1007, "{bytes:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_large_message_is_closed_with_1009_and_the_client_can_read_it_after_all_was_written() {
    let session = Session::new();
    let server = Server::builder(session)
        .limits(|limits| limits.frame_bytes = 1000)
        .build();
    let mut client = raw(&WebSocket::new(server.clone()), &server, 4096);
    client.send(0x81, &[b' '; 999]).await;
    assert_eq!(
        client.closed().await.0,
        1007,
        "small enough, but no message"
    );

    let mut client = raw(&WebSocket::new(server.clone()), &server, 4096);
    // Far more than fits on the way: it has to be read, though nobody wants it.
    client.send(0x81, &[b' '; 1 << 20]).await;
    let reason = "a message of 1048576 bytes is over the limit of 1000";
    assert_eq!(client.closed().await, (1009, reason.into()));
    drop(client.io);
    client.served.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn fragments_add_up_to_1009() {
    let server = Server::builder(Session::new())
        .limits(|limits| limits.frame_bytes = 1000)
        .build();
    let mut client = raw(&WebSocket::new(server.clone()), &server, 4096);
    client.send(0x01, &[b' '; 600]).await;
    client.send(0x80, &[b' '; 600]).await;
    assert_eq!(client.closed().await.0, 1009);
}

#[tokio::test(start_paused = true)]
async fn quiet_clients_are_pinged_and_closed_with_1011_if_they_do_not_answer() {
    let (server, _counter) = counter();
    let mut client = raw(&WebSocket::new(server.clone()), &server, 4096);
    client.frame().await.unwrap();
    let started = Instant::now();
    for seconds in [25, 50, 75] {
        assert_eq!(client.frame().await.unwrap(), (0x89, vec![]));
        assert_eq!(started.elapsed().as_secs(), seconds);
        client.send(0x8a, b"").await;
    }
    // Whoever talks is not asked.
    tokio::time::sleep(Duration::from_secs(20)).await;
    client.send(0x8a, b"").await;
    assert_eq!(client.frame().await.unwrap(), (0x89, vec![]));
    assert_eq!(started.elapsed().as_secs(), 120);
    assert_eq!(client.closed().await, (1011, "no pong within 10 s".into()));
    assert_eq!(started.elapsed().as_secs(), 130);
    // It waits for the answer, but not for ever.
    client.served.await.unwrap();
    assert_eq!(started.elapsed().as_secs(), 135);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_sends_what_is_due_and_closes_with_1012() {
    let (server, counter) = counter();
    let shutdown = Shutdown::new();
    let live = WebSocket::new(server.clone()).shutdown(&shutdown);
    let mut clients = Vec::new();
    for _ in 0..20 {
        let mut client = raw(&live, &server, 4096).client().await;
        client.next().await.unwrap().unwrap();
        clients.push(client);
    }
    counter.write().n = 7;
    sync(&server);
    shutdown.begin();
    let mut waits = Vec::new();
    for client in &mut clients {
        let patch = client.next().await.unwrap().unwrap();
        assert!(patch.to_text().unwrap().contains(r#"{"Int":7}"#));
        let (code, reason) = close_of(client).await;
        assert_eq!(code, 1012);
        let wait: u64 = reason
            .strip_prefix("shutting down, retry in ")
            .and_then(|rest| rest.strip_suffix(" ms"))
            .and_then(|wait| wait.parse().ok())
            .unwrap();
        waits.push(wait);
        // tungstenite answers when it is read from again.
        assert!(client.next().await.is_none());
    }
    assert!(shutdown.finished(Duration::from_secs(1)).await);
    waits.sort_unstable();
    let gaps = waits.windows(2).map(|pair| pair[1] - pair[0]);
    assert!(gaps.clone().max().unwrap() < 1000, "spread: {waits:?}");
    assert!(gaps.min().unwrap() > 0, "not all at once: {waits:?}");
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_does_not_wait_for_a_client_that_is_stuck() {
    let (server, counter) = counter();
    counter.write().label = "x".repeat(100_000);
    sync(&server);
    let shutdown = Shutdown::new();
    let live = WebSocket::new(server.clone()).shutdown(&shutdown);
    let client = raw(&live, &server, 1000);
    tokio::task::yield_now().await;
    shutdown.begin();
    assert!(!shutdown.finished(Duration::from_secs(9)).await);
    assert!(
        shutdown.finished(Duration::from_secs(7)).await,
        "10 s to read, 5 s to close"
    );
    drop(client);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_is_stuck_is_closed_with_1013_at_the_end_of_a_frame() {
    let (server, counter) = counter();
    counter.write().label = "x".repeat(100_000);
    sync(&server);
    let mut client = raw(&WebSocket::new(server.clone()), &server, 1000);
    let mut connections = server.connections();
    let started = Instant::now();
    connections.wait_for(|open| *open == 1).await.unwrap();
    for n in 0..100 {
        counter.write().n = n;
        sync(&server);
        tokio::task::yield_now().await;
    }
    connections.wait_for(|open| *open == 0).await.unwrap();
    assert_eq!(
        started.elapsed().as_secs(),
        10,
        "nothing of the session is held any more"
    );
    // What was begun is finished, what came after it is not.
    let (first, snapshot) = client.frame().await.unwrap();
    assert_eq!(first, 0x81);
    assert!(snapshot.len() > 100_000);
    assert_eq!(
        client.closed().await,
        (1013, "read nothing for 10 s".into())
    );
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_is_slow_but_reads_is_left_alone() {
    let (server, counter) = counter();
    counter.write().label = "x".repeat(20_000);
    sync(&server);
    let mut client = raw(&WebSocket::new(server.clone()), &server, 1000);
    let mut buffer = vec![0; 1000];
    let mut read = 0;
    while read < 20_000 {
        tokio::time::sleep(Duration::from_secs(9)).await;
        read += client.io.read(&mut buffer).await.unwrap();
    }
    assert_eq!(*server.connections().borrow(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_codec_that_fails_closes_with_1011() {
    #[derive(Debug)]
    struct Broken;
    impl CustomCodec for Broken {
        fn content_type(&self) -> &str {
            "application/broken"
        }
        fn is_text(&self) -> bool {
            false
        }
        fn encode(&self, message: &transports::Message) -> Result<Vec<u8>, CodecError> {
            match message {
                transports::Message::Snapshot { .. } => Ok(b"fine".to_vec()),
                _ => Err(CodecError::new("broken", "out of ink")),
            }
        }
        fn decode(&self, _: &[u8]) -> Result<transports::Message, CodecError> {
            Err(CodecError::new("broken", "blind"))
        }
    }
    let session = Session::new();
    let counter = session.host(Counter {
        n: 0,
        label: String::new(),
    });
    let server = Server::builder(session).codec(Broken).build();
    let opening = transports::server::Opening::parse("codec=application/broken").unwrap();
    let connection = server.open(&opening).unwrap();
    let (ours, theirs) = tokio::io::duplex(4096);
    let live = WebSocket::new(server.clone());
    let served = tokio::spawn(async move { live.serve(connection, theirs).await });
    let mut client = crate::support::Raw { io: ours, served };
    assert_eq!(client.frame().await.unwrap(), (0x82, b"fine".to_vec()));
    counter.write().n = 1;
    sync(&server);
    assert_eq!(client.closed().await.0, 1011);
}

#[tokio::test(start_paused = true)]
async fn pings_are_answered_between_frames() {
    let (server, counter) = counter();
    let mut client = raw(&WebSocket::new(server.clone()), &server, 100_000);
    client.frame().await.unwrap();
    client.send(0x01, &edit(3).as_bytes()[..10]).await;
    client.send(0x89, b"there?").await;
    assert_eq!(client.frame().await.unwrap(), (0x8a, b"there?".to_vec()));
    client.send(0x80, &edit(3).as_bytes()[10..]).await;
    let (_, patch) = client.frame().await.unwrap();
    assert!(String::from_utf8(patch).unwrap().contains(r#"{"Int":3}"#));
    assert_eq!(counter.read().n, 3);
}

#[tokio::test(start_paused = true)]
async fn a_close_frame_is_waited_for_while_the_client_still_talks() {
    let (server, _counter) = counter();
    let shutdown = Shutdown::new();
    let live = WebSocket::new(server.clone()).shutdown(&shutdown);
    let mut client = raw(&live, &server, 4096).client().await;
    client.next().await.unwrap().unwrap();
    shutdown.begin();
    client.send(Message::text(edit(1))).await.unwrap();
    client.send(Message::text(edit(2))).await.unwrap();
    assert_eq!(close_of(&mut client).await.0, 1012);
    assert!(client.next().await.is_none());
    assert!(shutdown.finished(Duration::ZERO).await);
}
