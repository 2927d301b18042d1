//! A client that sends what it likes, beside one that behaves.

use transports::server::{Connection, Opening};
use transports::session::{Frame, Hosted};
use transports::{Codec, Message, Mirror, Mirrors, Patch, Server, Session, Value};

use crate::ops::ops;
use crate::script::Script;
use crate::world::World;
use crate::{codec, entropy, is_huge, messages, value_of};

/// Whatever one client sends, another one's mirrors are the models in the end.
pub fn connection(data: &[u8]) {
    let Some((first, script)) = data.split_first() else {
        return;
    };
    // A short history, so that resuming from too far back happens.
    let session = Session::builder().history(6).build();
    let world = session.host(World::new());
    let anything = session.host_named("Anything", Value::from_iter([("x", Value::from(1))]));
    let server = Server::new(session.clone());
    let mut witness = Witness::open(&server, *first);
    let mut peer = open(&server, "");

    for (number, bytes) in Script(script) {
        match number % 8 {
            0 => peer = open(&server, &String::from_utf8_lossy(bytes)),
            1 => send(&server, &mut peer, Frame::binary(bytes.to_vec())),
            2 => {
                let text = String::from_utf8_lossy(bytes).into_owned();
                send(&server, &mut peer, Frame::text(text));
            }
            3 => drop(session.sync()),
            4 => witness.pump(bytes.len()),
            number => {
                let values = [value_of(&*world.read()), anything.read().clone()];
                if values.iter().any(is_huge) {
                    break;
                }
                let mut entropy = entropy(bytes);
                match number {
                    5 => world.write().mutate(&mut entropy),
                    6 => entropy.mutate(&mut anything.write()),
                    _ => {
                        let model = entropy.below(2);
                        let message = edit(model as u64 + 1, ops(&mut entropy, &values[model]));
                        let bytes = peer.codec().encode(&message).expect("a built-in codec");
                        let is_text = peer.codec().is_text();
                        send(&server, &mut peer, Frame { bytes, is_text });
                    }
                }
            }
        }
    }

    assert_eq!(*server.connections().borrow(), 2);
    drop(peer);
    assert_eq!(*server.connections().borrow(), 1);
    assert!(session.sync().faults.is_empty());
    witness.pump(usize::MAX);
    witness.assert_agrees(&session, &world);
}

/// A connection with these wishes; without any if they cannot be granted.
fn open(server: &Server, query: &str) -> Connection {
    let wished = Opening::parse(query).and_then(|opening| server.open(&opening));
    let mut connection = wished.unwrap_or_else(|_| {
        let plain = server.open(&Opening::default());
        plain.expect("wishing for nothing is fine")
    });
    while connection.try_next().is_some() {}
    connection
}

fn edit(id: u64, ops: Vec<transports::Op>) -> Message {
    Message::Patch {
        id,
        patch: Patch { rev: 0, ops },
        proposal: Some("p".into()),
        base: None,
    }
}

/// Sends a frame; whatever the server has to say to it can be read.
fn send(server: &Server, peer: &mut Connection, frame: Frame) {
    if peer.receive(&frame).is_err() {
        *peer = open(server, "");
    }
    while let Some(frame) = peer.try_next() {
        let message = peer.codec().decode(&frame.bytes);
        assert!(message.is_ok(), "{message:?}");
    }
}

/// A client that only listens.
struct Witness {
    codec: Codec,
    connection: Connection,
    mirrors: Mirrors,
    /// Decodes straight into the model's type. Every other one has this.
    typed: Option<Mirror<World>>,
}

impl Witness {
    fn open(server: &Server, first: u8) -> Self {
        let codec = codec(first);
        let mirrors = Mirrors::new(codec.clone());
        let batch = ["", "&batch=1"][usize::from(first >> 7)];
        let query = format!("{}{batch}", mirrors.query());
        let opening = Opening::parse(&query).expect("a server understands mirrors");
        Self {
            codec,
            connection: server.open(&opening).expect("a built-in codec"),
            mirrors,
            typed: (first & 64 > 0).then(|| Mirror::new(1)),
        }
    }

    /// Takes in up to `most` frames.
    fn pump(&mut self, most: usize) {
        for _ in 0..most {
            let Some(frame) = self.connection.try_next() else {
                return;
            };
            self.mirrors
                .receive(&frame.bytes)
                .expect("a server makes sense");
            if let Some(typed) = &mut self.typed {
                for message in messages(&self.codec, &frame.bytes) {
                    typed.receive(message).expect("a server makes sense");
                }
            }
        }
    }

    fn assert_agrees(&self, session: &Session, world: &Hosted<World>) {
        for mirror in self.mirrors.iter() {
            let state = mirror.revision().zip(mirror.get().cloned());
            assert_eq!(state, session.snapshot(mirror.id()));
        }
        assert_eq!(self.mirrors.iter().count(), 2);
        if let Some(typed) = &self.typed {
            let typed = typed.get().expect("there was a snapshot").clone();
            assert_eq!(typed.comparable(), world.read().clone().comparable());
        }
    }
}
