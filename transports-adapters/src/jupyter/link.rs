//! One comm or widget as a connection of a server.

use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Instant;

use parking_lot::Mutex;
use transports::Server;
use transports::server::{Connection, Opening, OpeningError};
use transports::session::{Frame, SyncReport};

use super::pace;

/// Up to as many frames go one by one; more go together.
const SINGLY: usize = 4;
/// The frames that one message carries at most.
const TOGETHER: usize = 500;
/// The bytes after which a message takes no further frame.
const FULL: usize = 1 << 20;

/// A connection and the way to its client. Everything it sends passes through here, in order.
pub(super) struct Link {
    server: Server,
    opening: Opening,
    send: Box<dyn Fn(&str) + Send + Sync>,
    state: Mutex<State>,
    waker: Waker,
}

#[derive(Default)]
struct State {
    /// None before the client is ready, and after the end.
    connection: Option<Connection>,
    /// Drawn from the connection, but there was no permit to send.
    next: Option<Frame>,
    /// The thread knows that there is something to send.
    waits: bool,
    closed: bool,
}

/// All links that are open, of all servers.
static LINKS: Mutex<Vec<Arc<Link>>> = Mutex::new(Vec::new());

/// Sends what changed to everybody, comms and widgets included, before it returns. For code without an event loop;
/// with [`autosync`](crate::autosync()) running there is no need to call it.
///
/// What goes beyond [`MESSAGES_PER_SECOND`](super::MESSAGES_PER_SECOND) follows by itself within milliseconds.
///
/// ```
/// # use std::sync::{Arc, Mutex};
/// # use transports_adapters::jupyter::{Comm, OnClose, OnMessage};
/// use transports::{Server, Session, Synced};
/// use transports_adapters::jupyter::{serve_comm, sync};
///
/// #[derive(Synced)]
/// struct Counter {
///     tick: u64,
/// }
///
/// # #[derive(Clone, Default)]
/// # struct Sent(Arc<Mutex<Vec<String>>>);
/// # impl Comm for Sent {
/// #     fn send(&self, data: &str) {
/// #         self.0.lock().unwrap().push(data.to_owned());
/// #     }
/// #     fn on_msg(&self, _: OnMessage) {}
/// #     fn on_close(&self, _: OnClose) {}
/// #     fn close(&self) {}
/// # }
/// let session = Session::new();
/// let counter = session.host(Counter { tick: 0 });
/// let server = Server::new(session);
/// # let comm = Sent::default();
/// # let sent = comm.clone();
///
/// serve_comm(&server, comm)?;
/// counter.write().tick += 1;
/// assert!(sync(&server).faults.is_empty());
/// # assert_eq!(sent.0.lock().unwrap().len(), 2, "a snapshot and a patch");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn sync(server: &Server) -> SyncReport {
    let report = server.sync();
    let links: Vec<_> = LINKS.lock().iter().map(Arc::clone).collect();
    for link in links.iter().filter(|link| link.is_of(server)) {
        link.deliver();
    }
    report
}

impl Link {
    pub(super) fn new(
        server: &Server,
        opening: Opening,
        send: impl Fn(&str) + Send + Sync + 'static,
    ) -> Arc<Self> {
        let link = Arc::new_cyclic(|link| Self {
            server: server.clone(),
            opening,
            send: Box::new(send),
            state: Mutex::default(),
            waker: Arc::new(Alarm(Weak::clone(link))).into(),
        });
        LINKS.lock().push(Arc::clone(&link));
        link
    }

    /// What the client asked for when it was made.
    pub(super) const fn opening(&self) -> &Opening {
        &self.opening
    }

    fn is_of(&self, server: &Server) -> bool {
        self.server.ptr_eq(server)
    }

    /// Opens the connection, anew if there is one: a view that was reloaded knows nothing.
    pub(super) fn open(&self, opening: &Opening) -> Result<(), OpeningError> {
        let mut state = self.state.lock();
        if state.closed {
            return Ok(());
        }
        // Answers to edits made so far are owed to the views that made them.
        while self.send_some(&mut state) > 0 {}
        state.connection = Some(self.server.open(opening)?);
        drop(state);
        self.deliver();
        Ok(())
    }

