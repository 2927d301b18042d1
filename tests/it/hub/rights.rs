//! Who sees what, and how that changes.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;
use transports::hub::{Authorizer, FIRST_SHARED, Mode, Sharing, StampedFields, Tenant, Viewer};
use transports::message::ModelId;
use transports::server::{Connection, Ended, Opening, Peer, Refusal, RefusalKind};
use transports::session::Frame;
use transports::{Hub, Path, Segment, Server, Synced, Value};

use super::{doc, hub, key, open, set, texts};

/// RELIABILITY: published hubs tell strangers of models, and of some all that is in them.
#[test]
fn to_a_stranger_a_hidden_model_is_as_one_that_is_not_there() {
    let hub = hub();
    let hidden = hub
        .share_with(doc("secret"), Sharing::named("Secret"))
        .unwrap()
        .id();
    let unknown = hidden + 5;
    for n in 0..3 {
        hub.tenant("stranger");
        let server = Server::new(hub.clone());
        let mut stranger = open(&server, "stranger", "");
        assert_eq!(texts(&mut stranger), [""; 0]);
        for kind in [
            r#"{"t":"patch","id":ID,"patch":{"rev":0,"ops":[{"Set":{"path":[],"value":{"Int":1}}}]},"proposal":"p"}"#,
            r#"{"t":"patch","id":ID,"patch":{"rev":0,"ops":[{"RemoveAt":{"path":[{"Key":"text"}],"index":0}}]}}"#,
            r#"{"t":"patch","id":ID,"patch":{"rev":0,"ops":[]}}"#,
            r#"{"t":"crdt","id":ID,"rev":0,"ops":[]}"#,
            r#"{"t":"awareness","id":ID,"state":1}"#,
        ] {
            let mut ask = |id: ModelId| {
                let frame = Frame::text(kind.replace("ID", &id.to_string()));
                stranger.receive(&frame).unwrap();
                texts(&mut stranger).concat().replace(&id.to_string(), "ID")
            };
            assert_eq!(ask(hidden), ask(unknown), "{n}: {kind}");
        }
        hub.subscribe("stranger", hidden, Mode::Read);
        hub.unsubscribe("stranger", hidden);
    }
    assert_eq!(hub.awareness(hidden), []);
}

