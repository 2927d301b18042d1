//! Messages on their way in.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{Epoch, Json, Message};
use crate::patch::Patch;
use crate::value::Value;

/// The kinds of messages this version reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Snapshot,
    Patch,
    Ack,
    Reject,
    Schema,
    Batch,
    Awareness,
    CrdtSnapshot,
    Crdt,
    Unknown,
}

impl Kind {
    pub(crate) const ALL: [Self; 10] = [
        Self::Snapshot,
        Self::Patch,
        Self::Ack,
        Self::Reject,
        Self::Schema,
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
            "schema" => Self::Schema,
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
            Self::Schema => &["type", "schema"],
            Self::Batch => &["msgs"],
            Self::Awareness => &["id", "state", "peer"],
            Self::CrdtSnapshot => &["id", "type", "rev", "value", "spec", "state"],
            Self::Crdt => &["id", "rev", "ops", "effect", "proposal"],
            Self::Unknown => &[],
        };
        members.contains(&member)
    }
}

/// A map of the smallest size takes about as much memory as so many numbers.
const MAP: usize = 16;

/// What a first reading of a frame tells: it keeps nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    pub(crate) kind: Kind,
    /// The values, keys, lists and maps in it; about 40 bytes of memory each.
    pub(crate) nodes: usize,
}

impl Default for Look {
    fn default() -> Self {
        Self {
            kind: Kind::Unknown,
            nodes: 0,
        }
    }
}

/// Finds `t`, wherever it stands, and checks everything else for being well-formed.
impl<'de> Deserialize<'de> for Look {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Finder;

        impl<'de> Visitor<'de> for Finder {
            type Value = Look;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a message, which is an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Look, A::Error> {
                let mut look = Look::default();
                while let Some(member) = map.next_key::<Text>()? {
                    let is_kind = member.0 == "t";
                    let mut kind = Kind::Unknown;
                    map.next_value_seed(Skipper {
                        nodes: &mut look.nodes,
                        kind: is_kind.then_some(&mut kind),
                    })?;
                    if is_kind {
                        look.kind = kind;
                    }
                }
                Ok(look)
            }
        }

        deserializer.deserialize_map(Finder)
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Look::deserialize(deserializer).map(|look| look.kind)
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

/// A text key that nobody needs, but to know whether a map among the values follows.
struct SkippedKey {
    is_map: bool,
}

impl<'de> Deserialize<'de> for SkippedKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Key;

        impl Visitor<'_> for Key {
            type Value = SkippedKey;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<SkippedKey, E> {
                Ok(SkippedKey {
                    is_map: text == "Map",
                })
            }
        }

        deserializer.deserialize_str(Key)
    }
}

/// Skips and counts anything that JSON could say. Binary strings and the like are refused.
struct Skipper<'a> {
    nodes: &'a mut usize,
    /// A text here is the kind of the message.
    kind: Option<&'a mut Kind>,
}

impl<'de> DeserializeSeed<'de> for Skipper<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        *self.nodes += 1;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Skipper<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("something that JSON has, too")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    // CBOR's null.
    fn visit_none<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    // CBOR's big numbers; where a number matters, it has to fit all the same.
    fn visit_i128<E>(self, _: i128) -> Result<(), E> {
        Ok(())
    }

    fn visit_u128<E>(self, _: u128) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        if let Some(kind) = self.kind {
            *kind = Kind::named(text);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let nodes = self.nodes;
        while items
            .next_element_seed(Skipper { nodes, kind: None })?
            .is_some()
        {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let nodes = self.nodes;
        while let Some(key) = entries.next_key::<SkippedKey>()? {
            *nodes += 1 + if key.is_map { MAP } else { 0 };
            entries.next_value_seed(Skipper { nodes, kind: None })?;
        }
        Ok(())
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
    schema: Option<Json>,
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
                "schema" => found.schema = Some(map.next_value()?),
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
            Kind::Schema => Message::Schema {
                type_name: self.type_name.ok_or("type")?,
                schema: self.schema.ok_or("schema")?,
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
