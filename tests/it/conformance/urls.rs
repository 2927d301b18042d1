//! `urls.json`: addresses that clients make and servers read.

use serde_json::{Value as Json, json};
use transports::server::{Opening, OpeningError};
use transports::{Message, Mirrors, Server, Session, Value};

use super::findings::{Findings, check};
use super::wire;

#[test]
fn client_makes() {
    check("urls.json", Some("client_makes"), |case, findings| {
        let codec = wire::codec(case["codec"].as_str().unwrap());
        let mut mirrors = Mirrors::new(codec.clone());
        for (id, rev) in case["revs"].as_object().unwrap() {
            let snapshot = Message::Snapshot {
                id: id.parse().unwrap(),
                type_name: "T".to_owned(),
                rev: rev.as_u64().unwrap(),
                value: Value::Null,
                epoch: None,
            };
            mirrors.receive(&codec.encode(&snapshot).unwrap()).unwrap();
        }
        let url = case["url"].as_str().unwrap();
        let sign = if url.contains('?') { '&' } else { '?' };
        let url = format!("{url}{sign}{}", wire::published(&mirrors.query()));
        findings.same("connects_to", &case["connects_to"], &json!(url));
    });
}

#[test]
fn server_reads() {
    check("urls.json", Some("server_reads"), |case, findings| {
        match (read(case["query"].as_str().unwrap()), case["ok"] == true) {
            (Ok((opening, codec)), true) => compare(case, &opening, &codec, findings),
            (Ok((opening, _)), false) => findings.differs(format_args!("is taken: {opening:?}")),
            (Err(error), true) => findings.differs(error),
            (Err(_), false) => {}
        }
    });
}

/// What a query asks for, and the codec that the server then speaks.
fn read(query: &str) -> Result<(Opening, String), OpeningError> {
    let opening = Opening::parse(query)?;
    let connection = Server::new(Session::new()).open(&opening)?;
    Ok((opening, connection.codec().name().to_owned()))
}

fn compare(case: &Json, opening: &Opening, codec: &str, findings: &mut Findings) {
    findings.same("codec", &case["codec"], &json!(codec));
    findings.same("batch", &case["batch"], &json!(opening.batch));
    // An empty `since` is as good as none.
    let since = match &case["since"] {
        Json::Null => json!({}),
        since => since.clone(),
    };
    findings.same("since", &since, &json!(opening.since));
}
