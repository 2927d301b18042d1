//! Many connections on one thread.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use benches::serving::now;
use memchr::memmem::{self, FinderRev};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use socket2::{Domain, Socket, Type};

use super::decode::{Decoder, Found};

/// What is connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    WebSocket,
    Events,
}

pub(crate) struct Connection {
    stream: TcpStream,
    decoder: Decoder,
    asked: bool,
    /// How many snapshots came, and how many bytes the last of them had.
    pub(crate) snapshots: u64,
    pub(crate) snapshot_bytes: usize,
    pub(crate) patches: u64,
    /// The time of the last change that this connection knows of.
    pub(crate) last_ts: i64,
    /// All messages, if they are to be kept.
    pub(crate) kept: Vec<Box<[u8]>>,
    gone: bool,
}

pub(crate) struct Crowd {
    poll: Poll,
    events: Events,
    buffer: Vec<u8>,
    port: u16,
    transport: Transport,
    keep: bool,
    stamps: FinderRev<'static>,
    pub(crate) connections: Vec<Connection>,
    /// Microseconds from a change to when it was received, of all patches since this was last cleared.
    pub(crate) latencies: Vec<u32>,
    pub(crate) patches: u64,
    pub(crate) snapshots: u64,
    /// Why a connection ended, if one did.
    pub(crate) ended: Option<String>,
}

/// How many connections are being opened at a time, where it is not the opening that is measured.
const OPENING: usize = 128;
/// How long a connection may take to get its snapshot.
const PATIENCE: Duration = Duration::from_secs(60);

impl Crowd {
    pub(crate) fn new(port: u16, transport: Transport, keep: bool) -> io::Result<Self> {
        Ok(Self {
            poll: Poll::new()?,
            events: Events::with_capacity(1024),
            buffer: vec![0; 64 << 10],
            port,
            transport,
            keep,
            stamps: FinderRev::new(b"\"ts\""),
            connections: Vec::new(),
            latencies: Vec::new(),
            patches: 0,
            snapshots: 0,
            ended: None,
        })
    }

    /// Opens so many connections, and waits until each has its snapshot.
    pub(crate) fn open(&mut self, count: usize) -> Result<(), String> {
        let mut left = count;
        while left > 0 {
            let now = left.min(OPENING);
            self.storm(now, PATIENCE)?;
            left -= now;
        }
        Ok(())
    }

    /// Opens so many connections at once, and waits until each has its snapshot.
    pub(crate) fn storm(&mut self, count: usize, patience: Duration) -> Result<Duration, String> {
        let started = Instant::now();
        let expected = self.snapshots + count as u64;
        for _ in 0..count {
            self.connect()
                .map_err(|error| format!("cannot connect: {error}"))?;
        }
        self.until(patience, |this| {
            this.snapshots >= expected || this.ended.is_some()
        })?;
        if let Some(reason) = &self.ended {
            return Err(format!("a connection ended: {reason}"));
        }
        if self.snapshots < expected {
            let served = count as u64 - (expected - self.snapshots);
            return Err(format!("{served} of {count} served in {patience:?}"));
        }
        Ok(started.elapsed())
    }

    /// Opens a connection, waits for its snapshot and never reads again. Its segments and buffers are small, so that the
    /// server's are soon full.
    pub(crate) fn stick(&mut self) -> Result<(), String> {
        self.open_small()
            .map_err(|error| format!("cannot connect: {error}"))?;
        let expected = self.snapshots + 1;
        self.until(PATIENCE, |this| this.snapshots >= expected)?;
        let mut last = self.connections.pop().ok_or("no connection")?;
        self.poll
            .registry()
            .deregister(&mut last.stream)
            .map_err(|error| error.to_string())?;
        // Stays open until this program ends.
        std::mem::forget(last);
        Ok(())
    }

