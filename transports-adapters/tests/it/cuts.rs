//! Bytes in any portions, and streams that end anywhere.

use tokio::io::AsyncWriteExt;
use transports::Mirrors;
use transports_adapters::WebSocket;

use crate::support::{counter, edit, framed, raw, sync};

/// An edit as it is, one in fragments with a ping in between, and one of 300 bytes.
fn script() -> (Vec<u8>, [usize; 3]) {
    let mut bytes = framed(0x81, edit(1).as_bytes());
    let first = bytes.len();
    let edit_2 = edit(2);
    let (head, tail) = edit_2.as_bytes().split_at(40);
    bytes.extend(framed(0x01, head));
    bytes.extend(framed(0x89, b"?"));
    bytes.extend(framed(0x00, b""));
    bytes.extend(framed(0x80, tail));
    let second = bytes.len();
    bytes.extend(framed(0x81, format!("{:300}", edit(3)).as_bytes()));
    let third = bytes.len();
    (bytes, [first, second, third])
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_ends_at_any_byte() {
    let (bytes, ends) = script();
    for cut in 0..=bytes.len() {
        let (server, counter) = counter();
        let mut client = raw(&WebSocket::new(server.clone()), &server, 4096);
        client.io.write_all(&bytes[..cut]).await.unwrap();
        drop(client.io);
        client.served.await.unwrap();
        let whole = ends.iter().filter(|end| **end <= cut).count();
        assert!(
            counter.read().n <= i64::try_from(whole).unwrap(),
            "cut at {cut}: never an edit that did not come"
        );
        assert_eq!(*server.connections().borrow(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_in_portions_of_any_size() {
    let (bytes, _) = script();
    for size in (1..=bytes.len()).rev() {
        let (server, counter) = counter();
        let mut client = raw(&WebSocket::new(server.clone()), &server, 4096);
        for portion in bytes.chunks(size) {
            client.io.write_all(portion).await.unwrap();
            tokio::task::yield_now().await;
        }
        client.io.shutdown().await.unwrap();
        let mut frames = Vec::new();
        while let Ok((first, payload)) = client.frame().await {
            frames.push((first, String::from_utf8(payload).unwrap()));
        }
        assert_eq!(counter.read().n, 3, "portions of {size}");
        assert!(frames.contains(&(0x8a, "?".to_owned())));
        let last = frames.iter().rfind(|(first, _)| *first == 0x81).unwrap();
        assert!(last.1.contains(r#"{"Int":3}"#), "portions of {size}");
    }
}

#[tokio::test(start_paused = true)]
async fn frames_of_any_size_through_pipes_of_any_width() {
    // The lengths of a payload have three forms, and writes are copied or not.
    let around = |len: usize| (len.saturating_sub(90)..len + 20).step_by(3);
    let short = around(0).chain(around(125)).chain(around(1024));
    let long = (65_400..65_560).step_by(11).chain([300_000]);
    let short = short.zip([1, 2, 7, 50, 1023, 1 << 20].into_iter().cycle());
    let long = long.zip([1023, 4096, 50_000, 1 << 20].into_iter().cycle());
    for (size, width) in short.chain(long) {
        let (server, counter) = counter();
        counter.write().label = "é".repeat(size / 2);
        sync(&server);
        let mut client = raw(&WebSocket::new(server.clone()), &server, width);
        let (first, snapshot) = client.frame().await.unwrap();
        assert_eq!(first, 0x81);
        let mut mirrors = Mirrors::default();
        mirrors.receive(&snapshot).unwrap();

        // Several frames by one write, small after large.
        for n in 1..4 {
            let mut counter = counter.write();
            counter.n = n;
            counter.label = "y".repeat(size / n as usize);
            drop(counter);
            sync(&server);
        }
        while mirrors.get(1).and_then(|mirror| mirror.revision()) != Some(counter.revision()) {
            let (first, patch) = client.frame().await.unwrap();
            assert_eq!(first, 0x81);
            mirrors.receive(&patch).unwrap();
        }
        let value = mirrors.get(1).and_then(|mirror| mirror.get()).unwrap();
        let label = counter.read().label.clone();
        assert_eq!(value.get("label"), Some(&label.into()), "{size} {width}");
    }
}
