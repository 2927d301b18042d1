//! Comms and widgets, whoever's they are, as connections.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use transports::server::{Opening, OpeningError};
use transports::{Codec, Server};

use super::link::{Link, Served};

/// What is called with each message of a comm (its `content.data`), or with the content of a widget's custom message.
pub type OnMessage = Box<dyn Fn(&Json) + Send + Sync>;
/// What is called when the front end closed a comm or widget.
pub type OnClose = Box<dyn Fn() + Send + Sync>;

/// A Jupyter comm that is open.
///
/// Methods that send must not call the handlers before they return.
pub trait Comm: Send + Sync + 'static {
    /// Sends a text as the comm message's `data`.
    fn send(&self, data: &str);

    /// Sets what is called with each message from the front end, one after the other.
    fn on_msg(&self, handler: OnMessage);

    /// Sets what is called when the front end closed the comm.
    fn on_close(&self, handler: OnClose);

    /// Closes the comm from this side.
    fn close(&self);
}

/// An [anywidget](https://anywidget.dev), or anything else with a front end of its own and custom messages.
///
/// Methods that send must not call the handlers before they return.
pub trait Widget: Send + Sync + 'static {
    /// Sends a custom message of this content.
    fn send(&self, content: &Json);

    /// Sets what is called with the content of each custom message from the front end, one after the other.
    fn on_msg(&self, handler: OnMessage);

    /// Sets what is called when the widget was closed.
    fn on_close(&self, handler: OnClose);
}

impl<C: Comm + ?Sized> Comm for Arc<C> {
    fn send(&self, data: &str) {
        (**self).send(data);
    }

    fn on_msg(&self, handler: OnMessage) {
        (**self).on_msg(handler);
    }

    fn on_close(&self, handler: OnClose) {
        (**self).on_close(handler);
    }

    fn close(&self) {
        (**self).close();
    }
}

impl<W: Widget + ?Sized> Widget for Arc<W> {
    fn send(&self, content: &Json) {
        (**self).send(content);
    }

    fn on_msg(&self, handler: OnMessage) {
        (**self).on_msg(handler);
    }

    fn on_close(&self, handler: OnClose) {
        (**self).on_close(handler);
    }
}

/// Why a comm cannot be served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Comm messages are JSON, which no other codec fits into.
    #[error("a comm carries JSON only: the codec `{name}` cannot be used")]
    Codec {
        /// What was asked for.
        name: String,
    },
    /// The connection cannot be opened.
    #[error(transparent)]
    Opening(#[from] OpeningError),
}

/// Serves a comm: it gets the models at once and changes from then on, and may edit.
///
/// A client that sends what is no message loses its comm: it is closed, with the reason in the log.
///
/// # Errors
/// The connection cannot be opened.
pub fn serve_comm(server: &Server, comm: impl Comm) -> Result<Served, ServeError> {
    serve_comm_with(server, comm, Opening::default())
}

/// As [`serve_comm`], with the wishes of the client that opened the comm. `batch` means nothing here: several messages
/// come in one frame whenever there are many.
///
/// ```
/// use transports::server::Opening;
/// # use transports::{Server, Session};
/// # use transports_adapters::jupyter::{Comm, OnClose, OnMessage};
/// use transports_adapters::jupyter::serve_comm_with;
/// # struct Silent;
/// # impl Comm for Silent {
/// #     fn send(&self, _: &str) {}
/// #     fn on_msg(&self, _: OnMessage) {}
/// #     fn on_close(&self, _: OnClose) {}
/// #     fn close(&self) {}
/// # }
/// # let (server, comm) = (Server::new(Session::new()), Silent);
///
/// let error = serve_comm_with(&server, comm, Opening::parse("codec=cbor")?).unwrap_err();
/// assert_eq!(error.to_string(), "a comm carries JSON only: the codec `cbor` cannot be used");
/// # Ok::<(), transports::server::OpeningError>(())
/// ```
///
/// # Errors
/// The client wants another codec than JSON, or the connection cannot be opened.
pub fn serve_comm_with(
    server: &Server,
    comm: impl Comm,
    wishes: Opening,
) -> Result<Served, ServeError> {
    let opening = in_json(wishes)?;
    let comm = Arc::new(comm);
    let link = Link::new(server, opening, {
        let comm = Arc::clone(&comm);
        move |text| comm.send(text)
    });
    if let Err(error) = link.open(link.opening()) {
        link.close();
        return Err(error.into());
    }
    let receiver = Arc::downgrade(&link);
    let closer = Arc::downgrade(&comm);
    comm.on_msg(Box::new(move |data| {
        let Some(link) = receiver.upgrade() else {
            return;
        };
        // Whatever is no text is no message either.
        let received = link.receive(data.as_str().unwrap_or_default());
        if let Err(reason) = received {
            tracing::warn!(reason, "closing a comm");
            link.close();
            if let Some(comm) = closer.upgrade() {
                comm.close();
            }
        }
    }));
    let closed = Arc::downgrade(&link);
    comm.on_close(Box::new(move || {
        if let Some(link) = closed.upgrade() {
            link.close();
        }
    }));
    Ok(Served::new(link))
}

/// Serves a widget. Its view says `{"ready": true}` as soon as it listens, and gets the models then: at every `ready`,
/// as a page that was reloaded has a new view that knows nothing. With `{"ready": true, "schema": true}` it is told what
/// the models are made of, too. Messages go as `{"wire": text}` both ways.
///
/// A view that sends what is no message is told so by `{"error": reason}`, and gets nothing more before its next
/// `ready`.
pub fn serve_anywidget(server: &Server, widget: impl Widget) -> Served {
    let widget = Arc::new(widget);
    let opening = in_json(Opening::default()).expect("no other codec was asked for");
    let link = Link::new(server, opening, {
        let widget = Arc::clone(&widget);
        move |text| widget.send(&json!({ "wire": text }))
    });
    let receiver = Arc::downgrade(&link);
    let teller = Arc::downgrade(&widget);
    widget.on_msg(Box::new(move |content| {
        let Some(link) = receiver.upgrade() else {
            return;
        };
        let done = if content["ready"] == true {
            // A view that names an epoch knows of them, and finds out if a message was lost on the way.
            let mut opening = link.opening().clone();
            opening.epoch = content.get("epoch").map(|_| None);
            opening.schema = content["schema"] == true;
            link.open(&opening).map_err(|error| error.to_string())
        } else if let Some(wire) = content.get("wire") {
            link.receive(wire.as_str().unwrap_or_default())
        } else {
            return;
        };
        if let Err(reason) = done {
            tracing::warn!(reason, "a widget's connection ends");
            if let Some(widget) = teller.upgrade() {
                widget.send(&json!({ "error": reason }));
            }
        }
    }));
    let closed = Arc::downgrade(&link);
    widget.on_close(Box::new(move || {
        if let Some(link) = closed.upgrade() {
            link.close();
        }
    }));
    Served::new(link)
}

/// The wishes with JSON as the codec, whatever the server's default is.
fn in_json(mut wishes: Opening) -> Result<Opening, ServeError> {
    let asked = wishes.codec.take();
    if let Some(name) = asked.filter(|name| !matches!(Codec::named(name), Some(Codec::Json))) {
        return Err(ServeError::Codec { name });
    }
    wishes.codec = Some(Codec::Json.name().to_owned());
    // A batch in a batch is refused by clients.
    wishes.batch = false;
    Ok(wishes)
}
