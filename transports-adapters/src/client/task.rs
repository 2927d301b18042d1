//! The task behind a client: connect, serve, and again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use transports::message::ModelId;
use transports::mirror::MirrorError;
use transports::{Codec, Message, Value};

use super::State;
use super::backoff::Backoff;
use super::books::Books;
use super::builder::{Authority, Offline, Settings};
use super::edits::{Command, Pending};
use super::error::{ClientError, EditError};
use super::link::{Address, Connector, Link, Received};

pub(super) struct Task {
    pub(super) address: Address,
    pub(super) codec: Codec,
    pub(super) connector: Arc<dyn Connector>,
    pub(super) settings: Settings,
    pub(super) backoff: Backoff,
    pub(super) books: Arc<Books>,
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) state: watch::Sender<State>,
    /// True, or its sender gone: the client is to end.
    pub(super) stop: watch::Receiver<bool>,
    /// Whoever waits for the first connection. Then a failure of the first try is the end.
    pub(super) first: Option<oneshot::Sender<Result<(), ClientError>>>,
}

/// How a connection ended.
enum End {
    /// The connection is gone.
    Lost(String),
    /// The client has to end.
    Final(ClientError),
}

/// A connection that held this long was a good one.
const GOOD: Duration = Duration::from_secs(5);

impl Task {
    pub(super) async fn run(mut self) {
        let reason = self.work().await;
        tracing::debug!(%reason, "the client ends");
        if let Some(first) = self.first.take() {
            let _ = first.send(Err(reason.clone()));
        }
        self.commands.close();
        while let Ok(command) = self.commands.try_recv() {
            let _ = command.answer.send(Err(EditError::Closed));
        }
        self.state.send_replace(State::Closed { reason });
    }

    async fn work(&mut self) -> ClientError {
        let mut former = BTreeMap::new();
        loop {
            self.state.send_replace(State::Connecting);
            let query = self.books.with(|mirrors| mirrors.query());
            let connecting = timeout(
                self.settings.connect_timeout,
                Link::open(&self.address, &query, &*self.connector, &self.settings),
            );
            let opened = tokio::select! {
                opened = connecting => opened.unwrap_or_else(|_| Err(ClientError::Unreachable {
                    reason: format!("no answer within {:?}", self.settings.connect_timeout),
                })),
                () = stopped(&mut self.stop) => return ClientError::Stopped,
            };
            let reason = match opened {
                Err(error) if !error.is_passing() || self.first.is_some() => return error,
                Err(error) => error.to_string(),
                Ok(link) => {
                    self.state.send_replace(State::Online);
                    if let Some(first) = self.first.take() {
                        let _ = first.send(Ok(()));
                    }
                    let started = Instant::now();
                    let end = self.serve(link, std::mem::take(&mut former)).await;
                    if started.elapsed() >= GOOD {
                        self.backoff.succeeded();
                    }
                    if self.settings.authority == Authority::Client {
                        former = self.values();
                    }
                    match end {
                        End::Lost(reason) => reason,
                        End::Final(reason) => return reason,
                    }
                }
            };
            tracing::debug!(reason, "offline");
            self.state.send_replace(State::Offline { reason });
            let pause = self.backoff.next();
            if !self.pause(pause).await {
                return ClientError::Stopped;
            }
        }
    }

    /// Waits; tells whether the client is to go on.
    async fn pause(&mut self, pause: Duration) -> bool {
        let over = sleep(pause);
        tokio::pin!(over);
        loop {
            tokio::select! {
                () = &mut over => return true,
                () = stopped(&mut self.stop) => return false,
                Some(command) = self.commands.recv(), if self.settings.offline == Offline::Refuse => {
                    let _ = command.answer.send(Err(EditError::Offline));
                }
            }
        }
    }

    async fn serve(&mut self, mut link: Link, former: BTreeMap<ModelId, Value>) -> End {
        let mut pending = Pending::default();
        let end = self.converse(&mut link, &mut pending, former).await;
        pending.lost();
        self.books.with(|mirrors| mirrors.disconnect());
        end
    }

