//! The open streams of a route.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Weak};
use std::task::{Context, Waker};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use subtle::ConstantTimeEq;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};
use transports::server::{Connection, Ended, Peer};

use super::event::{AppEvent, OURS, render};
use super::render::Renderer;
use crate::hit::hit;
use crate::rate::Rate;

/// What the streams of a route have in common.
pub(super) struct Streams {
    open: Mutex<Open>,
    pub(super) renderer: Renderer,
    write_timeout: Duration,
    event_bytes: usize,
}

#[derive(Default)]
struct Open {
    streams: HashMap<u64, Arc<Stream>>,
    /// Whether somebody looks after them.
    is_watched: bool,
}

/// One open stream: what its body and its uplink share.
pub(super) struct Stream {
    pub(super) number: u64,
    /// What the client has to know to send anything.
    pub(super) secret: u128,
    /// `None` once it has ended. The hooks of the application run while this is locked.
    pub(super) connection: Mutex<Option<Connection>>,
    pub(super) rate: Mutex<Rate>,
    /// The number of the latest POST that was taken in; those of a stream count from 1.
    taken: AtomicU64,
    /// Never locked while anything else is done.
    inbox: Mutex<Inbox>,
    begun: Instant,
    /// When the latest piece was given that nobody has come back after, in milliseconds from the beginning; or `NONE`.
    given: AtomicU64,
    /// Cuts the socket below.
    cut: Option<Arc<Notify>>,
    peer: Peer,
}

/// What others have for the body.
#[derive(Default)]
struct Inbox {
    events: VecDeque<Bytes>,
    bytes: usize,
    /// There were more events than may wait.
    is_over: bool,
    /// The last words, and none follow.
    last: Option<Bytes>,
    waker: Option<Waker>,
}

pub(super) enum Taken {
    Event(Bytes),
    Overflow,
    Nothing,
}

const NONE: u64 = u64::MAX;

impl Streams {
    pub(super) fn new(write_timeout: Duration, event_bytes: usize) -> Self {
        Self {
            open: Mutex::default(),
            renderer: Renderer::default(),
            write_timeout,
            event_bytes,
        }
    }

    pub(super) fn add(self: &Arc<Self>, stream: Arc<Stream>) {
        let mut open = self.open.lock();
        open.streams.insert(stream.number, stream);
        if !std::mem::replace(&mut open.is_watched, true) {
            tokio::spawn(watch(Arc::downgrade(self)));
        }
    }

    pub(super) fn remove(&self, number: u64) {
        self.open.lock().streams.remove(&number);
    }

    /// The stream that this token is for.
    pub(super) fn with_token(&self, token: &str) -> Option<Arc<Stream>> {
        let (number, secret) = token.split_once('-')?;
        let secret = u128::from_str_radix(secret, 16).ok()?;
        let number = number.parse().ok()?;
        let stream = self.open.lock().streams.get(&number).cloned()?;
        bool::from(stream.secret.ct_eq(&secret)).then_some(stream)
    }

    fn all(&self) -> Vec<Arc<Stream>> {
        self.open.lock().streams.values().cloned().collect()
    }

    pub(super) fn send(&self, which: impl Fn(&Peer) -> bool, event: &AppEvent) -> usize {
        let mut count = 0;
        for stream in self.all() {
            if which(&stream.peer) {
                count += 1;
                stream.put(&event.0, self.event_bytes);
            }
        }
        count
    }
}

/// Closes the streams of clients that do not read. The body itself cannot: nobody asks it for more as long as the socket
/// takes nothing. One task for all of them, while there are any.
async fn watch(streams: Weak<Streams>) {
    loop {
        let Some(patience) = streams.upgrade().map(|streams| streams.write_timeout) else {
            return;
        };
        sleep(patience / 4).await;
        let Some(streams) = streams.upgrade() else {
            return;
        };
        {
            let mut open = streams.open.lock();
            if open.streams.is_empty() {
                open.streams.shrink_to_fit();
                open.is_watched = false;
                return;
            }
        }
        for stream in streams.all() {
            if stream.inbox.lock().is_over {
                stream.overflow();
            }
            if stream.waits_for() >= patience {
                let text = format!("read nothing for {patience:?}");
                if stream.end(Ended::Slow, 1013, &text) {
                    hit("write_timeout");
                }
                if let Some(cut) = &stream.cut {
                    cut.notify_one();
                }
            }
        }
    }
}

