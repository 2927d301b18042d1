//! Event streams, read from the bodies of responses: a body that is not asked for more is a client that does not read.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, BodyDataStream};
use axum::http::{HeaderMap, Request, StatusCode};
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, sleep, timeout};
use tower::ServiceExt;
use transports::server::{Peer, RefusalKind};
use transports::{Server, Session, Synced, Views};
use transports_adapters::{AppEvent, EventStream, Events, Shutdown, serve, sse};

use crate::sums::Sums;
use crate::support::{counter, edit, sync, wire};

async fn request(app: &Router, request: Request<Body>) -> (StatusCode, HeaderMap, Body) {
    let (parts, body) = app.clone().oneshot(request).await.unwrap().into_parts();
    (parts.status, parts.headers, body)
}

async fn text(body: Body) -> String {
    let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// What an `EventSource` makes of a stream.
struct Source {
    body: BodyDataStream,
    text: String,
}

#[derive(Debug, Default, PartialEq)]
struct Got {
    event: String,
    data: String,
    id: Option<String>,
    retry: Option<String>,
}

impl Got {
    fn json(&self) -> Value {
        serde_json::from_str(&self.data).unwrap()
    }
}

impl Source {
    async fn open(app: &Router, query: &str, headers: &[(&str, &str)]) -> Self {
        let mut builder = Request::get(format!("/sse{query}"));
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        let (status, _, body) = request(app, builder.body(Body::empty()).unwrap()).await;
        assert_eq!(status, StatusCode::OK);
        Self {
            body: body.into_data_stream(),
            text: String::new(),
        }
    }

    /// The next block of lines.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                return Some(block);
            }
            let bytes = self.body.next().await?.unwrap();
            self.text += str::from_utf8(&bytes).unwrap();
        }
    }

    async fn try_next(&mut self) -> Option<Got> {
        let mut got = Got::default();
        let mut data: Vec<String> = Vec::new();
        for line in self.block().await?.lines() {
            let (name, value) = line.split_once(": ").unwrap_or((line, ""));
            match name {
                "event" => got.event = value.to_owned(),
                "data" => data.push(value.to_owned()),
                "id" => got.id = Some(value.to_owned()),
                "retry" => got.retry = Some(value.to_owned()),
                _ => panic!("a line `{line}`"),
            }
        }
        got.data = data.join("\n");
        Some(got)
    }

    async fn next(&mut self) -> Got {
        timeout(Duration::from_secs(5), self.try_next())
            .await
            .expect("an event comes")
            .expect("the stream goes on")
    }

    /// The token of the first event.
    async fn token(&mut self) -> String {
        let hello = self.next().await;
        assert_eq!(hello.event, "transports");
        hello.json()["uplink"].as_str().unwrap().to_owned()
    }
}

async fn post(app: &Router, token: &str, body: impl Into<Body>) -> (StatusCode, String) {
    let request_ = Request::post("/sse")
        .header("transports-uplink", token)
        .body(body.into())
        .unwrap();
    let (status, _, body) = request(app, request_).await;
    (status, text(body).await)
}

fn app(server: &Server) -> Router {
    Router::new().route("/sse", sse(server.clone()))
}

fn proposal(n: i64, name: &str) -> String {
    let mut edit: Value = serde_json::from_str(&edit(n)).unwrap();
    edit["proposal"] = name.into();
    edit.to_string()
}