/// RELIABILITY: resume covers only what is visible now.
#[test]
fn after_a_revocation_a_resume_is_as_that_of_somebody_who_never_knew() {
    let hub = hub();
    hub.tenant("ann").host_named("Own", doc("mine"));
    let board = hub
        .share_with(doc("shared"), Sharing::named("Board"))
        .unwrap();
    hub.subscribe("ann", board.id(), Mode::Write);
    let server = Server::new(hub.clone());
    let mut ann = open(&server, "ann", "epoch=");
    assert_eq!(texts(&mut ann).len(), 2);

    *board.write() = doc("on its way");
    let _ = hub.sync();
    hub.unsubscribe("ann", board.id());
    assert_eq!(
        texts(&mut ann),
        [""; 0],
        "what was not taken yet is not given"
    );
    ann.receive(&set(board.id(), "text", "mine now", 0))
        .unwrap();
    let answer = texts(&mut ann);
    let none = format!("there is no model {}", board.id());
    assert!(answer.concat().contains(&none), "{answer:?}");
    assert_eq!(board.value().1, doc("on its way"));

    let since = |ids: &str| format!("since=%7B{ids}%7D&epoch={}", hub.tenant("ann").epoch());
    let known = since(&format!("%221%22%3A0,%22{}%22%3A0", board.id()));
    let never = since("%221%22%3A0");
    assert_eq!(
        texts(&mut open(&server, "ann", &known)),
        texts(&mut open(&server, "ann", &never))
    );
    hub.subscribe("ann", board.id(), Mode::Read);
    assert!(
        texts(&mut ann).concat().contains("on its way"),
        "seen again, as it is now"
    );
    let missed = texts(&mut open(&server, "ann", &known));
    assert!(
        missed.concat().contains(r#""rev":1"#) && missed.len() == 1,
        "{missed:?}"
    );
}

#[test]
fn a_model_that_is_shared_no_longer_is_gone_for_all() {
    let hub = hub();
    let board = hub
        .share_with(doc("shared"), Sharing::named("Board"))
        .unwrap();
    hub.subscribe("ann", board.id(), Mode::Write);
    let server = Server::new(hub.clone());
    let mut ann = open(&server, "ann", "");
    assert_eq!(texts(&mut ann).len(), 1);
    assert!(hub.unshare(board.id()));
    assert!(!hub.unshare(board.id()));
    *board.write() = doc("unheard");
    let _ = hub.sync();
    assert_eq!(texts(&mut ann), [""; 0]);
    assert!(!hub.subscribe("ann", board.id(), Mode::Read));
    let next = hub.share(Typed { small: 1 });
    assert_eq!(next.id(), FIRST_SHARED + 1, "ids are not used twice");
}

#[derive(Synced)]
struct Typed {
    #[synced(range = 0..=9)]
    small: i64,
}

#[test]
fn shared_models_have_types_and_rules() {
    let hub = hub();
    let typed = hub.share(Typed { small: 1 });
    hub.subscribe("ann", typed.id(), Mode::Write);
    let server = Server::new(hub);
    let mut ann = open(&server, "ann", "");
    assert_eq!(texts(&mut ann).len(), 1);
    let id = typed.id();
    let mut put = |value: i64| {
        ann.receive(&Frame::text(format!(
            r#"{{"t":"patch","id":{id},"patch":{{"rev":0,"ops":[{{"Set":{{"path":[{{"Key":"small"}}],"value":{{"Int":{value}}}}}}}]}}}}"#
        )))
        .unwrap();
        texts(&mut ann).concat()
    };
    let refused = put(10);
    assert!(
        refused.starts_with(r#"{"t":"reject""#),
        "no snapshot precedes it: {refused}"
    );
    assert!(refused.contains("small: 10 is not in 0..=9"), "{refused}");
    assert!(put(9).starts_with(r#"{"t":"patch""#));
    assert_eq!(typed.read().small, 9);
}

/// PROTOCOL, trap 7: with revision 0 in every edit the greatest name wins for good.
#[test]
fn stamps_of_clients_that_know_of_them_mean_something() {
    let hub = hub();
    let sharing = Sharing::named("Doc").merge(StampedFields::default());
    let board = hub.share_with(doc("start"), sharing).unwrap();
    for tenant in ["ann", "zoe"] {
        hub.subscribe(tenant, board.id(), Mode::Write);
    }
    let server = Server::new(hub);
    let mut ann = open(&server, "ann", "ops=stamp");
    let mut zoe = open(&server, "zoe", "ops=stamp");
    zoe.receive(&set(board.id(), "text", "zoe", 0)).unwrap();
    ann.receive(&set(board.id(), "text", "ann, unaware of zoe", 0))
        .unwrap();
    assert_eq!(
        board.value(),
        (1, doc("zoe")),
        "at the same time the greater name wins"
    );
    ann.receive(&set(board.id(), "text", "ann", 1)).unwrap();
    assert_eq!(
        board.value(),
        (2, doc("ann")),
        "who has seen the other's edit wins"
    );
    zoe.receive(&set(board.id(), "text", "late", 0)).unwrap();
    assert_eq!(board.value(), (2, doc("ann")), "who has not loses");
    ann.receive(&set(board.id(), "text", "for ever", u64::MAX))
        .unwrap();
    zoe.receive(&set(board.id(), "text", "not for ever", 3))
        .unwrap();
    assert_eq!(
        board.value(),
        (4, doc("not for ever")),
        "nobody has seen the future"
    );
}

#[derive(Clone)]
struct Until(SystemTime);

/// Lets in who has time left, spectators only to look.
struct Gate {
    now: Arc<Mutex<SystemTime>>,
    hidden: Arc<Mutex<Option<ModelId>>>,
}

impl Authorizer for Gate {
    fn connect(&self, viewer: &Viewer<'_>) -> Result<Option<SystemTime>, Refusal> {
        let Until(time) = *viewer.peer.get().expect("it was given");
        if time <= *self.now.lock() {
            return Err(RefusalKind::Unauthorized.because("the time is over"));
        }
        Ok(Some(time))
    }

    fn subscribe(&self, _: &Viewer<'_>, id: ModelId, mode: Mode) -> Option<Mode> {
        (*self.hidden.lock() != Some(id)).then_some(mode)
    }
}

#[test]
fn rights_run_out_and_are_taken_back_while_a_connection_is_open() {
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1000);
    let now = Arc::new(Mutex::new(start));
    let hidden = Arc::new(Mutex::new(None));
    let hub = Hub::builder(key)
        .authorizer(Gate {
            now: Arc::clone(&now),
            hidden: Arc::clone(&hidden),
        })
        .build();
    let board = hub
        .share_with(doc("shared"), Sharing::named("Board"))
        .unwrap();
    hub.subscribe("ann", board.id(), Mode::Write);
    let server = Server::new(hub.clone());
    let open_until = |seconds| {
        let peer = Peer::default()
            .with(Tenant::from("ann"))
            .with(Until(start + Duration::from_secs(seconds)));
        server.open_for(&Opening::default(), peer)
    };
    assert!(open_until(0).is_err());
    let mut short = open_until(10).unwrap();
    let mut long = open_until(100).unwrap();
    assert_eq!((texts(&mut short).len(), texts(&mut long).len()), (1, 1));

    *hidden.lock() = Some(board.id());
    hub.reauthorize(|_| true);
    *board.write() = doc("behind a curtain");
    let _ = hub.sync();
    assert_eq!(texts(&mut long), [""; 0]);
    *hidden.lock() = None;
    hub.reauthorize(|_| true);
    assert!(texts(&mut long).concat().contains("behind a curtain"));

    let later = start + Duration::from_secs(50);
    *now.lock() = later;
    assert!(hub.expire(later, Duration::MAX).is_empty());
    assert!(long.try_next().is_none() && long.ended().is_none());
    assert!(short.try_next().is_none());
    assert_eq!(
        short.ended().map(|ended| ended.text()),
        Some("the time is over")
    );
}

#[test]
fn who_leaves_is_forgotten_by_those_who_stay() {
    let hub = hub();
    let board = hub
        .share_with(Value::Null, Sharing::named("Board"))
        .unwrap();
    hub.subscribe("ann", board.id(), Mode::Read);
    hub.subscribe("bob", board.id(), Mode::Read);
    let server = Server::new(hub.clone());
    let mut ann = open(&server, "ann", "");
    let mut bob = open(&server, "bob", "");
    let state = |text: &str| {
        Frame::text(format!(
            r#"{{"t":"awareness","id":{},"state":"{text}"}}"#,
            board.id()
        ))
    };
    bob.receive(&state("here")).unwrap();
    bob.receive(&state(&"x".repeat(20_000))).unwrap();
    assert_eq!(hub.awareness(board.id()).len(), 1);
    assert!(
        texts(&mut ann).concat().contains("here"),
        "what is too long is not told"
    );
    assert_eq!(server.stats().limit_hits("awareness_bytes"), 1);
    hub.unsubscribe("bob", board.id());
    assert_eq!(
        texts(&mut bob),
        [""; 0],
        "not even the snapshot that waited"
    );
    assert!(bob.ended().is_none());
    assert!(texts(&mut ann).concat().contains(r#""state":null"#));
    assert_eq!(hub.awareness(board.id()), []);
}

/// A newcomer is told of thousands, a few at a time, and is not taken for somebody who was asleep.
#[test]
fn newcomers_hear_of_all_who_are_there_and_sleepers_connect_again() {
    const COMERS: usize = 1500;
    let hub = hub();
    let board = hub
        .share_with(Value::Null, Sharing::named("Board"))
        .unwrap();
    hub.subscribe("ann", board.id(), Mode::Read);
    let server = Server::new(hub);
    let come = |n: usize| {
        let mut comer = open(&server, "ann", "");
        let id = board.id();
        let state = format!(r#"{{"t":"awareness","id":{id},"state":{n}}}"#);
        comer.receive(&Frame::text(state)).unwrap();
        comer
    };
    let mut sleeper = open(&server, "ann", "");
    assert_eq!(texts(&mut sleeper).len(), 1);
    drop((0..COMERS).map(come).collect::<Vec<_>>());
    let there: Vec<_> = (0..COMERS).map(come).collect();
    let mut newcomer = open(&server, "ann", "");
    let told = texts(&mut newcomer);
    assert_eq!(
        told.len(),
        1 + COMERS,
        "nobody who is gone, but for those who go meanwhile"
    );
    assert!(newcomer.ended().is_none());
    assert_eq!(texts(&mut sleeper), [""; 0]);
    assert!(matches!(sleeper.ended(), Some(Ended::Slow)));
    drop(there);
}

/// Found by a mutation that the random schedules were too short to notice.
#[test]
fn patches_that_wait_are_withheld_when_the_right_is_taken_back() {
    let hub = hub();
    let board = hub
        .share_with(doc("shared"), Sharing::named("Board"))
        .unwrap();
    hub.subscribe("ann", board.id(), Mode::Read);
    let server = Server::new(hub.clone());
    let mut ann = open(&server, "ann", "");
    assert_eq!(texts(&mut ann).len(), 1);
    for text in ["first", "second", "third"] {
        *board.write() = doc(text);
        let _ = hub.sync();
    }
    assert!(ann.try_next().is_some());
    assert!(ann.queued_bytes() > 0, "more was fetched than taken");
    hub.unsubscribe("ann", board.id());
    assert_eq!(texts(&mut ann), [""; 0]);
    assert_eq!(ann.queued_bytes(), 0);
}

#[derive(Synced)]
struct Note {
    text: String,
}

fn note(text: &str) -> Note {
    Note { text: text.into() }
}

#[test]
fn a_schema_comes_with_the_first_model_that_may_be_seen_and_goes_with_it() {
    let hub = hub();
    let (one, two) = (hub.share(note("one")), hub.share(note("two")));
    let server = Server::new(hub.clone());
    hub.tenant("ann");
    let mut ann = open(&server, "ann", "schema=1");
    let told = |ann: &mut _| -> Vec<String> {
        let kind = |text: String| text.split('"').nth(3).unwrap_or_default().to_owned();
        texts(ann).into_iter().map(kind).collect()
    };
    assert_eq!(
        told(&mut ann),
        [""; 0],
        "nothing is known of what she cannot see"
    );
    hub.subscribe("ann", one.id(), Mode::Read);
    assert_eq!(told(&mut ann), ["schema", "snapshot"]);
    hub.subscribe("ann", two.id(), Mode::Read);
    assert_eq!(told(&mut ann), ["snapshot"]);

    // What was fetched and not yet given is withheld, so nobody knows what she has: it is told again.
    let mut eve = open(&server, "eve", "schema=1");
    hub.subscribe("eve", one.id(), Mode::Read);
    let first = eve.try_next().unwrap();
    assert!(first.bytes.starts_with(br#"{"t":"schema""#) && eve.queued_bytes() > 0);
    hub.unsubscribe("eve", one.id());
    assert_eq!(told(&mut eve), [""; 0]);
    hub.subscribe("eve", two.id(), Mode::Read);
    assert_eq!(told(&mut eve), ["schema", "snapshot"]);
}

/// Who may write a model need not be allowed to change all that is in it.
struct OnlyText;

impl Authorizer for OnlyText {
    fn edit(&self, viewer: &Viewer<'_>, id: ModelId, path: &Path) -> Result<(), String> {
        let is_text = path.first() == Some(&Segment::from("text"));
        match is_text && viewer.tenant.as_str() == "ann" {
            true => Ok(()),
            false => Err(format!("{} is not to change this in {id}", viewer.tenant)),
        }
    }
}

#[test]
fn edits_are_asked_for_by_model_path_and_connection() {
    let hub = Hub::builder(key).authorizer(OnlyText).build();
    let board = hub
        .share_with(doc("start"), Sharing::named("Board"))
        .unwrap();
    let own = hub.tenant("ann").host_named("Own", doc("mine"));
    for tenant in ["ann", "bob"] {
        hub.subscribe(tenant, board.id(), Mode::Write);
    }
    let server = Server::new(hub);
    let mut ann = open(&server, "ann", "");
    let mut bob = open(&server, "bob", "");
    let edit = |connection: &mut Connection, id: ModelId, key: &str| {
        let _ = texts(connection);
        connection.receive(&set(id, key, "new", 0)).unwrap();
        texts(connection).concat()
    };
    assert!(edit(&mut ann, board.id(), "text").contains(r#""t":"patch""#));
    assert!(edit(&mut ann, own.id(), "text").contains(r#""t":"patch""#));
    for (by_ann, id, key) in [
        (true, board.id(), "other"),
        (true, own.id(), "other"),
        (false, board.id(), "text"),
    ] {
        let connection = if by_ann { &mut ann } else { &mut bob };
        let name = connection.peer().get::<Tenant>().unwrap().clone();
        let told = edit(connection, id, key);
        let reason = format!(r#""error":"{key}: {name} is not to change this in {id}""#);
        assert!(told.contains(&reason), "{told}");
    }
    assert_eq!(board.value(), (1, doc("new")));
    let batch = format!(
        r#"{{"t":"patch","id":{},"patch":{{"rev":0,"ops":[{{"Set":{{"path":[{{"Key":"text"}}],"value":{{"Str":"half"}}}}}},{{"Remove":{{"path":[{{"Key":"other"}}]}}}}]}}}}"#,
        board.id()
    );
    ann.receive(&Frame::text(batch)).unwrap();
    assert_eq!(board.value().1, doc("new"), "all of an edit or none of it");
}

/// Within a second, and no frame after it.
#[test]
fn a_connection_whose_time_is_over_is_asked_about_and_given_nothing_more() {
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1000);
    let now = Arc::new(Mutex::new(start));
    let hub = Hub::builder(key)
        .authorizer(Gate {
            now: Arc::clone(&now),
            hidden: Arc::default(),
        })
        .build();
    let board = hub
        .share_with(doc("shared"), Sharing::named("Board"))
        .unwrap();
    hub.subscribe("ann", board.id(), Mode::Write);
    let server = Server::new(hub);
    let until = start + Duration::from_secs(10);
    let peer = Peer::default().with(Tenant::from("ann")).with(Until(until));
    let mut ann = server.open_for(&Opening::default(), peer).unwrap();
    assert_eq!(ann.deadline(), Some(until));
    ann.wake(until - Duration::from_millis(1));
    assert_eq!(texts(&mut ann).len(), 1);
    *board.write() = doc("too late");
    let _ = server.sync();
    // The authorizer is not sure, and gives the same time again.
    ann.wake(until);
    assert!(ann.ended().is_some());
    assert_eq!(texts(&mut ann), [""; 0]);
    assert_eq!(ann.ended().map(Ended::name), Some("unauthorized"));
    assert!(ann.receive(&set(board.id(), "text", "mine", 0)).is_err());
    assert_eq!(server.stats().ended("unauthorized"), 0, "it is still open");
    drop(ann);
    assert_eq!(server.stats().ended("unauthorized"), 1);
}
