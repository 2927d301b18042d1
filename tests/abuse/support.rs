//! A server on a socket, honest clients, and what was counted.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use axum::Router;
use futures_util::{SinkExt, StreamExt};
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Mutex, MutexGuard};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};
use transports::session::Hosted;
use transports::{Mirrors, Server, Session, Synced, Value};
use transports_adapters::{WebSocket, WebSocketSettings, autosync, serve};

#[derive(Synced, Debug)]
pub(crate) struct Counter {
    pub(crate) n: i64,
    pub(crate) text: String,
}

/// A number for each test run, and the one for `ABUSE_FULL`.
pub(crate) fn number(usual: usize, full: usize) -> usize {
    if is_full() { full } else { usual }
}

pub(crate) fn is_full() -> bool {
    std::env::var_os("ABUSE_FULL").is_some()
}

/// The tests of this program measure, so they run one after the other. What was counted before does not count.
pub(crate) async fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::const_new(());
    let alone = ALONE.lock().await;
    counted();
    alone
}

/// The counters since the last call, by name and labels.
pub(crate) fn counted() -> BTreeMap<String, u64> {
    static SNAPSHOTTER: OnceLock<Snapshotter> = OnceLock::new();
    let snapshotter = SNAPSHOTTER.get_or_init(|| {
        let recorder = DebuggingRecorder::new();
        let snapshotter = recorder.snapshotter();
        recorder.install().expect("it is the only recorder");
        snapshotter
    });
    let mut counted = BTreeMap::new();
    for (key, _, _, value) in snapshotter.snapshot().into_vec() {
        if let DebugValue::Counter(count) = value {
            let key = key.key();
            let labels = key.labels().map(|label| label.value());
            let name: Vec<_> = std::iter::once(key.name()).chain(labels).collect();
            counted.insert(name.join(" "), count);
        }
    }
    counted
}

pub(crate) fn hits(counted: &BTreeMap<String, u64>, limit: &str) -> u64 {
    let name = format!("transports_limit_hits_total {limit}");
    counted.get(&name).copied().unwrap_or_default()
}

/// A server on a socket of this machine.
pub(crate) struct House {
    pub(crate) server: Server,
    pub(crate) counter: Hosted<Counter>,
    pub(crate) address: SocketAddr,
    serving: JoinHandle<std::io::Result<()>>,
}

impl House {
    pub(crate) async fn new(
        header_timeout: Duration,
        settings: impl FnOnce(&mut WebSocketSettings),
    ) -> Self {
        let session = Session::new();
        let counter = session.host(Counter {
            n: 0,
            text: String::new(),
        });
        let server = Server::new(session);
        tokio::spawn(autosync(server.clone()));
        let live = WebSocket::new(server.clone()).settings(settings);
        let app = Router::new().route("/ws", live.route());
        let listener = listen();
        let address = listener.local_addr().unwrap();
        let serving = serve(listener, app).header_timeout(header_timeout);
        Self {
            server,
            counter,
            address,
            serving: tokio::spawn(async move { serving.await }),
        }
    }

    pub(crate) async fn connect(&self) -> Honest {
        connect(self.address, "").await
    }

    /// Waits until only so many connections are open.
    pub(crate) async fn down_to(&self, connections: usize) {
        let mut open = self.server.connections();
        let down = open.wait_for(|open| *open <= connections);
        tokio::time::timeout(Duration::from_secs(30), down)
            .await
            .expect("they end")
            .unwrap();
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// A listener whose connections have little room in the kernel, so that one that does not read is noticed soon.
fn listen() -> TcpListener {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_send_buffer_size(32 << 10).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    socket.listen(1024).unwrap()
}

/// A client that does nothing wrong.
pub(crate) struct Honest {
    pub(crate) socket: WebSocketStream<TcpStream>,
    /// What it knows from its first message.
    pub(crate) mirrors: Mirrors,
    edits: u64,
}

pub(crate) async fn connect(address: SocketAddr, query: &str) -> Honest {
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let url = format!("ws://{address}/ws?{query}");
    let (mut socket, _) = client_async(url, stream).await.unwrap();
    let snapshot = socket.next().await.unwrap().unwrap();
    let mut mirrors = Mirrors::default();
    mirrors.receive(&snapshot.into_data()).unwrap();
    Honest {
        socket,
        mirrors,
        edits: 0,
    }
}

pub(crate) fn edit(n: i64, proposal: &str) -> Message {
    Message::text(format!(
        r#"{{"t":"patch","id":1,"proposal":"{proposal}","patch":{{"rev":0,"ops":[{{"Set":{{"path":[{{"Key":"n"}}],"value":{{"Int":{n}}}}}}}]}}}}"#
    ))
}

impl Honest {
    /// Makes an edit; the time until it is answered.
    pub(crate) async fn edit(&mut self) -> Duration {
        self.edits += 1;
        let proposal = format!("edit-{}", self.edits);
        let n = fastrand::i64(..1 << 50);
        let begun = Instant::now();
        self.socket.send(edit(n, &proposal)).await.unwrap();
        loop {
            let message = self.socket.next().await.expect("nobody closes this");
            if message.unwrap().to_string().contains(&proposal) {
                return begun.elapsed();
            }
        }
    }

    /// Makes edits for some time, one every `pause`; what each took.
    pub(crate) async fn edits(&mut self, time: Duration, pause: Duration) -> Times {
        let mut times = Vec::new();
        let until = tokio::time::Instant::now() + time;
        let mut next = tokio::time::interval(pause);
        while tokio::time::Instant::now() < until {
            // What others do has to be read, too.
            tokio::select! {
                _ = next.tick() => times.push(self.edit().await),
                message = self.socket.next() => drop(message.expect("nobody closes this").unwrap()),
            }
        }
        Times(times)
    }
}

/// How long things took.
#[derive(Default)]
pub(crate) struct Times(pub(crate) Vec<Duration>);

impl Times {
    fn at(&self, share: f64) -> Duration {
        let mut times = self.0.clone();
        times.sort_unstable();
        let place = (times.len() as f64 * share) as usize;
        times[place.min(times.len() - 1)]
    }

    pub(crate) fn median(&self) -> Duration {
        self.at(0.5)
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        let (p50, p99) = (ms(self.at(0.5)), ms(self.at(0.99)));
        write!(f, "p50 {p50:.2} ms, p99 {p99:.2} ms of {}", self.0.len())
    }
}

/// Sends bytes and reads until the server has closed; what it said and when it did.
pub(crate) async fn told(address: SocketAddr, bytes: &[u8]) -> (String, Duration) {
    let begun = Instant::now();
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The server may have heard enough before the end.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    (answer, begun.elapsed())
}

/// The number that a mirror of a [`Counter`] shows.
pub(crate) fn shown(mirrors: &Mirrors) -> Option<i64> {
    match mirrors.get(1)?.get()?.get("n")? {
        Value::Int(n) => Some(*n),
        other => panic!("{other:?}"),
    }
}

pub(crate) const HANDSHAKE: &str = "host: localhost\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
    sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
