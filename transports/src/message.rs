//! What a server and its clients say to each other. `docs/protocol.md` shows each message as JSON.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::patch::Patch;
use crate::value::Value;
use crate::writer::Writer;

/// Plain JSON, as it stands in awareness states and CRDT operations: not the tagged form of [`Value`].
pub type Json = serde_json::Value;

/// The id of a model, unique within a session.
pub type ModelId = u64;

/// One life of a session. Revisions of different epochs cannot be compared.
///
/// Random when a session starts, and kept when its state is restored. Written as 16 hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Epoch(u64);

impl Epoch {
    /// A new one that no other session has.
    ///
    /// # Panics
    /// If the operating system has no random numbers.
    #[must_use]
    pub fn random() -> Self {
        Self(getrandom::u64().expect("the operating system has random numbers"))
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for Epoch {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        u64::from_str_radix(text, 16).map(Self)
    }
}

impl TryFrom<String> for Epoch {
    type Error = ParseIntError;

    fn try_from(text: String) -> Result<Self, ParseIntError> {
        text.parse()
    }
}

impl From<Epoch> for String {
    fn from(epoch: Epoch) -> Self {
        epoch.to_string()
    }
}

/// One message of the protocol.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Message {
    /// A model as a whole: the opening, a resume from too far back, or the state that a refused edit goes back to.
    Snapshot {
        /// The model.
        id: ModelId,
        /// The name of its type.
        type_name: String,
        /// Its revision.
        rev: u64,
        /// What it holds.
        value: Value,
        /// The server's epoch; only sent to a connection that gave one.
        epoch: Option<Epoch>,
    },
    /// From a server the next step of a model; from a client a proposal, whose revision means nothing.
    Patch {
        /// The model.
        id: ModelId,
        /// The changes.
        patch: Patch,
        /// The name that the client gave to the edit; a server sends it to that client only.
        proposal: Option<String>,
        /// The revision that the ops lead on from, where it is not the one before: several patches in one.
        base: Option<u64>,
    },
    /// A named proposal was taken and changed nothing.
    Ack {
        /// The model.
        id: ModelId,
        /// Its revision.
        rev: u64,
        /// The name of the edit.
        proposal: String,
    },
    /// An edit was refused.
    Reject {
        /// The model.
        id: ModelId,
        /// Its revision; 0 if there is no such model.
        rev: u64,
        /// Why.
        error: String,
        /// The name of the edit, if it had one.
        proposal: Option<String>,
        /// The operations that were refused, for CRDT models.
        crdt_ops: Option<Vec<Json>>,
    },
    /// Several messages in one frame; only for a connection that asked for it.
    Batch {
        /// The messages, in order.
        msgs: Vec<Self>,
    },
    /// A passing state of one peer.
    Awareness {
        /// The shared model it is about.
        id: ModelId,
        /// The state; null: gone.
        state: Json,
        /// Whose it is; set by the server.
        peer: Option<String>,
    },
    /// Opening of a CRDT model.
    CrdtSnapshot {
        /// The model.
        id: ModelId,
        /// The name of its type.
        type_name: String,
        /// Its revision.
        rev: u64,
        /// What it holds.
        value: Value,
        /// The CRDT's schema.
        spec: Json,
        /// The CRDT's state.
        state: Json,
    },
    /// Operations on a CRDT model.
    Crdt {
        /// The model.
        id: ModelId,
        /// The revision reached; 0 from clients.
        rev: u64,
        /// The operations.
        ops: Vec<Json>,
        /// What they did.
        effect: Option<Json>,
        /// The name of the edit, if it had one.
        proposal: Option<String>,
    },
    /// A kind that this version does not know, or no kind at all. Ignored by everybody.
    Unknown,
}