impl Stream {
    pub(super) fn new(
        connection: Connection,
        secret: u128,
        rate: Rate,
        cut: Option<Arc<Notify>>,
    ) -> Self {
        Self {
            number: connection.number(),
            secret,
            peer: connection.peer().clone(),
            connection: Mutex::new(Some(connection)),
            rate: Mutex::new(rate),
            taken: AtomicU64::new(0),
            inbox: Mutex::default(),
            begun: Instant::now(),
            given: AtomicU64::new(NONE),
            cut,
        }
    }

    /// Whether the POST of this number is another one than those that were taken in before.
    pub(super) fn takes(&self, number: u64) -> bool {
        self.taken.fetch_max(number, Relaxed) < number
    }

    /// What the client shows with what it sends.
    pub(super) fn token(&self) -> String {
        format!("{}-{:032x}", self.number, self.secret)
    }

    /// Leaves an event for the body. The caller may be a hook, so the stream cannot be ended here.
    fn put(&self, event: &Bytes, most: usize) {
        let mut inbox = self.inbox.lock();
        if inbox.is_over || inbox.last.is_some() {
            return;
        }
        if inbox.bytes + event.len() > most {
            inbox.is_over = true;
            inbox.events = VecDeque::new();
        } else {
            inbox.bytes += event.len();
            inbox.events.push_back(event.clone());
        }
        inbox.wake();
    }

    /// Ends the stream if it did not end before.
    pub(super) fn overflow(&self) {
        if self.end(Ended::Slow, 1013, "application events were not read") {
            hit("event_bytes");
        }
    }

    /// The body looks for what others have for it, and is woken when there is more.
    pub(super) fn take(&self, cx: &Context<'_>) -> Taken {
        let mut inbox = self.inbox.lock();
        if let Some(event) = inbox.events.pop_front() {
            inbox.bytes -= event.len();
            return Taken::Event(event);
        }
        let waker = &mut inbox.waker;
        if waker
            .as_ref()
            .is_none_or(|waker| !waker.will_wake(cx.waker()))
        {
            *waker = Some(cx.waker().clone());
        }
        if inbox.is_over {
            Taken::Overflow
        } else {
            Taken::Nothing
        }
    }

    pub(super) fn take_last(&self) -> Option<Bytes> {
        self.inbox.lock().last.take()
    }

    /// Wakes the body.
    pub(super) fn wake(&self) {
        self.inbox.lock().wake();
    }

    /// Ends the stream with these words. The first ones count; returns whether these are.
    pub(super) fn end(&self, reason: Ended, code: u16, text: &str) -> bool {
        self.end_with(reason, last_words(code, text, None))
    }

    pub(super) fn end_with(&self, reason: Ended, words: Bytes) -> bool {
        let connection = self.connection.lock().take();
        // The hook for it runs without any lock.
        let Some(mut connection) = connection else {
            return false;
        };
        connection.end(reason);
        let mut inbox = self.inbox.lock();
        inbox.last = Some(words);
        inbox.events = VecDeque::new();
        inbox.wake();
        true
    }

    /// Something was given to be sent.
    pub(super) fn gave(&self, now: Instant) {
        let millis = now.duration_since(self.begun).as_millis();
        self.given.store(millis.try_into().unwrap_or(NONE), Relaxed);
    }

    /// Somebody came back for more.
    pub(super) fn asked(&self) {
        self.given.store(NONE, Relaxed);
    }

    /// For how long nobody has come back.
    fn waits_for(&self) -> Duration {
        match self.given.load(Relaxed) {
            NONE => Duration::ZERO,
            millis => self
                .begun
                .elapsed()
                .saturating_sub(Duration::from_millis(millis)),
        }
    }
}

/// What a client is told at the end, with the codes of WebSocket.
pub(super) fn last_words(code: u16, reason: &str, retry_ms: Option<u64>) -> Bytes {
    let words = serde_json::json!({ "t": OURS, "code": code, "reason": reason });
    let event = render(OURS, &words.to_string());
    match retry_ms {
        None => event,
        Some(retry) => [format!("retry: {retry}\n").as_bytes(), &event]
            .concat()
            .into(),
    }
}

impl Inbox {
    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl fmt::Debug for Streams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streams")
            .field("open", &self.open.lock().streams.len())
            .finish_non_exhaustive()
    }
}
