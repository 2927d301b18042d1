//! The Autobahn cases against an echo that stands on the same handshake, reader, writer and goodbyes as the adapter.

use std::collections::BTreeMap;
use std::env;
use std::future::poll_fn;
use std::path::Path;

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::process::Command;
use transports::server::Ended;

use super::WebSocketSettings;
use super::close::close;
use super::socket::{Incoming, Socket};
use super::upgrade::handshake;

async fn echo(request: Request) -> Response {
    let (mut request, _) = request.into_parts();
    let handshake = match handshake(&mut request, &[]) {
        Ok(handshake) => handshake,
        Err(refusal) => return refusal.into_response(),
    };
    let on_upgrade = handshake.on_upgrade;
    tokio::spawn(async move {
        let io = TokioIo::new(on_upgrade.await.unwrap());
        let mut socket = Socket::new(io, &[], 16 << 20);
        let ended = repeat(&mut socket).await;
        close(socket, &ended, &WebSocketSettings::default()).await;
    });
    handshake.response
}

async fn repeat(socket: &mut Socket<TokioIo<hyper::upgrade::Upgraded>>) -> Ended {
    loop {
        match poll_fn(|cx| socket.poll_receive(cx)).await {
            Ok(Incoming::Message(frame)) => socket.push(frame),
            Ok(Incoming::Control) => {}
            Ok(Incoming::Close) => return Ended::Left,
            Err(ended) => return ended,
        }
        if poll_fn(|cx| socket.poll_write(cx)).await.is_err() {
            return Ended::Lost;
        }
    }
}

/// All but chapters 12 and 13, which are about compression.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the package kosoku: scripts/test installs and runs it"]
async fn autobahn() {
    let python = env::var("TEST_PYTHON").expect("TEST_PYTHON names a Python that has kosoku");
    let reports = env::temp_dir().join(format!("autobahn-{}", std::process::id()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = Router::new().route("/", any(echo));
    tokio::spawn(async move { axum::serve(listener, app).await });

    // Says by its status whether compression works, too: what counts is the report.
    let run = Command::new(Path::new(&python).with_file_name("kosoku"))
        .args(["-m", "fuzzingclient", "-x", "12.*", "-x", "13.*", "-o"])
        .arg(&reports)
        .arg(format!("ws://{address}/"))
        .output()
        .await
        .unwrap();
    let report = std::fs::read(reports.join("index.json"))
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&run.stderr)));
    std::fs::remove_dir_all(&reports).unwrap();

    let report: BTreeMap<String, BTreeMap<String, Value>> =
        serde_json::from_slice(&report).unwrap();
    let cases: Vec<_> = report.values().flatten().collect();
    let failed: Vec<_> = cases
        .iter()
        .filter(|(_, case)| {
            let is_fine = |of: &str| {
                matches!(
                    case[of].as_str(),
                    Some("OK" | "NON-STRICT" | "INFORMATIONAL")
                )
            };
            !(is_fine("behavior") && is_fine("behaviorClose"))
        })
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert_eq!(cases.len(), 301);
}