impl Message {
    /// Writes the message; members stand in the published core's order in JSON, in byte order in the binary codecs.
    pub(crate) fn write(&self, out: &mut Writer) {
        let mut members = Members::new(out.format() == crate::writer::Format::Json);
        match self {
            Self::Snapshot {
                id,
                type_name,
                rev,
                value,
                epoch,
            } => {
                members.put("t", Member::Str("snapshot"));
                members.put("id", Member::Uint(*id));
                members.put("type", Member::Str(type_name));
                members.put("rev", Member::Uint(*rev));
                members.put("value", Member::Value(value));
                members.maybe("epoch", epoch.map(Member::Epoch));
            }
            Self::Patch {
                id,
                patch,
                proposal,
                base,
            } => {
                members.put("t", Member::Str("patch"));
                members.put("id", Member::Uint(*id));
                members.put("patch", Member::Patch(patch));
                members.maybe("proposal", proposal.as_deref().map(Member::Str));
                members.maybe("base", base.map(Member::Uint));
            }
            Self::Ack { id, rev, proposal } => {
                members.put("t", Member::Str("ack"));
                members.put("id", Member::Uint(*id));
                members.put("rev", Member::Uint(*rev));
                members.put("proposal", Member::Str(proposal));
            }
            Self::Reject {
                id,
                rev,
                error,
                proposal,
                crdt_ops,
            } => {
                members.put("t", Member::Str("reject"));
                members.put("id", Member::Uint(*id));
                members.put("rev", Member::Uint(*rev));
                members.put("error", Member::Str(error));
                members.maybe("proposal", proposal.as_deref().map(Member::Str));
                members.maybe("crdt_ops", crdt_ops.as_deref().map(Member::Jsons));
            }
            Self::Batch { msgs } => {
                members.put("t", Member::Str("batch"));
                members.put("msgs", Member::Messages(msgs));
            }
            Self::Awareness { id, state, peer } => {
                members.put("t", Member::Str("awareness"));
                members.put("id", Member::Uint(*id));
                members.maybe("peer", peer.as_deref().map(Member::Str));
                members.put("state", Member::Json(state));
            }
            Self::CrdtSnapshot {
                id,
                type_name,
                rev,
                value,
                spec,
                state,
            } => {
                members.put("t", Member::Str("crdt_snapshot"));
                members.put("id", Member::Uint(*id));
                members.put("type", Member::Str(type_name));
                members.put("rev", Member::Uint(*rev));
                members.put("value", Member::Value(value));
                members.put("spec", Member::Json(spec));
                members.put("state", Member::Json(state));
            }
            Self::Crdt {
                id,
                rev,
                ops,
                effect,
                proposal,
            } => {
                members.put("t", Member::Str("crdt"));
                members.put("id", Member::Uint(*id));
                members.put("rev", Member::Uint(*rev));
                members.put("ops", Member::Jsons(ops));
                members.maybe("effect", effect.as_ref().map(Member::Json));
                members.maybe("proposal", proposal.as_deref().map(Member::Str));
            }
            Self::Unknown => {}
        }
        members.write(out);
    }
}

/// The members of a message on their way out.
struct Members<'a> {
    list: Vec<(&'static str, Member<'a>)>,
    as_declared: bool,
}

