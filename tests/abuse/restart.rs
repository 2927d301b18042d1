//! A server that goes and comes back, and clients that all want it at once.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use axum::Router;
use futures_util::StreamExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_tungstenite::client_async;
use transports::session::Hosted;
use transports::{Codec, Mirrors, Server, Session};
use transports_adapters::{autosync, serve, ws};

use crate::support::{Counter, alone, number, shown};

/// A server in a runtime of its own, which takes all connections along when it goes.
struct Life {
    runtime: Runtime,
    server: Server,
    counter: Hosted<Counter>,
    address: SocketAddr,
}

impl Life {
    fn new(address: &str, session: Session, n: i64) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let text = "x".repeat(10_000);
        let counter = session.host(Counter { n, text });
        let server = Server::new(session);
        let app = Router::new().route("/ws", ws(server.clone()));
        let listener = runtime.block_on(TcpListener::bind(address)).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(autosync(server.clone()));
        runtime.spawn(async move { serve(listener, app).await });
        Self {
            runtime,
            server,
            counter,
            address,
        }
    }
}

/// Follows as published clients do, which try again after a second, all of them at the same time.
async fn follow(address: SocketAddr, codec: Codec, wanted: i64, current: Arc<AtomicUsize>) {
    let mut mirrors = Mirrors::new(codec.clone());
    let mut is_current = false;
    loop {
        if let Ok(stream) = TcpStream::connect(address).await {
            let since = mirrors.get(1).and_then(|mirror| mirror.revision());
            let since = since.map_or_else(String::new, |rev| format!("&since=%7B%221%22:{rev}%7D"));
            let url = format!("ws://{address}/ws?codec={}{since}", codec.name());
            if let Ok((mut socket, _)) = client_async(url, stream).await {
                while let Some(Ok(message)) = socket.next().await {
                    if message.is_close() || message.is_ping() {
                        continue;
                    }
                    mirrors.receive(&message.into_data()).unwrap();
                    if shown(&mirrors) == Some(wanted) && !is_current {
                        is_current = true;
                        current.fetch_add(1, Relaxed);
                    }
                }
            }
        }
        sleep(Duration::from_secs(1)).await;
    }
}

#[test]
fn all_are_current_soon_after_a_restart_by_one_encoding_for_each_codec() {
    let clients = Runtime::new().unwrap();
    let _alone = clients.block_on(alone());
    let count = number(150, 1000);
    let first = Life::new("127.0.0.1:0", Session::new(), 0);
    let current = Arc::new(AtomicUsize::new(0));
    let mut followers = JoinSet::new();
    for number in 0..count {
        let codec = [Codec::Json, Codec::MessagePack, Codec::Cbor][number % 3].clone();
        let follower = follow(first.address, codec, 1, Arc::clone(&current));
        followers.spawn_on(follower, clients.handle());
    }
    let mut open = first.server.connections();
    let all = clients.block_on(async {
        tokio::time::timeout(
            Duration::from_secs(60),
            open.wait_for(|open| *open == count),
        )
        .await
    });
    drop(all.expect("all connect").unwrap());
    let encoded = first.server.stats().snapshots_encoded;
    assert!(encoded <= 3, "{encoded} encodings for three codecs");
    assert_eq!(first.counter.read().n, 0);

    // Without the state of before.
    let address = first.address.to_string();
    first.runtime.shutdown_background();
    // Nobody answers for a while.
    std::thread::sleep(Duration::from_millis(500));
    let restarted = Instant::now();
    let second = Life::new(&address, Session::new(), 1);
    while current.load(Relaxed) < count {
        assert!(restarted.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(5));
    }
    let took = restarted.elapsed();
    let stats = second.server.stats();
    eprintln!(
        "{count} clients: all current {took:?} after a restart, {} encodings",
        stats.snapshots_encoded
    );
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(stats.snapshots_encoded <= 3, "{stats:?}");
    assert_eq!((stats.opened, stats.refused), (count as u64, 0));
    second.runtime.shutdown_background();
    clients.shutdown_background();
}
