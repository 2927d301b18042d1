//! The server's word on connections, over real sockets: who comes in, who has to go, and what they are told.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use transports::Server;
use transports::server::{Ended, Peer, RefusalKind, ServerBuilder};
use transports_adapters::{WebSocket, serve};

use crate::support::{close_of, counter, edit, sync};

type Client = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// What a layer in front of the route found out.
#[derive(Clone, Debug, PartialEq)]
struct User(String);

/// Why connections ended.
type Endings = Arc<Mutex<Vec<(Option<User>, Ended)>>>;

struct App {
    address: SocketAddr,
    server: Server,
    endings: Endings,
    stop: oneshot::Sender<()>,
    done: JoinHandle<std::io::Result<()>>,
}

async fn app(build: impl FnOnce(ServerBuilder) -> ServerBuilder) -> App {
    let endings = Endings::default();
    let told = Arc::clone(&endings);
    let (server, _counter) = counter();
    let server = build(Server::builder(server.session().clone()))
        .on_disconnect(move |_, peer, ended| {
            let user = peer.get::<User>().cloned();
            told.lock().unwrap().push((user, ended.clone()));
        })
        .build();
    let sign_in = async |mut request: Request, next: Next| {
        let query = request.uri().query().unwrap_or_default();
        if let Some(name) = query.strip_prefix("user=") {
            let user = User(name.to_owned());
            request.extensions_mut().insert(user);
        }
        next.run(request).await
    };
    let router = Router::new()
        .route("/ws", WebSocket::new(server.clone()).route())
        .layer(from_fn(sign_in));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let serving = serve(listener, router).with_graceful_shutdown(async {
        let _ = stopped.await;
    });
    App {
        address,
        server,
        endings,
        stop,
        done: tokio::spawn(async move { serving.await }),
    }
}

impl App {
    async fn connect(&self, user: &str) -> Result<Client, Error> {
        let url = format!("ws://{}/ws?user={user}", self.address);
        connect_async(url).await.map(|(client, _)| client)
    }

    /// Connects and reads the snapshot.
    async fn client(&self, user: &str) -> Client {
        let mut client = self.connect(user).await.unwrap();
        client.next().await.unwrap().unwrap();
        client
    }

    async fn until(&self, open: usize) {
        let mut connections = self.server.connections();
        let reached = connections.wait_for(|now| *now == open);
        let reached = tokio::time::timeout(Duration::from_secs(10), reached).await;
        let _ = reached.expect("within 10 s").unwrap();
    }
}

#[tokio::test]
async fn the_registry_knows_who_a_connection_is() {
    let app = app(|server| server).await;
    let before = SystemTime::now();
    let mut ann = app.client("ann").await;
    let MaybeTlsStream::Plain(tcp) = ann.get_ref() else {
        unreachable!("there is no TLS here")
    };
    let address = tcp.local_addr().unwrap();
    let [info] = app.server.registry().try_into().unwrap();
    assert_eq!(info.peer.transport, "ws");
    assert_eq!(info.peer.address, Some(address));
    assert_eq!(info.peer.get(), Some(&User("ann".into())));
    assert!(info.peer.request.is_none(), "it may hold secrets");
    assert!(info.peer.since.is_some_and(|since| since >= before));
    assert_eq!(info.last_active, None);
    ann.send(Message::text(edit(1))).await.unwrap();
    ann.next().await.unwrap().unwrap();
    let info = app.server.connection(info.number).unwrap();
    assert!(info.last_active.is_some());
    assert_eq!((info.frames_in, info.frames_out), (1, 2));
}

#[tokio::test]
async fn a_hook_refuses_with_its_status_before_the_upgrade() {
    for (kind, status) in [
        (RefusalKind::Unauthorized, 401),
        (RefusalKind::Forbidden, 403),
        (RefusalKind::TooManyRequests, 429),
        (RefusalKind::Unavailable, 503),
    ] {
        let app = app(|server| {
            server.on_connect(move |peer, _| match peer.get::<User>() {
                Some(User(name)) if name == "ann" => Ok(()),
                _ => Err(kind.because("not today")),
            })
        })
        .await;
        let Err(Error::Http(response)) = app.connect("bob").await else {
            panic!("it was to be refused")
        };
        assert_eq!(response.status(), status);
        assert_eq!(response.body().as_deref(), Some(&b"not today"[..]));
        app.client("ann").await;
        assert_eq!(app.server.stats().refused, 1);
    }
}

