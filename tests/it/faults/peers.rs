//! Clients, each on a host of its own.

use std::error::Error;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use futures_util::{SinkExt, StreamExt};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use sse_stream::SseStream;
use tokio::time::timeout;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;
use transports::{Codec, Synced};
use transports_adapters::client::{Client, EditError, Remote, Stream};

use super::follower::Follower;
use super::line::Line;
use super::stage::{Answer, BOARDS, Stage};
use crate::board::Board;

/// The longest time between two edits, and before a client comes back.
const PAUSE: Duration = Duration::from_secs(1);

/// What a client shows, for others to look at.
#[derive(Clone)]
pub(super) enum Shown {
    Ours(Arc<OnceLock<Vec<Remote<Board>>>>),
    Follower(Arc<Mutex<Follower>>),
}

impl Shown {
    /// The revision and the value of a model.
    pub(super) fn shows(&self, id: u64) -> Option<(u64, serde_json::Value)> {
        match self {
            Self::Follower(follower) => follower.lock().shows(id),
            Self::Ours(boards) => {
                let board = boards.get()?.iter().find(|board| board.id() == id)?;
                let value = board.client().value(id)?;
                let typed = board.read().clone();
                assert_eq!(Board::read(value.clone()).ok(), Some(typed));
                let value = serde_json::to_value(value).expect("values are JSON");
                Some((board.revision(), value))
            }
        }
    }
}

/// The client of this crate.
pub(super) async fn ours(
    stage: Arc<Stage>,
    codec: Codec,
    shown: Arc<OnceLock<Vec<Remote<Board>>>>,
) -> turmoil::Result {
    let lines = Arc::clone(&stage);
    let connector = move |_host: &str, _port| {
        let stage = Arc::clone(&lines);
        async move { Ok(Box::new(Line::open(&stage).await?) as Box<dyn Stream>) }
    };
    let seed = stage.random.lock().u64(..);
    let client = Client::builder("ws://server/ws")
        .codec(codec)
        .connector(connector)
        .backoff(Duration::from_millis(50), PAUSE)
        .seed(seed)
        .connect_timeout(Duration::from_secs(3))
        .idle_timeout(Duration::from_secs(4))
        .start()?;
    let mut boards = Vec::new();
    for id in BOARDS {
        boards.push(client.model_by_id::<Board>(id).await?);
    }
    let boards = shown.get_or_init(|| boards);
    while stage.is_rough() {
        let (name, id, level) = stage.next_edit();
        let board = boards.iter().find(|board| board.id() == id).cloned();
        let (board, stage_) = (board.expect("it is shown"), Arc::clone(&stage));
        tokio::spawn(async move {
            let edited = board.edit(|board| {
                board.made.push(name.clone());
                board.level = level;
            });
            let answer = async {
                match edited.await {
                    Ok(_) => Answer::Made,
                    Err(EditError::Rejected { reason, .. }) => Answer::Rejected(reason),
                    Err(EditError::Unknown) => Answer::Unknown,
                    Err(error) => panic!("{error}"),
                }
            };
            stage_.awaits(name.clone(), answer).await;
        });
        stage.doze(2 * PAUSE).await;
    }
    std::future::pending().await
}

/// A published client over WebSocket.
pub(super) async fn published(
    stage: Arc<Stage>,
    codec: Codec,
    follower: Arc<Mutex<Follower>>,
) -> turmoil::Result {
    loop {
        // Whatever ended it, it comes back.
        let _ = by_socket(&stage, &codec, &follower).await;
        stage.doze(PAUSE).await;
    }
}

async fn by_socket(
    stage: &Stage,
    codec: &Codec,
    follower: &Mutex<Follower>,
) -> Result<(), Box<dyn Error>> {
    let since = follower.lock().since();
    let url = format!("ws://server/ws?codec={}{since}", codec.name());
    let (mut socket, _) = client_async(url, Line::open(stage).await?).await?;
    loop {
        tokio::select! {
            message = socket.next() => match message.ok_or("it is over")?? {
                Message::Text(text) => follower.lock().receive(text.as_bytes(), codec.name(), stage),
                Message::Binary(bytes) => follower.lock().receive(&bytes, codec.name(), stage),
                _ => {}
            },
            () = stage.doze(2 * PAUSE), if stage.is_rough() => {
                let edit = follower.lock().edit(stage);
                if let Some(edit) = edit {
                    socket.send(Message::text(edit)).await?;
                }
            }
        }
    }
}

/// A browser's `EventSource` with a published client behind it, which gives back the id of the last event.
pub(super) async fn events(stage: Arc<Stage>, follower: Arc<Mutex<Follower>>) -> turmoil::Result {
    let mut last_id = None;
    loop {
        let _ = by_events(&stage, &follower, &mut last_id).await;
        stage.doze(PAUSE).await;
    }
}

async fn by_events(
    stage: &Stage,
    follower: &Mutex<Follower>,
    last_id: &mut Option<String>,
) -> Result<(), Box<dyn Error>> {
    let mut request = Request::get("/sse").header(header::HOST, "server");
    if let Some(id) = &*last_id {
        request = request.header("last-event-id", id);
    }
    let response = ask(stage, request.body(Body::empty())?).await?;
    if response.status() != StatusCode::OK {
        return Err(response.status().to_string().into());
    }
    let mut events = SseStream::new(response.into_body());
    let mut token = None;
    loop {
        tokio::select! {
            event = events.next() => {
                let event = event.ok_or("it is over")??;
                let data = event.data.unwrap_or_default();
                match event.event.as_deref() {
                    None => follower.lock().receive(data.as_bytes(), "json", stage),
                    Some(_) => {
                        let word: serde_json::Value = serde_json::from_str(&data)?;
                        token = word["uplink"].as_str().map(str::to_owned).or(token);
                    }
                }
                *last_id = event.id.or_else(|| last_id.take());
            },
            () = stage.doze(2 * PAUSE), if stage.is_rough() => {
                let edit = follower.lock().edit(stage);
                if let (Some(edit), Some(token)) = (edit, &token) {
                    let request = Request::post("/sse")
                        .header(header::HOST, "server")
                        .header("transports-uplink", token)
                        .body(Body::from(edit))?;
                    let _ = timeout(PAUSE, ask(stage, request)).await;
                }
            }
        }
    }
}

/// Sends one request over a connection of its own.
async fn ask(
    stage: &Stage,
    request: Request<Body>,
) -> Result<hyper::Response<hyper::body::Incoming>, Box<dyn Error>> {
    let line = Line::open(stage).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(line)).await?;
    tokio::spawn(connection);
    Ok(sender.send_request(request).await?)
}
