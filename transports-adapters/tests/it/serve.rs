//! An application run by `serve`.

use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::routing::get;
use futures_util::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use transports_adapters::{serve, ws};

use crate::sums::Sums;
use crate::support::{Dial, close_of, counter, wire};

struct App {
    dial: Dial,
    stop: oneshot::Sender<()>,
    done: JoinHandle<std::io::Result<()>>,
}

fn app(router: Router) -> App {
    let (dial, wire) = wire();
    let (stop, stopped) = oneshot::channel();
    let serving = serve(wire, router).with_graceful_shutdown(async {
        let _ = stopped.await;
    });
    App {
        dial,
        stop,
        done: tokio::spawn(async move { serving.await }),
    }
}

fn hello() -> Router {
    Router::new()
        .route(
            "/hello",
            get(async |ConnectInfo(name): ConnectInfo<&'static str>| name),
        )
        .route(
            "/slow",
            get(async || {
                sleep(Duration::from_secs(5)).await;
                "done"
            }),
        )
        .route("/never", get(async || std::future::pending::<()>().await))
}

const REQUEST: &str = "GET /hello HTTP/1.1\r\nhost: app\r\n\r\n";

#[tokio::test(start_paused = true)]
async fn half_sent_requests_are_cut_after_ten_seconds() {
    let sums = Sums::default();
    let _recorder = metrics::set_default_local_recorder(&sums);
    let app = app(hello());
    let started = Instant::now();
    for begun in [
        "",
        "G",
        "P",
        "PRI * HTTP/2.0\r\n",
        "GET /hello HTTP/1.1\r\nhost:",
    ] {
        let mut io = app.dial.connect();
        io.write_all(begun.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // The end of the stream, or a reset: cut is cut.
        let _ = io.read_to_end(&mut answer).await;
        assert!(!answer.starts_with(b"HTTP/1.1 200"));
    }
    let waited = started.elapsed().as_secs();
    assert!(
        (20..=51).contains(&waited),
        "{waited} s for five, one after the other"
    );
    assert_eq!(sums.limit("header_timeout"), 5.0);
}

#[tokio::test(start_paused = true)]
async fn a_byte_per_second_is_not_fast_enough() {
    let sums = Sums::default();
    let _recorder = metrics::set_default_local_recorder(&sums);
    let app = app(hello());
    let started = Instant::now();
    let mut io = app.dial.connect();
    for byte in REQUEST.bytes() {
        if io.write_all(&[byte]).await.is_err() {
            break;
        }
        sleep(Duration::from_secs(1)).await;
    }
    let waited = started.elapsed().as_secs();
    assert!((9..=12).contains(&waited), "{waited} s");
    assert_eq!(sums.limit("header_timeout"), 1.0);
}

#[tokio::test(start_paused = true)]
async fn whoever_has_asked_once_may_take_their_time() {
    let app = app(hello());
    let mut io = app.dial.connect();
    let mut answer = vec![0; 4096];
    for _ in 0..3 {
        io.write_all(REQUEST.as_bytes()).await.unwrap();
        let read = io.read(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer[..read]);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.ends_with("a client"), "{answer}");
        sleep(Duration::from_secs(6)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_of_a_mebibyte_is_refused() {
    let app = app(hello());
    let mut io = app.dial.connect();
    let head = format!("GET /hello?since={} HTTP/1.1\r\n", "7".repeat(1 << 20));
    let _ = io.write_all(head.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = io.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn at_the_signal_requests_are_finished_and_sockets_closed() {
    let (server, _counter) = counter();
    let app = app(hello().route("/ws", ws(server.clone())));
    let (mut client, _) = tokio_tungstenite::client_async("ws://app/ws", app.dial.connect())
        .await
        .unwrap();
    client.next().await.unwrap().unwrap();
    let mut idle = app.dial.connect();
    idle.write_all(REQUEST.as_bytes()).await.unwrap();
    let mut slow = app.dial.connect();
    let request = REQUEST.replace("hello", "slow");
    slow.write_all(request.as_bytes()).await.unwrap();
    sleep(Duration::from_secs(1)).await;

    let started = Instant::now();
    app.stop.send(()).unwrap();
    assert_eq!(close_of(&mut client).await.0, 1012);
    assert!(client.next().await.is_none());
    assert_eq!(started.elapsed().as_secs(), 0);
    let mut answer = String::new();
    slow.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("done"), "{answer}");
    answer.clear();
    idle.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("a client"), "{answer}");
    app.done.await.unwrap().unwrap();
    assert_eq!(started.elapsed().as_secs(), 4);
    assert_eq!(*server.connections().borrow(), 0);
}

#[tokio::test(start_paused = true)]
async fn requests_that_never_end_are_cut_ten_seconds_after_the_signal() {
    let sums = Sums::default();
    let _recorder = metrics::set_default_local_recorder(&sums);
    let app = app(hello());
    let mut io = app.dial.connect();
    let request = REQUEST.replace("hello", "never");
    io.write_all(request.as_bytes()).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    let started = Instant::now();
    app.stop.send(()).unwrap();
    app.done.await.unwrap().unwrap();
    assert_eq!(started.elapsed().as_secs(), 10);
    assert_eq!(sums.limit("shutdown_timeout"), 1.0);
    let mut answer = Vec::new();
    let _ = io.read_to_end(&mut answer).await;
    assert!(answer.is_empty());
}
