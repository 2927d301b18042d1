//! Field types of the standard library, in the forms that serde gives them.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use transports::{Synced, Tracked};

use super::support::{Watched, json, set, value_of};

#[derive(Synced, Clone, Debug, PartialEq)]
struct Std {
    arc: Arc<Vec<i64>>,
    length: Duration,
    since: SystemTime,
    ip: IpAddr,
    socket: SocketAddr,
    path: PathBuf,
    port: NonZero<u16>,
}

fn std_types() -> Std {
    Std {
        arc: Arc::new(vec![1]),
        length: Duration::from_millis(1500),
        since: SystemTime::UNIX_EPOCH + Duration::from_secs(5),
        ip: [127, 0, 0, 1].into(),
        socket: ([127, 0, 0, 1], 80).into(),
        path: "/tmp".into(),
        port: NonZero::new(80).unwrap(),
    }
}

#[test]
fn they_travel_as_serde_has_them() {
    let expected = serde_json::json!({
        "arc": [1],
        "length": {"secs": 1, "nanos": 500_000_000},
        "since": {"secs_since_epoch": 5, "nanos_since_epoch": 0},
        "ip": "127.0.0.1",
        "socket": "127.0.0.1:80",
        "path": "/tmp",
        "port": 80,
    });
    assert_eq!(value_of(&std_types()), super::support::value(expected));
    assert_eq!(Std::read(value_of(&std_types())).unwrap(), std_types());
}

/// Equal paths may be different texts.
#[test]
fn a_path_that_is_spelled_otherwise_is_a_change() {
    let mut watched = Watched::new(std_types());
    let ops = watched.change(|model| model.path.push(""));
    assert_eq!(ops, [set(&["path"], "/tmp/")]);
    watched.edit([set(&["path"], "//tmp")]).unwrap();
    assert_eq!(watched.model.path.to_str(), Some("//tmp"));
}

#[test]
fn they_are_replaced_as_a_whole() {
    let mut watched = Watched::new(std_types());
    let ops = watched.change(|model| model.length += Duration::from_secs(1));
    assert_eq!(
        ops,
        [set(&["length"], json!({"secs": 2, "nanos": 500_000_000}))]
    );
    let ops = watched.change(|model| Arc::make_mut(&mut model.arc).push(2));
    assert_eq!(ops, [set(&["arc"], json!([1, 2]))]);
    assert_eq!(watched.change(|model| model.arc = Arc::new(vec![1, 2])), []);
    watched
        .edit([set(&["arc"], json!([3])), set(&["ip"], "::1")])
        .unwrap();
    assert_eq!(watched.model.arc, Arc::new(vec![3]));
    assert_eq!(
        watched.refusal(set(&["arc", "0"], 1)),
        "arc: this is replaced as a whole"
    );
    assert_eq!(
        watched.refusal(set(&["port"], 0)),
        "port: expected an Int other than 0, found the Int 0"
    );
    assert_eq!(
        watched.refusal(set(&["ip"], "localhost")),
        "ip: expected a Str with an IP address, found the Str \"localhost\""
    );
}

#[test]
fn a_time_that_cannot_travel_is_a_fault() {
    let mut watched = Watched::new(std_types());
    watched.model.since = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
    let mut changes = transports::Changes::as_ops();
    Tracked::collect(&mut watched.model, &mut changes);
    assert_eq!(changes.ops(), []);
    assert_eq!(
        changes.faults()[0].to_string(),
        "since: a time before 1970 is not what the wire carries"
    );
}

/// Texts of different lengths are compared in different ways.
#[test]
fn a_letter_that_differs_is_noticed_wherever_it_stands() {
    for len in 0..40 {
        let text = "x".repeat(len);
        let mut watched = Watched::new(text.clone());
        assert_eq!(watched.change(|text| *text = text.clone()), []);
        for place in 0..len {
            let mut other = text.clone();
            other.replace_range(place..=place, "y");
            assert_eq!(watched.change(|text| text.clone_from(&other)).len(), 1);
            assert_eq!(watched.change(|it| it.clone_from(&text)).len(), 1);
        }
        assert_eq!(watched.change(|text| text.push('x')).len(), 1);
    }
}
