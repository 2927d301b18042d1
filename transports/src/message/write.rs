//! Messages on their way out.

use super::{Epoch, Json, Message};
use crate::patch::Patch;
use crate::value::Value;
use crate::writer::{Format, Writer};

impl Message {
    /// Writes the message; members stand in the published core's order in JSON, in byte order in the binary codecs.
    pub(crate) fn write(&self, out: &mut Writer) {
        let mut members = Members::new(out.format() == Format::Json);
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
            Self::Schema { type_name, schema } => {
                members.put("t", Member::Str("schema"));
                members.put("type", Member::Str(type_name));
                members.put("schema", Member::Json(schema));
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
