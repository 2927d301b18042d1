//! What a client says it has when it connects again.

use transports::{Codec, Mirrors};

fn snapshot(id: u64, rev: u64, epoch: &str) -> Vec<u8> {
    let value = r#"{"Map":{"n":{"Int":0}}}"#;
    format!(
        r#"{{"t":"snapshot","id":{id},"type":"T","rev":{rev},"value":{value},"epoch":"{epoch}"}}"#
    )
    .into()
}

const FIRST: &str = "00000000000000aa";
const SECOND: &str = "00000000000000bb";
/// What is said of a model that has no revision which counts.
const NONE: u64 = 9_007_199_254_740_991;

/// A restarted server may have come to the very revision that the mirror is at.
#[test]
fn revisions_of_another_epoch_are_not_claimed() {
    let mut mirrors = Mirrors::new(Codec::Json);
    mirrors.receive(&snapshot(1, 5, FIRST)).unwrap();
    mirrors.receive(&snapshot(2, 5, FIRST)).unwrap();
    // The connection breaks when one model has come to the second epoch.
    mirrors.receive(&snapshot(1, 2, SECOND)).unwrap();
    assert_eq!(
        mirrors.query(),
        format!(
            "codec=json&since=%7B%221%22%3A2%2C%222%22%3A{NONE}%7D&epoch={SECOND}&ops=splice%2Cstamp&gone=1"
        )
    );
}

#[test]
fn a_mirror_that_could_not_go_on_asks_for_the_whole() {
    let mut mirrors = Mirrors::new(Codec::Json);
    mirrors.receive(&snapshot(1, 5, FIRST)).unwrap();
    mirrors.receive(&snapshot(2, 5, FIRST)).unwrap();
    let patch =
        r#"{"t":"patch","id":1,"patch":{"rev":6,"ops":[{"RemoveAt":{"path":[],"index":0}}]}}"#;
    mirrors.receive(patch.as_bytes()).unwrap_err();
    assert_eq!(
        mirrors.query(),
        format!(
            "codec=json&since=%7B%221%22%3A{NONE}%2C%222%22%3A5%7D&epoch={FIRST}&ops=splice%2Cstamp&gone=1"
        )
    );
    mirrors.receive(b"{").unwrap_err();
    assert_eq!(
        mirrors.query(),
        format!(
            "codec=json&since=%7B%221%22%3A{NONE}%2C%222%22%3A{NONE}%7D&epoch={FIRST}&ops=splice%2Cstamp&gone=1"
        )
    );
    mirrors.receive(&snapshot(1, 7, FIRST)).unwrap();
    assert_eq!(
        mirrors.query(),
        format!(
            "codec=json&since=%7B%221%22%3A7%2C%222%22%3A{NONE}%7D&epoch={FIRST}&ops=splice%2Cstamp&gone=1"
        )
    );
}
