//! One model of a server, in the hands of a client.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use futures_util::Stream;
use parking_lot::{MappedRecursiveRwLockReadGuard, RecursiveRwLock, RecursiveRwLockReadGuard};
use tokio::sync::watch;
use transports::message::{Message, ModelId};
use transports::mirror::{MirrorError, Outcome};
use transports::{Changes, Mirror, Op, Patch, Session, Synced, Tracked, Value};

use super::books::{Books, Change, Follower};
use super::edits;
use super::error::{EditError, RemoteError};
use super::relay::Relay;
use super::{Client, Handle};

/// A model of the server as a `T`, kept up to date.
///
/// Cheap to clone; clones are the same mirror, and each knows by itself what it has seen.
pub struct Remote<T: Synced = Value> {
    handle: Arc<Handle>,
    typed: Arc<Typed<T>>,
    seen: watch::Receiver<()>,
}

/// The mirror as its own type.
struct Typed<T: Synced> {
    id: ModelId,
    state: RecursiveRwLock<Kept<T>>,
    changed: watch::Sender<()>,
}

struct Kept<T: Synced> {
    mirror: Mirror<T>,
    /// Why the mirror is not what the server has.
    misfit: Option<MirrorError>,
    /// Whether the server shows the model no longer.
    is_gone: bool,
}

impl<T: Synced> Typed<T> {
    fn new(dynamic: &Mirror) -> Result<Self, MirrorError> {
        Ok(Self {
            id: dynamic.id(),
            state: RecursiveRwLock::new(Kept {
                mirror: read(dynamic)?,
                misfit: None,
                is_gone: false,
            }),
            changed: watch::Sender::new(()),
        })
    }
}

/// A typed copy of a mirror.
fn read<T: Synced>(dynamic: &Mirror) -> Result<Mirror<T>, MirrorError> {
    let id = dynamic.id();
    let missing = || MirrorError::Unknown { id };
    let mut mirror = Mirror::new(id);
    mirror.receive(Message::Snapshot {
        id,
        type_name: dynamic.type_name().ok_or_else(missing)?.to_owned(),
        rev: dynamic.revision().ok_or_else(missing)?,
        value: dynamic.get().ok_or_else(missing)?.clone(),
        // The client's own mirror looks out for gaps.
        epoch: None,
    })?;
    Ok(mirror)
}

impl<T: Synced> Follower for Typed<T> {
    fn follow(&self, books: &Books, change: &Change) {
        if change.id() != self.id {
            return;
        }
        if let Change::Patched { id, rev, ops } = change {
            let patch = Patch {
                rev: *rev,
                ops: ops.to_vec(),
            };
            let message = Message::Patch {
                id: *id,
                patch,
                proposal: None,
                base: None,
            };
            match self.state.write().mirror.receive(message) {
                Ok(Outcome::Stale) => return,
                Ok(_) => {
                    self.changed.send_replace(());
                    return;
                }
                // The server knows fields that this type does not, for instance: read the whole again.
                Err(_) => {}
            }
        }
        if let Change::Gone { .. } = change {
            self.state.write().is_gone = true;
            self.changed.send_replace(());
            return;
        }
        let whole = books.with(|mirrors| mirrors.get(self.id).map(read::<T>));
        let mut state = self.state.write();
        match whole {
            Some(Ok(mirror)) => {
                *state = Kept {
                    mirror,
                    misfit: None,
                    is_gone: false,
                }
            }
            Some(Err(error)) => state.misfit = Some(error),
            None => return,
        }
        drop(state);
        self.changed.send_replace(());
    }
}

impl<T: Synced> Remote<T> {
    pub(super) fn attach(handle: &Arc<Handle>, id: ModelId) -> Result<Self, RemoteError> {
        let typed = handle.books.add(id, Typed::new)?;
        let seen = typed.changed.subscribe();
        Ok(Self {
            handle: Arc::clone(handle),
            typed,
            seen,
        })
    }

    /// The model's id at its server.
    #[must_use]
    pub fn id(&self) -> ModelId {
        self.typed.id
    }

