//! Values that the wire cannot carry.

use transports::{Message, Server, Session, Synced, Value};

use super::{messages, open};

#[derive(Synced)]
struct Meter {
    total: u64,
    other: i64,
    float: f64,
    items: Vec<u64>,
}

const LARGE: u64 = u64::MAX;

fn meter() -> Meter {
    Meter {
        total: 5,
        other: 0,
        float: 1.0,
        items: vec![1],
    }
}

fn total(value: &Value) -> &Value {
    value.get("total").unwrap()
}

#[test]
fn a_number_beyond_the_wire_keeps_its_last_good_value_there() {
    let session = Session::new();
    let server = Server::new(session.clone());
    let meter = session.host(meter());
    let mut connection = open(&server, "");
    assert_eq!(messages(&mut connection).len(), 1);

    {
        let mut meter = meter.write();
        meter.total = LARGE;
        meter.other = 1;
    }
    let report = session.sync();
    let faults: Vec<_> = report
        .faults
        .iter()
        .map(|(id, fault)| format!("{id}: {fault}"))
        .collect();
    assert_eq!(
        faults,
        [
            "1: total: 18446744073709551615 is not in -9223372036854775808..=9223372036854775807, which is what the wire carries"
        ],
    );
    let seen = messages(&mut connection);
    let [Message::Patch { patch, .. }] = seen.as_slice() else {
        panic!("{seen:?}")
    };
    assert_eq!(patch.ops.len(), 1, "other fields still go: {patch:?}");

    // One that comes now sees what the others see.
    let seen = messages(&mut open(&server, ""));
    let [Message::Snapshot { value, .. }] = seen.as_slice() else {
        panic!("{seen:?}")
    };
    assert_eq!(total(value), &Value::Int(5));

    // An edit of something else still works, and a refused one harms nothing.
    let set = |field: &str, value: &str| {
        transports::session::Frame::text(format!(
            r#"{{"t":"patch","id":1,"patch":{{"rev":0,"ops":[{{"Set":{{"path":[{{"Key":"{field}"}}],"value":{value}}}}}]}}}}"#,
        ))
    };
    connection.receive(&set("other", r#"{"Int":2}"#)).unwrap();
    assert!(matches!(
        messages(&mut connection).as_slice(),
        [Message::Patch { .. }]
    ));
    connection.receive(&set("other", r#"{"Str":"x"}"#)).unwrap();
    let seen = messages(&mut connection);
    let [Message::Snapshot { value, .. }, Message::Reject { .. }] = seen.as_slice() else {
        panic!("{seen:?}")
    };
    assert_eq!(total(value), &Value::Int(5));
    assert_eq!(meter.read().total, LARGE, "the host keeps what it has");

    meter.write().total = 6;
    assert!(session.sync().faults.is_empty());
    let seen = messages(&mut connection);
    assert!(
        matches!(seen.as_slice(), [Message::Patch { patch, .. }] if patch.ops.len() == 1),
        "{seen:?}"
    );
}

#[test]
fn a_number_that_never_fitted_is_sent_as_the_nearest_that_does() {
    let session = Session::new();
    let server = Server::new(session.clone());
    let meter = session.host(Meter {
        total: LARGE,
        ..meter()
    });
    let seen = messages(&mut open(&server, ""));
    let [Message::Snapshot { value, .. }] = seen.as_slice() else {
        panic!("{seen:?}")
    };
    assert_eq!(total(value), &Value::Int(i64::MAX));

    meter.write().items.push(LARGE);
    let report = session.sync();
    assert_eq!(report.faults.len(), 2, "{:?}", report.faults);
    assert_eq!(
        session.snapshot(1).unwrap().1.get("items").unwrap().at(1),
        Some(&Value::Int(i64::MAX))
    );
}

#[test]
fn numbers_that_are_not_finite_are_null_and_sent_once() {
    let session = Session::new();
    let meter = session.host(meter());
    meter.write().float = f64::NAN;
    assert_eq!(session.sync().patches, 1);
    assert_eq!(
        session.snapshot(1).unwrap().1.get("float"),
        Some(&Value::Null)
    );
    meter.write().float = f64::INFINITY;
    assert_eq!(session.sync().patches, 0, "it is still null");
    meter.write().float = -0.0;
    assert_eq!(session.sync().patches, 1);
    meter.write().float = 0.0;
    assert_eq!(session.sync().patches, 0, "the zeros are equal");
}
