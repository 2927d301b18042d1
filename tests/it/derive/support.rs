//! Short ways to say what a test is about.

use transports::{Changes, Op, PatchError, Path, Segment, Synced, Tracked, Value, Writer};

/// A tracked model and a mirror of it that only knows the ops.
pub(super) struct Watched<T: Synced> {
    pub(super) model: Tracked<T>,
    pub(super) mirror: Value,
}

pub(super) fn value_of<T: Synced>(model: &T) -> Value {
    Writer::to_value(|out| model.write(None, out))
}

/// Plain JSON as a value.
pub(super) fn value(json: serde_json::Value) -> Value {
    use serde_json::Value as Json;
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => value.into(),
        Json::Number(number) => match number.as_i64() {
            Some(int) => int.into(),
            None => number.as_f64().unwrap().into(),
        },
        Json::String(text) => text.into(),
        Json::Array(items) => items.into_iter().map(value).collect(),
        Json::Object(entries) => entries
            .into_iter()
            .map(|(key, entry)| (key, value(entry)))
            .collect(),
    }
}

macro_rules! json {
    ($($json:tt)+) => { super::support::value(serde_json::json!($($json)+)) };
}
pub(super) use json;

/// `path(&["rows", "0", "name"])`: what can be read as a number is an index.
pub(super) fn path(steps: &[&str]) -> Path {
    steps
        .iter()
        .map(|step| {
            step.parse()
                .map_or_else(|_| Segment::from(*step), Segment::Index)
        })
        .collect()
}

pub(super) fn set(steps: &[&str], value: impl Into<Value>) -> Op {
    Op::Set {
        path: path(steps),
        value: value.into(),
    }
}

pub(super) fn remove(steps: &[&str]) -> Op {
    Op::Remove { path: path(steps) }
}

impl<T: Synced> Watched<T> {
    pub(super) fn new(model: T) -> Self {
        Self {
            mirror: value_of(&model),
            model: Tracked::new(model),
        }
    }

    /// Changes the model; tells the ops, which the mirror is shown to follow.
    pub(super) fn change(&mut self, change: impl FnOnce(&mut T)) -> Vec<Op> {
        change(&mut self.model);
        self.collect()
    }

    pub(super) fn collect(&mut self) -> Vec<Op> {
        let mut changes = Changes::as_ops();
        Tracked::collect(&mut self.model, &mut changes);
        assert!(changes.faults().is_empty(), "{:?}", changes.faults());
        let ops = changes.into_ops();
        self.follow(&ops);
        ops
    }

    /// A client's edit; tells what every peer is told.
    pub(super) fn edit(
        &mut self,
        ops: impl IntoIterator<Item = Op>,
    ) -> Result<Vec<Op>, PatchError> {
        let before = value_of(&*self.model);
        let mut changes = Changes::as_ops();
        let edited = Tracked::edit(&mut self.model, ops, &mut changes);
        let ops = changes.into_ops();
        self.follow(&ops);
        match edited {
            Ok(()) => Ok(ops),
            Err(refusal) => {
                assert_eq!(
                    before,
                    value_of(&*self.model),
                    "a refused edit leaves no trace"
                );
                assert_eq!(ops, []);
                Err(refusal)
            }
        }
    }

    /// Why an edit is refused, as a client is told.
    pub(super) fn refusal(&mut self, op: Op) -> String {
        self.edit([op]).unwrap_err().to_string()
    }

    fn follow(&mut self, ops: &[Op]) {
        let patch = transports::Patch {
            rev: 1,
            ops: ops.to_vec(),
        };
        patch.apply(&mut self.mirror).unwrap();
        assert_eq!(self.mirror, value_of(&*self.model), "by {ops:?}");
    }
}
