//! What is large in memory and small on the wire, or nothing at all.

use transports::{Codec, Op, Path, Value, ValueMap};

use super::set;

/// As many as the limits allow, or a few more.
const MANY: usize = 12_000;

fn list(item: &Value, items: usize) -> Value {
    Value::List(vec![item.clone(); items])
}

/// In each round all is different from the round before.
pub(super) fn typed(round: u8) -> Vec<(&'static str, Vec<Op>)> {
    let number = Value::from(i64::from(round));
    let row = Value::from_iter([("id", number.clone())]);
    let names = (0..MANY).map(|n| (format!("{round}{n:x}"), number.clone()));
    let text = Value::from("x".repeat(round.into()));
    let rows = Path::from_iter(["rows".into()]);
    let insert = |n| Op::Insert {
        path: rows.clone(),
        index: n,
        value: row.clone(),
    };
    vec![
        ("ints", set("ints", list(&number, MANY))),
        ("texts", set("texts", list(&text, MANY))),
        ("rows", set("rows", list(&row, MANY / 2))),
        ("names", set("names", names.collect())),
        ("inserted rows", (0..4096).map(insert).collect()),
        (
            "same field",
            vec![set("ints", list(&number, 3)).remove(0); 4096],
        ),
    ]
}

/// As [`typed`].
pub(super) fn dynamic(round: u8) -> Vec<(&'static str, Value)> {
    let one = |value| Value::from_iter([("", value)]);
    let leaf = match round {
        0 => Value::Null,
        _ => Value::from(true),
    };
    let deep = (0..50).fold(leaf.clone(), |below, _| one(below));
    let text = Value::from("x".repeat(round.into()));
    vec![
        ("nulls", list(&leaf, MANY)),
        ("empty lists", list(&Value::List(Vec::new()), MANY)),
        ("empty maps", list(&Value::Map(ValueMap::new()), MANY)),
        ("lists of one", list(&list(&leaf, 1), MANY)),
        ("maps of one", list(&one(leaf), MANY)),
        ("deep maps", list(&deep, 200)),
        ("texts", list(&text, MANY)),
    ]
}

/// Frames that are refused, by what is wrong with them.
pub(super) fn refused() -> Vec<(&'static str, Codec, Vec<u8>)> {
    let nulls = |bytes: &[u8], times: usize| bytes.repeat(times);
    let mut frames = vec![
        ("a list", Codec::Json, b"[1]".to_vec()),
        ("open lists", Codec::Json, nulls(b"[", 1 << 20)),
        ("open maps", Codec::Json, nulls(b"{\"a\":", 200_000)),
        ("a long key", Codec::Json, {
            let mut frame = b"{\"".to_vec();
            frame.resize(1 << 20, b'a');
            frame
        }),
        ("a long text of escapes", Codec::Json, {
            let mut frame = b"{\"t\":\"".to_vec();
            frame.extend(nulls(b"\\u0061", 170_000));
            frame
        }),
        ("garbage", Codec::MessagePack, vec![0xc1; 1 << 20]),
        ("garbage", Codec::Cbor, vec![0xff; 1 << 20]),
    ];
    // Lengths that lie: {"ops": <so many>}.
    for lie in [
        b"\xdd\xff\xff\xff\xff".as_slice(),
        b"\xdf\xff\xff\xff\xff",
        b"\xdb\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
        b"\xc9\xff\xff\xff\xff\x01",
    ] {
        frames.push(("a lie", Codec::MessagePack, [b"\x81\xa3ops", lie].concat()));
        frames.push(("a lie", Codec::MessagePack, lie.to_vec()));
    }
    for lie in [
        b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff".as_slice(),
        b"\xbb\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x7b\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x5b\x7f\xff\xff\xff\xff\xff\xff\xff",
    ] {
        frames.push(("a lie", Codec::Cbor, [b"\xa1\x63ops", lie].concat()));
        frames.push(("a lie", Codec::Cbor, lie.to_vec()));
    }
    // More values than a frame may have: {"ops": [null, null, ...]}.
    let many = 300_000_u32;
    let text = format!("{{\"ops\":[{}0]}}", "0,".repeat(many as usize));
    frames.push(("many values", Codec::Json, text.into_bytes()));
    let head = |head: &[u8]| [head, &many.to_be_bytes()].concat();
    let mut msgpack = head(b"\x81\xa3ops\xdd");
    msgpack.resize(msgpack.len() + many as usize, 0xc0);
    frames.push(("many values", Codec::MessagePack, msgpack));
    let mut cbor = head(b"\xa1\x63ops\x9a");
    cbor.resize(cbor.len() + many as usize, 0xf6);
    frames.push(("many values", Codec::Cbor, cbor));
    frames
}
