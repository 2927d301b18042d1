//! A counter over TLS, without a reverse proxy: `cargo run -p tls -- CERTIFICATE.pem KEY.pem`, and clients connect to
//! `wss://localhost:8443/ws`.
#![expect(
    clippy::print_stdout,
    reason = "the address to connect to is this program's output"
)]

use std::error::Error;
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tls_listener::rustls::TlsAcceptor;
use tokio::net::TcpListener;
use tokio::time::interval;
use transports::session::Hosted;
use transports::{Server, Session, Synced};
use transports_adapters::{Serve, autosync, serve, sse, ws};

#[derive(Synced)]
struct Counter {
    count: i64,
    #[synced(read_only)]
    tick: u64,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let [certificates, key] = args.as_slice() else {
        eprintln!("usage: tls CERTIFICATES.pem KEY.pem");
        std::process::exit(2);
    };
    let certificates = CertificateDer::pem_file_iter(certificates)?.collect::<Result<_, _>>()?;
    let config = config(certificates, PrivateKeyDer::from_pem_file(key)?)?;
    let listener = TcpListener::bind("127.0.0.1:8443").await?;
    println!(
        "connect to wss://localhost:{}/ws",
        listener.local_addr()?.port()
    );
    over_tls(listener, config, app())
        .with_graceful_shutdown(async {
            // Without signals the program ends by other means.
            let _ = tokio::signal::ctrl_c().await;
        })
        .await?;
    Ok(())
}

fn config(
    certificates: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, rustls::Error> {
    let cryptography = rustls::crypto::ring::default_provider();
    ServerConfig::builder_with_provider(cryptography.into())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(certificates, key)
}

/// Serves an application over TLS. Handshakes run side by side, so that a slow one keeps nobody waiting.
fn over_tls(
    listener: TcpListener,
    config: ServerConfig,
    app: Router,
) -> Serve<impl axum::serve::Listener<Addr: Clone + Sync>> {
    let acceptor = TlsAcceptor::from(std::sync::Arc::new(config));
    let listener = tls_listener::builder(acceptor)
        .handshake_timeout(Duration::from_secs(10))
        .listen(listener)
        // Small frames must not wait for each other in the kernel.
        .tap_io(|io| drop(io.get_ref().0.set_nodelay(true)));
    serve(listener, app)
}

fn app() -> Router {
    let session = Session::new();
    let counter = session.host(Counter { count: 0, tick: 0 });
    let server = Server::new(session);
    tokio::spawn(autosync(server.clone()));
    tokio::spawn(tick(counter));
    Router::new()
        .route("/ws", ws(server.clone()))
        .route("/sse", sse(server))
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
