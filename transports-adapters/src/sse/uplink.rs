//! What clients send: by POST, to the route of their stream.

use std::borrow::Cow;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};
use bytes::{Bytes, BytesMut};
use http_body::Body as _;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::time::SystemTime;
use tokio::time::{Instant, timeout};
use transports::server::Ended;
use transports::session::Frame;

use super::body::code;
use super::streams::Stream;
use super::{EventStream, NUMBER, TOKEN};
use crate::Refusal;
use crate::hit::hit;

impl EventStream {
    /// Takes in what a client sends. Its answers come on its stream.
    pub(super) async fn take_in(&self, headers: &HeaderMap, body: Body) -> Result<(), Refusal> {
        let stream = self.stream_of(headers)?;
        let limit = self.server.limits().frame_bytes;
        let text = match timeout(self.settings.uplink_timeout, read(body, limit)).await {
            Ok(Ok(text)) => text,
            Ok(Err(Unread::TooLarge)) => {
                let error = format!("a frame is over the limit of {limit} bytes");
                let reason = Ended::TooLarge { error };
                return Err(ends(&stream, reason, StatusCode::PAYLOAD_TOO_LARGE));
            }
            Ok(Err(Unread::Broken)) => {
                return Err(refused(StatusCode::BAD_REQUEST, "the body is incomplete"));
            }
            Err(_) => {
                hit("uplink_timeout");
                return Err(refused(
                    StatusCode::REQUEST_TIMEOUT,
                    "the body took too long",
                ));
            }
        };
        // Browsers send a POST again whose connection broke before the answer.
        if number_of(headers)?.is_some_and(|number| !stream.takes(number)) {
            return Ok(());
        }
        for message in messages(&text) {
            let message = text.slice_ref(message.as_bytes());
            self.take_one(&stream, message)?;
        }
        Ok(())
    }

    /// Unknown streams and wrong tokens are told the same.
    fn stream_of(&self, headers: &HeaderMap) -> Result<Arc<Stream>, Refusal> {
        let token = headers.get(TOKEN).and_then(|token| token.to_str().ok());
        let stream = token.and_then(|token| self.streams.with_token(token));
        stream.ok_or_else(|| {
            let text = "`Transports-Uplink` has to be the token of an open stream";
            refused(StatusCode::FORBIDDEN, text)
        })
    }

    fn take_one(&self, stream: &Arc<Stream>, bytes: Bytes) -> Result<(), Refusal> {
        if !stream.rate.lock().allows(Instant::now()) {
            hit("messages_per_second");
            let per_second = self.settings.messages_per_second;
            let error = format!("more than {per_second} messages a second");
            let reason = Ended::Flooded {
                error: error.clone(),
            };
            stream.end(reason, 1008, &error);
            return Err(refused(StatusCode::TOO_MANY_REQUESTS, error));
        }
        let frame = Frame {
            bytes,
            is_text: true,
        };
        let received = {
            let mut open = stream.connection.lock();
            let Some(connection) = &mut *open else {
                return Err(refused(StatusCode::FORBIDDEN, "the stream has ended"));
            };
            connection.active(SystemTime::now());
            connection.receive(&frame)
        };
        let Err(error) = received else {
            // The answer may be one that nothing else tells of.
            stream.wake();
            return Ok(());
        };
        use transports::server::ConnectionError as Error;
        let text = error.to_string();
        let (reason, status) = match error {
            Error::Malformed(_) => (Ended::Malformed { error: text }, StatusCode::BAD_REQUEST),
            Error::TooLarge { .. } | Error::TooManyNodes { .. } => (
                Ended::TooLarge { error: text },
                StatusCode::PAYLOAD_TOO_LARGE,
            ),
            Error::Overloaded { .. } => (Ended::Overloaded, StatusCode::TOO_MANY_REQUESTS),
            // The body of the stream says why.
            Error::Ended => return Err(refused(StatusCode::FORBIDDEN, text)),
            _ => (
                Ended::Failed { error: text },
                StatusCode::INTERNAL_SERVER_ERROR,
            ),
        };
        Err(ends(stream, reason, status))
    }
}

fn number_of(headers: &HeaderMap) -> Result<Option<u64>, Refusal> {
    let Some(number) = headers.get(NUMBER) else {
        return Ok(None);
    };
    let number = number.to_str().ok().and_then(|number| number.parse().ok());
    let text = "`Transports-Post` has to be a number";
    number
        .map(Some)
        .ok_or_else(|| refused(StatusCode::BAD_REQUEST, text))
}

fn ends(stream: &Stream, reason: Ended, status: StatusCode) -> Refusal {
    let text = reason.text().to_owned();
    stream.end(reason.clone(), code(&reason), &text);
    refused(status, text)
}

fn refused(status: StatusCode, text: impl Into<Cow<'static, str>>) -> Refusal {
    Refusal::new(status, "uplink", text)
}

enum Unread {
    TooLarge,
    Broken,
}

async fn read(mut body: Body, limit: usize) -> Result<Bytes, Unread> {
    let mut text = BytesMut::new();
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let Ok(frame) = frame else {
            return Err(Unread::Broken);
        };
        if let Ok(data) = frame.into_data() {
            if text.len() + data.len() > limit {
                return Err(Unread::TooLarge);
            }
            text.extend_from_slice(&data);
        }
    }
    Ok(text.freeze())
}

#[derive(Deserialize)]
struct Batch<'a> {
    #[serde(borrow)]
    t: Cow<'a, str>,
    #[serde(borrow)]
    msgs: Vec<&'a RawValue>,
}

/// The messages of a batch; or the one message that it is, well formed or not.
fn messages(text: &[u8]) -> Vec<&str> {
    match serde_json::from_slice::<Batch<'_>>(text) {
        Ok(batch) if batch.t == "batch" => batch.msgs.into_iter().map(RawValue::get).collect(),
        _ => str::from_utf8(text).map_or_else(|_| vec![], |text| vec![text]),
    }
}
