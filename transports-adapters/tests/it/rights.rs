//! Rights that run out while a connection is open.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use futures_util::StreamExt;
use tokio::time::{Instant, interval, sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use transports::hub::{Authorizer, Mode, Sharing, Tenant, Viewer};
use transports::server::{Peer, Refusal, RefusalKind};
use transports::{Hub, Server, Value};
use transports_adapters::WebSocket;

use crate::support::{close_of, raw};

/// Lets anybody in for a while, and then again, or not.
struct Gate {
    until: SystemTime,
    renews: bool,
    asked: Arc<AtomicU32>,
}

impl Authorizer for Gate {
    fn connect(&self, _: &Viewer<'_>) -> Result<Option<SystemTime>, Refusal> {
        match self.asked.fetch_add(1, Ordering::SeqCst) {
            0 => Ok(Some(self.until)),
            _ if self.renews => Ok(None),
            _ => Err(RefusalKind::Unauthorized.because("your token has run out")),
        }
    }
}

const TIME: Duration = Duration::from_secs(5);

fn world(renews: bool) -> (Server, transports::hub::Shared<Value>, Arc<AtomicU32>) {
    let asked = Arc::<AtomicU32>::default();
    let hub = Hub::builder(|_: &Peer| Ok(Tenant::new("ann")))
        .authorizer(Gate {
            until: SystemTime::now() + TIME,
            renews,
            asked: Arc::clone(&asked),
        })
        .build();
    let board = hub
        .share_with(Value::from(0), Sharing::named("Board"))
        .unwrap();
    hub.subscribe("ann", board.id(), Mode::Read);
    (Server::new(hub), board, asked)
}

/// Changes the model all the time.
fn busy(server: &Server, board: &transports::hub::Shared<Value>) {
    let (server, board) = (server.clone(), board.clone());
    tokio::spawn(async move {
        let mut ticks = interval(Duration::from_millis(50));
        for n in 0.. {
            ticks.tick().await;
            *board.write() = Value::from(n);
            let _ = server.sync();
        }
    });
}

/// RELIABILITY, table, row 14: closed with a code of its own within a second, no frame after it.
#[tokio::test(start_paused = true)]
async fn a_right_that_is_not_renewed_ends_the_connection_in_time() {
    let (server, board, _) = world(false);
    let started = Instant::now();
    let mut client = raw(&WebSocket::new(server.clone()), &server, 4096)
        .client()
        .await;
    busy(&server, &board);
    let mut last = Duration::ZERO;
    let (code, reason) = loop {
        match client.next().await.unwrap().unwrap() {
            Message::Close(Some(frame)) => break (u16::from(frame.code), frame.reason.to_string()),
            _ => last = started.elapsed(),
        }
    };
    assert_eq!((code, &*reason), (3000, "your token has run out"));
    let ended = started.elapsed();
    assert!(ended <= TIME + Duration::from_secs(1), "{ended:?}");
    assert!(ended >= TIME - Duration::from_secs(1), "{ended:?}");
    assert!(
        last >= TIME - Duration::from_secs(1),
        "it was served until {last:?}"
    );
    assert!(client.next().await.is_none_or(|frame| frame.is_err()));
    assert_eq!(server.stats().ended("unauthorized"), 1);
}

/// Also a client that takes nothing is gone in time.
#[tokio::test(start_paused = true)]
async fn nor_does_one_that_does_not_read_stay() {
    let (server, board, asked) = world(false);
    let client = raw(&WebSocket::new(server.clone()), &server, 16);
    busy(&server, &board);
    sleep(TIME + Duration::from_secs(1)).await;
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    // What is left is the goodbye, for which there is a time of its own.
    sleep(Duration::from_secs(5)).await;
    assert_eq!(*server.connections().borrow(), 0);
    assert_eq!(server.stats().ended("unauthorized"), 1);
    drop(client);
}

#[tokio::test(start_paused = true)]
async fn a_right_that_is_renewed_goes_on() {
    let (server, board, asked) = world(true);
    let mut client = raw(&WebSocket::new(server.clone()), &server, 4096)
        .client()
        .await;
    busy(&server, &board);
    let ended = timeout(Duration::from_secs(20), close_of(&mut client)).await;
    assert!(ended.is_err(), "{ended:?}");
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    assert_eq!(*server.connections().borrow(), 1);
}
