//! Rust structs that stay the same in every browser tab, notebook and program that looks at them.
//!
//! Derive [`Synced`](derive@Synced) on plain structs, host them in a [`Session`], change them as ordinary Rust, call
//! [`sync`](Session::sync): every connected peer holds the same state a moment later. Only what changed travels. The
//! server decides; peers may propose edits, which the model's rules accept or refuse.
//!
//! ```
//! # #[cfg(feature = "derive")] {
//! use transports::server::Opening;
//! use transports::{Mirrors, Server, Session, Synced};
//!
//! #[derive(Synced)]
//! struct Counter {
//!     tick: u64,
//!     label: String,
//! }
//!
//! let session = Session::new();
//! let counter = session.host(Counter { tick: 0, label: "up".into() });
//! let server = Server::new(session.clone());
//!
//! // A peer. The crate `transports-adapters` moves the frames over WebSocket and Server-Sent Events.
//! let mut connection = server.open(&Opening::default())?;
//! let mut mirrors = Mirrors::default();
//!
//! counter.write().tick += 1;
//! assert!(session.sync().faults.is_empty());
//!
//! while let Some(frame) = connection.try_next() {
//!     mirrors.receive(&frame.bytes)?;
//! }
//! let mirror = mirrors.get(counter.id()).and_then(|mirror| mirror.get()).expect("there was a snapshot");
//! assert_eq!(mirror.get("tick"), Some(&1.into()));
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The types and how they relate
//!
//! - [`Synced`]: what a type has to be able to do. Derived, hardly ever written by hand.
//! - [`Tracked`]: a model and what the wire last saw of it; tells the changes as [`Op`]s.
//! - [`Session`]: the models of a program, their revisions and histories; [`Hosted`](session::Hosted) is the host's
//!   hand on one of them.
//! - [`Server`]: lets peers connect to a session; a [`Connection`](server::Connection) turns frames into edits and
//!   changes into frames. It has no sockets: adapters, yours included, move the frames.
//! - [`Hub`]: many sessions behind one server, and models that several of them see.
//! - [`Mirror`], [`Mirrors`]: the receiving half, typed or as [`Value`]s.
//! - [`Codec`]: messages as JSON, MessagePack, CBOR, or in a format of your own.
//!
//! # What it does not do
//!
//! No I/O, no clock and no tasks of its own: see `transports-adapters` for those. (`schema::Bindings` write files, in tests
//! and builds.) No conflict-free merging: edits take
//! their turn at the server. No persistence.
//!
//! # Features
//!
//! - `derive` (default): re-exports `#[derive(Synced)]`.
//! - `metrics`: counters and histograms through the [`metrics`](https://docs.rs/metrics) facade; `docs/operations.md`
//!   lists them.

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod changes;
mod codec;
pub mod collections;
pub mod edit;
pub mod hub;
pub mod message;
pub mod mirror;
mod patch;
mod path;
pub mod schema;
pub mod server;
pub mod session;
pub mod synced;
mod tracked;
pub mod value;
mod views;
mod writer;

pub use self::changes::{Changes, Fault};
pub use self::codec::{Codec, CodecError, CustomCodec};
pub use self::edit::PatchError;
pub use self::hub::Hub;
pub use self::message::Message;
pub use self::mirror::{Mirror, Mirrors, diff};
pub use self::patch::{Op, Patch};
pub use self::path::{At, FieldStep, Path, Segment};
pub use self::schema::Schema;
pub use self::server::Server;
pub use self::session::Session;
pub use self::synced::Synced;
pub use self::tracked::Tracked;
pub use self::value::{Value, ValueMap};
pub use self::views::Views;
pub use self::writer::Writer;
#[cfg(feature = "derive")]
pub use transports_derive::Synced;

/// The code blocks of the guide.
#[cfg(all(doctest, feature = "derive"))]
#[doc = include_str!("../../docs/derive.md")]
struct Guide;

/// The code blocks of the guide to hubs.
#[cfg(all(doctest, feature = "derive"))]
#[doc = include_str!("../../docs/hub.md")]
struct HubGuide;
