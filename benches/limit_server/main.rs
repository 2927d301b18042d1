//! What the server under load is compared with. All know the one model they serve, encode each patch once, and flush at
//! the pace of `bench_server`; they differ in how a patch gets to the sockets.
//!
//! `cargo run --release -p benches --bin limit_server -- --port 8000 --rows 1000 --kind raw`
//!
//! - `raw`: one buffer with the frame header in it is written to every socket. Answers no ping, reads nothing after the
//!   handshake: what no correct server can do without.
//! - `axum`: axum's `ws` and `Sse` as they come, a `tokio::sync::broadcast` in front.
//! - `axum-tuned`: the same with a WebSocket's buffers as small as they can be.
#![expect(clippy::print_stdout, reason = "the address is this program's output")]

mod library;
mod raw;

use std::error::Error;
use std::sync::Arc;

use benches::serving::{Control, FLUSH, Wire, flags};
use bytes::Bytes;
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let flags = flags(&["port", "rows", "kind"], &[])?;
    let number = |name| flags.get(name).map_or(Ok(0), |value| value.parse::<u32>());
    let (port, rows) = (u16::try_from(number("port")?)?, number("rows")? as usize);
    rlimit::increase_nofile_limit(u64::MAX)?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("http://{}", listener.local_addr()?);
    match flags.get("kind").map_or("raw", String::as_str) {
        "raw" => raw::serve(listener, rows).await?,
        "axum" => library::serve(listener, rows, false).await?,
        "axum-tuned" => library::serve(listener, rows, true).await?,
        other => return Err(format!("no such kind: {other}").into()),
    }
    Ok(())
}

/// The model, and where its patches go.
struct Source<S> {
    wire: Mutex<Wire>,
    changed: Notify,
    sink: S,
}

/// Takes patches to all who have joined it.
trait Sink: Send + Sync + 'static {
    fn send(&self, patch: Bytes);
}

impl<S: Sink> Source<S> {
    fn new(rows: usize, sink: S) -> Arc<Self> {
        let source = Arc::new(Self {
            wire: Mutex::new(Wire::new(rows)),
            changed: Notify::new(),
            sink,
        });
        tokio::spawn(Arc::clone(&source).flush());
        source
    }

    fn control(self: &Arc<Self>) -> Control {
        let source = Arc::clone(self);
        Control::new(move |ts| {
            source.wire.lock().change(ts);
            source.changed.notify_one();
        })
    }

    /// Lets somebody join who is told of all that comes after the snapshot.
    fn join<T>(&self, join: impl FnOnce(&S, Bytes) -> T) -> T {
        let mut wire = self.wire.lock();
        if let Some(patch) = wire.patch() {
            self.sink.send(patch);
        }
        let snapshot = wire.snapshot();
        join(&self.sink, snapshot)
    }

    async fn flush(self: Arc<Self>) {
        loop {
            self.changed.notified().await;
            let started = Instant::now();
            {
                let mut wire = self.wire.lock();
                if let Some(patch) = wire.patch() {
                    self.sink.send(patch);
                }
            }
            sleep_until(started + FLUSH).await;
        }
    }
}