#[tokio::test(start_paused = true)]
async fn a_stream_opens_with_what_a_client_needs() {
    let (server, counter) = counter();
    let app = app(&server);
    let empty = Request::get("/sse").body(Body::empty()).unwrap();
    let (_, headers, _) = request(&app, empty).await;
    assert_eq!(headers["content-type"], "text/event-stream");
    assert_eq!(headers["cache-control"], "no-cache, no-transform");
    assert_eq!(headers["x-accel-buffering"], "no");

    let mut source = Source::open(&app, "", &[]).await;
    let hello = source.next().await;
    assert_eq!(
        (&*hello.event, hello.retry.as_deref()),
        ("transports", Some("2000"))
    );
    assert_eq!(
        hello.json()["t"],
        "transports",
        "published clients skip kinds they do not know"
    );
    let token = hello.json()["uplink"].as_str().unwrap().to_owned();
    assert_eq!(token.split_once('-').unwrap().1.len(), 32);

    let snapshot = source.next().await;
    assert_eq!(snapshot.event, "");
    assert_eq!(snapshot.json()["t"], "snapshot");
    let (epoch, rev) = (server.session().epoch(), counter.revision());
    assert_eq!(snapshot.id, Some(format!("{epoch}:{rev}:1")));
    counter.write().n = 1;
    sync(&server);
    let patch = source.next().await;
    assert_eq!(patch.json()["patch"]["rev"], rev + 1);
    assert_eq!(patch.id, Some(format!("{epoch}:{}:1", rev + 1)));
    // Clients that know of epochs keep their revisions themselves.
    let mut own = Source::open(&app, "?epoch=", &[]).await;
    own.token().await;
    assert_eq!(own.next().await.id, None);
}

#[tokio::test(start_paused = true)]
async fn an_event_source_that_comes_back_is_told_what_it_missed() {
    let (server, counter) = counter();
    let second = server
        .session()
        .host_named("Other", transports::Value::from("text"));
    let app = app(&server);
    let mut source = Source::open(&app, "", &[]).await;
    source.token().await;
    source.next().await;
    let last = source.next().await.id.unwrap();
    assert!(last.ends_with(":1-2"), "{last}");
    drop(source);
    counter.write().n = 1;
    sync(&server);

    // The header counts, not the older query of the URL.
    for query in ["", "?since=%7B%221%22%3A0%7D", "?epoch="] {
        let mut source = Source::open(&app, query, &[("last-event-id", &last)]).await;
        source.token().await;
        let patch = source.next().await;
        assert_eq!(patch.json()["t"], "patch", "{query}");
        assert!(patch.id.unwrap().ends_with(":1=1,2"), "{query}");
    }
    let stats = server.stats();
    assert_eq!((stats.resumed_by_delta, stats.resumed_by_epoch), (3, 0));

    let (rev, other) = (counter.revision() - 1, second.revision());
    let query = format!("?since=%7B%221%22:{rev},%222%22:{other}%7D");
    let mut source = Source::open(&app, &query, &[]).await;
    source.token().await;
    let patch = source.next().await;
    assert_eq!(patch.json()["t"], "patch");
    assert!(patch.id.unwrap().ends_with(":1=1,2"));

    let elsewhere = last.replacen(&server.session().epoch().to_string(), "0123456789abcdef", 1);
    let ahead = format!("{}:{}:1-2", server.session().epoch(), u64::MAX);
    for id in [&*elsewhere, &*ahead, "5", "\u{e9}", &"1".repeat(9000)] {
        let mut source = Source::open(&app, "", &[("last-event-id", id)]).await;
        source.token().await;
        assert_eq!(source.next().await.json()["t"], "snapshot", "{id}");
        let snapshot = source.next().await;
        assert_eq!(snapshot.json()["t"], "snapshot", "{id}");
        assert!(snapshot.id.unwrap().ends_with(":1=1,2"), "{id}");
    }
}

