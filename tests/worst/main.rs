//! The worst that a client can send: what a frame costs at most, in memory and in work.
//!
//! Time depends on the machine, so what is compared here are bytes and counts. `docs/operations.md` has the times.
#![expect(clippy::print_stdout, reason = "the figures are worth a look")]

mod shapes;

use allocation_counter::{AllocationInfo, measure};
use transports::server::{Connection, ConnectionError, Opening};
use transports::session::Frame;
use transports::{Codec, Message, Op, Patch, Path, Server, Session, Synced, Value};

const CODECS: [Codec; 3] = [Codec::Json, Codec::MessagePack, Codec::Cbor];

/// A model with a field for each shape, as narrow in memory as its type allows.
#[derive(Synced, Default)]
struct Typed {
    ints: Vec<i64>,
    texts: Vec<String>,
    rows: Vec<Row>,
    names: std::collections::BTreeMap<String, i64>,
}

#[derive(Synced, Default)]
struct Row {
    id: i64,
    #[synced(default)]
    label: Option<String>,
}

fn open(server: &Server, codec: &Codec) -> Connection {
    let opening = Opening::parse(&format!("codec={}", codec.name())).expect("it is fine");
    let mut connection = server.open(&opening).expect("it is fine");
    while connection.try_next().is_some() {}
    connection
}

fn frame(codec: &Codec, ops: Vec<Op>) -> Frame {
    let patch = Patch { rev: 0, ops };
    let message = Message::Patch {
        id: 1,
        patch,
        proposal: None,
        base: None,
    };
    Frame {
        bytes: codec.encode(&message).expect("it is fine"),
        is_text: codec.is_text(),
    }
}

fn set(field: &str, value: Value) -> Vec<Op> {
    let path = Path::from_iter([field.into()]);
    vec![Op::Set { path, value }]
}

/// Sends the frame and says what that took.
fn cost(
    connection: &mut Connection,
    frame: &Frame,
) -> (AllocationInfo, Result<(), ConnectionError>) {
    let mut result = Ok(());
    let info = measure(|| {
        result = connection.receive(frame);
        while connection.try_next().is_some() {}
    });
    (info, result)
}

/// The peak for one frame, whatever is in it.
const MOST: u64 = 20 << 20;
/// How many times its length a frame takes at the peak, its answer included, where the model is a struct.
const TYPED: f64 = 16.0;
/// As before, for models of any shape.
const DYNAMIC: f64 = 64.0;

/// The frame's cost against `times` its length and [`MOST`]; only the latter if it was refused.
fn check(name: &str, codec: &Codec, connection: &mut Connection, frame: &Frame, times: f64) {
    let (info, result) = cost(connection, frame);
    let factor = info.bytes_max as f64 / frame.bytes.len() as f64;
    let what = format!(
        "{name} as {codec:?}: {} bytes took {}, {factor:.1} times as many: {result:?}",
        frame.bytes.len(),
        info.bytes_max
    );
    println!("{what}");
    assert!(info.bytes_max <= MOST && factor <= times, "{what}");
}

/// Shapes for an empty model, and what then takes the place of all that is there.
fn in_rounds<T>(
    shapes: fn(u8) -> Vec<(&'static str, T)>,
) -> impl Iterator<Item = (&'static str, [T; 2])> {
    let rounds = shapes(0).into_iter().zip(shapes(1));
    rounds.map(|((name, first), (_, second))| (name, [first, second]))
}

#[test]
fn memory_for_typed_models() {
    for codec in CODECS {
        for (name, [first, second]) in in_rounds(shapes::typed) {
            let session = Session::new();
            session.host(Typed::default());
            let server = Server::new(session);
            let mut connection = open(&server, &codec);
            check(name, &codec, &mut connection, &frame(&codec, first), TYPED);
            let again = format!("{name} again");
            check(
                &again,
                &codec,
                &mut connection,
                &frame(&codec, second),
                TYPED,
            );
        }
    }
}

/// A dynamic model is held twice: as it is, and as the wire last saw it.
#[test]
fn memory_for_dynamic_models() {
    for codec in CODECS {
        for (name, [first, second]) in in_rounds(shapes::dynamic) {
            let session = Session::new();
            session.host_named("Any", Value::from_iter([("x", Value::Null)]));
            let server = Server::new(session);
            let mut connection = open(&server, &codec);
            let frame_of = |value| frame(&codec, set("x", value));
            check(name, &codec, &mut connection, &frame_of(first), DYNAMIC);
            let again = format!("{name} again");
            check(&again, &codec, &mut connection, &frame_of(second), DYNAMIC);
        }
    }
}

#[test]
fn what_is_no_message_costs_at_most_twice_the_frame() {
    for (name, codec, bytes) in shapes::refused() {
        let server = Server::new(Session::new());
        let mut connection = open(&server, &codec);
        let is_text = codec.is_text();
        let frame = Frame {
            bytes: bytes.into(),
            is_text,
        };
        let (info, result) = cost(&mut connection, &frame);
        println!(
            "refused {name} {codec:?} {} bytes: {}",
            frame.bytes.len(),
            info.bytes_max
        );
        assert!(result.is_err(), "{name} {codec:?}");
        let bound = 2 * frame.bytes.len() + 2048;
        assert!(
            info.bytes_max <= bound as u64,
            "{name} {codec:?}: {}",
            info.bytes_max
        );
    }
}
