use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use tower::ServiceExt;

use super::sampler::Sampler;
use super::{app, arguments};

#[test]
fn the_table_is_filled_up_and_this_process_is_in_it() {
    let machine = Sampler::new(700).first();
    let processes = &machine.processes;
    assert!(processes.len() >= 700, "{}", processes.len());
    let this = &processes[&std::process::id()];
    assert!(!this.invented && this.memory > 0, "{this:?}");
    assert!(processes.values().any(|process| process.invented));
    assert!(machine.memory.used > 0 && machine.memory.used <= machine.memory.total);
    assert!(!machine.cores.is_empty());
}

#[test]
fn nothing_is_made_up_unless_asked_for() {
    let machine = Sampler::new(0).first();
    assert!(machine.processes.values().all(|process| !process.invented));
}

#[tokio::test]
async fn the_page_loads_its_module() {
    let app = app(0);
    for (path, said) in [("/", "/client.js"), ("/client.js", "as connect")] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        assert!(std::str::from_utf8(&body).unwrap().contains(said), "{path}");
    }
}

#[test]
fn arguments_are_pairs() {
    let parse = |args: &[&str]| arguments(args.iter().map(ToString::to_string));
    let given = parse(&["--rows", "5", "--port", "0"]).unwrap();
    assert_eq!((given.port, given.rows), (0, 5));
    let given = parse(&[]).unwrap();
    assert_eq!((given.port, given.rows), (8030, 1000));
    for bad in [
        &["--port"][..],
        &["--rows", "-1"],
        &["--rows", "10001"],
        &["8030"],
    ] {
        assert!(parse(bad).is_none());
    }
}
