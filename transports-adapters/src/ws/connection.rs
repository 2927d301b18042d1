//! One client, from the first frame to the last.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Sleep, sleep};
use transports::server::Connection;

use super::WebSocketSettings;
use super::close::Ending;
use super::metrics::Traffic;
use super::socket::{Incoming, Socket};
use super::write::Kind;
use crate::rate::Rate;
use crate::shutdown::ShutdownWatch;

/// Moves frames until either side has enough, and says why it was that.
pub(super) async fn run<S>(
    connection: &mut Connection,
    socket: &mut Socket<S>,
    settings: &WebSocketSettings,
    shutdown: &mut Option<ShutdownWatch>,
) -> Ending
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let shutdown = async {
        match shutdown {
            Some(shutdown) => shutdown.begun().await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(shutdown);
    // The one timer of a connection. It is not set anew whenever something happens: when it fires, it is looked up what
    // has happened since.
    let timer = sleep(settings.ping_interval);
    tokio::pin!(timer);
    let mut rate = Rate::new(settings.messages_per_second, settings.message_burst);
    let traffic = Traffic::new();

    loop {
        tokio::select! {
            // What is ready goes out before anything more is read: a client that does not listen is not heard.
            biased;
            frame = connection.next() => {
                let Some(frame) = frame else {
                    return Ending::Failed("a message cannot be encoded".to_owned());
                };
                traffic.sent(&frame);
                socket.push(frame);
                fill(connection, socket, &traffic);
            }
            received = poll_fn(|cx| socket.poll_receive(cx)) => {
                let incoming = match received {
                    Ok(incoming) => incoming,
                    Err(ending) => return ending,
                };
                if !rate.allows(socket.heard) {
                    let per_second = settings.messages_per_second;
                    return Ending::TooMany { per_second };
                }
                match incoming {
                    Incoming::Message(frame) => {
                        traffic.received(&frame);
                        if let Err(error) = connection.receive(&frame) {
                            return error.into();
                        }
                    }
                    Incoming::Control => {}
                    Incoming::Close => return Ending::Client,
                }
            }
            () = &mut timer => {
                let quiet = socket.heard.elapsed();
                if quiet < settings.ping_interval {
                    timer.as_mut().reset(socket.heard + settings.ping_interval);
                } else if socket.is_heard {
                    // Set again by whatever comes.
                    socket.is_heard = false;
                    socket.out.push(Kind::Ping, bytes::Bytes::new());
                    timer.as_mut().reset(Instant::now() + settings.pong_timeout);
                } else {
                    return Ending::Silent { seconds: settings.pong_timeout.as_secs_f64() };
                }
            }
            retry_ms = &mut shutdown => {
                // What is due goes out. What becomes due meanwhile is for the next life.
                fill(connection, socket, &traffic);
                return match write(socket, timer.as_mut(), settings.write_timeout).await {
                    Ok(()) => Ending::Shutdown { retry_ms },
                    Err(ending) => ending,
                };
            }
        }
        if !socket.out.is_empty()
            && let Err(ending) = write(socket, timer.as_mut(), settings.write_timeout).await
        {
            return ending;
        }
    }
}

/// Queues what is ready for the same write.
fn fill<S>(connection: &mut Connection, socket: &mut Socket<S>, traffic: &Traffic)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    while socket.out.has_room()
        && let Some(frame) = connection.try_next()
    {
        traffic.sent(&frame);
        socket.push(frame);
    }
}

/// Writes what is queued, for as long as the client takes in anything at all within `patience`.
async fn write<S>(
    socket: &mut Socket<S>,
    mut timer: Pin<&mut Sleep>,
    patience: Duration,
) -> Result<(), Ending>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    // Nearly always the kernel takes it all, and no timer is touched.
    let tried = poll_fn(|cx| Poll::Ready(socket.poll_write(cx))).await;
    if let Poll::Ready(written) = tried {
        return written.map_err(|_| Ending::Lost);
    }
    let due = timer.deadline();
    let mut progress = Instant::now();
    timer.as_mut().reset(progress + patience);
    loop {
        tokio::select! {
            biased;
            written = poll_fn(|cx| {
                let before = socket.out.total();
                let polled = socket.poll_write(cx);
                if socket.out.total() != before {
                    progress = Instant::now();
                }
                polled
            }) => {
                timer.reset(due);
                return written.map_err(|_| Ending::Lost);
            }
            () = &mut timer => {
                if progress.elapsed() >= patience {
                    return Err(Ending::Stuck { seconds: patience.as_secs_f64() });
                }
                timer.as_mut().reset(progress + patience);
            }
        }
    }
}
