//! A Rust program's connection to a server.

mod backoff;
mod books;
mod builder;
mod edits;
mod error;
mod link;
mod relay;
mod remote;
mod task;

use std::fmt;
use std::sync::Arc;

use futures_util::Stream as Events;
use tokio::sync::{mpsc, watch};
use transports::message::ModelId;
use transports::schema::Bindings;
use transports::{Op, Synced, Value};

use self::books::Books;
use self::edits::Command;

pub use self::books::{Change, ModelInfo};
pub use self::builder::{Authority, ClientBuilder, Offline};
pub use self::error::{ClientError, EditError, RemoteError};
pub use self::link::{Connector, Opening, Stream};
pub use self::relay::Relay;
pub use self::remote::{Remote, RemoteGuard};

#[cfg(doctest)]
#[doc = include_str!("../../docs/clients.md")]
struct Guide;

/// A connection to a server that mends itself, and the mirrors of the server's models.
///
/// It reconnects by itself and goes on where it was: with the revisions it has, or from fresh snapshots where the
/// server cannot or may not go on. Cheap to clone; all clones are the same client. The connection is closed when the
/// last clone and the last [`Remote`] are dropped.
///
/// ```no_run
/// use transports::Synced;
/// use transports_adapters::client::Client;
///
/// #[derive(Synced)]
/// struct Device {
///     on: bool,
///     brightness: i64,
/// }
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::connect("ws://127.0.0.1:8000/ws").await?;
/// let mut device = client.model::<Device>().await?;
/// println!("brightness {}", device.read().brightness);
///
/// device.edit(|device| device.on = true).await?;
/// while device.changed().await.is_ok() {
///     println!("brightness {}", device.read().brightness);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    handle: Arc<Handle>,
}

/// What all clones have in common. When it is dropped, the task hears of it by its end of `alive`.
pub(crate) struct Handle {
    books: Arc<Books>,
    commands: mpsc::Sender<Command>,
    state: watch::Receiver<State>,
    stop: watch::Sender<bool>,
}

/// How a client stands to its server.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// It is trying to connect.
    Connecting,
    /// It is connected.
    Online,
    /// The connection was lost, or could not be made; the next try comes after a pause.
    Offline {
        /// What happened.
        reason: String,
    },
    /// It has ended, and will not try again.
    Closed {
        /// Why.
        reason: ClientError,
    },
}

impl Client {
    /// Connects to a server: `ws:` and `wss:` URLs go both ways; with the feature `client-sse`, `http:` and `https:` URLs
    /// are Server-Sent Events, which only receive.
    ///
    /// # Errors
    /// The URL is none, the server cannot be reached or refuses. Once connected, a client reconnects by itself; to have
    /// it try from the start, use [`ClientBuilder::start`].
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn connect(url: impl Into<String>) -> Result<Self, ClientError> {
        Self::builder(url).connect().await
    }

    /// A client with other settings.
    pub fn builder(url: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(url.into())
    }

    /// The model of type `T`; waits until the server has one. Of several it is the one with the lowest id.
    ///
    /// # Errors
    /// What the server calls `T` does not fit this `T`, or the client has ended.
    pub async fn model<T: Synced>(&self) -> Result<Remote<T>, RemoteError> {
        let ty = T::ty();
        let name = ty.name();
        self.find(|models| {
            models
                .iter()
                .find(|model| model.type_name == name)
                .map(|model| model.id)
        })
        .await
    }

    /// The model of this id as a `T`; waits until the server has it. With [`Value`] for `T` any model will do.
    ///
    /// # Errors
    /// The model does not fit `T`, or the client has ended.
    pub async fn model_by_id<T: Synced>(&self, id: ModelId) -> Result<Remote<T>, RemoteError> {
        self.find(|models| models.iter().any(|model| model.id == id).then_some(id))
            .await
    }

    async fn find<T: Synced>(
        &self,
        pick: impl Fn(&[ModelInfo]) -> Option<ModelId>,
    ) -> Result<Remote<T>, RemoteError> {
        let mut arrivals = self.handle.books.arrivals();
        let mut state = self.handle.state.clone();
        loop {
            arrivals.mark_unchanged();
            if let Some(id) = pick(&self.models()) {
                return Remote::attach(&self.handle, id);
            }
            tokio::select! {
                arrived = arrivals.changed() => drop(arrived),
                reason = closed(&mut state) => return Err(RemoteError::Closed(reason)),
            }
        }
    }

    /// The models the server has shown so far, by id.
    #[must_use]
    pub fn models(&self) -> Vec<ModelInfo> {
        self.handle.books.models()
    }

    /// A copy of a model as plain data.
    #[must_use]
    pub fn value(&self, id: ModelId) -> Option<Value> {
        self.handle.books.value(id)
    }

    /// What the server told of the types of its models since it was connected to: of each before its first model. Empty
    /// if it was not [asked](ClientBuilder::schema), or is one that tells nothing.
    #[must_use]
    pub fn schema(&self) -> Bindings {
        let schema = self.handle.books.with(|mirrors| mirrors.schema().cloned());
        schema.unwrap_or_default()
    }

    /// What happens to the models from now on, of all types.
    pub fn changes(&self) -> impl Events<Item = Change> + Send + Unpin + 'static {
        self.handle.books.changes(None)
    }

    /// Asks the server to make these changes to a model, all or none of them, and waits for its answer: the revision
    /// they made, or the present one if they changed nothing.
    ///
    /// # Errors
    /// The server refused, or there was no answer; see [`EditError`].
    pub async fn propose(&self, id: ModelId, ops: Vec<Op>) -> Result<u64, EditError> {
        edits::propose(&self.handle.commands, id, ops).await
    }

    /// How the client stands to its server.
    #[must_use]
    pub fn state(&self) -> State {
        self.handle.state.borrow().clone()
    }

    /// How the client stands to its server, now and whenever that changes.
    #[must_use]
    pub fn states(&self) -> watch::Receiver<State> {
        self.handle.state.clone()
    }

    /// Ends the connection, for all clones, and waits until that is done. Edits that were made before and can be sent
    /// are sent; their answers are not waited for.
    pub async fn close(&self) {
        self.handle.stop.send_replace(true);
        closed(&mut self.handle.state.clone()).await;
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("state", &*self.handle.state.borrow())
            .field("models", &self.models())
            .finish_non_exhaustive()
    }
}

/// Waits until the client has ended; tells why.
async fn closed(state: &mut watch::Receiver<State>) -> ClientError {
    match state
        .wait_for(|state| matches!(state, State::Closed { .. }))
        .await
        .as_deref()
    {
        Ok(State::Closed { reason }) => reason.clone(),
        // The task is gone without a word: the runtime was shut down.
        _ => ClientError::Stopped,
    }
}
