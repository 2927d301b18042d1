//! One connection to the server, whatever it is made of.

#[cfg(feature = "client-sse")]
mod events;

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use rustls::ClientConfig;
use rustls::crypto::CryptoProvider;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue, Uri};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Message, Utf8Bytes};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, client_async_tls_with_config};

use super::builder::Settings;
use super::error::ClientError;

/// A stream of bytes to a server.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A stream that will be open.
pub type Opening = Pin<Box<dyn Future<Output = io::Result<Box<dyn Stream>>> + Send>>;

/// Opens streams to servers: what is below TLS and WebSocket.
///
/// Functions are connectors, too:
///
/// ```
/// use tokio::net::UnixStream;
/// use transports_adapters::client::{Client, Stream};
///
/// let client = Client::builder("ws://localhost/ws").connector(|_host: &str, _port| async {
///     let stream = UnixStream::connect("/run/app.socket").await?;
///     Ok(Box::new(stream) as Box<dyn Stream>)
/// });
/// # drop(client);
/// ```
pub trait Connector: Send + Sync + 'static {
    /// Opens a stream.
    fn connect(&self, host: &str, port: u16) -> Opening;
}

impl<F, O> Connector for F
where
    F: Fn(&str, u16) -> O + Send + Sync + 'static,
    O: Future<Output = io::Result<Box<dyn Stream>>> + Send + 'static,
{
    fn connect(&self, host: &str, port: u16) -> Opening {
        Box::pin(self(host, port))
    }
}

/// Plain TCP.
pub(super) struct Tcp;

impl Connector for Tcp {
    fn connect(&self, host: &str, port: u16) -> Opening {
        let host = host.to_owned();
        Box::pin(async move {
            let stream = TcpStream::connect((host.as_str(), port)).await?;
            // Edits are small and wait for answers.
            stream.set_nodelay(true)?;
            Ok(Box::new(stream) as Box<dyn Stream>)
        })
    }
}

/// Where to connect to, and with which headers.
pub(super) struct Address {
    url: String,
    host: String,
    port: u16,
    events: bool,
    headers: Vec<(HeaderName, HeaderValue)>,
    tls: Option<Arc<ClientConfig>>,
}

impl Address {
    pub(super) fn new(
        url: &str,
        headers: &[(String, String)],
        tls: Option<Arc<ClientConfig>>,
    ) -> Result<Self, ClientError> {
        let wrong = |reason: String| ClientError::Url {
            url: shown(url).to_owned(),
            reason,
        };
        let url_without_fragment = url.split('#').next().unwrap_or_default();
        let uri: Uri = url_without_fragment
            .parse()
            .map_err(|error: tungstenite::http::uri::InvalidUri| wrong(error.to_string()))?;
        let (port, events) = match uri.scheme_str() {
            Some("ws") => (80, false),
            Some("wss") => (443, false),
            Some("http") => (80, true),
            Some("https") => (443, true),
            _ => return Err(wrong("it has to begin with `ws://` or `wss://`".to_owned())),
        };
        if events && cfg!(not(feature = "client-sse")) {
            return Err(wrong(
                "Server-Sent Events need the feature `client-sse`; WebSocket URLs begin with `ws://` or `wss://`".to_owned(),
            ));
        }
        let host = uri
            .host()
            .ok_or_else(|| wrong("it names no host".to_owned()))?;
        let headers = headers
            .iter()
            .map(|(name, value)| header(name, value))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            url: url_without_fragment.to_owned(),
            // A literal IPv6 address stands in brackets in URLs only.
            host: host
                .trim_start_matches('[')
                .trim_end_matches(']')
                .to_owned(),
            port: uri.port_u16().unwrap_or(port),
            events,
            headers,
            tls,
        })
    }

    pub(super) const fn is_events(&self) -> bool {
        self.events
    }

    fn with(&self, query: &str) -> String {
        let joint = if self.url.contains('?') { '&' } else { '?' };
        format!("{}{joint}{query}&batch=1", self.url)
    }
}

/// A URL without what may be secret in it.
fn shown(url: &str) -> &str {
    url.split('?').next().unwrap_or_default()
}

fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), ClientError> {
    let wrong = |reason: String| ClientError::Header {
        name: name.to_owned(),
        reason,
    };
    let mut value = HeaderValue::from_str(value).map_err(|error| wrong(error.to_string()))?;
    value.set_sensitive(true);
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| wrong(error.to_string()))?;
    Ok((name, value))
}

/// What came over a connection.
pub(super) enum Received {
    Frame(Bytes),
    /// The server is there, and says nothing.
    Sign,
    /// The server ended the connection, with its code and reason if it gave any.
    Closed(Option<(u16, String)>),
    Failed(String),
}

pub(super) enum Link {
    WebSocket(Box<WebSocketStream<MaybeTlsStream<Box<dyn Stream>>>>),
    #[cfg(feature = "client-sse")]
    Events(events::Events),
}

