//! A session with its clients: any changes, edits, openings, cuts and delays, and in the end one state.

use transports::mirror::MirrorEvent;
use transports::server::{Connection, Opening};
use transports::session::{Frame, Hosted};
use transports::{Codec, Message, Mirror, Mirrors, Op, Path, Server, Session, Value};

use super::entropy::Entropy;
use super::laws::Model;

/// A client, which outlives its connections.
struct Client<T: Model> {
    codec: Codec,
    options: &'static str,
    knows_epochs: bool,
    splices: bool,
    mirrors: Mirrors,
    /// Decodes straight into the model's type.
    typed: Mirror<T>,
    connection: Option<Connection>,
    /// Proposals that were neither taken nor refused yet, on the present connection.
    waiting: usize,
}

impl<T: Model> Client<T> {
    fn new(entropy: &mut Entropy) -> Self {
        let codec = [Codec::Json, Codec::MessagePack, Codec::Cbor][entropy.below(3)].clone();
        let options = ["", "&batch=1"][entropy.below(2)];
        let mirrors = Mirrors::new(codec.clone());
        Self {
            codec,
            options,
            knows_epochs: entropy.below(2) > 0,
            splices: entropy.below(2) > 0,
            mirrors,
            typed: Mirror::new(1),
            connection: None,
            waiting: 0,
        }
    }

    /// Connects with what it has; sometimes as if it had nothing.
    fn open(&mut self, server: &Server, afresh: bool) {
        self.close();
        if afresh {
            self.mirrors = Mirrors::new(self.codec.clone());
            self.typed = Mirror::new(1);
        }
        let query = self.mirrors.query();
        // Published clients know of no epochs.
        let published = query.split("&epoch=").next().unwrap_or_default();
        let query = if self.knows_epochs { &query } else { published };
        let query = query.replace("&ops=splice%2Cstamp", "");
        let ops = if self.splices { "&ops=splice" } else { "" };
        let opening = Opening::parse(&format!("{query}{}{ops}", self.options)).unwrap();
        self.connection = Some(server.open(&opening).unwrap());
    }

    fn close(&mut self) {
        self.connection = None;
        self.mirrors.disconnect();
        self.waiting = 0;
    }

    /// Takes in up to `most` frames.
    fn pump(&mut self, most: usize) {
        for _ in 0..most {
            let next = self.connection.as_mut().and_then(Connection::try_next);
            let Some(frame) = next else { return };
            assert_eq!(frame.is_text, matches!(self.codec, Codec::Json));
            self.feed_typed(&frame);
            for event in self.mirrors.receive(&frame.bytes).unwrap() {
                if let MirrorEvent::Acknowledged { .. } | MirrorEvent::Rejected { .. } = event {
                    self.waiting -= 1;
                }
            }
        }
    }

    fn feed_typed(&mut self, frame: &Frame) {
        let message = self.codec.decode(&frame.bytes).unwrap();
        assert!(self.splices || !format!("{message:?}").contains("Splice"));
        let messages = match message {
            Message::Batch { msgs } => msgs,
            message => vec![message],
        };
        for message in messages {
            self.typed.receive(message).unwrap();
        }
    }

    /// Proposes some change of a model it knows.
    fn edit(&mut self, entropy: &mut Entropy) {
        let Some(connection) = &mut self.connection else {
            return;
        };
        let id = 1 + entropy.below(2) as u64;
        let Some(mut wanted) = self
            .mirrors
            .get(id)
            .and_then(|mirror| mirror.get())
            .cloned()
        else {
            return;
        };
        let len = match wanted.get("story") {
            Some(Value::Str(text)) => text.chars().count(),
            _ => 0,
        };
        entropy.mutate(&mut wanted);
        let mut message = self.mirrors.edit(id, wanted, None).unwrap();
        if let (Message::Patch { patch, .. }, true, 0) =
            (&mut message, self.splices, entropy.below(3))
        {
            patch.ops.push(Op::Splice {
                path: Path::from_iter(["story".into()]),
                at: entropy.below(len + 1),
                delete: entropy.below(4),
                insert: entropy.text(),
            });
        }
        self.waiting += 1;
        let bytes = self.codec.encode(&message).unwrap();
        connection
            .receive(&Frame {
                bytes,
                is_text: self.codec.is_text(),
            })
            .unwrap();
    }

    fn assert_agrees(&self, session: &Session, model: &Hosted<T>) {
        for id in [1, 2] {
            let (rev, value) = session.snapshot(id).unwrap();
            let mirror = self.mirrors.get(id).expect("there was a snapshot");
            assert_eq!(mirror.revision(), Some(rev), "{self:?}");
            assert_eq!(mirror.get(), Some(&value), "{self:?}");
        }
        let typed = self.typed.get().expect("there was a snapshot").clone();
        assert_eq!(typed.comparable(), model.read().clone().comparable());
        assert_eq!(self.waiting, 0, "every proposal is answered");
        assert_eq!(
            self.mirrors.pending().count(),
            0,
            "every proposal is answered once"
        );
    }
}

impl<T: Model> std::fmt::Debug for Client<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a {} client with {:?}", self.codec.name(), self.options)
    }
}

/// What the host does to a model of type `T` and what clients do.
pub(super) fn run<T: Model>(numbers: Vec<u32>) {
    let mut entropy = Entropy::new(numbers);
    // A short history, so that resuming from too far back happens.
    let session = Session::builder().history(6).build();
    let server = Server::new(session.clone());
    let model = session.host(T::new());
    let dynamic = session.host_named("Anything", Value::from_iter([("x", Value::from(1))]));
    let mut clients: Vec<Client<T>> = (0..4).map(|_| Client::new(&mut entropy)).collect();

    while !entropy.is_empty() {
        let client = entropy.below(clients.len());
        let client = &mut clients[client];
        match entropy.below(16) {
            0..=3 => model.write().mutate(&mut entropy),
            4 => entropy.mutate(&mut dynamic.write()),
            5..=6 => drop(session.sync()),
            7 => client.open(&server, false),
            8 => client.open(&server, true),
            9 => client.close(),
            10..=12 => client.edit(&mut entropy),
            _ => client.pump(1 + entropy.below(4)),
        }
    }

    assert!(session.sync().faults.is_empty());
    for client in &mut clients {
        if client.connection.is_none() {
            client.open(&server, false);
        }
        client.pump(usize::MAX);
        client.assert_agrees(&session, &model);
    }
}