    fn open_small(&mut self) -> io::Result<()> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.set_tcp_mss(536)?;
        socket.set_recv_buffer_size(4096)?;
        socket.connect(&self.address().into())?;
        socket.set_nonblocking(true)?;
        self.add(TcpStream::from_std(socket.into()))
    }

    fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    fn connect(&mut self) -> io::Result<()> {
        self.add(TcpStream::connect(self.address())?)
    }

    fn add(&mut self, mut stream: TcpStream) -> io::Result<()> {
        let token = Token(self.connections.len());
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll
            .registry()
            .register(&mut stream, token, interest)?;
        self.connections.push(Connection {
            stream,
            decoder: Decoder::new(self.transport == Transport::Events, self.keep),
            asked: false,
            snapshots: 0,
            snapshot_bytes: 0,
            patches: 0,
            last_ts: 0,
            kept: Vec::new(),
            gone: false,
        });
        Ok(())
    }

    /// Receives for so long.
    pub(crate) fn run(&mut self, time: Duration) -> Result<(), String> {
        self.until(time, |_| false)
    }

    /// Receives until `done`, but no longer than `patience`.
    pub(crate) fn until(
        &mut self,
        patience: Duration,
        done: impl Fn(&Self) -> bool,
    ) -> Result<(), String> {
        let deadline = Instant::now() + patience;
        while !done(self) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let mut events = std::mem::replace(&mut self.events, Events::with_capacity(0));
            match self.poll.poll(&mut events, Some(left)) {
                Err(error) if error.kind() != ErrorKind::Interrupted => {
                    return Err(error.to_string());
                }
                _ => {}
            }
            for event in &events {
                self.serve(event.token().0);
            }
            self.events = events;
        }
        Ok(())
    }

    fn serve(&mut self, number: usize) {
        let Some(connection) = self.connections.get_mut(number) else {
            return;
        };
        if connection.gone {
            return;
        }
        let mut seen = Seen {
            keep: self.keep,
            stamps: &self.stamps,
            latencies: &mut self.latencies,
            patches: 0,
            snapshots: 0,
        };
        if let Err(reason) = connection.serve(self.transport, &mut self.buffer, &mut seen) {
            connection.gone = true;
            self.ended.get_or_insert(reason);
        }
        self.patches += seen.patches;
        self.snapshots += seen.snapshots;
    }
}

/// What came in one go.
struct Seen<'a> {
    keep: bool,
    stamps: &'a FinderRev<'static>,
    latencies: &'a mut Vec<u32>,
    patches: u64,
    snapshots: u64,
}

impl Connection {
    fn serve(
        &mut self,
        transport: Transport,
        buffer: &mut [u8],
        seen: &mut Seen<'_>,
    ) -> Result<(), String> {
        if !self.asked {
            if let Err(error) = self.stream.peer_addr() {
                return match self.stream.take_error() {
                    // Not connected yet.
                    Ok(None) if error.kind() == ErrorKind::NotConnected => Ok(()),
                    _ => Err(format!("cannot connect: {error}")),
                };
            }
            let request: &[u8] = match transport {
                Transport::WebSocket => b"GET /ws HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                Transport::Events => b"GET /sse HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n\r\n",
            };
            // A fresh socket takes a few bytes at once.
            self.stream
                .write_all(request)
                .map_err(|error| error.to_string())?;
            self.asked = true;
        }
        loop {
            let len = match self.stream.read(buffer) {
                Ok(0) => return Err("the server closed the connection".into()),
                Ok(len) => len,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error.to_string()),
            };
            self.receive(buffer.get(..len).unwrap_or_default(), seen)?;
            // What comes after a read that did not fill the buffer is a new event (epoll(7), question 9).
            if len < buffer.len() {
                return Ok(());
            }
        }
    }

    fn receive(&mut self, bytes: &[u8], seen: &mut Seen<'_>) -> Result<(), String> {
        let received = now();
        let mut pings = Vec::new();
        let mut decoder = std::mem::replace(&mut self.decoder, Decoder::new(false, false));
        let result = decoder.feed(bytes, &mut |found| match found {
            Found::Message(message) => self.message(message, received, seen),
            Found::Large(size) => {
                self.snapshots += 1;
                self.snapshot_bytes = size;
                seen.snapshots += 1;
            }
            Found::Ping(payload) => pings.push(payload.to_vec()),
        });
        self.decoder = decoder;
        for payload in pings {
            // A pong, masked with zeros.
            let mut pong = vec![0x8a, 0x80 | payload.len() as u8, 0, 0, 0, 0];
            pong.extend(payload);
            self.stream
                .write_all(&pong)
                .map_err(|error| error.to_string())?;
        }
        result
    }

    fn message(&mut self, message: &[u8], received: i64, seen: &mut Seen<'_>) {
        if seen.keep {
            self.kept.push(message.into());
        }
        let ts = stamp(message, seen.stamps);
        let start = message.get(..message.len().min(24)).unwrap_or_default();
        if memmem::find(start, b"snapshot").is_some() {
            self.snapshots += 1;
            self.snapshot_bytes = message.len();
            seen.snapshots += 1;
        } else if memmem::find(start, b"patch").is_some() {
            self.patches += 1;
            seen.patches += 1;
            if let Some(ts) = ts {
                let micros = (received - ts).max(0) / 1000;
                seen.latencies
                    .push(u32::try_from(micros).unwrap_or(u32::MAX));
            }
        }
        self.last_ts = ts.unwrap_or(self.last_ts);
    }
}

/// The value of `ts`: the first number after its name.
fn stamp(message: &[u8], stamps: &FinderRev<'_>) -> Option<i64> {
    let after = message.get(stamps.rfind(message)?..)?;
    let digits = after.iter().skip_while(|byte| !byte.is_ascii_digit());
    digits
        .take_while(|byte| byte.is_ascii_digit())
        .try_fold(0_i64, |number, digit| {
            number.checked_mul(10)?.checked_add(i64::from(digit - b'0'))
        })
}
