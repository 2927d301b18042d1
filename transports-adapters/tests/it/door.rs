//! Who is let in: the handshake, `Origin`, `Host`, subprotocols.

use std::net::SocketAddr;

use axum::Router;
use axum::http::HeaderName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use transports::Server;
use transports_adapters::{WebSocket, serve};

use crate::support::counter;

/// Two servers, one of which knows that only this machine can reach it.
struct Doors {
    by_axum: SocketAddr,
    by_us: SocketAddr,
    server: Server,
}

async fn doors(change: impl Fn(WebSocket) -> WebSocket) -> Doors {
    let (server, _counter) = counter();
    let app: Router = Router::new().route("/ws", change(WebSocket::new(server.clone())).route());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let by_axum = listener.local_addr().unwrap();
    let for_axum = app.clone();
    tokio::spawn(async move { axum::serve(listener, for_axum).await });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let by_us = listener.local_addr().unwrap();
    tokio::spawn(async move { serve(listener, app).await });
    Doors {
        by_axum,
        by_us,
        server,
    }
}

const HANDSHAKE: &str = "connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
    sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// Asks for an upgrade; the status and all else that is answered.
async fn ask(address: SocketAddr, headers: &str) -> (u16, String) {
    request(
        address,
        &format!("GET /ws HTTP/1.1\r\n{HANDSHAKE}{headers}\r\n"),
    )
    .await
}

async fn request(address: SocketAddr, request: &str) -> (u16, String) {
    let mut io = TcpStream::connect(address).await.unwrap();
    io.write_all(request.as_bytes()).await.unwrap();
    // Nothing more comes from here, so that the server ends, too.
    io.shutdown().await.unwrap();
    let mut answer = Vec::new();
    io.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer)
}

/// Hosts, and the origins of pages that may connect to them.
pub(crate) const LET_IN: [(&str, &str); 16] = [
    ("app.example", "https://app.example"),
    ("app.example", "http://app.example"),
    ("app.example", "https://app.example:443"),
    ("app.example:443", "https://app.example"),
    ("app.example:80", "http://app.example"),
    ("app.example:8080", "http://app.example:8080"),
    ("APP.example", "https://app.EXAMPLE"),
    ("app.example.", "https://app.example."),
    ("127.0.0.1:8000", "http://127.0.0.1:8000"),
    ("[::1]:8000", "http://[::1]:8000"),
    ("[::1]:8000", "http://[0:0:0:0:0:0:0:1]:8000"),
    ("localhost:8000", "http://localhost:8000"),
    ("app.example", "https://friend.example"),
    ("app.example", "HTTPS://friend.example:443"),
    ("app.example", "http://dev.example:3000"),
    ("app.example", "tauri://localhost"),
];

/// Those that may not.
pub(crate) const TURNED_AWAY: [(&str, &str); 37] = [
    ("app.example", "null"),
    ("app.example", ""),
    ("app.example", "https://evil.example"),
    ("app.example", "https://app.example:8443"),
    ("app.example:8443", "https://app.example"),
    ("app.example:8080", "http://app.example:8081"),
    ("app.example", "https://app.example.evil.example"),
    ("app.example", "https://evil-app.example"),
    ("app.example", "https://sub.app.example"),
    ("app.example", "https://example"),
    ("app.example", "https://app.example@evil.example"),
    ("app.example", "https://evil.example@app.example"),
    ("app.example", "https://evil.example#app.example"),
    ("app.example", "https://evil.example?app.example"),
    ("app.example", "https://evil.example/app.example"),
    ("app.example", "https://app.example/"),
    ("app.example", "https://app.example:"),
    ("app.example", "https://app.example:0443x"),
    ("app.example", "https://app.example:99999"),
    ("app.example", "https://app.example."),
    ("app.example.", "https://app.example"),
    ("app.example", "https://app.example https://evil.example"),
    ("app.example", "https://app.example, https://evil.example"),
    ("app.example", "app.example"),
    ("app.example", "//app.example"),
    ("app.example", "file://app.example"),
    ("app.example", "ftp://app.example:443"),
    ("app.example", "https:\\\\app.example"),
    ("app.example", "https://app\u{ff0e}example"),
    ("app.example", "http://friend.example"),
    ("app.example", "https://friend.example:8443"),
    ("app.example", "http://dev.example"),
    ("app.example", "https://localhost"),
    ("127.0.0.1:8000", "http://127.0.0.1:9000"),
    ("127.0.0.1:8000", "http://localhost:8000"),
    ("[::1]:8000", "http://[::2]:8000"),
    ("[::1]:8000", "http://::1:8000"),
];

