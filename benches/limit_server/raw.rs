//! Sockets, and one buffer that is written to all of them.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::thread::available_parallelism;

use benches::serving::Control;
use bytes::Bytes;
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tungstenite::handshake::derive_accept_key;

use super::{Sink, Source};

#[derive(Clone, Copy)]
enum Kind {
    WebSocket,
    Events,
}

impl Kind {
    /// What comes before a message of so many bytes.
    fn header(self, len: usize) -> Vec<u8> {
        match self {
            // A final text frame, not masked (RFC 6455, 5.2).
            Self::WebSocket => {
                let mut out = vec![0x81];
                match len {
                    0..=125 => out.push(len as u8),
                    126..=0xffff => {
                        out.push(126);
                        out.extend_from_slice(&(len as u16).to_be_bytes());
                    }
                    _ => {
                        out.push(127);
                        out.extend_from_slice(&(len as u64).to_be_bytes());
                    }
                }
                out
            }
            // A chunk (RFC 9112, 7.1) with one event.
            Self::Events => {
                let event = len + "data: \n\n".len();
                format!("{event:x}\r\ndata: ").into_bytes()
            }
        }
    }

    /// What comes after a message.
    const fn trailer(self) -> &'static [u8] {
        match self {
            Self::WebSocket => b"",
            Self::Events => b"\n\n\r\n",
        }
    }

    fn frame(self, message: &[u8]) -> Bytes {
        Bytes::from([&self.header(message.len()), message, self.trailer()].concat())
    }
}

#[derive(Clone)]
struct Frames {
    ws: Bytes,
    sse: Bytes,
}

struct Peer {
    socket: TcpStream,
    kind: Kind,
    /// What the socket did not take at once. While there is something, a task of its own writes it.
    behind: Mutex<Option<VecDeque<Bytes>>>,
}

/// How many frames a slow client may be behind.
const BEHIND: usize = 1024;

impl Peer {
    /// Whether the peer is still there.
    fn send(self: &Arc<Self>, frames: &Frames) -> bool {
        let frame = match self.kind {
            Kind::WebSocket => &frames.ws,
            Kind::Events => &frames.sse,
        };
        let mut behind = self.behind.lock();
        if let Some(behind) = &mut *behind {
            behind.push_back(frame.clone());
            return behind.len() <= BEHIND;
        }
        let rest = match self.socket.try_write(frame) {
            Ok(written) if written == frame.len() => return true,
            Ok(written) => frame.slice(written..),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => frame.clone(),
            Err(_) => return false,
        };
        *behind = Some(VecDeque::from([rest]));
        tokio::spawn(Arc::clone(self).catch_up());
        true
    }

    async fn catch_up(self: Arc<Self>) {
        loop {
            let mut front = {
                let mut behind = self.behind.lock();
                let Some(front) = behind.as_mut().and_then(VecDeque::pop_front) else {
                    *behind = None;
                    return;
                };
                front
            };
            while !front.is_empty() {
                match self.socket.try_write(&front) {
                    Ok(written) => front = front.slice(written..),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        if self.socket.writable().await.is_err() {
                            return;
                        }
                    }
                    Err(_) => return,
                }
            }
        }
    }
}

enum Item {
    Frames(Frames),
    Peer(Arc<Peer>),
}

/// As many tasks as there are cores share the sockets.
struct Shards(Vec<UnboundedSender<Item>>);

impl Sink for Shards {
    fn send(&self, patch: Bytes) {
        let frames = Frames {
            ws: Kind::WebSocket.frame(&patch),
            sse: Kind::Events.frame(&patch),
        };
        for shard in &self.0 {
            // A shard lives as long as this.
            let _ = shard.send(Item::Frames(frames.clone()));
        }
    }
}

async fn shard(mut items: UnboundedReceiver<Item>) {
    let mut peers: Vec<Arc<Peer>> = Vec::new();
    while let Some(item) = items.recv().await {
        match item {
            Item::Peer(peer) => peers.push(peer),
            Item::Frames(frames) => peers.retain(|peer| peer.send(&frames)),
        }
    }
}

pub(crate) async fn serve(listener: TcpListener, rows: usize) -> io::Result<()> {
    let count = available_parallelism().map_or(1, usize::from);
    let shards = (0..count).map(|_| {
        let (sender, items) = unbounded_channel();
        tokio::spawn(shard(items));
        sender
    });
    let source = Source::new(rows, Shards(shards.collect()));
    let control = source.control();
    for number in 0.. {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        let (source, control) = (Arc::clone(&source), control.clone());
        tokio::spawn(async move {
            // Whoever leaves in the middle is not waited for.
            let _ = greet(socket, number % count, &source, &control).await;
        });
    }
    Ok(())
}

/// The most that a request may have.
const REQUEST: usize = 8 << 10;

async fn greet(
    mut socket: TcpStream,
    shard: usize,
    source: &Source<Shards>,
    control: &Control,
) -> io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        if request.len() > REQUEST || socket.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    let request = String::from_utf8_lossy(&request).into_owned();
    let path = request.split(' ').nth(1).unwrap_or_default();
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let (head, kind) = match path {
        "/ws" => {
            let key = request
                .lines()
                .filter_map(|line| line.split_once(':'))
                .find(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-key"))
                .map_or("", |(_, key)| key.trim());
            let accept = derive_accept_key(key.as_bytes());
            let head = format!(
                "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: {accept}\r\n\r\n"
            );
            (head, Kind::WebSocket)
        }
        "/sse" => {
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n";
            (head.to_owned(), Kind::Events)
        }
        _ => {
            let (status, body) = match path {
                "/stats" => ("200 OK", control.stats()),
                "/ctl" => match control.begin(query) {
                    Ok(()) => ("202 Accepted", String::new()),
                    Err(error) => ("400 Bad Request", error),
                },
                _ => ("404 Not Found", String::new()),
            };
            let len = body.len();
            let answer = format!(
                "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {len}\r\n\r\n{body}"
            );
            return socket.write_all(answer.as_bytes()).await;
        }
    };
    let peer = source.join(|shards, snapshot| {
        let head = [head.as_bytes(), &kind.header(snapshot.len())].concat();
        // The snapshot may be large: all who join have the same.
        let trailer = Bytes::from_static(kind.trailer());
        let behind = VecDeque::from([Bytes::from(head), snapshot, trailer]);
        let peer = Arc::new(Peer {
            socket,
            kind,
            behind: Mutex::new(Some(behind)),
        });
        if let Some(shard) = shards.0.get(shard) {
            let _ = shard.send(Item::Peer(Arc::clone(&peer)));
        }
        peer
    });
    peer.catch_up().await;
    Ok(())
}
