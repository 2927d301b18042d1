use axum::body::{Body, to_bytes};
use axum::http::Request;
use futures_util::StreamExt;
use std::future::IntoFuture;
use tower::ServiceExt;

use super::*;

/// The value of the series of this name and these labels.
async fn series(app: &Router, wanted: &str) -> f64 {
    let request = Request::get("/metrics").body(Body::empty()).unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    let text = String::from_utf8(body.to_vec()).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(wanted));
    let line = line.unwrap_or_else(|| panic!("no `{wanted}` in\n{text}"));
    line.trim().parse().unwrap()
}

#[tokio::test]
async fn prometheus_is_told_what_a_client_gets() {
    let app = app(recorder().unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, app.clone()).into_future());

    let (mut client, _) = tokio_tungstenite::connect_async(format!("ws://{address}/ws"))
        .await
        .unwrap();
    for _ in 0..2 {
        client.next().await.unwrap().unwrap();
    }
    let open = r#"transports_connections{transport="ws",codec="json"}"#;
    assert_eq!(series(&app, open).await, 1.0);
    assert!(series(&app, r#"transports_frames_total{dir="out"}"#).await >= 2.0);
    assert!(series(&app, "transports_patch_bytes_count").await >= 1.0);
    assert!(series(&app, "transports_snapshot_bytes_count").await >= 1.0);
}
