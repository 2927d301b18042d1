//! Server-Sent Events, and edits by POST where the server offers it.

use std::pin::Pin;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use rustls::ClientConfig;
use serde::Deserialize;
use sse_stream::{Sse, SseStream};

use super::{Address, Received, refused};
use crate::client::builder::Settings;
use crate::client::error::ClientError;

const TOKEN: &str = "transports-uplink";

type Stopped = sse_stream::Error;

pub(in crate::client) struct Events {
    events: Pin<Box<dyn Stream<Item = Result<Sse, Stopped>> + Send>>,
    client: reqwest::Client,
    url: String,
    headers: HeaderMap,
    /// What the server wants to see with each edit.
    token: Option<HeaderValue>,
    /// Whether anything came: the token comes before all else.
    pub(super) is_heard: bool,
}

/// What servers of ours say beside the messages.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Word {
    uplink: Option<String>,
    code: Option<u16>,
    reason: String,
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
        // Servers send a comment from time to time.
        let mut client = reqwest::Client::builder().read_timeout(settings.idle_timeout);
        if let Some(tls) = &address.tls {
            client = client.tls_backend_preconfigured(ClientConfig::clone(tls));
        }
        let client = client.build().map_err(unreachable)?;
        let response = client
            .get(url)
            .headers(headers.clone())
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
            client,
            url: address.url.clone(),
            headers,
            token: None,
            is_heard: false,
        })
    }

    pub(super) const fn sends(&self) -> bool {
        self.token.is_some()
    }

    #[expect(
        clippy::needless_pass_by_ref_mut,
        reason = "the events are not `Sync`, so a shared reference is not `Send`"
    )]
    pub(super) async fn send(&mut self, text: Bytes) -> Result<(), String> {
        let Some(token) = &self.token else {
            return Err("the server takes no edits here".to_owned());
        };
        let sent = self
            .client
            .post(&self.url)
            .headers(self.headers.clone())
            .header(TOKEN, token)
            .header(CONTENT_TYPE, "application/json")
            .body(text)
            .send()
            .await
            .and_then(reqwest::Response::error_for_status);
        sent.map(drop)
            .map_err(|error| error.without_url().to_string())
    }

    fn word(&mut self, data: &str) -> Received {
        let word: Word = serde_json::from_str(data).unwrap_or_default();
        if let Some(uplink) = word.uplink
            && let Ok(mut token) = HeaderValue::from_str(&uplink)
        {
            token.set_sensitive(true);
            self.token = Some(token);
        }
        match word.code {
            Some(code) => Received::Closed(Some((code, word.reason))),
            None => Received::Sign,
        }
    }

    pub(super) async fn receive(&mut self) -> Received {
        let received = self.events.next().await;
        self.is_heard = true;
        match received {
            Some(Ok(Sse {
                event: Some(name),
                data,
                ..
            })) if name == "transports" => self.word(&data.unwrap_or_default()),
            // Others with a name are the application's own.
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