/// Lets pages of some other origins in, too.
pub(crate) fn with_friends(live: WebSocket) -> WebSocket {
    live.allow_origin("https://friend.example")
        .allow_origin("http://dev.example:3000")
        .allow_origin("tauri://localhost")
}

#[tokio::test]
async fn origins() {
    let doors = doors(with_friends).await;
    for (host, origin) in LET_IN {
        let headers = format!("host: {host}\r\norigin: {origin}\r\n");
        let (status, answer) = ask(doors.by_axum, &headers).await;
        assert_eq!(status, 101, "{host} {origin}: {answer}");
    }
    let mut connections = doors.server.connections();
    connections.wait_for(|open| *open == 0).await.unwrap();
    for (host, origin) in TURNED_AWAY {
        let headers = format!("host: {host}\r\norigin: {origin}\r\n");
        let (status, answer) = ask(doors.by_axum, &headers).await;
        assert_eq!(status, 403, "{host} {origin}: {answer}");
        assert!(answer.contains("see `allow_origin`"), "{answer}");
        assert!(!answer.contains("snapshot"), "no state at all: {answer}");
    }
    let twice =
        "host: app.example\r\norigin: https://app.example\r\norigin: https://evil.example\r\n";
    assert_eq!(ask(doors.by_axum, twice).await.0, 403);
    assert_eq!(
        ask(doors.by_axum, "origin: https://app.example\r\n")
            .await
            .0,
        403
    );
    assert_eq!(
        ask(doors.by_axum, "host: app.example\r\n").await.0,
        101,
        "no browser"
    );
    assert!(!connections.has_changed().unwrap_or(true) || *connections.borrow() <= 1);
}

#[tokio::test]
async fn hosts_on_loopback() {
    let doors = doors(|live| live.allow_origin("https://friend.example")).await;
    for host in [
        "localhost:8000",
        "app.localhost",
        "127.0.0.1:8000",
        "127.1.2.3",
        "[::1]:8000",
        "[::ffff:127.0.0.1]",
        "friend.example",
    ] {
        let (status, answer) = ask(doors.by_us, &format!("host: {host}\r\n")).await;
        assert_eq!(status, 101, "{host}: {answer}");
    }
    for host in [
        "evil.example:8000",
        "localhost.evil.example",
        "10.0.0.1",
        "127.0.0.1.evil.example",
    ] {
        // Of the same origin, as far as the browser can see.
        let headers = format!("host: {host}\r\norigin: http://{host}\r\n");
        let (status, answer) = ask(doors.by_us, &headers).await;
        assert_eq!(status, 421, "{host}: {answer}");
        assert!(answer.contains("see `allow_host`"), "{answer}");
        // axum's serve does not tell where it listens.
        assert_eq!(ask(doors.by_axum, &headers).await.0, 101);
    }
    assert_eq!(ask(doors.by_us, "").await.0, 421);
    let twice = "host: localhost\r\nhost: evil.example\r\n";
    assert_eq!(ask(doors.by_us, twice).await.0, 400);
    assert_eq!(
        ask(doors.by_us, "host: localhost, evil.example\r\n")
            .await
            .0,
        400
    );
}

