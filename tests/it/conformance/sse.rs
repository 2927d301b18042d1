//! The Server-Sent Events of `adapters.json`, from a real server.

use std::time::Duration;

use axum::Router;
use serde_json::Value as Json;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use transports::{Server, Session, Value};
use transports_adapters::sse;

use super::{models, vectors, wire};

/// Long enough for the slowest machine; only a failure waits for it.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn events() {
    let case = &vectors::load("adapters.json")["cases"]["sse"];
    let events = case["events"].as_array().expect("there are events");
    let opening = &events.first().expect("there is an event")["message"];

    let session = Session::builder().first_revision(0).build();
    let type_name = opening["type"].as_str().unwrap();
    let fields = plain_fields(&opening["value"]);
    let model = models::host(&session, type_name, &fields).expect("a type of the scripts");
    let (mut client, _serving) = connect(session.clone()).await;

    let head = client.head().await;
    let status = case["head"]["status"].to_string();
    let status_line = head.first().unwrap();
    assert_eq!(status_line.split(' ').nth(1), Some(status.as_str()));
    let content_type = "content-type: text/event-stream";
    assert!(
        head.iter().any(|line| line.starts_with(content_type)),
        "{head:?}"
    );

    for event in events {
        let message = &event["message"];
        if message["t"] == "patch" {
            model.assign(&assigned(&message["patch"]));
            assert!(session.sync().faults.is_empty());
        }
        assert_eq!(client.event().await, *message);
    }
    eprintln!("adapters.json sse: {} events came", events.len());
}

/// The fields of a model in plain JSON.
fn plain_fields(tagged: &Json) -> Json {
    let fields = tagged["Map"].as_object().expect("a model is a map");
    fields
        .iter()
        .map(|(field, value)| (field.clone(), plain(&wire::value(value))))
        .collect()
}

fn plain(value: &Value) -> Json {
    match value {
        Value::Bool(value) => (*value).into(),
        Value::Int(value) => (*value).into(),
        Value::Float(value) => (*value).into(),
        Value::Str(text) => text.as_str().into(),
        other => panic!("{other:?} is more than the script needs"),
    }
}

/// What the host has to assign for this patch to go out.
fn assigned(patch: &Json) -> Json {
    let ops = patch["ops"].as_array().unwrap().iter();
    ops.map(|op| {
        let key = op["Set"]["path"][0]["Key"]
            .as_str()
            .expect("a field is set");
        (key.to_owned(), plain(&wire::value(&op["Set"]["value"])))
    })
    .collect()
}

/// The server's task; it ends with the test.
struct Serving(JoinHandle<std::io::Result<()>>);

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn connect(session: Session) -> (Client, Serving) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = Router::new().route("/sse", sse(Server::new(session)));
    let serving = tokio::spawn(async { axum::serve(listener, app).await });

    let mut stream = TcpStream::connect(address).await.unwrap();
    // The older version of HTTP: its answers are not cut into chunks.
    let request = b"GET /sse HTTP/1.0\r\nAccept: text/event-stream\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let stream = BufReader::new(stream);
    (Client { stream }, Serving(serving))
}

/// An `EventSource`, down to the line ends.
struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    async fn line(&mut self) -> String {
        let mut line = String::new();
        let read = self.stream.read_line(&mut line);
        let read = timeout(PATIENCE, read)
            .await
            .expect("a line comes")
            .unwrap();
        assert!(read > 0, "the stream ended");
        let line = line.strip_suffix('\n').expect("a whole line");
        line.strip_suffix('\r').unwrap_or(line).to_owned()
    }

    /// The lines before the body, header names in lower case.
    async fn head(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let line = self.line().await;
            if line.is_empty() {
                return lines;
            }
            lines.push(match line.split_once(": ") {
                Some((name, value)) => format!("{}: {value}", name.to_lowercase()),
                None => line,
            });
        }
    }

    /// The message of the next event without a name: one line of data. Beside that a stream has comments, ids, the pause
    /// before a reconnect, and events with names.
    async fn event(&mut self) -> Json {
        let mut message = None;
        let mut is_named = false;
        loop {
            let line = self.line().await;
            match line.split_once(':') {
                Some(("" | "id" | "retry", _)) => {}
                Some(("event", _name)) => is_named = true,
                Some(("data", data)) if message.is_none() => {
                    message = Some(serde_json::from_str(data).expect("a message is JSON"));
                }
                // The blank line that ends a comment does not end an event.
                None if line.is_empty() => match message.take() {
                    Some(message) if !is_named => return message,
                    _ => is_named = false,
                },
                _ => panic!("a line that has no place in an event: {line}"),
            }
        }
    }
}
