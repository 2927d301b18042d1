use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use transports::{Op, Path, Value};
use transports_adapters::client::{Client, ClientError};

use super::*;

/// A server with a certificate that only clients of this configuration trust.
async fn start() -> (u16, ClientConfig) {
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
    let server = config(vec![own.cert.der().clone()], key).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { over_tls(listener, server, app()).await });

    let mut roots = RootCertStore::empty();
    roots.add(own.cert.der().clone()).unwrap();
    let cryptography = Arc::new(rustls::crypto::ring::default_provider());
    let client = ClientConfig::builder_with_provider(cryptography)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    (port, client)
}

#[tokio::test]
async fn clients_edit_over_tls_by_both_transports() {
    let (port, tls) = start().await;
    // Somebody who begins a handshake and does not go on keeps nobody waiting.
    let mut slow = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    slow.write_all(b"\x16\x03\x01").await.unwrap();
    for url in [
        format!("wss://localhost:{port}/ws"),
        format!("https://localhost:{port}/sse"),
    ] {
        let client = Client::builder(&url)
            .tls(tls.clone())
            .connect()
            .await
            .unwrap();
        let path = Path::from_iter(["count".into()]);
        let value = Value::from(7);
        let edit = client.propose(1, vec![Op::Set { path, value }]);
        timeout(Duration::from_secs(10), edit)
            .await
            .unwrap()
            .unwrap();
    }
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_is_not_spoken_to() {
    let (port, _) = start().await;
    let refused = Client::connect(&format!("wss://localhost:{port}/ws")).await;
    assert!(
        matches!(refused, Err(ClientError::Unreachable { .. })),
        "{refused:?}"
    );
}