#[tokio::test]
async fn named_hosts_and_headers_of_proxies() {
    let doors = doors(|live| {
        live.allow_host("app.example")
            .forwarded_host(HeaderName::from_static("x-forwarded-host"))
    })
    .await;
    for address in [doors.by_axum, doors.by_us] {
        assert_eq!(ask(address, "host: app.example:8443\r\n").await.0, 101);
        assert_eq!(ask(address, "host: evil.example\r\n").await.0, 421);
        let forwarded = "host: inner\r\nx-forwarded-host: app.example\r\n\
            origin: https://app.example\r\n";
        assert_eq!(ask(address, forwarded).await.0, 101);
        let twice = "host: app.example\r\nx-forwarded-host: app.example, evil.example\r\n";
        assert_eq!(ask(address, twice).await.0, 400);
    }

    let doors = self::doors(|live| live).await;
    let not_believed = "host: app.example\r\nx-forwarded-host: evil.example\r\n\
        origin: https://evil.example\r\n";
    assert_eq!(ask(doors.by_axum, not_believed).await.0, 403);
}

#[tokio::test]
async fn anybody_if_told_so() {
    let doors = doors(|live| live.allow_any_origin().allow_any_host()).await;
    for headers in ["host: evil.example\r\norigin: null\r\n", "origin: a b\r\n"] {
        assert_eq!(ask(doors.by_us, headers).await.0, 101);
    }
}

#[tokio::test]
async fn subprotocols() {
    let doors = doors(|live| live.protocols(["transports.v2", "transports.v1"])).await;
    for (offered, chosen) in [
        ("transports.v1", Some("transports.v1")),
        ("other, transports.v1,transports.v2", Some("transports.v2")),
        (
            "a\r\nsec-websocket-protocol: transports.v1",
            Some("transports.v1"),
        ),
        ("other", None),
        ("Transports.V1", None),
    ] {
        let headers = format!("host: app\r\nsec-websocket-protocol: {offered}\r\n");
        let (status, answer) = ask(doors.by_axum, &headers).await;
        assert_eq!(status, 101);
        let answered = answer
            .lines()
            .find_map(|line| line.strip_prefix("sec-websocket-protocol: "));
        assert_eq!(answered, chosen, "{offered}");
    }
}

#[tokio::test]
async fn handshakes() {
    let doors = doors(|live| live).await;
    let (status, answer) = ask(doors.by_axum, "host: app\r\n").await;
    assert_eq!(status, 101);
    // The example of RFC 6455, 1.3.
    assert!(
        answer.contains("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        "{answer}"
    );
    assert!(!answer.contains("extensions"), "nothing is compressed");

    let line = "GET /ws HTTP/1.1\r\nhost: app\r\n";
    for (head, status) in [
        (
            format!("POST /ws HTTP/1.1\r\nhost: app\r\n{HANDSHAKE}"),
            405,
        ),
        (line.to_owned(), 426),
        (format!("GET /ws HTTP/1.0\r\nhost: app\r\n{HANDSHAKE}"), 426),
        (
            format!("{line}{}", HANDSHAKE.replace("websocket\r", "h2c\r")),
            426,
        ),
        (
            format!("{line}{}", HANDSHAKE.replace("Upgrade\r", "close\r")),
            426,
        ),
        (format!("{line}{}", HANDSHAKE.replace("13", "8")), 426),
        (format!("{line}{}", HANDSHAKE.replace("==", "")), 400),
        (format!("{line}{}", HANDSHAKE.replace("dG", "")), 400),
        (format!("{line}{}", HANDSHAKE.replace("dG", "==")), 400),
        (format!("{line}{}", HANDSHAKE.replace("key", "kex")), 400),
    ] {
        let (answered, answer) = request(doors.by_axum, &format!("{head}\r\n")).await;
        assert_eq!(answered, status, "{head}: {answer}");
        if status == 426 {
            assert!(answer.contains("upgrade: websocket"), "{answer}");
            assert!(answer.contains("sec-websocket-version: 13"), "{answer}");
        }
    }
    let mut connections = doors.server.connections();
    connections.wait_for(|open| *open == 0).await.unwrap();

    // Words in lists, in any case, and frames right behind the handshake.
    let mut head = HANDSHAKE.replace("Upgrade", "keep-alive, UPGRADE");
    head = head.replace("websocket\r", "WebSocket\r");
    let (status, answer) = request(
        doors.by_us,
        &format!("GET /ws?x=1 HTTP/1.1\r\nhost: localhost\r\n{head}\r\n\u{1}"),
    )
    .await;
    assert_eq!(status, 101, "{answer}");
}
