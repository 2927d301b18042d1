//! A client in a script: its connection, if it has one, and its mirrors, which outlive connections.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};
use transports::message::ModelId;
use transports::mirror::MirrorError;
use transports::server::{Connection, ConnectionError};
use transports::session::Frame;
use transports::{Codec, Message, Mirrors, Value};

use crate::conformance::wire;

/// More frames than any script sends; a server that goes on for ever is stopped here.
const FRAMES: usize = 1 << 16;

#[derive(Default)]
pub(in crate::conformance) struct Peer {
    connection: Option<Connection>,
    /// Ids that the connection was opened with, though the mirrors may lack them: the script says so.
    since: BTreeSet<ModelId>,
    mirrors: Mirrors,
}

impl Peer {
    pub(in crate::conformance) fn open(&mut self, connection: Connection, since: &Json) {
        self.connection = Some(connection);
        let ids = since.as_object().into_iter().flat_map(|since| since.keys());
        self.since = ids.map(|id| id.parse().unwrap()).collect();
    }

    pub(in crate::conformance) fn close(&mut self) {
        self.connection = None;
    }

    pub(in crate::conformance) const fn is_open(&self) -> bool {
        self.connection.is_some()
    }

    pub(in crate::conformance) fn codec(&self) -> &Codec {
        let connection = self.connection.as_ref();
        connection.expect("only an open one is asked").codec()
    }

    /// Sends a frame to the server. What is sent on a closed connection gets nowhere.
    pub(in crate::conformance) fn send(&mut self, frame: &Frame) -> Result<(), ConnectionError> {
        match &mut self.connection {
            Some(connection) => connection.receive(frame),
            None => Ok(()),
        }
    }

    /// All frames that are waiting for the client.
    pub(in crate::conformance) fn frames(&mut self) -> Vec<Frame> {
        let Some(connection) = &mut self.connection else {
            return Vec::new();
        };
        let frames: Vec<_> = std::iter::from_fn(|| connection.try_next())
            .take(FRAMES)
            .collect();
        assert!(frames.len() < FRAMES, "the server goes on for ever");
        frames
    }

    /// Takes a message in. The mirrors speak JSON whatever the connection does, as their codec cannot change with it.
    pub(in crate::conformance) fn take_in(&mut self, message: &Message) -> Result<(), MirrorError> {
        if let Message::Patch { id, .. } = message
            && self.since.contains(id)
            && self.mirrors.get(*id).is_none()
        {
            return Ok(());
        }
        let frame = Codec::Json.encode(message)?;
        self.mirrors.receive(&frame).map(drop)
    }

    pub(in crate::conformance) fn value(&self, id: ModelId) -> Option<&Value> {
        self.mirrors.get(id)?.get()
    }

    /// What the mirrors hold, as the vectors tell it.
    pub(in crate::conformance) fn held(&self) -> Json {
        let held = self.mirrors.iter().filter_map(|mirror| {
            let model = json!({
                "type": mirror.type_name()?,
                "rev": mirror.revision()?,
                "value": wire::tagged(mirror.get()?),
            });
            Some((mirror.id(), model))
        });
        json!(held.collect::<BTreeMap<_, _>>())
    }
}
