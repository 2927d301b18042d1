//! The program against a real server, as a shell runs it.
#![cfg(test)]

use std::net::SocketAddr;
use std::process::{Command, Output, Stdio};

use axum::Router;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use transports::schema::Bindings;
use transports::session::Hosted;
use transports::{Server, Session, Synced, Value};
use transports_adapters::{autosync, sse, ws};

#[derive(Synced, Debug)]
struct Lamp {
    name: String,
    #[synced(range = 0..=100)]
    level: i64,
    gain: f64,
    tags: Vec<String>,
}

/// A server, for as long as it is held.
struct Served {
    address: SocketAddr,
    session: Session,
    lamp: Hosted<Lamp>,
    _runtime: Runtime,
}

fn serve() -> Served {
    let runtime = Runtime::new().unwrap();
    let session = Session::builder().first_revision(0).build();
    let lamp = session.host(Lamp {
        name: "desk".into(),
        level: 10,
        gain: 0.5,
        tags: vec!["a".into()],
    });
    let server = Server::new(session.clone());
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(autosync(server.clone()));
    let app = Router::new()
        .route("/ws", ws(server.clone()))
        .route("/sse", sse(server));
    runtime.spawn(async { axum::serve(listener, app).await });
    Served {
        address,
        session,
        lamp,
        _runtime: runtime,
    }
}

impl Served {
    fn url(&self) -> String {
        format!("ws://{}/ws", self.address)
    }
}

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_transports"));
    command.args(args).stdin(Stdio::null());
    command
}

