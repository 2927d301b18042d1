//! One client, from the first frame to the last.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker, ready};
use std::time::SystemTime;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Sleep, sleep};
use transports::server::{Connection, Ended};

use super::WebSocketSettings;
use super::socket::{Incoming, Socket};
use super::write::Kind;
use crate::alarm::Alarm;
use crate::hit::hit;
use crate::rate::Rate;

/// Moves frames until the connection has ended.
pub(super) async fn run<S>(
    connection: &mut Connection,
    socket: &mut Socket<S>,
    settings: &WebSocketSettings,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut client = Client {
        connection,
        socket,
        settings,
        rate: Rate::new(settings.messages_per_second, settings.message_burst),
        timer: pin!(sleep(settings.ping_interval)),
        alarm: Alarm::default(),
        blocked: None,
        bell: None,
        is_called: true,
    };
    poll_fn(|cx| client.poll(cx)).await;
}

struct Client<'a, S> {
    connection: &'a mut Connection,
    socket: &'a mut Socket<S>,
    settings: &'a WebSocketSettings,
    rate: Rate,
    /// The timer for silence. It is not set anew whenever something happens: when it fires, it is looked up what
    /// has happened since.
    timer: Pin<&'a mut Sleep>,
    alarm: Alarm,
    blocked: Option<Blocked>,
    bell: Option<Bell>,
    /// Whether the client may have sent something, or the timer may have fired.
    is_called: bool,
}

/// The client does not take what is due to it.
struct Blocked {
    /// How much it had taken by then, and since when it has been no more.
    taken: u64,
    since: Instant,
    /// When the timer would have fired otherwise.
    due: Instant,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<'_, S> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            self.alarm.poll(self.connection, cx);
            // Whoever may not be here is not even told what is queued.
            if let Some(Ended::Unauthorized { .. }) = self.connection.ended() {
                return Poll::Ready(());
            }
            // What is due goes out before anything else: a client that does not listen is not heard.
            ready!(self.poll_write(cx));
            if self.connection.ended().is_some() {
                return Poll::Ready(());
            }
            // One message, and what there is to tell: neither has to wait for the end of the other.
            let heard = self.poll_called(cx);
            let told = self.poll_fill(cx);
            if heard.is_pending() && told.is_pending() {
                return Poll::Pending;
            }
        }
    }

    /// Queues what there is for one write; waits until there is something, or the connection has ended.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut next = ready!(self.connection.poll_next(cx));
        while let Some(frame) = next {
            self.socket.push(frame);
            if !self.socket.out.has_room() {
                break;
            }
            next = self.connection.try_next();
        }
        Poll::Ready(())
    }

    /// Takes in one message, or does what it is time for.
    fn poll_called(&mut self, cx: &Context<'_>) -> Poll<()> {
        let bell = Bell::of(&mut self.bell, &mut self.is_called, cx);
        self.is_called |= bell.has_rung();
        if !self.is_called {
            return Poll::Pending;
        }
        let waker = bell.waker.clone();
        let mut cx = Context::from_waker(&waker);
        match self.socket.poll_receive(&mut cx) {
            Poll::Ready(Ok(incoming)) => self.receive(incoming),
            Poll::Ready(Err(reason)) => self.connection.end(reason),
            Poll::Pending => {
                self.is_called = false;
                ready!(self.timer.as_mut().poll(&mut cx));
                self.is_called = true;
                self.see_to_silence();
            }
        }
        Poll::Ready(())
    }

    fn receive(&mut self, incoming: Incoming) {
        self.connection.active(SystemTime::now());
        if !self.rate.allows(self.socket.heard) {
            hit("messages_per_second");
            let error = format!(
                "more than {} messages a second",
                self.settings.messages_per_second
            );
            return self.connection.end(Ended::Flooded { error });
        }
        match incoming {
            Incoming::Message(frame) => {
                if let Err(error) = self.connection.receive(&frame)
                    && let Some(reason) = error.reason()
                {
                    self.connection.end(reason);
                }
            }
            Incoming::Control => {}
            Incoming::Close => self.connection.end(Ended::Left),
        }
    }

    /// The timer has fired: asks a client that is quiet whether it is still there.
    fn see_to_silence(&mut self) {
        let settings = self.settings;
        if self.socket.heard.elapsed() < settings.ping_interval {
            let due = self.socket.heard + settings.ping_interval;
            self.timer.as_mut().reset(due);
        } else if self.socket.is_heard {
            // Set again by whatever comes.
            self.socket.is_heard = false;
            self.socket.out.push(Kind::Ping, bytes::Bytes::new());
            let due = Instant::now() + settings.pong_timeout;
            self.timer.as_mut().reset(due);
        } else {
            hit("pong_timeout");
            self.connection.end(Ended::Silent);
        }
    }

    /// Writes what is queued, unless the connection has ended meanwhile.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.socket.out.is_empty() {
            return Poll::Ready(());
        }
        // Nearly always the kernel takes it all, and no timer is touched.
        let Poll::Ready(written) = self.socket.poll_write(cx) else {
            return self.poll_blocked(cx);
        };
        if let Some(blocked) = self.blocked.take() {
            self.timer.as_mut().reset(blocked.due);
            self.is_called = true;
        }
        if written.is_err() {
            self.connection.end(Ended::Lost);
        }
        Poll::Ready(())
    }

    /// Waits until there is no point in waiting any more.
    fn poll_blocked(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // What is due goes out before a shutdown.
        let is_last = matches!(self.connection.ended(), Some(Ended::Shutdown { .. }));
        if !is_last && self.connection.poll_closed(cx).is_ready() {
            return Poll::Ready(());
        }
        let patience = self.settings.write_timeout;
        let taken = self.socket.out.total();
        let blocked = self.blocked.get_or_insert_with(|| {
            let since = Instant::now();
            let due = self.timer.deadline();
            self.timer.as_mut().reset(since + patience);
            Blocked { taken, since, due }
        });
        if blocked.taken != taken {
            blocked.taken = taken;
            blocked.since = Instant::now();
        }
        let until = blocked.since + patience;
        while self.timer.as_mut().poll(cx).is_ready() {
            if until <= Instant::now() {
                hit("write_timeout");
                self.connection.end(Ended::Slow);
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(until);
        }
        Poll::Pending
    }
}

/// Wakes the task and keeps in mind that it did: most of the time there is only something to be sent, and asking a socket
/// whether there is something to be read costs as much as all else that is done for a frame.
struct Bell {
    rung: Arc<Rung>,
    waker: Waker,
}

struct Rung {
    is_rung: AtomicBool,
    task: Waker,
}

impl Bell {
    /// The bell of the task that is polling. If it is another one, whoever has the old bell has to be told.
    fn of<'a>(bell: &'a mut Option<Self>, is_new: &mut bool, cx: &Context<'_>) -> &'a Self {
        if bell
            .as_ref()
            .is_none_or(|bell| !bell.rung.task.will_wake(cx.waker()))
        {
            *is_new = true;
            *bell = None;
        }
        bell.get_or_insert_with(|| {
            let rung = Arc::new(Rung {
                is_rung: AtomicBool::new(false),
                task: cx.waker().clone(),
            });
            Self {
                waker: Waker::from(Arc::clone(&rung)),
                rung,
            }
        })
    }

    fn has_rung(&self) -> bool {
        let is_rung = &self.rung.is_rung;
        is_rung.load(Ordering::Relaxed) && is_rung.swap(false, Ordering::AcqRel)
    }
}

impl Wake for Rung {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_rung.store(true, Ordering::Release);
        self.task.wake_by_ref();
    }
}
