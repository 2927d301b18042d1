//! Server-Sent Events: one way.

use std::pin::Pin;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use reqwest::header::{ACCEPT, HeaderMap};
use sse_stream::{Sse, SseStream};

use super::{Address, Received, refused};
use crate::client::builder::Settings;
use crate::client::error::ClientError;

type Stopped = sse_stream::Error;

pub(in crate::client) struct Events {
    events: Pin<Box<dyn Stream<Item = Result<Sse, Stopped>> + Send>>,
}

impl Events {
    pub(super) async fn open(
        url: &str,
        address: &Address,
        settings: &Settings,
    ) -> Result<Self, ClientError> {
        let unreachable = |error: reqwest::Error| ClientError::Unreachable {
            // Not the URL: its query may hold secrets.
            reason: error.without_url().to_string(),
        };
        let headers: HeaderMap = address.headers.iter().cloned().collect();
        let client = reqwest::Client::builder()
            // Servers send a comment from time to time.
            .read_timeout(settings.idle_timeout)
            .build()
            .map_err(unreachable)?;
        let response = client
            .get(url)
            .headers(headers)
            .header(ACCEPT, "text/event-stream")
            .send()
            .await
            .map_err(unreachable)?;
        let status = response.status();
        if !status.is_success() {
            let body = response.bytes().await.unwrap_or_default();
            return Err(refused(status.as_u16(), &body));
        }
        let events = SseStream::from_bytes_stream(response.bytes_stream());
        Ok(Self {
            events: Box::pin(events),
        })
    }

    pub(super) async fn receive(&mut self) -> Received {
        match self.events.next().await {
            // Events with a name are the application's own.
            Some(Ok(Sse {
                event: Some(name), ..
            })) if name != "message" => Received::Sign,
            Some(Ok(Sse {
                data: Some(data), ..
            })) => Received::Frame(Bytes::from(data)),
            Some(Ok(_)) => Received::Sign,
            Some(Err(error)) => Received::Failed(error.to_string()),
            None => Received::Closed(None),
        }
    }
}
