//! A server that tells Prometheus what it does, at `/metrics`: `cargo run -p metrics-example`.
#![expect(
    clippy::print_stdout,
    reason = "the address to open is this program's output"
)]

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
use tokio::time::interval;
use transports::session::Hosted;
use transports::{Server, Session, Synced};
use transports_adapters::{autosync, serve, sse, ws};

#[derive(Synced)]
struct Counter {
    tick: u64,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind("127.0.0.1:8000").await?;
    println!("open http://{}/metrics", listener.local_addr()?);
    let app = app(recorder()?);
    serve(listener, app)
        .with_graceful_shutdown(async { drop(tokio::signal::ctrl_c().await) })
        .await?;
    Ok(())
}

/// Records all metrics of this program. Without a recorder they cost next to nothing.
fn recorder() -> Result<PrometheusHandle, BuildError> {
    PrometheusBuilder::new().install_recorder()
}

/// Has to be called after the recorder was installed: what was counted before is lost.
fn app(metrics: PrometheusHandle) -> Router {
    let session = Session::new();
    let counter = session.host(Counter { tick: 0 });
    let server = Server::new(session);
    tokio::spawn(autosync(server.clone()));
    tokio::spawn(tick(counter));
    tokio::spawn(upkeep(metrics.clone()));
    Router::new()
        .route("/ws", ws(server.clone()))
        .route("/sse", sse(server))
        .route("/metrics", get(async move || metrics.render()))
}

/// Histograms are kept as they come until somebody looks, or this does.
async fn upkeep(metrics: PrometheusHandle) {
    let mut seconds = interval(Duration::from_secs(5));
    loop {
        seconds.tick().await;
        metrics.run_upkeep();
    }
}

async fn tick(counter: Hosted<Counter>) {
    let mut seconds = interval(Duration::from_secs(1));
    loop {
        seconds.tick().await;
        counter.write().tick += 1;
    }
}

#[cfg(test)]
mod tests;