/// The exit code, and what was said on stdout and stderr.
fn run(args: &[&str]) -> (i32, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

fn edit(served: &Served, path: &str, value: &str) -> (i32, String, String) {
    run(&["edit", &served.url(), "1", path, value])
}

#[test]
fn watch_shows_models_without_colours_where_there_is_no_terminal() {
    let served = serve();
    let (code, out, err) = run(&["watch", &served.url(), "--count", "1"]);
    assert_eq!(
        (code, out.as_str(), err.as_str()),
        (
            0,
            "Lamp 1 r0\n  gain 0.5\n  level 10\n  name \"desk\"\n  tags [\"a\"]\n",
            ""
        )
    );
}

#[test]
fn watch_tells_changes_as_json() {
    use std::io::{BufRead, BufReader};

    let served = serve();
    for url in [served.url(), format!("http://{}/sse", served.address)] {
        let mut watch = command(&["watch", &url, "--json", "--count", "2"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines();
        let mut line =
            || serde_json::from_str::<serde_json::Value>(&lines.next().unwrap().unwrap()).unwrap();
        let whole = line();
        assert_eq!(
            (&whole["type"], &whole["value"]["name"]),
            (&"Lamp".into(), &"desk".into())
        );
        let level = served.lamp.read().level + 1;
        served.lamp.write().level = level;
        let change = line();
        assert_eq!(
            change["ops"],
            serde_json::json!([{ "op": "set", "path": "level", "value": level }])
        );
        assert!(watch.wait().unwrap().success(), "it ends after two");
    }
}

#[test]
fn edit_changes_one_place() {
    let served = serve();
    assert_eq!(
        edit(&served, "level", "70"),
        (0, "revision 1\n".into(), String::new())
    );
    assert_eq!(
        edit(&served, "gain", "2").0,
        0,
        "a whole number, where a float is"
    );
    assert_eq!(edit(&served, "tags[0]", "no JSON").0, 0);
    let lamp = served.lamp.read();
    assert_eq!(
        (lamp.level, lamp.gain, lamp.tags.as_slice()),
        (70, 2.0, &["no JSON".to_owned()][..])
    );
}

#[test]
fn what_is_refused_is_told_with_its_reason() {
    let served = serve();
    let (code, out, err) = edit(&served, "level", "101");
    assert_eq!((code, out.as_str()), (1, ""));
    assert_eq!(err, "error: refused: level: 101 is not in 0..=100\n");
    assert_eq!(served.lamp.read().level, 10);
    let (code, _, err) = edit(&served, "tags[", "1");
    assert_eq!(
        (code, err.as_str()),
        (1, "error: the path `tags[`: a `]` is missing\n")
    );
    let (code, _, err) = run(&["edit", &served.url(), "7", "level", "1", "--timeout", "0.2"]);
    assert_eq!(
        (code, err.as_str()),
        (1, "error: the server shows no model 7 within 0.2 s\n")
    );
}

#[test]
fn edits_go_over_an_event_stream_as_well() {
    let served = serve();
    let sse = format!("http://{}/sse", served.address);
    let (code, _, err) = run(&["edit", &sse, "1", "level", "1"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(served.lamp.read().level, 1);
}

#[test]
fn types_are_what_the_program_itself_would_write() {
    let served = serve();
    let bindings = Bindings::new().add::<Lamp>();
    let ours = bindings
        .clone()
        .written_by("transports types URL --out FILE")
        .typescript();
    assert!(ours.contains("   * @maximum 100\n"), "{ours}");
    let urls = [served.url(), format!("http://{}/sse", served.address)];
    for url in &urls {
        for codec in ["json", "msgpack", "cbor"] {
            let told = run(&["types", url, "--codec", codec]);
            assert_eq!(told, (0, ours.clone(), String::new()), "{url} {codec}");
        }
    }
    let (code, out, _) = run(&["types", &served.url(), "--json-schema"]);
    assert_eq!(code, 0);
    assert_eq!(out, format!("{:#}\n", bindings.json_schema()));
}

#[test]
fn a_file_of_types_is_written_and_checked() {
    let served = serve();
    let folder = std::env::temp_dir().join(format!("transports-cli-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    for (name, more) in [("models.ts", &[][..]), ("models.json", &["--json-schema"])] {
        let path = folder.join(name);
        let file = path.to_str().unwrap();
        let types = |option: &str| run(&[&["types", &served.url(), option, file], more].concat());
        let (code, out, err) = types("--check");
        assert_eq!((code, out.as_str()), (3, ""));
        assert!(err.contains("is missing; `transports types URL "), "{err}");

        assert_eq!(types("--out"), (0, String::new(), String::new()));
        assert_eq!(types("--check"), (0, String::new(), String::new()));
        let written = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, written.replace('\n', "\r\n")).unwrap();
        assert_eq!(types("--check").0, 0, "line ends of Windows");

        std::fs::write(&path, written.replace("level", "levels")).unwrap();
        let (code, _, err) = types("--check");
        assert_eq!(code, 3);
        assert!(err.contains("is not what the server tells"), "{err}");
        assert_eq!(types("--out").0, 0);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), written);
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

/// Dynamic models have no schema, as no model of a published server has one.
#[test]
fn what_a_server_does_not_tell_is_guessed_and_said_so() {
    let served = serve();
    let settings = Value::from_iter([("theme", Value::from("dark"))]);
    let _settings = served.session.host_named("Settings", settings);
    let (code, out, err) = run(&["types", &served.url()]);
    assert_eq!(code, 0);
    assert!(out.contains("export interface Lamp {\n"), "{out}");
    let guess = "\n// Guessed from a value.\nexport interface Settings {\n  theme: string;\n}\n";
    assert!(out.ends_with(guess), "{out}");
    assert_eq!(
        err,
        "note: the server does not tell what `Settings` is made of: this is guessed from its value now\n"
    );
    let (code, out, err) = run(&["types", &served.url(), "--json-schema"]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.contains("what `Settings` is made of"), "{err}");
}

#[test]
fn load_opens_connections_and_counts() {
    let served = serve();
    let (code, out, err) = run(&[
        "load",
        &served.url(),
        "--connections",
        "7",
        "--seconds",
        "0.2",
    ]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.starts_with("connections  7 open, 0 failed"), "{out}");
    assert!(out.contains("\nmodels       1\n"), "{out}");
}

#[test]
fn a_server_that_is_not_there_is_an_error_and_no_wait() {
    let served = serve();
    let nowhere = format!("ws://{}/nowhere", served.address);
    for command in [&["watch"][..], &["types"], &["load", "--connections", "1"]] {
        let with = |url| [command, &[url]].concat();
        let (code, out, err) = run(&with(&nowhere));
        assert_eq!((code, out.as_str()), (1, ""));
        assert_eq!(err, "error: the server refuses with status 404\n");
        let (code, _, err) = run(&with("nonsense"));
        assert_eq!(code, 1);
        assert!(err.contains("`nonsense` is no URL to connect to"), "{err}");
    }
}

#[test]
fn a_command_line_that_makes_no_sense_ends_with_two() {
    for args in [
        &["watch"][..],
        &["edit", "ws://h/ws", "one", "a", "1"],
        &["look"],
        &["load", "ws://h/ws", "--connections", "0"],
    ] {
        assert_eq!(run(args).0, 2, "{args:?}");
    }
    let (code, out, _) = run(&["--help"]);
    assert_eq!(code, 0);
    for name in ["watch", "edit", "types", "load"] {
        assert!(out.contains(name), "{out}");
    }
}
