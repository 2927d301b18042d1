//! What is counted, and what is never told.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};

use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use transports::Server;
use transports_adapters::{WebSocket, serve};

use crate::sums::Sums;
use crate::support::{close_of, counter, edit, raw, wire};

#[tokio::test(start_paused = true)]
async fn connections_frames_endings_and_limits_are_counted() {
    let sums = Sums::default();
    let _recorder = metrics::set_default_local_recorder(&sums);
    let (server, counter) = counter();
    let live = WebSocket::new(server.clone()).settings(|settings| settings.message_burst = 2);
    let mut client = raw(&live, &server, 4096).client().await;
    let snapshot = client.next().await.unwrap().unwrap();
    assert_eq!(
        sums.get("transports_connections transport=ws codec=json"),
        1.0
    );
    assert_eq!(
        sums.get("transports_bytes_total dir=out"),
        snapshot.len() as f64
    );
    client.send(Message::text(edit(1))).await.unwrap();
    client.next().await.unwrap().unwrap();
    assert_eq!(sums.get("transports_frames_total dir=in"), 1.0);
    for measured in [
        "transports_encode_seconds codec=json",
        "transports_edit_seconds",
    ] {
        assert_eq!(sums.get(measured), 1.0, "{measured}");
    }
    assert_eq!(sums.get("transports_frames_total dir=out"), 2.0);
    assert_eq!(
        sums.get("transports_bytes_total dir=in"),
        edit(1).len() as f64
    );
    client.send(Message::text(edit(2))).await.unwrap();
    client.send(Message::text(edit(3))).await.unwrap();
    assert_eq!(close_of(&mut client).await.0, 1008);
    assert_eq!(
        sums.get("transports_connections transport=ws codec=json"),
        0.0
    );
    assert_eq!(
        sums.get("transports_limit_hits_total limit=messages_per_second"),
        1.0
    );

    // A reader that is stuck, a client that does not answer, one that just goes.
    counter.write().label = "x".repeat(10_000);
    crate::support::sync(&server);
    raw(&live, &server, 100).served.await.unwrap();
    raw(&live, &server, 1 << 20).served.await.unwrap();
    let gone = raw(&live, &server, 1 << 20);
    drop(gone.io);
    gone.served.await.unwrap();
    for (reason, limit) in [
        ("flooded", "messages_per_second"),
        ("slow", "write_timeout"),
        ("silent", "pong_timeout"),
    ] {
        let name = format!("transports_disconnects_total transport=ws reason={reason}");
        assert_eq!(sums.get(&name), 1.0, "{name}");
        let name = format!("transports_limit_hits_total limit={limit}");
        assert_eq!(sums.get(&name), 1.0, "{name}");
    }
    assert_eq!(
        sums.get("transports_disconnects_total transport=ws reason=lost"),
        1.0
    );
    assert_eq!(sums.get("transports_slow_closed_total"), 1.0);

    let (dial, wire) = wire();
    let app = axum::Router::new().route("/ws", live.route());
    tokio::spawn(async move { serve(wire, app).await });
    tokio_tungstenite::client_async("ws://app/ws", dial.connect())
        .await
        .unwrap();
    tokio_tungstenite::client_async("ws://app/ws?codec=morse", dial.connect())
        .await
        .unwrap_err();
    tokio_tungstenite::client_async("ws://app/ws?since=never", dial.connect())
        .await
        .unwrap_err();
    for outcome in ["refused", "query"] {
        let name = format!("transports_connects_total transport=ws outcome={outcome}");
        assert_eq!(sums.get(&name), 1.0, "{name}");
    }
    let opened = "transports_connects_total transport=ws outcome=opened";
    assert_eq!(sums.get(opened), server.stats().opened as f64);
}

/// The text of all events and spans, at all levels.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<String>>);

impl Visit for Told {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let mut told = self.0.lock().unwrap();
        write!(told, "{}={value:?} ", field.name()).unwrap();
    }
}

impl Subscriber for Told {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        write!(self.0.lock().unwrap(), "{:?}", span.metadata()).unwrap();
        span.record(&mut self.clone());
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut self.clone());
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
        write!(self.0.lock().unwrap(), "{:?}", event.metadata()).unwrap();
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[tokio::test(start_paused = true)]
async fn tokens_in_queries_and_headers_are_never_logged() {
    let told = Told::default();
    // Where there is but one subscriber, what other tests reach first is off for it, too, as they have none.
    let _other = tracing::Dispatch::new(Told::default());
    let _subscriber = tracing::subscriber::set_default(told.clone());
    let (server, _counter) = counter();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&seen);
    let server = Server::builder(server.session().clone())
        .on_connect(move |peer, _| {
            let request = peer.request.as_ref().unwrap();
            let header = request.headers["authorization"].to_str().unwrap();
            kept.lock()
                .unwrap()
                .push(format!("{header} {}", request.uri));
            Ok(())
        })
        .build();
    let (dial, wire) = wire();
    let app = axum::Router::new().route("/ws", WebSocket::new(server.clone()).route());
    tokio::spawn(async move { serve(wire, app).await });
    let connect = async |query: &str| {
        let mut request = format!("ws://app/ws?token=S3CRET{query}")
            .into_client_request()
            .unwrap();
        let headers = request.headers_mut();
        headers.insert("authorization", "Bearer S3CRET".parse().unwrap());
        headers.insert("cookie", "session=S3CRET".parse().unwrap());
        tokio_tungstenite::client_async(request, dial.connect()).await
    };
    for refused in [
        "&codec=morse",
        "&since=never",
        "&epoch=x",
        "&since=%7B%221%22",
    ] {
        connect(refused).await.unwrap_err();
    }
    let (mut client, _) = connect("&since=%7B%221%22%3A5%7D").await.unwrap();
    client.next().await.unwrap().unwrap();
    client.send(Message::text(edit(1))).await.unwrap();
    client.next().await.unwrap().unwrap();
    client.send(Message::text("[1]")).await.unwrap();
    assert_eq!(close_of(&mut client).await.0, 1007);
    let (client, _) = connect("").await.unwrap();
    drop(client);
    server
        .connections()
        .wait_for(|open| *open == 0)
        .await
        .unwrap();

    assert_eq!(
        seen.lock().unwrap().len(),
        2,
        "those that asked for what there is"
    );
    assert!(seen.lock().unwrap()[1].starts_with("Bearer S3CRET /ws?token=S3CRET"));
    let told = told.0.lock().unwrap();
    assert!(told.contains("transports_connection"), "{told}");
    assert!(told.contains("malformed"), "{told}");
    assert!(!told.contains("S3CRET"), "{told}");
}
