//! A connection of a client that breaks at any byte, is not read from for a while, or is dead without a word.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep, timeout};
use turmoil::net::TcpStream;

use super::stage::Stage;

pub(super) struct Line {
    io: TcpStream,
    /// The bytes until it breaks, each way.
    reads: usize,
    writes: usize,
    /// The bytes until nothing is read, and for how long then.
    pause: Option<(usize, Duration)>,
    /// When reading goes on, or the line counts as dead.
    timer: Pin<Box<Sleep>>,
    is_paused: bool,
}

/// After so long without a byte a line is dead. TCP and the pings of published clients need longer.
const PATIENCE: Duration = Duration::from_secs(3);

impl Line {
    /// Connects to the server.
    pub(super) async fn open(stage: &Stage) -> io::Result<Self> {
        let io = timeout(PATIENCE, TcpStream::connect(("server", 80))).await??;
        let mut line = Self {
            io,
            reads: usize::MAX,
            writes: usize::MAX,
            pause: None,
            timer: Box::pin(sleep(PATIENCE)),
            is_paused: false,
        };
        if stage.is_rough() {
            let mut random = stage.random.lock();
            match random.u32(0..5) {
                0 => line.reads = random.usize(..8_000),
                1 => line.writes = random.usize(..1_500),
                2 => {
                    let pause = Duration::from_millis(random.u64(..4_000));
                    line.pause = Some((random.usize(..8_000), pause));
                }
                _ => {}
            }
        }
        Ok(line)
    }

    fn wait(&mut self, time: Duration) {
        self.timer.as_mut().reset(Instant::now() + time);
    }
}

impl AsyncRead for Line {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if let Some((0, pause)) = this.pause {
            this.pause = None;
            this.is_paused = true;
            this.wait(pause);
        }
        if this.is_paused {
            ready!(this.timer.as_mut().poll(cx));
            this.is_paused = false;
            this.wait(PATIENCE);
        }
        if this.reads == 0 {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let mut bytes = [0; 4096];
        let until_pause = this.pause.map_or(usize::MAX, |(bytes, _)| bytes);
        let most = bytes.len().min(buffer.remaining());
        let most = most.min(this.reads).min(until_pause);
        let mut part = ReadBuf::new(&mut bytes[..most]);
        match Pin::new(&mut this.io).poll_read(cx, &mut part) {
            Poll::Ready(read) => read?,
            Poll::Pending => {
                ready!(this.timer.as_mut().poll(cx));
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
        let read = part.filled().len();
        buffer.put_slice(part.filled());
        this.reads -= read;
        if let Some((bytes, _)) = &mut this.pause {
            *bytes -= read;
        }
        this.wait(PATIENCE);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.writes == 0 {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let part = &bytes[..bytes.len().min(this.writes)];
        let written = ready!(Pin::new(&mut this.io).poll_write(cx, part))?;
        this.writes -= written;
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(cx)
    }
}
