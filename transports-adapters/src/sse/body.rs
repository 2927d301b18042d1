//! The body of a response that is a stream of events.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::Frame;
use tokio::time::{Instant, Sleep, sleep};
use transports::server::Ended;

use super::resume::Told;
use super::streams::{Stream, Streams, Taken, last_words};
use crate::alarm::Alarm;
use crate::shutdown::{ShutdownHeld, retry_ms};

/// Gives events as they come, and comments while there are none.
pub(super) struct EventBody {
    streams: Arc<Streams>,
    stream: Arc<Stream>,
    /// `None` for clients that know their revisions themselves.
    told: Option<Arc<Told>>,
    out: VecDeque<Bytes>,
    heartbeat: Duration,
    timer: Pin<Box<Sleep>>,
    alarm: Alarm,
    /// When something last went out.
    last: Instant,
    /// The shutdown waits for the last words.
    _held: Option<ShutdownHeld>,
}

impl EventBody {
    pub(super) fn new(
        streams: Arc<Streams>,
        stream: Arc<Stream>,
        told: Option<Arc<Told>>,
        opening: Bytes,
        heartbeat: Duration,
        held: Option<ShutdownHeld>,
    ) -> Self {
        streams.add(Arc::clone(&stream));
        Self {
            streams,
            stream,
            told,
            out: VecDeque::from([opening]),
            heartbeat,
            timer: Box::pin(sleep(heartbeat)),
            alarm: Alarm::default(),
            last: Instant::now(),
            _held: held,
        }
    }

    /// The next piece; `None` at the end.
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            if let Some(piece) = self.out.pop_front() {
                return Poll::Ready(Some(piece));
            }
            match self.stream.take(cx) {
                Taken::Event(event) => {
                    self.out.push_back(event);
                    continue;
                }
                Taken::Overflow => self.stream.overflow(),
                Taken::Nothing => {}
            }
            let mut open = self.stream.connection.lock();
            let Some(connection) = &mut *open else {
                drop(open);
                return Poll::Ready(self.stream.take_last());
            };
            self.alarm.poll(connection, cx);
            match connection.poll_next(cx) {
                Poll::Ready(Some(frame)) => {
                    // What it saw as somebody else counts no more.
                    if let Some(told) = &mut self.told
                        && told.epoch() != connection.epoch()
                    {
                        *told = Arc::new(Told::new(connection.epoch(), BTreeMap::new()));
                    }
                    drop(open);
                    let renderer = &self.streams.renderer;
                    renderer.render(frame.bytes, &mut self.told, &mut self.out);
                    continue;
                }
                Poll::Ready(None) => {
                    let reason = connection.ended().cloned().unwrap_or(Ended::Left);
                    drop(open);
                    let retry = matches!(reason, Ended::Shutdown { .. }).then(retry_ms);
                    let words = last_words(code(&reason), reason.text(), retry);
                    self.stream.end_with(reason, words);
                    continue;
                }
                Poll::Pending => {}
            }
            drop(open);
            if self.timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            // It is not set anew with each event; when it fires, it is looked up when the last one was.
            let mut due = self.last + self.heartbeat;
            if due <= Instant::now() {
                self.out.push_back(Bytes::from_static(b":\n\n"));
                due = Instant::now() + self.heartbeat;
            }
            self.timer.as_mut().reset(due);
        }
    }
}

/// As [`Ended`] lists them.
pub(super) fn code(reason: &Ended) -> u16 {
    match reason {
        Ended::Left => 1000,
        Ended::Malformed { .. } => 1007,
        Ended::Overloaded | Ended::Flooded { .. } | Ended::Removed { .. } => 1008,
        Ended::TooLarge { .. } => 1009,
        Ended::Unauthorized { .. } => 3000,
        Ended::Shutdown { .. } => 1012,
        Ended::Slow => 1013,
        _ => 1011,
    }
}

impl http_body::Body for EventBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        this.stream.asked();
        let piece = this.poll_piece(cx);
        if let Poll::Ready(Some(_)) = &piece {
            this.last = Instant::now();
            this.stream.gave(this.last);
        }
        piece.map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
    }
}

impl Drop for EventBody {
    fn drop(&mut self) {
        self.streams.remove(self.stream.number);
        // The hook of the application runs without a lock.
        let connection = self.stream.connection.lock().take();
        drop(connection);
    }
}