#[tokio::test(start_paused = true)]
async fn edits_come_by_post_and_their_answers_on_the_stream() {
    let (server, counter) = counter();
    let app = app(&server);
    let mut source = Source::open(&app, "", &[]).await;
    let token = source.token().await;
    source.next().await;

    assert_eq!(
        post(&app, &token, proposal(7, "a")).await,
        (StatusCode::NO_CONTENT, String::new())
    );
    let patch = source.next().await.json();
    assert_eq!(
        (&patch["t"], &patch["proposal"]),
        (&json!("patch"), &json!("a"))
    );
    assert_eq!(counter.read().n, 7);

    // An answer that nothing else tells of, and one of several messages.
    assert_eq!(
        post(&app, &token, proposal(7, "b")).await.0,
        StatusCode::NO_CONTENT
    );
    assert_eq!(source.next().await.json()["t"], "ack");
    let wrong = proposal(8, "d").replace("\"id\":1", "\"id\":9");
    let batch = format!(r#"{{"msgs":[{},{wrong}],"t":"batch"}}"#, proposal(8, "c"));
    assert_eq!(post(&app, &token, batch).await.0, StatusCode::NO_CONTENT);
    assert_eq!(source.next().await.json()["proposal"], "c");
    let reject = source.next().await.json();
    assert_eq!(
        (&reject["t"], &reject["proposal"]),
        (&json!("reject"), &json!("d"))
    );
    assert_eq!(server.stats().frames_in, 4);
    assert!(server.registry()[0].last_active.is_some());
}

/// Browsers send a POST again when the connection breaks before its answer.
#[tokio::test(start_paused = true)]
async fn a_post_with_a_number_is_taken_once() {
    let (server, counter) = counter();
    let app = app(&server);
    let mut source = Source::open(&app, "", &[]).await;
    let token = source.token().await;
    source.next().await;
    let numbered = async |number: &str, body: String| {
        let request_ = Request::post("/sse")
            .header("transports-uplink", &token)
            .header("transports-post", number)
            .body(body.into())
            .unwrap();
        request(&app, request_).await.0
    };
    let answers = [
        numbered("1", proposal(1, "a")).await,
        numbered("1", proposal(1, "a")).await,
        numbered("2", proposal(2, "b")).await,
        numbered("1", proposal(1, "a")).await,
        numbered("x", proposal(3, "c")).await,
    ];
    let [taken, bad] = [StatusCode::NO_CONTENT, StatusCode::BAD_REQUEST];
    assert_eq!(answers, [taken, taken, taken, taken, bad]);
    assert_eq!(source.next().await.json()["proposal"], "a");
    assert_eq!(source.next().await.json()["proposal"], "b");
    assert_eq!((counter.read().n, server.stats().frames_in), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn only_its_own_token_moves_a_stream() {
    let (server, counter) = counter();
    let app = app(&server);
    let mut first = Source::open(&app, "", &[]).await;
    let mut second = Source::open(&app, "", &[]).await;
    let (one, two) = (first.token().await, second.token().await);
    let crossed = format!(
        "{}-{}",
        one.split_once('-').unwrap().0,
        two.split_once('-').unwrap().1
    );
    let mut answers = Vec::new();
    for token in [
        "",
        "-",
        "0-0",
        "99-0",
        &crossed,
        &one.to_uppercase().replace('A', "B")[..5],
    ] {
        answers.push(post(&app, token, edit(1)).await);
    }
    assert!(
        answers.iter().all(|answer| answer == &answers[0]),
        "{answers:?}"
    );
    assert_eq!(answers[0].0, StatusCode::FORBIDDEN);
    let foreign = Request::post("/sse")
        .header("host", "app.example")
        .header("origin", "https://evil.example")
        .header("transports-uplink", &one)
        .body(edit(1).into())
        .unwrap();
    assert_eq!(request(&app, foreign).await.0, StatusCode::FORBIDDEN);
    drop(first);
    assert_eq!(post(&app, &one, edit(1)).await.0, StatusCode::FORBIDDEN);
    assert_eq!(counter.read().n, 0);
    assert_eq!(post(&app, &two, edit(2)).await.0, StatusCode::NO_CONTENT);
    assert_eq!(counter.read().n, 2);

    let closed = EventStream::new(server).settings(|settings| settings.uplink = false);
    let app = Router::new().route("/sse", closed.route());
    let mut source = Source::open(&app, "", &[]).await;
    assert_eq!(source.next().await.json(), json!({ "t": "transports" }));
    assert_eq!(
        post(&app, &two, edit(1)).await.0,
        StatusCode::METHOD_NOT_ALLOWED
    );
}

#[tokio::test(start_paused = true)]
async fn what_a_client_sends_has_limits() {
    let sums = Sums::default();
    let _recorder = metrics::set_default_local_recorder(&sums);
    let (server, _counter) = counter();
    let live = EventStream::new(server.clone()).settings(|settings| {
        settings.message_burst = 3;
        settings.messages_per_second = 1;
    });
    let app = Router::new().route("/sse", live.route());
    let large = "x".repeat(server.limits().frame_bytes + 1);
    let flood = format!(r#"{{"t":"batch","msgs":[{}]}}"#, vec![edit(1); 4].join(","));
    let slow = Body::from_stream(futures_util::stream::pending::<
        Result<String, std::io::Error>,
    >());
    for (body, status, code, reason) in [
        (
            Body::from("[1]"),
            StatusCode::BAD_REQUEST,
            1007,
            "malformed",
        ),
        (
            Body::from(large),
            StatusCode::PAYLOAD_TOO_LARGE,
            1009,
            "too_large",
        ),
        (
            Body::from(flood),
            StatusCode::TOO_MANY_REQUESTS,
            1008,
            "flooded",
        ),
    ] {
        let before = server.stats().ended(reason);
        let mut source = Source::open(&app, "?epoch=", &[]).await;
        let token = source.token().await;
        let (got, text) = post(&app, &token, body).await;
        assert_eq!(got, status, "{text}");
        let mut last = source.next().await;
        while last.event.is_empty() {
            last = source.next().await;
        }
        assert_eq!(last.json()["code"], code);
        assert_eq!(last.json()["reason"], text);
        assert_eq!(source.try_next().await, None);
        assert_eq!(server.stats().ended(reason), before + 1);
    }
    let mut source = Source::open(&app, "", &[]).await;
    let token = source.token().await;
    assert_eq!(
        post(&app, &token, slow).await.0,
        StatusCode::REQUEST_TIMEOUT
    );
    for limit in ["frame_bytes", "messages_per_second", "uplink_timeout"] {
        assert_eq!(sums.limit(limit), 1.0, "{limit}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_quiet_stream_has_a_heartbeat() {
    let (server, counter) = counter();
    let app = app(&server);
    let mut source = Source::open(&app, "", &[]).await;
    source.token().await;
    source.next().await;
    let begun = Instant::now();
    // What comes meanwhile puts it off.
    let changes = async {
        sleep(Duration::from_secs(10)).await;
        counter.write().n = 1;
        sync(&server);
    };
    let (patch, ()) = tokio::join!(source.block(), changes);
    assert!(patch.unwrap().contains("patch"));
    assert_eq!(source.block().await.as_deref(), Some(":"));
    assert_eq!(begun.elapsed().as_secs(), 25);
    assert_eq!(source.block().await.as_deref(), Some(":"));
    assert_eq!(begun.elapsed().as_secs(), 40);
}

#[tokio::test(start_paused = true)]
async fn events_of_the_application_come_on_the_same_stream() {
    let sums = Sums::default();
    let _recorder = metrics::set_default_local_recorder(&sums);
    let (server, counter) = counter();
    let live = EventStream::new(server.clone()).settings(|settings| settings.event_bytes = 1000);
    let events = live.events();
    let app = Router::new().route("/sse", live.route());
    let mut source = Source::open(&app, "", &[]).await;
    source.token().await;
    source.next().await;

    let notice = AppEvent::new("notice", "two\r\nlines").unwrap();
    assert_eq!(
        events.send_where(|peer: &Peer| peer.transport == "ws", &notice),
        0
    );
    assert_eq!(events.send(&notice), 1);
    counter.write().n = 1;
    sync(&server);
    let got = source.next().await;
    assert_eq!(
        (&*got.event, &*got.data, got.id),
        ("notice", "two\nlines", None)
    );
    assert_eq!(source.next().await.json()["t"], "patch");

    // One that does not read is closed, and its neighbour is not.
    let mut other = Source::open(&app, "", &[]).await;
    let large = AppEvent::new("large", &"x".repeat(600)).unwrap();
    for _ in 0..2 {
        events.send(&large);
        while other.next().await.event != "large" {}
    }
    assert_eq!(source.next().await.json()["code"], 1013);
    assert_eq!(source.try_next().await, None);
    assert_eq!(server.stats().ended("slow"), 1);
    assert_eq!(sums.limit("event_bytes"), 1.0);
    assert_eq!(server.registry().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_hook_may_send_events_to_the_client_whose_edit_it_sees() {
    let session = Session::new();
    let model = session.host_named("Any", transports::Value::from_iter([("n", 0.into())]));
    let events = Arc::new(OnceLock::<Events>::new());
    let sends = Arc::clone(&events);
    let server = Server::builder(session)
        .on_edit(move |_| {
            for _ in 0..3 {
                let large = AppEvent::new("edited", &"x".repeat(600)).unwrap();
                sends.get().unwrap().send(&large);
            }
            Ok(())
        })
        .build();
    let live = EventStream::new(server).settings(|settings| settings.event_bytes = 1000);
    events.set(live.events()).unwrap();
    let app = Router::new().route("/sse", live.route());
    let mut source = Source::open(&app, "", &[]).await;
    let token = source.token().await;
    source.next().await;
    assert_eq!(post(&app, &token, edit(5)).await.0, StatusCode::NO_CONTENT);
    assert_eq!(source.next().await.json()["code"], 1013);
    assert_eq!(model.read().get("n"), Some(&5.into()));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_is_closed() {
    let sums = Sums::default();
    let _recorder = metrics::set_default_local_recorder(&sums);
    let (server, counter) = counter();
    counter.write().label = "x".repeat(100_000);
    sync(&server);
    let app = app(&server);
    // Opened, and not asked for anything.
    let mut stuck = Source::open(&app, "", &[]).await;
    stuck.token().await;
    let mut slow = Source::open(&app, "", &[]).await;
    slow.token().await;
    for _ in 0..6 {
        sleep(Duration::from_secs(4)).await;
        let piece = slow.body.next().await.unwrap().unwrap();
        slow.text += str::from_utf8(&piece).unwrap();
    }
    assert_eq!(server.stats().ended("slow"), 1);
    assert_eq!(server.registry().len(), 1);
    assert_eq!(slow.next().await.json()["t"], "snapshot");
    let last = stuck.next().await;
    assert_eq!(last.json()["reason"], "read nothing for 10s");
    assert_eq!(sums.limit("write_timeout"), 1.0);
    assert_eq!(stuck.try_next().await, None);
}

#[tokio::test(start_paused = true)]
async fn serve_cuts_the_socket_of_a_client_that_does_not_read() {
    let (server, counter) = counter();
    counter.write().label = "x".repeat(900_000);
    let (dial, wire) = wire();
    let routes = app(&server);
    tokio::spawn(async move { serve(wire, routes).await });
    let mut client = dial.connect();
    let begun = Instant::now();
    client
        .write_all(b"GET /sse HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    let mut connections = server.connections();
    connections
        .wait_for(|connections| *connections == 1)
        .await
        .unwrap();
    connections
        .wait_for(|connections| *connections == 0)
        .await
        .unwrap();
    // What the pipe took at first makes room for a little more, which hyper asks for when something wakes it.
    assert!(
        (10..=22).contains(&begun.elapsed().as_secs()),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(server.stats().ended("slow"), 1);
    // What was in the pipe, and then nothing: no last words that would wait for room.
    let mut read = Vec::new();
    client.read_to_end(&mut read).await.unwrap();
    assert!(read.len() < 900_000);
}

#[tokio::test(start_paused = true)]
async fn at_a_shutdown_streams_end_with_a_word() {
    let (server, counter) = counter();
    let shutdown = Shutdown::new();
    let live = EventStream::new(server.clone()).shutdown(&shutdown);
    let app = Router::new().route("/sse", live.route());
    let mut source = Source::open(&app, "", &[]).await;
    source.token().await;
    source.next().await;
    counter.write().n = 9;
    sync(&server);
    shutdown.begin();
    assert_eq!(source.next().await.json()["t"], "patch");
    let last = source.next().await;
    assert_eq!(
        (&last.json()["code"], &*last.event),
        (&json!(1012), "transports")
    );
    let retry: u64 = last.retry.unwrap().parse().unwrap();
    assert!((500..5500).contains(&retry));
    assert_eq!(source.try_next().await, None);
    drop(source);
    assert!(shutdown.finished(Duration::from_secs(1)).await);
    assert_eq!(server.stats().ended("shutdown"), 1);
}

#[tokio::test(start_paused = true)]
async fn who_may_not_come_in_learns_nothing() {
    let session = Session::new();
    session.host_named("Secret", transports::Value::from("s3cret"));
    let server = Server::builder(session)
        .on_connect(|peer, _| match peer.transport {
            "sse" => Err(RefusalKind::Unauthorized.because("who are you?")),
            other => panic!("{other}"),
        })
        .build();
    let app = app(&server);
    for (query, origin, status) in [
        ("", "https://evil.example", StatusCode::FORBIDDEN),
        ("?since=x", "https://app.example", StatusCode::BAD_REQUEST),
        ("", "https://app.example", StatusCode::UNAUTHORIZED),
    ] {
        let get = Request::get(format!("/sse{query}"))
            .header("host", "app.example")
            .header("origin", origin);
        let (got, _, body) = request(&app, get.body(Body::empty()).unwrap()).await;
        assert_eq!(got, status);
        assert!(!text(body).await.contains("s3cret"));
    }
    assert_eq!(server.registry().len(), 0);
}

#[tokio::test]
async fn events_come_through_a_layer_that_compresses() {
    use tower_http::compression::CompressionLayer;
    let (server, counter) = counter();
    let app = app(&server).layer(CompressionLayer::new().gzip(true).compress_when(
        |_: StatusCode, _: axum::http::Version, _: &HeaderMap, _: &axum::http::Extensions| true,
    ));
    let get = Request::get("/sse").header("accept-encoding", "gzip");
    let (_, headers, body) = request(&app, get.body(Body::empty()).unwrap()).await;
    assert_eq!(headers["content-encoding"], "gzip");
    let mut body = body.into_data_stream();
    let mut gzip = flate2::write::GzDecoder::new(Vec::new());
    for n in 1..4 {
        let wanted = if n == 1 {
            "snapshot".to_owned()
        } else {
            format!("{{\"Int\":{n}}}")
        };
        while !String::from_utf8_lossy(gzip.get_ref()).contains(&wanted) {
            let bytes = timeout(Duration::from_secs(5), body.next())
                .await
                .expect("flushed");
            std::io::Write::write_all(&mut gzip, &bytes.unwrap().unwrap()).unwrap();
            std::io::Write::flush(&mut gzip).unwrap();
        }
        counter.write().n = n + 1;
        sync(&server);
    }
}

#[derive(Synced)]
struct Offer {
    price: i64,
    #[synced(view = "staff")]
    cost: i64,
}

#[tokio::test(start_paused = true)]
async fn an_event_source_does_not_go_on_from_what_it_saw_with_other_views() {
    let session = Session::new();
    let offer = session.host(Offer { price: 5, cost: 3 });
    let server = Server::new(session);
    let app = app(&server);
    let mut source = Source::open(&app, "", &[]).await;
    source.token().await;
    let before = source.next().await.id.unwrap();

    let number = server.registry()[0].number;
    assert!(server.set_views(number, Views::from_iter(["staff"])));
    let granted = source.next().await;
    assert_eq!(granted.json()["value"]["Map"]["cost"]["Int"], 3);
    let as_staff = granted.id.unwrap();
    assert_ne!(before, as_staff);
    assert!(server.set_views(number, Views::default()));
    let revoked = source.next().await;
    assert_eq!(revoked.json()["value"]["Map"]["cost"], Value::Null);
    assert_eq!(revoked.id.unwrap(), before);
    drop(source);

    offer.write().price = 6;
    sync(&server);
    for (id, comes) in [(as_staff, "snapshot"), (before, "patch")] {
        let mut source = Source::open(&app, "", &[("last-event-id", &id)]).await;
        source.token().await;
        assert_eq!(source.next().await.json()["t"], comes);
    }
}