    /// Takes in what the client sent. An error ends the connection.
    pub(super) fn receive(&self, text: &str) -> Result<(), String> {
        let mut state = self.state.lock();
        let Some(connection) = &mut state.connection else {
            return Ok(());
        };
        let received = connection.receive(&Frame::text(text));
        if received.is_err() {
            state.connection = None;
            state.next = None;
        }
        drop(state);
        self.deliver();
        received.map_err(|error| error.to_string())
    }

    /// Sends what there is, now or soon.
    fn deliver(&self) {
        let mut state = self.state.lock();
        if !state.waits && self.send_all(&mut state).is_err() {
            state.waits = true;
            drop(state);
            self.waker.wake_by_ref();
        }
    }

    /// Sends what there is. Without a permit: when there will be one.
    pub(super) fn deliver_now(&self) -> Result<(), Instant> {
        let mut state = self.state.lock();
        let sent = self.send_all(&mut state);
        state.waits = sent.is_err();
        sent
    }

    fn send_all(&self, state: &mut State) -> Result<(), Instant> {
        while state.poll(&self.waker) {
            pace::permit()?;
            self.send_some(state);
        }
        Ok(())
    }

    /// Sends one message, or a few; tells how many.
    fn send_some(&self, state: &mut State) -> usize {
        let texts = state.draw();
        pace::charge(texts.len().saturating_sub(1));
        texts.iter().for_each(|text| (self.send)(text));
        texts.len()
    }

    pub(super) fn close(&self) {
        LINKS
            .lock()
            .retain(|link| !std::ptr::eq(Arc::as_ptr(link), self));
        let mut state = self.state.lock();
        *state = State {
            closed: true,
            ..State::default()
        };
    }
}

impl State {
    /// Whether there is something to send. If not, the waker is called when there is.
    fn poll(&mut self, waker: &Waker) -> bool {
        let Some(connection) = &mut self.connection else {
            return false;
        };
        if self.next.is_none() {
            let polled = pin!(connection.next()).poll(&mut Context::from_waker(waker));
            match polled {
                Poll::Ready(Some(frame)) => self.next = Some(frame),
                Poll::Ready(None) => self.connection = None,
                Poll::Pending => {}
            }
        }
        self.next.is_some()
    }

    /// The messages that are sent next, none if there is nothing: a few frames as they are, or many in one.
    fn draw(&mut self) -> Vec<String> {
        let first = self.next.take();
        let Some(connection) = &mut self.connection else {
            return Vec::new();
        };
        let mut bytes = 0;
        let mut texts = Vec::new();
        let mut next = first.or_else(|| connection.try_next());
        while let Some(frame) = next {
            let text = str::from_utf8(&frame.bytes).expect("JSON is UTF-8");
            bytes += text.len();
            texts.push(text.to_owned());
            if texts.len() == TOGETHER || bytes >= FULL {
                break;
            }
            next = connection.try_next();
        }
        if texts.len() > SINGLY {
            // The connection was not opened with `batch`, so none of these is a batch, which may not lie in another.
            texts = vec![format!(r#"{{"t":"batch","msgs":[{}]}}"#, texts.join(","))];
        }
        texts
    }
}

/// Calls the thread to a link.
struct Alarm(Weak<Link>);

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        pace::soon(Weak::clone(&self.0));
    }
}

/// A comm or widget that is being served. Dropping it changes nothing: the comm ends it, or [`close`](Self::close).
#[derive(Clone)]
pub struct Served {
    link: Arc<Link>,
}

impl Served {
    pub(super) const fn new(link: Arc<Link>) -> Self {
        Self { link }
    }

    /// Whether there is a connection: not before a widget's view is ready, not after the end.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.link.state.lock().connection.is_some()
    }

    /// Ends the connection. The comm or widget itself stays as it is.
    pub fn close(&self) {
        self.link.close();
    }
}

impl fmt::Debug for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Served")
            .field("open", &self.is_open())
            .finish_non_exhaustive()
    }
}
