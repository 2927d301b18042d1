//! The comm and anywidget transcripts of `adapters.json`.

use serde_json::{Value as Json, json};
use transports::server::Opening;
use transports::{Server, Session};
use transports_adapters::jupyter::{serve_anywidget, serve_comm, serve_comm_with, sync};

use super::{models, vectors};
use crate::jupyter::fakes::{FakeComm, FakeWidget};

#[test]
fn comm() {
    let case = &vectors::load("adapters.json")["cases"]["comm"];
    let session = Session::new();
    let model = models::host(&session, case["model"].as_str().unwrap(), &json!({})).unwrap();
    let server = Server::new(session);
    let (a, b) = (FakeComm::default(), FakeComm::default());
    let steps = case["log"].as_array().unwrap();
    for step in steps {
        let what = step["do"].as_str().unwrap();
        match what {
            "attach comms A and B" => {
                let _ = serve_comm(&server, a.clone()).unwrap();
                let _ = serve_comm(&server, b.clone()).unwrap();
            }
            "A receives a comm message whose content.data is this string" => {
                a.deliver(&step["data"])
            }
            "B receives a bad edit" => b.deliver(&step["data"]),
            "A closes, host sets n=10 and syncs" => {
                a.shut();
                host(&server, &*model, what);
            }
            _ => host(&server, &*model, what),
        }
        for (comm, name) in [(&a, "A"), (&b, "B")] {
            assert_sent(comm, &step[name], what);
        }
    }
    for codec in case["codecs_refused"].as_array().unwrap() {
        let wishes = format!("codec={}", codec.as_str().unwrap());
        let wishes = Opening::parse(&wishes).unwrap();
        let served = serve_comm_with(&server, FakeComm::default(), wishes);
        assert!(served.is_err(), "{codec}");
    }
    eprintln!("adapters.json comm: {} steps", steps.len());
}

#[test]
fn anywidget() {
    let case = &vectors::load("adapters.json")["cases"]["anywidget"];
    let session = Session::new();
    let model = models::host(&session, case["model"].as_str().unwrap(), &json!({})).unwrap();
    let server = Server::new(session);
    let widget = FakeWidget::default();
    let steps = case["log"].as_array().unwrap();
    for step in steps {
        let what = step["do"].as_str().unwrap();
        match what {
            "attach" => {
                let _ = serve_anywidget(&server, widget.clone());
            }
            "content {ready: true}" => widget.ready(),
            // The published server ignores it, and the view of a reloaded page stays empty. Here it gets the models.
            "content {ready: true} again" => {
                assert_eq!(step["sent"], json!([]));
                widget.ready();
                let sent = widget.0.sent(1);
                assert_eq!(sent.first().unwrap()["wire"]["t"], "snapshot");
            }
            "other contents" => {
                for content in [
                    json!(null),
                    json!([]),
                    json!({"ready": false}),
                    json!({"x": 1}),
                    json!("ready"),
                ] {
                    widget.0.deliver(&content);
                }
            }
            _ if step["wire"].is_string() => widget.wire(step["wire"].as_str().unwrap()),
            _ => host(&server, &*model, what),
        }
        assert_sent(&widget.0, &step["sent"], what);
    }
    eprintln!("adapters.json anywidget: {} steps", steps.len());
}

/// Does what a step like "host sets n=9 and syncs" says.
fn host(server: &Server, model: &dyn models::Host, what: &str) {
    let (_, assignment) = what.split_once("host sets ").expect(what);
    let assignment = assignment.split(' ').next().unwrap();
    let (field, value) = assignment.split_once('=').unwrap();
    model.assign(&json!({ field: value.parse::<i64>().unwrap() }));
    assert!(sync(server).faults.is_empty());
}

/// Whether this was sent; the wording of an error is free.
fn assert_sent(comm: &FakeComm, expected: &Json, what: &str) {
    fn fits(sent: &Json, expected: &Json) -> bool {
        match (sent, expected) {
            (Json::String(_), Json::String(any)) if any == "*" => true,
            (Json::Array(sent), Json::Array(expected)) => {
                sent.len() == expected.len()
                    && sent
                        .iter()
                        .zip(expected)
                        .all(|(sent, expected)| fits(sent, expected))
            }
            (Json::Object(sent), Json::Object(expected)) => {
                sent.len() == expected.len()
                    && expected.iter().all(|(key, expected)| {
                        sent.get(key).is_some_and(|sent| fits(sent, expected))
                    })
            }
            _ => sent == expected,
        }
    }
    let sent = Json::Array(comm.sent(expected.as_array().unwrap().len()));
    assert!(fits(&sent, expected), "{what}:\n{sent}\nis not\n{expected}");
}