    async fn converse(
        &mut self,
        link: &mut Link,
        pending: &mut Pending,
        mut former: BTreeMap<ModelId, Value>,
    ) -> End {
        let patience = self.settings.idle_timeout / 2;
        let quiet = sleep_until(Instant::now() + patience);
        tokio::pin!(quiet);
        let mut asked = false;
        loop {
            tokio::select! {
                received = link.receive() => {
                    quiet.as_mut().reset(Instant::now() + patience);
                    asked = false;
                    let frame = match received {
                        Received::Frame(frame) => frame,
                        Received::Sign => continue,
                        Received::Closed(Some((code @ (1008 | 3000), reason))) => {
                            return End::Final(ClientError::Dismissed { code, reason });
                        }
                        Received::Closed(Some((code, reason))) => {
                            return End::Lost(format!("the server closed the connection with code {code}: {reason}"));
                        }
                        Received::Closed(None) => return End::Lost("the connection was lost".to_owned()),
                        Received::Failed(reason) => return End::Lost(reason),
                    };
                    match self.books.receive(&frame) {
                        Ok(events) => pending.settle(events),
                        Err(error) => {
                            self.report(&error);
                            link.close().await;
                            return End::Lost(error.to_string());
                        }
                    }
                    for (id, value) in std::mem::take(&mut former) {
                        let message = self.books.with(|mirrors| mirrors.edit(id, value, None));
                        if let Ok(Message::Patch { patch, .. }) = &message && patch.ops.is_empty() {
                            continue;
                        }
                        if let Ok(message) = message && let Err(reason) = self.send(link, &message).await {
                            return End::Lost(reason);
                        }
                    }
                }
                Some(command) = self.commands.recv(), if link.is_settled() => {
                    if let Err(reason) = self.propose(link, pending, command).await {
                        return End::Lost(reason);
                    }
                }
                () = stopped(&mut self.stop) => {
                    while let Ok(command) = self.commands.try_recv() {
                        if self.propose(link, pending, command).await.is_err() {
                            break;
                        }
                    }
                    link.close().await;
                    return End::Final(ClientError::Stopped);
                }
                () = &mut quiet => {
                    if asked || !link.ask().await {
                        return End::Lost(format!("the server said nothing for {:?}", self.settings.idle_timeout));
                    }
                    asked = true;
                    quiet.as_mut().reset(Instant::now() + patience);
                }
            }
        }
    }

    /// The mirror could not go on with what came. It is as it was, and the next connection goes on from there.
    fn report(&self, error: &MirrorError) {
        tracing::warn!(%error, "a frame does not fit, connecting anew");
    }

    async fn propose(
        &self,
        link: &mut Link,
        pending: &mut Pending,
        command: Command,
    ) -> Result<(), String> {
        let Command { id, ops, answer } = command;
        if !link.sends() {
            let _ = answer.send(Err(EditError::ReceiveOnly));
            return Ok(());
        }
        let proposed = self.books.with(|mirrors| mirrors.propose(id, ops, None));
        let Ok(message) = proposed else {
            let _ = answer.send(Err(EditError::NoModel { id }));
            return Ok(());
        };
        if let Message::Patch {
            proposal: Some(name),
            ..
        } = &message
        {
            // Before it is sent: of a frame that was sent in part nobody knows what became of it.
            pending.sent(name.clone(), answer);
        }
        self.send(link, &message).await
    }

    async fn send(&self, link: &mut Link, message: &Message) -> Result<(), String> {
        let bytes = self
            .codec
            .encode(message)
            .map_err(|error| error.to_string())?;
        // A server that takes nothing for so long is as good as gone.
        timeout(
            self.settings.idle_timeout,
            link.send(bytes, self.codec.is_text()),
        )
        .await
        .unwrap_or_else(|_| Err("the server takes nothing".to_owned()))
    }

    fn values(&self) -> BTreeMap<ModelId, Value> {
        self.books.with(|mirrors| {
            mirrors
                .iter()
                .filter_map(|mirror| Some((mirror.id(), mirror.get()?.clone())))
                .collect()
        })
    }
}

/// Waits until the client is to end.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that the last handle is gone.
    let _ = stop.wait_for(|stop| *stop).await;
}