enum Member<'a> {
    Uint(u64),
    Str(&'a str),
    Epoch(Epoch),
    Value(&'a Value),
    Patch(&'a Patch),
    Json(&'a Json),
    Jsons(&'a [Json]),
    Messages(&'a [Message]),
}

impl<'a> Members<'a> {
    const fn new(as_declared: bool) -> Self {
        Self {
            list: Vec::new(),
            as_declared,
        }
    }

    fn put(&mut self, name: &'static str, member: Member<'a>) {
        self.list.push((name, member));
    }

    fn maybe(&mut self, name: &'static str, member: Option<Member<'a>>) {
        if let Some(member) = member {
            self.put(name, member);
        }
    }

    fn write(mut self, out: &mut Writer) {
        if !self.as_declared {
            self.list.sort_unstable_by_key(|(name, _)| *name);
        }
        out.raw_map(self.list.len());
        for (name, member) in self.list {
            out.raw_key(name);
            match member {
                Member::Uint(value) => out.raw_uint(value),
                Member::Str(text) => out.raw_str(text),
                Member::Epoch(epoch) => out.raw_str(&epoch.to_string()),
                Member::Value(value) => out.value(value),
                Member::Json(json) => out.raw_json(json),
                Member::Jsons(items) => {
                    out.raw_list(items.len());
                    items.iter().for_each(|item| out.raw_json(item));
                    out.raw_end(b']');
                }
                Member::Messages(messages) => {
                    out.raw_list(messages.len());
                    messages.iter().for_each(|message| message.write(out));
                    out.raw_end(b']');
                }
                Member::Patch(patch) => write_patch(patch, self.as_declared, out),
            }
        }
        out.raw_end(b'}');
    }
}

fn write_patch(patch: &Patch, as_declared: bool, out: &mut Writer) {
    out.raw_map(2);
    if as_declared {
        out.raw_key("rev");
        out.raw_uint(patch.rev);
    }
    out.raw_key("ops");
    out.raw_list(patch.ops.len());
    patch.ops.iter().for_each(|op| out.owned_op(op));
    out.raw_end(b']');
    if !as_declared {
        out.raw_key("rev");
        out.raw_uint(patch.rev);
    }
    out.raw_end(b'}');
}

/// The kinds of messages this version reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Snapshot,
    Patch,
    Ack,
    Reject,
    Batch,
    Awareness,
    CrdtSnapshot,
    Crdt,
    Unknown,
}

impl Kind {
    pub(crate) const ALL: [Self; 9] = [
        Self::Snapshot,
        Self::Patch,
        Self::Ack,
        Self::Reject,
        Self::Batch,
        Self::Awareness,
        Self::CrdtSnapshot,
        Self::Crdt,
        Self::Unknown,
    ];

    fn named(name: &str) -> Self {
        match name {
            "snapshot" => Self::Snapshot,
            "patch" => Self::Patch,
            "ack" => Self::Ack,
            "reject" => Self::Reject,
            "batch" => Self::Batch,
            "awareness" => Self::Awareness,
            "crdt_snapshot" => Self::CrdtSnapshot,
            "crdt" => Self::Crdt,
            _ => Self::Unknown,
        }
    }

    /// Whether messages of this kind have a member of this name that matters.
    fn has(self, member: &str) -> bool {
        let members: &[&str] = match self {
            Self::Snapshot => &["id", "type", "rev", "value", "epoch"],
            Self::Patch => &["id", "patch", "proposal", "base"],
            Self::Ack => &["id", "rev", "proposal"],
            Self::Reject => &["id", "rev", "error", "proposal", "crdt_ops"],
            Self::Batch => &["msgs"],
            Self::Awareness => &["id", "state", "peer"],
            Self::CrdtSnapshot => &["id", "type", "rev", "value", "spec", "state"],
            Self::Crdt => &["id", "rev", "ops", "effect", "proposal"],
            Self::Unknown => &[],
        };
        members.contains(&member)
    }
}

/// First reading of a frame: finds `t`, wherever it stands, and checks everything else for being well-formed.
impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Finder;

        impl<'de> Visitor<'de> for Finder {
            type Value = Kind;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a message, which is an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Kind, A::Error> {
                let mut kind = Kind::Unknown;
                while let Some(member) = map.next_key::<Text>()? {
                    let text = map.next_value::<Plain>()?;
                    if member.0 == "t" {
                        kind = text.0.as_deref().map_or(Kind::Unknown, Kind::named);
                    }
                }
                Ok(kind)
            }
        }

        deserializer.deserialize_map(Finder)
    }
}

/// A text key; nothing else is one.
struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Key;

        impl Visitor<'_> for Key {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text, E> {
                Ok(Text(text.to_owned()))
            }
        }

        deserializer.deserialize_str(Key)
    }
}

/// Anything that JSON could say, skipped; a text at the top is kept. Binary strings and the like are refused.
struct Plain(Option<String>);

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Skipper)
    }
}

struct Skipper;

