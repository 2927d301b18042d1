//! `messages.json`: whole messages in all codecs.

use serde_json::{Value as Json, json};

use super::findings::{Findings, check};
use super::wire;

#[test]
fn roundtrip() {
    check("messages.json", Some("roundtrip"), |case, findings| {
        let text = case["json"].as_str().unwrap();
        let expected = known(&serde_json::from_str(text).unwrap());
        let given = case["message"].to_string();
        reads("json", given.as_bytes(), &expected, findings);

        // Kinds that are not known are not kept, so there is nothing to write.
        let kept = expected == serde_json::from_str::<Json>(text).unwrap();
        for codec in ["json", "msgpack", "cbor"] {
            let bytes = match codec {
                "json" => text.as_bytes().to_vec(),
                _ => wire::unhex(case[codec].as_str().unwrap()),
            };
            reads(codec, &bytes, &expected, findings);
            if kept {
                writes(codec, &bytes, findings);
            }
        }
    });
}

fn reads(codec: &str, frame: &[u8], expected: &Json, findings: &mut Findings) {
    match wire::codec(codec).decode(frame) {
        Ok(message) => findings.same(codec, expected, &wire::data(&message)),
        Err(error) => findings.differs(error),
    }
}

/// Writing what was read gives the same bytes.
fn writes(codec: &str, frame: &[u8], findings: &mut Findings) {
    let codec = wire::codec(codec);
    let Ok(message) = codec.decode(frame) else {
        return;
    };
    let encoded = codec.encode(&message).unwrap();
    if codec.is_text() {
        let (expected, got) = (str::from_utf8(frame), str::from_utf8(&encoded));
        findings.same(codec.name(), expected.unwrap(), got.unwrap());
    } else {
        findings.same(codec.name(), &wire::hex(frame), &wire::hex(&encoded));
    }
}

/// What is left of a message when kinds that are not known are read as nothing.
fn known(message: &Json) -> Json {
    const KINDS: [&str; 8] = [
        "snapshot",
        "patch",
        "ack",
        "reject",
        "batch",
        "awareness",
        "crdt_snapshot",
        "crdt",
    ];
    match message["t"].as_str() {
        Some("batch") => {
            let members = message["msgs"].as_array().unwrap();
            json!({ "t": "batch", "msgs": members.iter().map(known).collect::<Vec<_>>() })
        }
        Some(kind) if KINDS.contains(&kind) => message.clone(),
        _ => json!({}),
    }
}

#[test]
fn decode() {
    check("messages.json", Some("decode"), |case, findings| {
        let codec = wire::codec(case["codec"].as_str().unwrap());
        let decoded = codec.decode(&wire::frame(case).bytes);
        match (decoded, case["ok"] == true) {
            (Ok(message), true) => {
                // Some messages are left out: they are too deep for many readers.
                if let Some(expected) = case.get("message") {
                    findings.same("message", &known(expected), &wire::data(&message));
                }
            }
            (Err(error), true) => findings.differs(error),
            (Ok(message), false) => findings.differs(format_args!("was read as {message:?}")),
            (Err(_), false) => {}
        }
    });
}