    /// The revision of the value that [`read`](Self::read) shows.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.typed
            .state
            .read()
            .mirror
            .revision()
            .unwrap_or_default()
    }

    /// Looks at the model. The mirror stands still as long as the guard lives, and with it the whole client: keep it
    /// short.
    #[must_use = "the client waits as long as the guard lives"]
    pub fn read(&self) -> RemoteGuard<'_, T> {
        // Recursive, so that a second guard of one thread does not wait for a change that waits for the first.
        let state = self.typed.state.read();
        RemoteGuard(RecursiveRwLockReadGuard::map(state, |kept| {
            kept.mirror
                .get()
                .expect("a mirror is attached with its value")
        }))
    }

    /// Waits until the model has changed since this handle was made or this was last called.
    ///
    /// # Errors
    /// The client has ended, the server shows the model no longer, or it no longer fits `T`; [`read`](Self::read) still
    /// shows the last value. After either of the last two this may be called again: it waits for the model to come back,
    /// or to fit.
    pub async fn changed(&mut self) -> Result<(), RemoteError> {
        let mut state = self.handle.state.clone();
        tokio::select! {
            biased;
            changed = self.seen.changed() => drop(changed),
            reason = super::closed(&mut state) => return Err(RemoteError::Closed(reason)),
        }
        let state = self.typed.state.read();
        match &state.misfit {
            _ if state.is_gone => Err(RemoteError::Gone { id: self.id() }),
            Some(error) => Err(RemoteError::Type(error.clone())),
            None => Ok(()),
        }
    }

    /// Whether the server shows the model no longer: it is not hosted any more, or not for this client.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.typed.state.read().is_gone
    }

    /// The changes of this model from now on, with their places. Ends with the client.
    ///
    /// A change is told after the value has taken it in, and the value may have gone further since.
    pub fn changes(&self) -> impl Stream<Item = Change> + Send + Unpin + 'static {
        self.handle.books.changes(Some(self.typed.id))
    }

    /// Changes a copy of the model and asks the server for what became different; waits for its answer, the revision.
    /// The mirror itself changes when the server says so, which is before this returns.
    ///
    /// Edits made while there is no connection wait for it, as [`ClientBuilder::offline`](super::ClientBuilder::offline)
    /// says. Costs a copy of the model; [`propose`](Self::propose) does not.
    ///
    /// # Errors
    /// The server refused, or there was no answer; see [`EditError`].
    pub async fn edit(&self, change: impl FnOnce(&mut T)) -> Result<u64, EditError> {
        let ops = self.ops_of(change)?;
        self.propose(ops).await
    }

    /// Not async, so that `change` need not be `Send`.
    fn ops_of(&self, change: impl FnOnce(&mut T)) -> Result<Vec<Op>, EditError> {
        let value = self
            .handle
            .books
            .value(self.id())
            .ok_or_else(|| EditError::NoModel { id: self.id() })?;
        let wanted = T::read(value).map_err(|error| {
            EditError::Type(MirrorError::Type {
                id: self.id(),
                type_name: T::ty().name().to_owned(),
                source: error.into(),
            })
        })?;
        let mut wanted = Tracked::new(wanted);
        change(&mut wanted);
        let mut changes = Changes::as_proposal();
        Tracked::collect(&mut wanted, &mut changes);
        match changes.faults() {
            [] => Ok(changes.into_ops()),
            [fault, ..] => Err(EditError::Fault(fault.to_string())),
        }
    }

    /// Asks the server to make these changes, all or none of them, and waits for its answer, the revision.
    ///
    /// # Errors
    /// As [`edit`](Self::edit).
    pub async fn propose(&self, ops: Vec<Op>) -> Result<u64, EditError> {
        if ops.is_empty() {
            return Ok(self.revision());
        }
        edits::propose(&self.handle.commands, self.id(), ops).await
    }

    /// Hosts this model in another session, too, so that servers of that session pass it on.
    ///
    /// What changes upstream changes there. What clients of that session, or this program, change there shows at once
    /// and is proposed upstream; what upstream refuses goes back by a change of its own, after its client was told
    /// that it was made, and a `tracing` event tells of it. Meanwhile the hosted model is the value upstream with the
    /// edits that wait on top of it. They go out one proposal at a time: edits that come while one is under way are
    /// proposed together, and refused together. While there is no connection they wait for it; one that was on its way
    /// when the connection broke is not sent again, and goes back unless upstream has made it.
    ///
    /// Rules of the model's own type are checked upstream, and not before. Each step costs some copies of the model.
    ///
    /// Sessions that relay each other's models in a circle are not supported: each has to relay one that is nearer to
    /// the model's host.
    ///
    /// ```no_run
    /// use transports::{Server, Session, Value};
    /// use transports_adapters::client::Client;
    ///
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = Client::connect("ws://upstream.example/ws").await?;
    /// let session = Session::new();
    /// let relay = client.model_by_id::<Value>(1).await?.relay(&session)?;
    /// let server = Server::new(session); // to be mounted as any other
    /// # drop(server);
    /// println!("ended: {}", relay.closed().await);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The server upstream has the model no more.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn relay(&self, session: &Session) -> Result<Relay, RemoteError> {
        let id = self.id();
        let model = self.handle.books.models();
        let model = model.into_iter().find(|model| model.id == id);
        let model = model.ok_or(MirrorError::Unknown { id })?;
        let remote = Remote::attach(&self.handle, id)?;
        Ok(Relay::start(remote, model.type_name, session))
    }

    /// The client that this model came over.
    #[must_use]
    pub fn client(&self) -> Client {
        Client {
            handle: Arc::clone(&self.handle),
        }
    }
}

impl<T: Synced> Clone for Remote<T> {
    fn clone(&self) -> Self {
        Self {
            handle: Arc::clone(&self.handle),
            typed: Arc::clone(&self.typed),
            seen: self.seen.clone(),
        }
    }
}

impl<T: Synced + fmt::Debug> fmt::Debug for Remote<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote")
            .field("id", &self.id())
            .field("revision", &self.revision())
            .field("model", &*self.read())
            .finish_non_exhaustive()
    }
}

/// A look at a [`Remote`] model.
#[must_use = "the client waits as long as the guard lives"]
pub struct RemoteGuard<'a, T>(MappedRecursiveRwLockReadGuard<'a, T>);

impl<T> Deref for RemoteGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: fmt::Debug> fmt::Debug for RemoteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
