use std::io;

use axum::serve::Listener;
use futures_util::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Message, protocol::Role};
use transports::server::{Opening, Peer};
use transports::session::Hosted;
use transports::{Server, Session, Synced};
use transports_adapters::WebSocket;

#[derive(Synced, Debug)]
pub(crate) struct Counter {
    pub(crate) n: i64,
    pub(crate) label: String,
}

pub(crate) fn counter() -> (Server, Hosted<Counter>) {
    let session = Session::new();
    let counter = session.host(Counter {
        n: 0,
        label: "up".into(),
    });
    (Server::new(session), counter)
}

pub(crate) fn sync(server: &Server) {
    let report = server.session().sync();
    assert!(report.faults.is_empty(), "{report:?}");
}

/// The client's end of a connection after the handshake, as bytes.
pub(crate) struct Raw {
    pub(crate) io: DuplexStream,
    pub(crate) served: JoinHandle<()>,
}

/// Connects over a stream that holds `buffer` bytes each way.
pub(crate) fn raw(live: &WebSocket, server: &Server, buffer: usize) -> Raw {
    let (io, theirs) = duplex(buffer);
    let connection = server
        .open_for(&Opening::default(), Peer::by("ws"))
        .unwrap();
    let live = live.clone();
    let served = tokio::spawn(async move { live.serve(connection, theirs).await });
    Raw { io, served }
}

impl Raw {
    pub(crate) async fn client(self) -> WebSocketStream<DuplexStream> {
        WebSocketStream::from_raw_socket(self.io, Role::Client, None).await
    }

    /// The next frame of the server: its first byte and its payload.
    pub(crate) async fn frame(&mut self) -> io::Result<(u8, Vec<u8>)> {
        let first = self.io.read_u8().await?;
        let len = match self.io.read_u8().await? {
            126 => self.io.read_u16().await?.into(),
            127 => self.io.read_u64().await?,
            len => len.into(),
        };
        let mut payload = vec![0; usize::try_from(len).unwrap()];
        self.io.read_exact(&mut payload).await?;
        Ok((first, payload))
    }

    /// The code and the reason of the next frame, which is the last one.
    pub(crate) async fn closed(&mut self) -> (u16, String) {
        let (first, payload) = self.frame().await.unwrap();
        assert_eq!(first, 0x88, "{}", String::from_utf8_lossy(&payload));
        let (code, reason) = payload.split_at(2);
        let code = u16::from_be_bytes(code.try_into().unwrap());
        (code, String::from_utf8(reason.to_vec()).unwrap())
    }

    pub(crate) async fn send(&mut self, first: u8, payload: &[u8]) {
        self.io.write_all(&framed(first, payload)).await.unwrap();
    }
}

/// A frame of a client. Its mask is zero, so that the payload is what it is.
pub(crate) fn framed(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        len @ 0..=125 => frame.push(0x80 | u8::try_from(len).unwrap()),
        len @ 126..=0xffff => {
            frame.push(0x80 | 126);
            frame.extend(u16::try_from(len).unwrap().to_be_bytes());
        }
        len => {
            frame.push(0x80 | 127);
            frame.extend((len as u64).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

pub(crate) fn edit(n: i64) -> String {
    format!(
        r#"{{"t":"patch","id":1,"patch":{{"rev":0,"ops":[{{"Set":{{"path":[{{"Key":"n"}}],"value":{{"Int":{n}}}}}}}]}}}}"#
    )
}

/// Reads up to the close frame; its code and reason.
pub(crate) async fn close_of<S>(client: &mut WebSocketStream<S>) -> (u16, String)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    loop {
        match client.next().await.unwrap().unwrap() {
            Message::Close(Some(frame)) => return (frame.code.into(), frame.reason.to_string()),
            Message::Close(None) => panic!("a close frame without a code"),
            _ => {}
        }
    }
}

/// A listener on nothing, for clients in the same program.
pub(crate) struct Wire(mpsc::UnboundedReceiver<DuplexStream>);

#[derive(Clone)]
pub(crate) struct Dial(mpsc::UnboundedSender<DuplexStream>);

pub(crate) fn wire() -> (Dial, Wire) {
    let (dial, wire) = mpsc::unbounded_channel();
    (Dial(dial), Wire(wire))
}

impl Dial {
    pub(crate) fn connect(&self) -> DuplexStream {
        let (ours, theirs) = duplex(64 << 10);
        self.0.send(theirs).unwrap();
        ours
    }
}

impl Listener for Wire {
    type Io = DuplexStream;
    type Addr = &'static str;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.0.recv().await {
            Some(io) => (io, "a client"),
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok("a wire")
    }
}
