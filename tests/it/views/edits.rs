//! What clients do to fields that they do not see, and to what these are in.

use transports::Synced;
use transports::collections::List;
use transports::server::{Connection, Opening, Peer};
use transports::{Server, Session};

use super::plan::{Note, Row, State};
use super::{House, Plan, edit, set, texts};

/// The last frame that answers an edit.
fn answer(connection: &mut Connection, frame: &transports::session::Frame) -> String {
    let _ = texts(connection);
    connection.receive(frame).unwrap();
    texts(connection).pop().unwrap()
}

#[test]
fn a_hidden_field_is_an_unknown_one() {
    let house = House::new(Plan {
        notes: List::from(vec![Note::default()]),
        rows: List::from(vec![Row::new(1, "STAFF")]),
        ..Plan::default()
    });
    let mut all = house.open("", &[]);
    let below = |path: &str| {
        edit(&format!(
            r#"{{"Set":{{"path":[{path}],"value":{{"Str":"x"}}}}}}"#
        ))
    };
    let cases = [
        (r#"{"Key":"NAME"}"#, "cost"),
        (r#"{"Key":"NAME"},{"Index":0},{"Key":"says"}"#, "notes"),
        (r#"{"Key":"NAME"}"#, "margin"),
        (r#"{"Key":"NAME"}"#, "supplier"),
        (r#"{"Key":"rows"},{"Index":0},{"Key":"NAME"}"#, "secret"),
        (r#"{"Key":"rows"},{"Index":0},{"Key":"NAME"}"#, "abyss"),
    ];
    for (path, hidden) in cases {
        let [known, unknown] = [hidden, "nonsense"].map(|name| {
            let frame = below(&path.replace("NAME", name));
            answer(&mut all, &frame).replace(name, "NAME")
        });
        assert_eq!(known, unknown);
        assert!(known.contains("has no field of this name"), "{known}");
    }
    let mut staff = house.open("", &["staff"]);
    assert!(answer(&mut staff, &below(r#"{"Key":"cost"}"#)).contains(r#""proposal":"p""#));
    assert_eq!(house.plan.read().cost, "x");
}

#[test]
fn what_replaces_a_struct_leaves_its_hidden_fields() {
    let house = House::new(Plan {
        maybe: Some(Row::new(1, "STAFF 1")),
        state: State::Busy {
            with: 1,
            worker: "STAFF 2".into(),
        },
        ..Plan::default()
    });
    let mut all = house.open("", &[]);
    let row = r#"{"Map":{"id":{"Int":2},"open":{"Str":""},"secret":{"Str":"mine"},"deep":{"Str":"no row"}}}"#;
    let told = answer(&mut all, &set("maybe", row));
    assert!(told.contains(r#""proposal":"p""#), "{told}");
    let state = r#"{"Map":{"Busy":{"Map":{"with":{"Int":5}}}}}"#;
    let told = answer(&mut all, &set("state", state));
    assert!(told.contains(r#""proposal":"p""#), "{told}");
    let plan = house.plan.read();
    let maybe = plan.maybe.as_ref().unwrap();
    assert_eq!((maybe.id, maybe.secret.as_str()), (2, "STAFF 1"));
    assert!(maybe.deep.is_none());
    assert!(
        matches!(&plan.state, State::Busy { with: 5, worker } if worker == "STAFF 2"),
        "{:?}",
        plan.state
    );
}

/// The item is another one then, and what it has is what it is made with.
#[test]
fn an_edit_that_changes_only_what_its_author_does_not_see_is_acknowledged() {
    let house = House::new(Plan {
        rows: List::from(vec![Row::new(1, "STAFF")]),
        ..Plan::default()
    });
    let mut all = house.open("", &[]);
    let mut staff = house.open("", &["staff"]);
    let _ = texts(&mut staff);
    let again = edit(concat!(
        r#"{"RemoveAt":{"path":[{"Key":"keyed"}],"index":0}},"#,
        r#"{"Insert":{"path":[{"Key":"keyed"}],"index":0,"value":{"Map":{"id":{"Int":1},"open":{"Str":"row 1"}}}}}"#
    ));
    house.change(|plan| plan.keyed = vec![Row::new(1, "STAFF")]);
    let (_, _) = (texts(&mut all), texts(&mut staff));
    assert_eq!(
        answer(&mut all, &again),
        r#"{"t":"ack","id":1,"rev":1,"proposal":"p"}"#
    );
    let told = texts(&mut staff).concat();
    assert!(
        told.contains(r#"{"Key":"secret"}],"value":{"Str":""}"#),
        "{told}"
    );
}

#[derive(Synced)]
#[synced(validate = Lamp::check)]
struct Lamp {
    #[synced(range = 0..=100, validate = odd)]
    level: i64,
    parts: Vec<Part>,
    #[synced(view = "staff", range = 0..=9)]
    limit: i64,
}

#[derive(Synced)]
#[synced(validate = Part::check)]
struct Part {
    weight: i64,
}

#[derive(Synced)]
struct Shelf {
    lamp: Lamp,
    #[synced(validate = few)]
    lamps: Vec<Lamp>,
}

impl Lamp {
    fn check(&self) -> Result<(), String> {
        if self.level > self.limit {
            return Err(format!("{} is more than {}", self.level, self.limit));
        }
        Ok(())
    }
}

impl Part {
    fn check(&self) -> Result<(), String> {
        if self.weight > 9 {
            return Err(format!("{} is too heavy", self.weight));
        }
        Ok(())
    }
}

fn odd(level: &i64) -> Result<(), String> {
    if level % 2 == 1 {
        return Ok(());
    }
    Err(format!("{level} is not odd"))
}

fn few(lamps: &Vec<Lamp>) -> Result<(), String> {
    match lamps.as_slice() {
        [] | [_] => Ok(()),
        [first, ..] => Err(format!("the first one goes up to {}", first.limit)),
    }
}

#[test]
fn a_refusal_says_nothing_of_what_its_author_does_not_see() {
    let session = Session::new();
    let lamp = |limit| Lamp {
        level: 1,
        parts: vec![Part { weight: 1 }],
        limit,
    };
    // The host may do what no client may: the limit is out of its range.
    let shelf = session.host(Shelf {
        lamp: lamp(51),
        lamps: vec![lamp(77)],
    });
    let server = Server::new(session);
    let open = |views: &[&str]| {
        let mut peer = Peer::default();
        peer.views = super::views(views);
        server.open_for(&Opening::default(), peer).unwrap()
    };
    let (mut all, mut staff) = (open(&[]), open(&["staff"]));
    let level = |level: i64| {
        edit(&format!(
            r#"{{"Set":{{"path":[{{"Key":"lamp"}},{{"Key":"level"}}],"value":{{"Int":{level}}}}}}}"#
        ))
    };
    let told = answer(&mut staff, &level(53));
    assert!(
        told.contains(r#""error":"lamp: 53 is more than 51""#),
        "{told}"
    );
    let told = answer(&mut all, &level(53));
    assert!(
        told.contains(r#""error":"lamp: a rule for this does not hold""#),
        "{told}"
    );
    // Rules over what is seen whole say what they say.
    let told = answer(&mut all, &level(4));
    assert!(
        told.contains(r#""error":"lamp.level: 4 is not odd""#),
        "{told}"
    );
    let told = answer(&mut all, &level(401));
    assert!(told.contains("lamp.level: 401 is not in 0..=100"), "{told}");
    let weight = edit(
        r#"{"Set":{"path":[{"Key":"lamp"},{"Key":"parts"},{"Index":0},{"Key":"weight"}],"value":{"Int":10}}}"#,
    );
    let told = answer(&mut all, &weight);
    assert!(told.contains("lamp.parts[0]: 10 is too heavy"), "{told}");

    // Who does not see the limit is not held to its range, and need not give it.
    let new = r#"{"Map":{"level":{"Int":3},"parts":{"List":[]}}}"#;
    let whole = set("lamp", new);
    let told = answer(&mut staff, &whole);
    assert!(told.contains("lamp: 3 is more than 0"), "{told}");
    let told = answer(&mut all, &whole);
    assert!(
        told.contains(r#""proposal":"p""#) && !told.contains("error"),
        "{told}"
    );
    assert_eq!((shelf.read().lamp.level, shelf.read().lamp.limit), (3, 51));
    let insert = edit(&format!(
        r#"{{"Insert":{{"path":[{{"Key":"lamps"}}],"index":1,"value":{}}}}}"#,
        new.replace(r#""Int":3"#, r#""Int":-1"#)
    ));
    let told = answer(&mut all, &insert);
    assert!(!told.contains("77"), "{told}");
    assert!(
        told.contains("a rule for this does not hold") || told.contains("not in 0..=100"),
        "{told}"
    );
    let insert = edit(
        r#"{"Insert":{"path":[{"Key":"lamps"}],"index":1,"value":{"Map":{"level":{"Int":-1},"parts":{"List":[]},"limit":{"Int":5}}}}}"#,
    );
    let told = answer(&mut staff, &insert);
    assert!(
        told.contains("lamps[1].level: -1 is not in 0..=100"),
        "{told}"
    );
}
