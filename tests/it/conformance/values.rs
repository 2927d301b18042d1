//! `values.json`: values alone. What travels are messages, so each value is looked at within a snapshot.

use serde_json::Value as Json;
use transports::Message;

use super::findings::{Findings, check};
use super::wire;

#[test]
fn encode() {
    check("values.json", Some("encode"), |case, findings| {
        for codec in ["json", "msgpack", "cbor"] {
            let given = case[codec].as_str().unwrap();
            let bytes = match codec {
                "json" => given.as_bytes().to_vec(),
                _ => wire::unhex(given),
            };
            encodes(codec, &bytes, &case["value"], findings);
        }
    });
}

fn encodes(codec: &str, bytes: &[u8], tagged: &Json, findings: &mut Findings) {
    let frame = snapshot_frame(codec, bytes);
    let snapshot = Message::Snapshot {
        id: 1,
        type_name: "T".to_owned(),
        rev: 0,
        value: wire::value(tagged),
        epoch: None,
    };
    let encoded = wire::codec(codec).encode(&snapshot).unwrap();
    findings.same(codec, &wire::hex(&frame), &wire::hex(&encoded));
    match decoded(codec, &frame) {
        Ok(value) => findings.same(codec, tagged, &value),
        Err(error) => findings.differs(error),
    }
}

#[test]
fn decode() {
    check("values.json", Some("decode"), |case, findings| {
        let codec = case["codec"].as_str().unwrap();
        let bytes = wire::frame(case).bytes;
        let decoded = decoded(codec, &snapshot_frame(codec, &bytes));
        let ok = case["ok"] == true && !(codec == "msgpack" && holds_binary(&bytes));
        match decoded {
            Ok(value) if ok => findings.same("value", &case["value"], &value),
            Ok(value) => findings.differs(format_args!("was read as {value}")),
            Err(error) if ok => findings.differs(error),
            Err(_) => {}
        }
    });
}

/// Whether a binary string stands where a text should. The published decoder of bare values takes it, the one of
/// messages does not, and messages are what travels.
fn holds_binary(msgpack: &[u8]) -> bool {
    msgpack
        .windows(5)
        .any(|window| window.starts_with(b"\xa3Str") && (0xc4..=0xc6).contains(&window[4]))
}

/// A snapshot with these bytes for a value, which is the last member in every codec.
fn snapshot_frame(codec: &str, value: &[u8]) -> Vec<u8> {
    let (head, tail): (&[u8], &[u8]) = match codec {
        "json" => (
            br#"{"t":"snapshot","id":1,"type":"T","rev":0,"value":"#,
            b"}",
        ),
        "msgpack" => (
            b"\x85\xa2id\x01\xa3rev\x00\xa1t\xa8snapshot\xa4type\xa1T\xa5value",
            b"",
        ),
        "cbor" => (
            b"\xa5\x62id\x01\x63rev\x00\x61t\x68snapshot\x64type\x61T\x65value",
            b"",
        ),
        other => panic!("no codec `{other}`"),
    };
    [head, value, tail].concat()
}

fn decoded(codec: &str, frame: &[u8]) -> Result<Json, String> {
    match wire::codec(codec).decode(frame) {
        Ok(Message::Snapshot { value, .. }) => Ok(wire::tagged(&value)),
        Ok(other) => Err(format!("was read as {other:?}")),
        Err(error) => Err(error.to_string()),
    }
}
