//! A codec of the application beside the built-in ones.

use transports::server::Opening;
use transports::session::Frame;
use transports::{Codec, CodecError, CustomCodec, Message, Mirrors, Server};

use super::{Counter, n_of, set};

/// JSON with every byte turned over: nothing that a built-in codec could read by accident.
#[derive(Debug)]
struct Flipped;

fn flip(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| !byte).collect()
}

impl CustomCodec for Flipped {
    fn content_type(&self) -> &str {
        "application/x-flipped"
    }

    fn is_text(&self) -> bool {
        false
    }

    fn encode(&self, message: &Message) -> Result<Vec<u8>, CodecError> {
        Codec::Json.encode(message).map(|bytes| flip(&bytes))
    }

    fn decode(&self, bytes: &[u8]) -> Result<Message, CodecError> {
        Codec::Json.decode(&flip(bytes))
    }
}

#[test]
fn a_codec_of_ones_own_is_asked_for_by_its_content_type() {
    let (session, _, counter) = Counter::hosted();
    let server = Server::builder(session.clone()).codec(Flipped).build();
    let opening = Opening::parse("codec=application/x-flipped&batch=1").unwrap();
    let mut connection = server.open(&opening).unwrap();
    let mut mirrors = Mirrors::new(connection.codec().clone());

    counter.write().n = 3;
    let _ = session.sync();
    let edit = set("small", 4, "mine");
    connection
        .receive(&Frame::binary(flip(&edit.bytes)))
        .unwrap();
    connection
        .receive(&Frame::binary(flip(&set("small", 400, "refused").bytes)))
        .unwrap();
    let mut events = Vec::new();
    while let Some(frame) = connection.try_next() {
        assert!(!frame.is_text);
        events.extend(mirrors.receive(&frame.bytes).unwrap());
    }
    assert_eq!(n_of(&mirrors), Some(&3.into()));
    assert_eq!(counter.read().small, 4);
    assert!(
        format!("{events:?}").contains("Acknowledged { id: 1, rev: 2, proposal: \"mine\" }"),
        "{events:?}"
    );

    let error = server
        .open(&Opening::parse("codec=morse").unwrap())
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "unknown codec `morse`: this server speaks json, msgpack, cbor, application/x-flipped"
    );
}