#[tokio::test]
async fn whoever_is_signed_out_is_closed_with_1008_at_once() {
    let app = app(|server| server).await;
    let mut bobs = Vec::new();
    for _ in 0..5 {
        bobs.push(app.client("bob").await);
    }
    let mut ann = app.client("ann").await;
    let is_bob = |peer: &Peer| peer.get::<User>().is_some_and(|user| user.0 == "bob");
    assert_eq!(app.server.close_where(is_bob, "signed out"), 5);
    for bob in &mut bobs {
        assert_eq!(close_of(bob).await, (1008, "signed out".into()));
    }
    app.until(1).await;
    let reason = Ended::Removed {
        reason: "signed out".into(),
    };
    let bob = (Some(User("bob".into())), reason);
    assert_eq!(*app.endings.lock().unwrap(), vec![bob; 5]);
    ann.send(Message::text(edit(1))).await.unwrap();
    ann.next().await.unwrap().unwrap();
}

#[tokio::test]
async fn the_hook_hears_the_true_reason() {
    let app = app(|server| server.limits(|limits| limits.frame_bytes = 1000)).await;
    let mut left = app.client("ann").await;
    left.close(None).await.unwrap();
    app.until(0).await;
    drop(app.client("ann").await);
    app.until(0).await;
    for (message, code) in [
        (Message::text("[1]"), 1007),
        (Message::text(" ".repeat(1001)), 1009),
    ] {
        let mut client = app.client("ann").await;
        client.send(message).await.unwrap();
        assert_eq!(close_of(&mut client).await.0, code);
        app.until(0).await;
    }
    let endings = app.endings.lock().unwrap();
    let names: Vec<_> = endings.iter().map(|(_, ended)| ended.name()).collect();
    assert_eq!(names, ["left", "lost", "malformed", "too_large"]);
    let stats = app.server.stats();
    for name in names {
        assert_eq!(stats.ended(name), 1, "{name}");
    }
    assert_eq!(stats.limit_hits("frame_bytes"), 1);
}

#[tokio::test]
async fn a_shutdown_of_the_server_alone_closes_with_1012_and_refuses() {
    let app = app(|server| server).await;
    let mut client = app.client("ann").await;
    app.server.shutdown("back in a minute");
    let (code, reason) = close_of(&mut client).await;
    assert_eq!(code, 1012);
    assert!(
        reason.starts_with("back in a minute, retry in "),
        "{reason}"
    );
    app.until(0).await;
    let Err(Error::Http(response)) = app.connect("ann").await else {
        panic!("it was to be refused")
    };
    assert_eq!(response.status(), 503);
}

#[tokio::test]
async fn the_signal_of_serve_shuts_the_server_down() {
    let app = app(|server| server).await;
    let counter = app.server.session().host(crate::support::Counter {
        n: 0,
        label: String::new(),
    });
    let mut clients = Vec::new();
    for _ in 0..20 {
        let mut client = app.client("ann").await;
        client.next().await.unwrap().unwrap();
        clients.push(client);
    }
    // Nobody has told the session to look.
    counter.write().n = 77;
    app.stop.send(()).unwrap();
    for client in &mut clients {
        let patch = client.next().await.unwrap().unwrap();
        assert!(patch.to_text().unwrap().contains(r#"{"Int":77}"#));
        assert_eq!(close_of(client).await.0, 1012);
        assert!(client.next().await.is_none(), "tungstenite answers");
    }
    app.done.await.unwrap().unwrap();
    assert_eq!(app.server.stats().ended("shutdown"), 20);
    sync(&app.server);
}
