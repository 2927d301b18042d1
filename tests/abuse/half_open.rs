//! Handshakes that never end.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::support::{House, alone, counted, hits, is_full, number};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_open_handshakes_are_cut_and_nobody_else_notices() {
    let _alone = alone().await;
    let patience = Duration::from_secs(if is_full() { 10 } else { 2 });
    let house = House::new(patience, |_| {}).await;
    let mut honest = house.connect().await;
    let pause = Duration::from_millis(5);
    let before = honest.edits(Duration::from_secs(1), pause).await;

    let half_open = number(100, 500);
    let mut cut = JoinSet::new();
    for number in 0..half_open {
        let mut stream = TcpStream::connect(house.address).await.unwrap();
        cut.spawn(async move {
            let begun = Instant::now();
            let head = b"GET /ws HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\n";
            match number % 4 {
                0 => {}
                1 => stream.write_all(head).await.unwrap(),
                2 => stream.write_all(b"PRI * HTTP/2.0\r\n").await.unwrap(),
                _ => {
                    // A byte a second, for as long as anybody listens.
                    for byte in head {
                        if stream.write_all(&[*byte]).await.is_err() {
                            break;
                        }
                        let mut byte = [0];
                        let answer = stream.read(&mut byte);
                        if timeout(Duration::from_secs(1), answer).await.is_ok() {
                            break;
                        }
                    }
                }
            }
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer).await;
            assert!(!answer.starts_with(b"HTTP/1.1 101"));
            begun.elapsed()
        });
    }
    let during = honest.edits(patience, pause).await;
    let mut longest = Duration::ZERO;
    while let Some(waited) = cut.join_next().await {
        longest = longest.max(waited.unwrap());
    }
    eprintln!(
        "{half_open} half-open: the last was cut after {longest:?}; others before {before}, meanwhile {during}"
    );
    // The last of them may have been accepted, and is looked at, a little later.
    assert!(longest < patience + Duration::from_secs(5), "{longest:?}");
    assert!(during.median() < 4 * before.median() + Duration::from_millis(50));
    // The end is counted a moment after it is seen.
    let mut cut = 0;
    let all_counted = async {
        while cut < half_open as u64 {
            sleep(Duration::from_millis(5)).await;
            cut += hits(&counted(), "header_timeout");
        }
    };
    let in_time = timeout(Duration::from_secs(10), all_counted).await;
    in_time.expect("all are counted");
    assert_eq!(cut, half_open as u64);
    assert_eq!(*house.server.connections().borrow(), 1);
}
