//! A model of one server, hosted by another.

use std::fmt;
use std::future::pending;
use std::pin::Pin;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until};
use transports::server::{Connection, Opening};
use transports::session::Hosted;
use transports::{Op, Patch, PatchError, Server, Session, Value, diff};

use super::State;
use super::error::{ClientError, EditError, RemoteError};
use super::remote::Remote;

/// A model of a server upstream that another session hosts; made by [`Remote::relay`]. Ends when it is dropped: the
/// session goes on hosting what the model was last.
pub struct Relay {
    hosted: Hosted<Value>,
    end: watch::Receiver<Option<RemoteError>>,
    task: AbortHandle,
}

impl Relay {
    pub(super) fn start(remote: Remote<Value>, type_name: String, session: &Session) -> Self {
        let value = remote.read().clone();
        let hosted = session.host_named(type_name, value.clone());
        let (told, end) = watch::channel(None);
        let course = Course {
            local: open(session),
            session: session.clone(),
            hosted: hosted.clone(),
            states: remote.client().states(),
            remote,
            told: value.clone(),
            upstream: value,
            sent: Vec::new(),
            answer: None,
            retry: None,
        };
        let task = tokio::spawn(async move {
            let reason = course.run().await;
            told.send_replace(Some(reason));
        });
        Self {
            hosted,
            end,
            task: task.abort_handle(),
        }
    }

    /// The model, as the session hosts it. What the program changes of it is proposed upstream, too.
    #[must_use]
    pub const fn hosted(&self) -> &Hosted<Value> {
        &self.hosted
    }

    /// Waits until the client of the server upstream has ended, or the model upstream is [gone](RemoteError::Gone), and
    /// tells why. From then on the model follows nothing, and edits of it go nowhere. One that is gone upstream is not
    /// hosted here any more either.
    pub async fn closed(&self) -> RemoteError {
        let mut end = self.end.clone();
        match end.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(reason)) => reason.clone(),
            // The task is gone without a word: the runtime was shut down.
            _ => RemoteError::Closed(ClientError::Stopped),
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relay")
            .field("hosted", &self.hosted)
            .field("end", &*self.end.borrow())
            .finish_non_exhaustive()
    }
}

/// The time from an edit that could not be sent to the next try.
const RETRY: Duration = Duration::from_secs(1);

type Answer = Pin<Box<dyn Future<Output = Result<u64, EditError>> + Send>>;

/// Hears of the session's changes. What they are does not matter: the model itself is looked at.
fn open(session: &Session) -> Connection {
    Server::new(session.clone())
        .open(&Opening::default())
        .expect("the default codec is always there")
}

/// The invariant: what is hosted is the value upstream, with the ops of `sent` made to it, and then what changed here
/// since.
struct Course {
    remote: Remote<Value>,
    states: watch::Receiver<State>,
    session: Session,
    local: Connection,
    hosted: Hosted<Value>,
    /// The value upstream, as it was looked at last.
    upstream: Value,
    /// The same with `sent` made to it.
    told: Value,
    /// The changes that were proposed and not answered.
    sent: Vec<Op>,
    answer: Option<Answer>,
    retry: Option<Instant>,
}

impl Course {
    async fn run(mut self) -> RemoteError {
        loop {
            let retry = self.retry;
            tokio::select! {
                changed = self.remote.changed() => match changed {
                    Ok(()) => {}
                    Err(gone @ RemoteError::Gone { .. }) => {
                        self.session.unhost(self.hosted.id());
                        return gone;
                    }
                    Err(reason) => return reason,
                },
                frame = self.local.next() => {
                    while self.local.try_next().is_some() {}
                    if frame.is_none() {
                        self.local = open(&self.session);
                    }
                }
                answer = async {
                    match &mut self.answer {
                        Some(answer) => answer.await,
                        None => pending().await,
                    }
                } => self.answered(answer),
                _ = self.states.changed() => self.states.mark_unchanged(),
                () = async {
                    match retry {
                        Some(retry) => sleep_until(retry).await,
                        None => pending().await,
                    }
                } => self.retry = None,
            }
            self.rebase();
            self.propose();
        }
    }

    fn answered(&mut self, answer: Result<u64, EditError>) {
        self.answer = None;
        self.sent.clear();
        match answer {
            // The mirror has it already.
            Ok(_) => {}
            // Not sent: it is as if it had not been tried.
            Err(EditError::Offline | EditError::QueueFull) => {
                self.retry = Some(Instant::now() + RETRY);
                self.told.clone_from(&self.upstream);
            }
            Err(error) => {
                tracing::warn!(model = self.hosted.id(), %error, "an edit was not made upstream and goes back");
            }
        }
    }

    /// Puts what is hosted onto what is upstream by now.
    fn rebase(&mut self) {
        self.upstream = self.remote.read().clone();
        let mut told = self.upstream.clone();
        // Where it has no place any more, upstream will say so.
        let _ = made(&self.sent, &mut told);
        // Nobody changes the model between the look at it and the change.
        let mut hosted = self.hosted.write();
        let here = diff(&self.told, hosted.clone());
        self.told.clone_from(&told);
        let mut wanted = told;
        if let Err(error) = made(&here, &mut wanted) {
            tracing::warn!(model = self.hosted.id(), %error, "edits have lost their places upstream and go back");
        }
        if *hosted != wanted {
            *hosted = wanted;
        }
    }

    /// Proposes what changed here, one proposal at a time.
    fn propose(&mut self) {
        let online = *self.states.borrow() == State::Online;
        if self.answer.is_some() || self.retry.is_some() || !online {
            return;
        }
        let now = self.hosted.read().clone();
        let ops = diff(&self.told, now.clone());
        if ops.is_empty() {
            return;
        }
        self.told = now;
        self.sent.clone_from(&ops);
        let remote = self.remote.clone();
        self.answer = Some(Box::pin(async move { remote.propose(ops).await }));
    }
}

/// Makes changes to another value than they were made for: all of them, or none if one has lost its place.
fn made(ops: &[Op], value: &mut Value) -> Result<(), PatchError> {
    let patch = Patch {
        rev: 0,
        ops: ops.to_vec(),
    };
    patch.apply(value)
}
