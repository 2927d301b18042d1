//! Events of the application, beside the protocol's.

use std::sync::Weak;

use bytes::Bytes;
use serde::Serialize;
use transports::server::Peer;

use super::streams::Streams;

/// An event with a name, for `EventSource.addEventListener(name, ...)`.
///
/// ```
/// use transports_adapters::AppEvent;
///
/// let event = AppEvent::new("notice", "two\nlines")?;
/// assert!(AppEvent::new("no\ntice", "").is_err());
/// assert!(AppEvent::new("message", "").is_err(), "that is the protocol's");
/// # drop(event);
/// # Ok::<(), transports_adapters::AppEventError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppEvent(pub(super) Bytes);

/// Why there can be no such event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AppEventError {
    /// The name is empty or has a line break or a NUL in it.
    #[error("{0:?} cannot be the name of an event")]
    Name(String),
    /// The name is one of the protocol's: `message` or `transports`.
    #[error("events named `{0}` are the protocol's")]
    Reserved(String),
    /// The data cannot be written as JSON.
    #[error("the data cannot be JSON: {0}")]
    Json(String),
}

/// The name of the protocol's own events that are no messages.
pub(super) const OURS: &str = "transports";

impl AppEvent {
    /// An event with a text. Line breaks of any kind reach the client as `\n`.
    ///
    /// # Errors
    /// The name cannot be one.
    pub fn new(name: &str, data: &str) -> Result<Self, AppEventError> {
        if name.is_empty() || name.contains(['\r', '\n', '\0']) {
            return Err(AppEventError::Name(name.to_owned()));
        }
        if matches!(name, "message" | OURS) {
            return Err(AppEventError::Reserved(name.to_owned()));
        }
        Ok(Self(render(name, data)))
    }

    /// An event with a value as JSON.
    ///
    /// # Errors
    /// The name cannot be one, or the value cannot be JSON.
    pub fn json(name: &str, value: &impl Serialize) -> Result<Self, AppEventError> {
        let data =
            serde_json::to_string(value).map_err(|error| AppEventError::Json(error.to_string()))?;
        Self::new(name, &data)
    }
}

/// The name has to be in one line.
pub(super) fn render(name: &str, data: &str) -> Bytes {
    let mut text = format!("event: {name}\n");
    let data = data.replace("\r\n", "\n");
    for line in data.split(['\r', '\n']) {
        text.push_str("data: ");
        text.push_str(line);
        text.push('\n');
    }
    text.push('\n');
    text.into()
}

/// Sends [events](AppEvent) to the clients of an [`EventStream`](super::EventStream), which are connected now. Clones send
/// to the same.
///
/// What is sent is delivered at most once, in order, and is not sent again after a reconnect: state belongs into a model. A
/// client that leaves more than [`event_bytes`](super::EventStreamSettings::event_bytes) unread is closed.
///
/// ```
/// use transports::{Server, Session};
/// use transports_adapters::{AppEvent, EventStream};
///
/// let stream = EventStream::new(Server::new(Session::new()));
/// let events = stream.events();
/// let app: axum::Router = axum::Router::new().route("/sse", stream.route());
///
/// let clients = events.send(&AppEvent::json("progress", &50)?);
/// assert_eq!(clients, 0, "nobody is connected");
/// # drop(app);
/// # Ok::<(), transports_adapters::AppEventError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Events(pub(super) Weak<Streams>);

impl Events {
    /// Sends an event to all clients. Returns how many there are.
    pub fn send(&self, event: &AppEvent) -> usize {
        self.send_where(|_| true, event)
    }

    /// Sends an event to the clients of whom `which` says so. Returns how many these are.
    pub fn send_where(&self, which: impl Fn(&Peer) -> bool, event: &AppEvent) -> usize {
        let streams = self.0.upgrade();
        streams.map_or(0, |streams| streams.send(which, event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stay_lines_and_nothing_can_be_smuggled_in() {
        let event = AppEvent::new("a: b", "1\r\n2\r3\n\nid: 4\n").unwrap();
        assert_eq!(
            &event.0[..],
            b"event: a: b\ndata: 1\ndata: 2\ndata: 3\ndata: \ndata: id: 4\ndata: \n\n"
        );
        for name in ["", "a\nb", "a\rdata: x", "a\0"] {
            assert_eq!(
                AppEvent::new(name, ""),
                Err(AppEventError::Name(name.to_owned()))
            );
        }
        for name in ["message", "transports"] {
            assert!(matches!(
                AppEvent::new(name, ""),
                Err(AppEventError::Reserved(_))
            ));
        }
    }
}
