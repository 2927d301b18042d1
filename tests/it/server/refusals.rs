//! Edits that are refused after some of their ops were made, each found by fuzzing.

use std::collections::BTreeMap;

use transports::collections::Map;
use transports::edit::PatchError;
use transports::{Changes, Codec, Message, Synced, Tracked, Value, Writer};

/// The model after an edit that must be refused, and why it was. Nothing is left to tell.
fn refused<T: Synced>(model: T, ops: &str) -> (Value, PatchError) {
    let frame = format!(r#"{{"t":"patch","id":1,"patch":{{"rev":0,"ops":[{ops}]}}}}"#);
    let Message::Patch { patch, .. } = Codec::Json.decode(frame.as_bytes()).unwrap() else {
        panic!("{frame}")
    };
    let mut model = Tracked::new(model);
    let error = Tracked::edit(&mut model, patch.ops, &mut Changes::as_ops()).unwrap_err();
    let mut left = Changes::as_ops();
    Tracked::collect(&mut model, &mut left);
    assert_eq!(left.ops(), [], "nothing is left to tell");
    (Writer::to_value(|out| model.write(None, out)), error)
}

/// Removing an entry that is not there is fine, and left a step to take back that led nowhere: the server panicked.
#[test]
fn the_removal_of_nothing_can_be_taken_back() {
    let ops = r#"{"Remove":{"path":[{"Key":"gone"}]}},{"RemoveAt":{"path":[],"index":0}}"#;
    let model = Value::from_iter([("x", Value::from(1))]);
    let (value, error) = refused(model.clone(), ops);
    assert_eq!((error.op, value), (Some(1), model.clone()));

    let (value, error) = refused(BTreeMap::from([("x".to_owned(), 1)]), ops);
    assert_eq!((error.op, value), (Some(1), model.clone()));

    let (value, error) = refused(Map::from([("x".to_owned(), 1)]), ops);
    assert_eq!((error.op, value), (Some(1), model));
}
