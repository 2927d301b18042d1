//! The server under load: what a user would write, and the routes by which it is told to change its model.
//!
//! `cargo run --release -p benches --bin bench_server -- --port 8000 --rows 1000`; with `--recorder` it keeps metrics, as
//! servers do that are looked after.
#![expect(clippy::print_stdout, reason = "the address is this program's output")]

use std::error::Error;

use axum::Router;
use axum::serve::ListenerExt as _;
use benches::serving::{Board, Control, FLUSH, flags};
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::net::TcpListener;
use transports::{Server, Session};
use transports_adapters::{autosync_every, sse, ws};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let flags = flags(&["port", "rows"], &["recorder"])?;
    let number = |name| flags.get(name).map_or(Ok(0), |value| value.parse::<u32>());
    let (port, rows) = (u16::try_from(number("port")?)?, number("rows")? as usize);
    rlimit::increase_nofile_limit(u64::MAX)?;
    if flags.contains_key("recorder") {
        PrometheusBuilder::new().install_recorder()?;
    }

    let session = Session::new();
    let board = session.host(Board::new(rows));
    let server = Server::new(session);
    tokio::spawn(autosync_every(server.clone(), FLUSH));
    let control = Control::new(move |ts| board.write().change(ts));
    let app: Router = control
        .routes()
        .route("/ws", ws(server.clone()))
        .route("/sse", sse(server));

    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("http://{}", listener.local_addr()?);
    let listener = listener.tap_io(|socket| {
        // A socket that is gone by now is found out by whoever uses it.
        let _ = socket.set_nodelay(true);
    });
    axum::serve(listener, app.into_make_service()).await?;
    Ok(())
}