impl<'de> Visitor<'de> for Skipper {
    type Value = Plain;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("something that JSON has, too")
    }

    fn visit_unit<E>(self) -> Result<Plain, E> {
        Ok(Plain(None))
    }

    // CBOR's null.
    fn visit_none<E>(self) -> Result<Plain, E> {
        Ok(Plain(None))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Plain, E> {
        Ok(Plain(None))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Plain, E> {
        Ok(Plain(None))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Plain, E> {
        Ok(Plain(None))
    }

    // CBOR's big numbers; where a number matters, it has to fit all the same.
    fn visit_i128<E>(self, _: i128) -> Result<Plain, E> {
        Ok(Plain(None))
    }

    fn visit_u128<E>(self, _: u128) -> Result<Plain, E> {
        Ok(Plain(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Plain, E> {
        Ok(Plain(None))
    }

    fn visit_str<E>(self, text: &str) -> Result<Plain, E> {
        Ok(Plain(Some(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Plain, A::Error> {
        while items.next_element::<Plain>()?.is_some() {}
        Ok(Plain(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Plain, A::Error> {
        while entries.next_entry::<Text, Plain>()?.is_some() {}
        Ok(Plain(None))
    }
}

/// Second reading of a frame: the members that its kind has. The last of several members of one name counts; members
/// given as null are absent.
impl<'de> DeserializeSeed<'de> for Kind {
    type Value = Message;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Message, D::Error> {
        deserializer.deserialize_map(Reader(self))
    }
}

struct Reader(Kind);

#[derive(Default)]
struct Found {
    id: Option<u64>,
    type_name: Option<String>,
    rev: Option<u64>,
    value: Option<Value>,
    epoch: Option<Epoch>,
    patch: Option<Patch>,
    proposal: Option<String>,
    base: Option<u64>,
    error: Option<String>,
    json_ops: Option<Vec<Json>>,
    msgs: Option<Vec<Message>>,
    state: Option<Json>,
    peer: Option<String>,
    spec: Option<Json>,
    effect: Option<Json>,
}

impl<'de> Visitor<'de> for Reader {
    type Value = Message;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a message, which is an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Message, A::Error> {
        let mut found = Found::default();
        while let Some(Text(member)) = map.next_key()? {
            if !self.0.has(&member) {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            match member.as_str() {
                "id" => found.id = map.next_value()?,
                "type" => found.type_name = map.next_value()?,
                "rev" => found.rev = map.next_value()?,
                "value" => found.value = Some(map.next_value()?),
                "epoch" => found.epoch = map.next_value()?,
                "patch" => found.patch = map.next_value()?,
                "proposal" => found.proposal = map.next_value()?,
                "base" => found.base = map.next_value()?,
                "error" => found.error = map.next_value()?,
                "ops" | "crdt_ops" => found.json_ops = map.next_value()?,
                "msgs" => found.msgs = map.next_value::<Option<Batched>>()?.map(|msgs| msgs.0),
                "state" => found.state = Some(map.next_value()?),
                "peer" => found.peer = map.next_value()?,
                "spec" => found.spec = Some(map.next_value()?),
                _ => found.effect = map.next_value()?,
            }
        }
        found.into_message(self.0).map_err(de::Error::missing_field)
    }
}

impl Found {
    /// The message, or the name of the member it lacks.
    fn into_message(self, kind: Kind) -> Result<Message, &'static str> {
        let id = self.id.ok_or("id");
        let rev = self.rev.ok_or("rev");
        Ok(match kind {
            Kind::Snapshot => Message::Snapshot {
                id: id?,
                type_name: self.type_name.ok_or("type")?,
                rev: rev?,
                value: self.value.ok_or("value")?,
                epoch: self.epoch,
            },
            Kind::Patch => Message::Patch {
                id: id?,
                patch: self.patch.ok_or("patch")?,
                proposal: self.proposal,
                base: self.base,
            },
            Kind::Ack => Message::Ack {
                id: id?,
                rev: rev?,
                proposal: self.proposal.ok_or("proposal")?,
            },
            Kind::Reject => Message::Reject {
                id: id?,
                rev: rev?,
                error: self.error.ok_or("error")?,
                proposal: self.proposal,
                crdt_ops: self.json_ops,
            },
            Kind::Batch => Message::Batch {
                msgs: self.msgs.ok_or("msgs")?,
            },
            Kind::Awareness => Message::Awareness {
                id: id?,
                state: self.state.unwrap_or_default(),
                peer: self.peer,
            },
            Kind::CrdtSnapshot => Message::CrdtSnapshot {
                id: id?,
                type_name: self.type_name.ok_or("type")?,
                rev: rev?,
                value: self.value.ok_or("value")?,
                spec: self.spec.ok_or("spec")?,
                state: self.state.ok_or("state")?,
            },
            Kind::Crdt => Message::Crdt {
                id: id?,
                rev: rev?,
                ops: self.json_ops.ok_or("ops")?,
                effect: self.effect,
                proposal: self.proposal,
            },
            Kind::Unknown => Message::Unknown,
        })
    }
}

/// The messages of a batch. They stand in the middle of a frame, which cannot be read twice, so they go through a tree.
struct Batched(Vec<Message>);

impl<'de> Deserialize<'de> for Batched {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let trees = Vec::<serde_json::Map<String, Json>>::deserialize(deserializer)?;
        trees
            .into_iter()
            .map(|tree| {
                let tree = Json::Object(tree);
                let kind: Kind = Deserialize::deserialize(&tree)?;
                kind.deserialize(tree)
            })
            .collect::<Result<_, serde_json::Error>>()
            .map(Self)
            .map_err(de::Error::custom)
    }
}
