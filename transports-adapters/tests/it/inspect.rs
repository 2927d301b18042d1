//! What whoever looks after a server is shown.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;
use transports::server::{Connection, Opening, Peer};
use transports::session::Frame;
use transports::{Server, Session, Value};
use transports_adapters::{Inspect, inspect, serve};

use crate::support::{counter, edit, sync};

#[derive(Clone)]
struct User(&'static str);

fn app(server: &Server) -> Router {
    let inspect = Inspect::new(server.clone()).name(|peer| Some(peer.get::<User>()?.0.to_owned()));
    Router::new().route("/inspect", inspect.route())
}

async fn get(app: &Router, query: &str, accept: &str) -> (StatusCode, HeaderMap, String) {
    let request = Request::get(format!("/inspect{query}"))
        .header("accept", accept)
        .body(Body::empty())
        .unwrap();
    let (parts, body) = app.clone().oneshot(request).await.unwrap().into_parts();
    let bytes = axum::body::to_bytes(body, 1 << 24).await.unwrap();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    (parts.status, parts.headers, text)
}

async fn report(app: &Router, query: &str) -> Json {
    let (status, headers, text) = get(app, query, "*/*").await;
    assert_eq!(status, StatusCode::OK, "{text}");
    assert_eq!(headers["cache-control"], "no-store");
    serde_json::from_str(&text).unwrap()
}

fn open(server: &Server, user: &'static str) -> Connection {
    let peer = Peer::by("ws").with(User(user));
    server.open_for(&Opening::default(), peer).unwrap()
}

#[tokio::test]
async fn connections_and_models_as_they_are() {
    let (server, counter) = counter();
    let mut ann = open(&server, "ann");
    let mut bob = open(&server, "bob");
    while ann.try_next().is_some() {}
    ann.receive(&Frame::text(edit(1))).unwrap();
    while ann.try_next().is_some() {}
    counter.write().n = 7;
    sync(&server);
    let larger = Frame::text(" ".repeat(server.limits().frame_bytes + 1));
    bob.receive(&larger).unwrap_err();

    let app = app(&server);
    let seen = report(&app, "").await;
    assert_eq!(seen["epoch"], server.epoch().to_string());
    assert_eq!(seen["stats"]["connections"], 2);
    let numbers: Vec<_> = server.registry().iter().map(|info| info.number).collect();
    let [first, second] = seen["connections"].as_array().unwrap().as_slice() else {
        panic!("{seen}");
    };
    for (name, shown) in [
        ("number", json!(numbers[0])),
        ("name", json!("ann")),
        ("transport", json!("ws")),
        ("codec", json!("json")),
        ("frames_in", json!(1)),
        ("bytes_in", json!(edit(1).len())),
        ("frames_out", json!(2)),
        ("behind", json!(1)),
        ("limits_hit", json!([])),
    ] {
        assert_eq!(first[name], shown, "{name}");
    }
    assert_eq!(second["name"], "bob");
    assert_eq!(second["behind"], 2);
    assert_eq!(second["limits_hit"], json!(["frame_bytes"]));

    let info = &server.models(0, 1)[0];
    assert!(info.history_bytes > 0 && info.snapshot_bytes.is_some());
    assert_eq!(
        seen["models"],
        json!([{
            "id": 1,
            "type_name": "Counter",
            "revision": counter.revision(),
            "subscribers": 2,
            "history": 2,
            "history_bytes": info.history_bytes,
            "snapshot_bytes": info.snapshot_bytes,
        }])
    );
    assert_eq!(seen["next_connections"], Json::Null);
    assert_eq!(seen["next_models"], Json::Null);
}

#[tokio::test]
async fn more_than_a_page_comes_page_by_page() {
    let session = Session::new();
    for number in 0..1030 {
        session.host_named("Any", Value::from(number));
    }
    let server = Server::new(session);
    let _connections: Vec<_> = (0..1025).map(|_| open(&server, "x")).collect();
    let app = app(&server);

    let first = report(&app, "").await;
    assert_eq!(first["connections"].as_array().unwrap().len(), 1024);
    assert_eq!(first["models"].as_array().unwrap().len(), 1024);
    let query = format!(
        "?connections={}&models={}",
        first["next_connections"], first["next_models"]
    );
    let second = report(&app, &query).await;
    let last = server.registry().last().unwrap().number;
    let numbers: Vec<_> = second["connections"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["number"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, [last]);
    let ids: Vec<_> = second["models"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["id"].as_u64().unwrap())
        .collect();
    assert_eq!(ids, (1025..=1030).collect::<Vec<_>>());
    assert_eq!(second["next_connections"], Json::Null);
    assert_eq!(second["next_models"], Json::Null);

    let past = format!("?connections={}&models={}", u64::MAX, usize::MAX);
    let past = report(&app, &past).await;
    assert_eq!(past["connections"], json!([]));
    assert_eq!(past["models"], json!([]));
    let (status, _, text) = get(&app, "?models=many", "*/*").await;
    assert_eq!(
        (status, text.as_str()),
        (StatusCode::BAD_REQUEST, "`models` has to be a number")
    );
}

#[tokio::test]
async fn the_page_shows_names_as_text() {
    const HOSTILE: &str = "<img src=x onerror=alert(1)>\"'&";
    const SHOWN: &str = "&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;";
    let session = Session::new();
    session.host_named(HOSTILE, Value::Null);
    let server = Server::new(session);
    let _connection = open(&server, HOSTILE);
    let (status, headers, page) = get(&app(&server), "", "text/html,*/*;q=0.8").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(headers["content-type"], "text/html; charset=utf-8");
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert!(!page.contains("<img"), "{page}");
    assert_eq!(page.matches(SHOWN).count(), 2, "{page}");
    assert!(page.contains(&server.epoch().to_string()));
}

#[tokio::test]
async fn a_page_of_another_name_on_loopback_learns_nothing() {
    let (server, _counter) = counter();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app: Router = Router::new().route("/inspect", inspect(server));
    tokio::spawn(async move { serve(listener, app).await });
    for (host, status) in [("localhost", "200"), ("evil.example", "421")] {
        let mut io = TcpStream::connect(address).await.unwrap();
        let request = format!("GET /inspect HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        io.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        io.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer.split(' ').nth(1), Some(status), "{answer}");
        assert_eq!(answer.contains("connections"), status == "200");
    }
}
