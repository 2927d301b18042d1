use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use tower::ServiceExt;
use transports::server::Opening;
use transports::session::Frame;
use transports::{Codec, Path, Server, Session};
use transports::{Op, Patch, message::Message};

use super::list::{Item, Todo};
use super::{app, arguments, store};

#[tokio::test]
async fn the_page_is_there_with_all_it_loads() {
    let app = app(Todo::default(), None);
    for (path, kind, said) in [
        ("/", "text/html", "/page.js"),
        ("/page.js", "text/javascript", "WebSocket"),
        ("/page.css", "text/css", "color-scheme"),
    ] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert!(
            response.headers()["content-type"]
                .to_str()
                .unwrap()
                .starts_with(kind)
        );
        let body = axum::body::to_bytes(response.into_body(), usize::MAX)
            .await
            .unwrap();
        assert!(std::str::from_utf8(&body).unwrap().contains(said), "{path}");
    }
}

/// A client that removes by an index that means another item by now would remove the wrong one.
#[tokio::test]
async fn names_and_items_cannot_part() {
    let session = Session::new();
    let todo = session.host(Todo::default());
    let mut connection = Server::new(session).open(&Opening::default()).unwrap();
    let ops = vec![
        Op::Remove {
            path: Path::from_iter(["items".into(), "first-0".into()]),
        },
        Op::RemoveAt {
            path: Path::from_iter(["order".into()]),
            index: 1,
        },
    ];
    let edit = Message::Patch {
        id: todo.id(),
        patch: Patch { rev: 0, ops },
        proposal: None,
        base: None,
    };
    let bytes = Codec::Json.encode(&edit).unwrap();
    connection
        .receive(&Frame::text(String::from_utf8(bytes.to_vec()).unwrap()))
        .unwrap();
    let mut frames = Vec::new();
    while let Ok(Some(frame)) =
        tokio::time::timeout(Duration::from_millis(200), connection.next()).await
    {
        frames.push(Codec::Json.decode(&frame.bytes).unwrap());
    }
    let refusal = frames.iter().find_map(|message| match message {
        Message::Reject { error, .. } => Some(error.as_str()),
        _ => None,
    });
    assert_eq!(refusal, Some("the model: the list has changed meanwhile"));
    assert_eq!(*todo.read(), Todo::default());
}

#[tokio::test]
async fn the_file_follows_the_list() {
    let file = std::env::temp_dir().join(format!("todo-{}.json", std::process::id()));
    let _ = std::fs::remove_file(&file);
    assert_eq!(store::load(&file).unwrap(), None, "there is none yet");

    let session = Session::new();
    let todo = session.host(Todo::default());
    let watcher = Server::new(session.clone())
        .open(&Opening::default())
        .unwrap();
    tokio::spawn(store::keep(todo.clone(), watcher, file.clone()));
    let item = Item {
        text: "ä \"quoted\"".into(),
        done: true,
    };
    {
        let mut todo = todo.write();
        todo.items.insert("x".into(), item);
        todo.order.push("x".into());
    }
    let _ = session.sync();
    let same = async {
        while store::load(&file).unwrap().as_ref() != Some(&*todo.read()) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), same)
        .await
        .unwrap();

    std::fs::write(&file, "{").unwrap();
    assert!(
        store::load(&file).is_err(),
        "a broken file is not overwritten"
    );
    std::fs::remove_file(file).unwrap();
}

#[test]
fn arguments_are_pairs() {
    let parse = |args: &[&str]| arguments(args.iter().map(ToString::to_string));
    let given = parse(&["--file", "a.json", "--port", "0"]).unwrap();
    assert_eq!((given.port, given.file), (0, Some("a.json".into())));
    assert_eq!(parse(&[]).unwrap().port, 8020);
    for bad in [
        &["--port"][..],
        &["--port", "x"],
        &["8020"],
        &["--files", "a"],
    ] {
        assert!(parse(bad).is_none());
    }
}
