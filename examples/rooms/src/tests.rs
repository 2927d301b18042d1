use axum::http::StatusCode;
use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::{Error, Message as Frame};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use transports::hub::FIRST_SHARED;
use transports::mirror::MirrorEvent;
use transports::{Mirrors, Value};

use super::{House, app};

/// Somebody with a browser.
struct Guest {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    mirrors: Mirrors,
    /// All that was ever sent.
    seen: String,
}

async fn house() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = app(&House::open("key".to_owned()));
    tokio::spawn(async { axum::serve(listener, app).await });
    format!("ws://{address}/ws")
}

impl Guest {
    async fn new(house: &str, query: &str) -> Result<Self, Error> {
        let (socket, _) = connect_async(format!("{house}?{query}")).await?;
        Ok(Self {
            socket,
            mirrors: Mirrors::default(),
            seen: String::new(),
        })
    }

    async fn next(&mut self) -> Vec<MirrorEvent> {
        let frame = self
            .socket
            .next()
            .await
            .unwrap()
            .unwrap()
            .into_text()
            .unwrap();
        self.seen.push_str(&frame);
        self.mirrors.receive(frame.as_bytes()).unwrap()
    }

    async fn until(&mut self, holds: impl Fn(&Mirrors) -> bool) {
        while !holds(&self.mirrors) {
            self.next().await;
        }
    }

    async fn send(&mut self, frame: String) {
        self.socket.send(Frame::text(frame)).await.unwrap();
    }
}

/// Tea is the first room that anybody asks for, after the desk.
const TEA: u64 = FIRST_SHARED + 1;

fn people(mirrors: &Mirrors) -> Option<Value> {
    mirrors.get(TEA)?.get()?.get("people").cloned()
}

fn list(names: &[&str]) -> Option<Value> {
    Some(names.iter().map(|name| Value::from(*name)).collect())
}

fn line(by: &str, text: &str) -> String {
    format!(
        r#"{{"t":"patch","id":{TEA},"patch":{{"rev":0,"ops":[{{"Insert":{{"path":[{{"Key":"lines"}}],"index":0,"value":{{"Map":{{"by":{{"Str":"{by}"}},"text":{{"Str":"{text}"}}}}}}}}}}]}}}}"#
    )
}

#[tokio::test]
async fn people_share_a_board_and_keep_their_notes() {
    let house = house().await;
    let mut ann = Guest::new(&house, "room=tea&name=ann").await.unwrap();
    ann.until(|mirrors| people(mirrors) == list(&["ann"])).await;
    let mut bob = Guest::new(&house, "room=tea&name=bob").await.unwrap();
    let other_tab = Guest::new(&house, "room=tea&name=bob").await.unwrap();
    let mut spectator = Guest::new(&house, "room=tea").await.unwrap();
    ann.until(|mirrors| people(mirrors) == list(&["ann", "bob"]))
        .await;

    ann.send(r#"{"t":"patch","id":1,"patch":{"rev":0,"ops":[{"Set":{"path":[{"Key":"text"}],"value":{"Str":"hush"}}}]}}"#.to_owned()).await;
    ann.until(|mirrors| {
        mirrors
            .get(1)
            .and_then(|notes| notes.get()?.get("text").cloned())
            == Some("hush".into())
    })
    .await;
    ann.send(line("ann", "tea is ready")).await;
    for guest in [&mut ann, &mut bob, &mut spectator] {
        let written = |mirrors: &Mirrors| {
            Some(
                mirrors.get(TEA)?.get()?.get("lines")?.at(0)?.get("text")?
                    == &"tea is ready".into(),
            )
        };
        guest.until(|mirrors| written(mirrors) == Some(true)).await;
    }
    assert!(!bob.seen.contains("hush") && !spectator.seen.contains("hush"));
    assert!(
        spectator.mirrors.get(1).is_none(),
        "spectators have no notes"
    );
    spectator.send(line("nobody", "boo")).await;
    let events = spectator.next().await;
    assert!(
        matches!(events.as_slice(), [MirrorEvent::Rejected { .. }]),
        "{events:?}"
    );

    drop(other_tab);
    drop(bob);
    ann.until(|mirrors| people(mirrors) == list(&["ann"])).await;
}

#[tokio::test]
async fn the_desk_is_for_whoever_has_the_key() {
    let house = house().await;
    let refused = |error: &Error| matches!(error, Error::Http(response) if response.status() == StatusCode::FORBIDDEN);
    for query in ["", "room=", "name=ann", "room=tea&name=a/b", "admin=wrong"] {
        let error = Guest::new(&house, query).await.err().unwrap();
        assert!(refused(&error), "{query}: {error}");
    }
    let mut admin = Guest::new(&house, "admin=key").await.unwrap();
    let mut ann = Guest::new(&house, "room=tea&name=ann").await.unwrap();
    let visits = |mirrors: &Mirrors| mirrors.get(FIRST_SHARED)?.get()?.get("visits").cloned();
    admin
        .until(|mirrors| visits(mirrors) == Some(1.into()))
        .await;
    ann.until(|mirrors| people(mirrors) == list(&["ann"])).await;
    assert!(!ann.seen.contains("visits"));
    assert!(admin.mirrors.get(TEA).is_none());
}

#[tokio::test]
async fn only_the_admin_sees_who_came_how_often() {
    let house = house().await;
    let mut ann = Guest::new(&house, "room=tea&name=ann").await.unwrap();
    let mut admin = Guest::new(&house, "room=tea&admin=key").await.unwrap();
    let visits = |mirrors: &Mirrors, name: &str| {
        let board = mirrors.get(TEA)?.get()?;
        board.get("visitors")?.get(name).cloned()
    };
    admin
        .until(|mirrors| visits(mirrors, "ann") == Some(1.into()))
        .await;
    let mut bob = Guest::new(&house, "room=tea&name=bob").await.unwrap();
    admin
        .until(|mirrors| visits(mirrors, "bob") == Some(1.into()))
        .await;
    for guest in [&mut ann, &mut bob] {
        guest
            .until(|mirrors| people(mirrors) == list(&["ann", "bob"]))
            .await;
        assert!(!guest.seen.contains("visitors"), "{}", guest.seen);
    }
}