/// The library's own is 128 kB, allocated at once.
const READ_BUFFER: usize = 16 << 10;

impl Link {
    pub(super) async fn open(
        address: &Address,
        query: &str,
        connector: &dyn Connector,
        settings: &Settings,
    ) -> Result<Self, ClientError> {
        choose_cryptography();
        let url = address.with(query);
        #[cfg(feature = "client-sse")]
        if address.events {
            return events::Events::open(&url, address, settings)
                .await
                .map(Self::Events);
        }
        let mut request = url
            .into_client_request()
            .map_err(|error| refusal(address, error))?;
        request
            .headers_mut()
            .extend(address.headers.iter().cloned());
        let stream = connector
            .connect(&address.host, address.port)
            .await
            .map_err(|error| ClientError::Unreachable {
                reason: error.to_string(),
            })?;
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_message_size(Some(settings.frame_bytes))
            .max_frame_size(Some(settings.frame_bytes));
        let tls = address
            .tls
            .clone()
            .map(tokio_tungstenite::Connector::Rustls);
        let (stream, _) = client_async_tls_with_config(request, stream, Some(config), tls)
            .await
            .map_err(|error| refusal(address, error))?;
        Ok(Self::WebSocket(Box::new(stream)))
    }

    /// The next thing that comes. Nothing is lost when the future is dropped.
    pub(super) async fn receive(&mut self) -> Received {
        match self {
            Self::WebSocket(stream) => match stream.next().await {
                Some(Ok(Message::Text(text))) => Received::Frame(text.into()),
                Some(Ok(Message::Binary(bytes))) => Received::Frame(bytes),
                Some(Ok(Message::Close(frame))) => Received::Closed(
                    frame.map(|frame| (frame.code.into(), frame.reason.as_str().to_owned())),
                ),
                Some(Ok(_)) => Received::Sign,
                Some(Err(error)) => Received::Failed(error.to_string()),
                None => Received::Closed(None),
            },
            #[cfg(feature = "client-sse")]
            Self::Events(events) => events.receive().await,
        }
    }

    /// Whether it is clear by now whether edits can be sent.
    pub(super) const fn is_settled(&self) -> bool {
        match self {
            Self::WebSocket(_) => true,
            #[cfg(feature = "client-sse")]
            Self::Events(events) => events.is_heard,
        }
    }

    /// Whether edits can be sent.
    pub(super) const fn sends(&self) -> bool {
        match self {
            Self::WebSocket(_) => true,
            #[cfg(feature = "client-sse")]
            Self::Events(events) => events.sends(),
        }
    }

    pub(super) async fn send(&mut self, bytes: Bytes, is_text: bool) -> Result<(), String> {
        let stream = match self {
            Self::WebSocket(stream) => stream,
            #[cfg(feature = "client-sse")]
            Self::Events(events) => return events.send(bytes).await,
        };
        let message = if is_text {
            let text = Utf8Bytes::try_from(bytes).map_err(|error| error.to_string())?;
            Message::Text(text)
        } else {
            Message::Binary(bytes)
        };
        stream
            .send(message)
            .await
            .map_err(|error| error.to_string())
    }

    /// Asks for a sign of life; tells whether that can be done.
    pub(super) async fn ask(&mut self) -> bool {
        match self {
            Self::WebSocket(stream) => stream.send(Message::Ping(Bytes::new())).await.is_ok(),
            #[cfg(feature = "client-sse")]
            Self::Events(_) => false,
        }
    }

    /// Says goodbye. The other side may be gone already.
    pub(super) async fn close(&mut self) {
        match self {
            Self::WebSocket(stream) => {
                let (code, reason) = (CloseCode::Normal, Utf8Bytes::default());
                let _ = WebSocketStream::close(stream, Some(CloseFrame { code, reason })).await;
            }
            #[cfg(feature = "client-sse")]
            Self::Events(_) => {}
        }
    }
}

/// TLS needs somebody to say whose cryptography is used, for the whole process. The application may have said so.
fn choose_cryptography() {
    if CryptoProvider::get_default().is_none() {
        // Fails if another thread was faster, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

/// Bytes of the server's words that go into an error.
const WORDS: usize = 1 << 10;

fn refused(status: u16, body: &[u8]) -> ClientError {
    let body = body.get(..WORDS).unwrap_or(body);
    ClientError::Refused {
        status,
        body: String::from_utf8_lossy(body).trim().to_owned(),
    }
}

fn refusal(address: &Address, error: tungstenite::Error) -> ClientError {
    match error {
        tungstenite::Error::Http(response) => refused(
            response.status().as_u16(),
            response.body().as_deref().unwrap_or_default(),
        ),
        tungstenite::Error::Url(error) => ClientError::Url {
            url: shown(&address.url).to_owned(),
            reason: error.to_string(),
        },
        error => ClientError::Unreachable {
            reason: error.to_string(),
        },
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").finish_non_exhaustive()
    }
}
