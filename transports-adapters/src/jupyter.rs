//! Live models in Jupyter.
//!
//! A Jupyter kernel talks to a notebook through *comms*; a widget is a comm with a view. [`serve_comm`] and
//! [`serve_anywidget`] make either one a connection of a [`Server`](transports::Server). They know no kernel: whoever
//! has a comm or a widget implements [`Comm`] or [`Widget`], a few lines. The feature `jupyter-kernel` has a kernel
//! ready, in [`kernel`].
//!
//! # When changes go out
//!
//! Whatever the session publishes goes out by itself, from a thread of this module: with
//! [`autosync`](crate::autosync()) running nothing else is needed. Code without an event loop calls [`sync`], which
//! returns when all is sent.
//!
//! # Jupyter's limit
//!
//! A Jupyter server drops what a kernel sends beyond about 3,000 messages in 3 seconds (`iopub_msg_rate_limit`), and a
//! mirror that lost a patch would stay wrong. So all comms and widgets of a process together send at most
//! [`MESSAGES_PER_SECOND`], after a burst of as many. What has to wait goes together, in one `batch` message.

mod comm;
#[cfg(feature = "jupyter-kernel")]
pub mod kernel;
mod link;
mod pace;

pub use self::comm::{
    Comm, OnClose, OnMessage, ServeError, Widget, serve_anywidget, serve_comm, serve_comm_with,
};
pub use self::link::{Served, sync};
pub use self::pace::MESSAGES_PER_SECOND;
