//! How connections end.

use std::future::poll_fn;

use bytes::{BufMut, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use transports::server::Ended;

use super::WebSocketSettings;
use super::socket::{Incoming, Socket};
use super::write::Kind;
use crate::shutdown;

/// What the close frame says: a code (RFC 6455, 7.4, and the registry it opened) and a reason. None if the client's own was
/// answered already, or nobody is there to hear it.
fn said(ended: &Ended, settings: &WebSocketSettings) -> Option<(u16, String)> {
    let code = match ended {
        Ended::Left | Ended::Lost => return None,
        Ended::Protocol { .. } => 1002,
        Ended::Malformed { .. } => 1007,
        Ended::Overloaded | Ended::Flooded { .. } | Ended::Removed { .. } => 1008,
        Ended::TooLarge { .. } => 1009,
        Ended::Unauthorized { .. } => 3000,
        Ended::Shutdown { .. } => 1012,
        Ended::Slow => 1013,
        _ => 1011,
    };
    let text = match ended {
        Ended::Slow => format!(
            "read nothing for {} s",
            settings.write_timeout.as_secs_f64()
        ),
        Ended::Silent => format!("no pong within {} s", settings.pong_timeout.as_secs_f64()),
        Ended::Shutdown { reason } => {
            let retry = format!(", retry in {} ms", shutdown::retry_ms());
            cut(reason, REASON - retry.len()).to_owned() + &retry
        }
        _ => cut(ended.text(), REASON).to_owned(),
    };
    Some((code, text))
}

/// The reason in a close frame has room for so many bytes (RFC 6455, 5.5).
const REASON: usize = 123;

fn cut(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes))
        .unwrap_or_default()
}

/// Whether the client's frames can still be told apart.
fn is_readable(ended: &Ended) -> bool {
    !matches!(
        ended,
        Ended::Protocol { .. }
            | Ended::TooLarge { .. }
            | Ended::Malformed { .. }
            | Ended::Flooded { .. }
    )
}

fn payload(code: u16, reason: &str) -> Bytes {
    let mut payload = BytesMut::with_capacity(2 + reason.len());
    payload.put_u16(code);
    payload.put_slice(reason.as_bytes());
    payload.freeze()
}

/// Says why, and leaves.
///
/// A socket that is dropped while there is something to read is reset, and what was just written may never be seen. So
/// what the client still sends is read, within bounds, until it has answered or is gone.
pub(super) async fn close<S>(mut socket: Socket<S>, ended: &Ended, settings: &WebSocketSettings)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    if matches!(ended, Ended::Lost) {
        return;
    }
    // If something is left, the client does not take it, or is not to have it.
    if matches!(
        ended,
        Ended::Slow | Ended::Removed { .. } | Ended::Unauthorized { .. } | Ended::Shutdown { .. }
    ) {
        socket.out.abandon();
    }
    if let Some((code, reason)) = said(ended, settings) {
        tracing::debug!(code, reason, "a connection is closed");
        socket.out.push(Kind::Close, payload(code, &reason));
    }
    // Whether it went well makes no difference any more.
    let _ = timeout(settings.close_timeout, async {
        poll_fn(|cx| socket.poll_write(cx)).await?;
        let mut left = settings.close_bytes;
        let mut is_answered = matches!(ended, Ended::Left);
        if !is_answered && is_readable(ended) {
            is_answered = answer(&mut socket, &mut left).await;
        }
        poll_fn(|cx| socket.poll_shutdown(cx)).await?;
        while !is_answered && left > 0 {
            let read = poll_fn(|cx| socket.poll_discard(cx)).await?;
            is_answered = read == 0;
            left = left.saturating_sub(read);
        }
        std::io::Result::Ok(())
    })
    .await;
}

/// Waits for the client's close frame; false if it cannot come any more.
async fn answer<S>(socket: &mut Socket<S>, left: &mut usize) -> bool
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        match poll_fn(|cx| socket.poll_receive(cx)).await {
            Ok(Incoming::Close) | Err(Ended::Lost) => return true,
            Ok(Incoming::Message(frame)) if frame.bytes.len() < *left => {
                *left -= frame.bytes.len();
            }
            Ok(Incoming::Control) if *left > 0 => *left -= 1,
            _ => return false,
        }
        // Nothing may follow a close frame, so pings stay without an answer.
        socket.out.abandon();
    }
}
