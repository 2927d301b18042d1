use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpListener;
use tokio_tungstenite::connect_async;
use tower::ServiceExt;

use super::{app, port};

async fn get(app: &Router, path: &str) -> (String, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let kind = response.headers()["content-type"].to_str().unwrap().into();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (kind, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn the_page_loads_its_module() {
    let app = app();
    let (kind, page) = get(&app, "/").await;
    assert!(kind.starts_with("text/html"), "{kind}");
    assert!(page.contains("/client.js"));
    let (kind, module) = get(&app, "/client.js").await;
    assert!(kind.starts_with("text/javascript"), "{kind}");
    assert!(module.contains("as connect"));
}

#[tokio::test]
async fn becoming_tick_brightens_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, app()).await });

    let (mut socket, _) = connect_async(format!("ws://{address}/ws")).await.unwrap();
    let opening = socket.next().await.unwrap().unwrap().into_text().unwrap();
    assert!(opening.starts_with(r#"{"t":"snapshot","id":1,"type":"Device","rev":0,"#));

    let edit = r#"{"t":"patch","id":1,"patch":{"rev":0,"ops":[{"Set":{"path":[{"Key":"name"}],"value":{"Str":"tick"}}}]}}"#;
    socket.send(edit.into()).await.unwrap();
    let echo = socket.next().await.unwrap().unwrap().into_text().unwrap();
    assert_eq!(echo, edit.replace(r#""rev":0"#, r#""rev":1"#));
    let reaction = socket.next().await.unwrap().unwrap().into_text().unwrap();
    assert_eq!(
        reaction,
        r#"{"t":"patch","id":1,"patch":{"rev":2,"ops":[{"Set":{"path":[{"Key":"brightness"}],"value":{"Int":51}}}]}}"#
    );
}

#[test]
fn only_a_port_can_be_given() {
    let port = |args: &[&str]| port(args.iter().map(ToString::to_string));
    assert_eq!(port(&[]), Some(8010));
    assert_eq!(port(&["--port", "0"]), Some(0));
    for bad in [
        &["--port"][..],
        &["--port", "x"],
        &["8010"],
        &["--port", "1", "2"],
    ] {
        assert_eq!(port(bad), None);
    }
}
