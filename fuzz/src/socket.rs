//! What a client sends after the handshake: bytes, of which the frames of WebSocket are made.

use std::cell::RefCell;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use transports::server::{Opening, Peer};
use transports::{Server, Session};
use transports_adapters::WebSocket;

use crate::world::World;

thread_local! {
    static RUNTIME: RefCell<Option<Runtime>> = const { RefCell::new(None) };
}

/// Whatever comes, in whatever pieces, the connection ends, and what is sent are frames to the last.
///
/// The first byte says how the rest is cut into pieces.
pub fn socket(data: &[u8]) {
    let Some((piece, bytes)) = data.split_first() else {
        return;
    };
    RUNTIME.with_borrow_mut(|runtime| {
        let runtime = runtime.get_or_insert_with(|| {
            let runtime = Builder::new_current_thread()
                .enable_time()
                .start_paused(true)
                .build();
            runtime.expect("a runtime needs nothing here")
        });
        runtime.block_on(talk(usize::from(*piece).max(1), bytes));
    });
}

async fn talk(piece: usize, bytes: &[u8]) {
    let session = Session::new();
    session.host(World::new());
    let server = Server::new(session);
    let connection = server
        .open_for(&Opening::default(), Peer::by("ws"))
        .expect("there is no reason to refuse");
    let (mut client, theirs) = duplex(1 << 20);
    let live = WebSocket::new(server.clone());
    let served = tokio::spawn(async move { live.serve(connection, theirs).await });
    for piece in bytes.chunks(piece) {
        if client.write_all(piece).await.is_err() {
            break;
        }
        tokio::task::yield_now().await;
    }
    // Without a close frame that is the end, too.
    let _ = client.shutdown().await;
    let mut answer = Vec::new();
    let read = timeout(Duration::from_secs(60), client.read_to_end(&mut answer)).await;
    assert!(read.is_ok(), "the connection ends");
    served.await.expect("it does not panic");
    assert_eq!(server.stats().connections, 0);
    let mut rest = &answer[..];
    while !rest.is_empty() {
        rest = after_frame(rest).expect("frames, and nothing but frames");
    }
}

/// What follows the first frame.
fn after_frame(bytes: &[u8]) -> Option<&[u8]> {
    let (&[first, len], rest) = bytes.split_first_chunk()?;
    assert!(
        matches!(first, 0x81 | 0x82 | 0x88 | 0x89 | 0x8a),
        "{first:x}"
    );
    let (len, rest) = match len {
        126 => {
            let (len, rest) = rest.split_first_chunk()?;
            (u64::from(u16::from_be_bytes(*len)), rest)
        }
        127 => {
            let (len, rest) = rest.split_first_chunk()?;
            (u64::from_be_bytes(*len), rest)
        }
        // A mask would set the highest bit.
        len => (u64::from(len), rest),
    };
    rest.get(usize::try_from(len).ok()?..)
}
