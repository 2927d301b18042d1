//! What goes out, as bytes.

use transports::Synced;
use transports::server::{Connection, Opening, Peer};
use transports::{Server, Session, Views};

use super::{House, Plan, plan::Row, texts};

#[derive(Synced, Default)]
struct Offer {
    price: i64,
    #[synced(view = "staff")]
    cost: i64,
    rows: Vec<Line>,
}

#[derive(Synced, Default)]
struct Line {
    name: String,
    #[synced(view = "staff")]
    hint: String,
}

fn open(server: &Server, views: &[&str]) -> Connection {
    let mut peer = Peer::default();
    peer.views = Views::from_iter(views.iter().copied());
    server.open_for(&Opening::default(), peer).unwrap()
}

#[test]
fn each_gets_what_it_sees_and_the_common_part_is_the_same() {
    let session = Session::new();
    let offer = session.host(Offer::default());
    let server = Server::new(session.clone());
    let mut all = open(&server, &[]);
    let mut staff = open(&server, &["staff", "and others"]);
    assert_eq!(
        texts(&mut all),
        [
            r#"{"t":"snapshot","id":1,"type":"Offer","rev":0,"value":{"Map":{"price":{"Int":0},"rows":{"List":[]}}}}"#
        ]
    );
    assert_eq!(
        texts(&mut staff),
        [
            r#"{"t":"snapshot","id":1,"type":"Offer","rev":0,"value":{"Map":{"cost":{"Int":0},"price":{"Int":0},"rows":{"List":[]}}}}"#
        ]
    );

    // Everybody sees all of it: one frame, in one place of the memory.
    offer.write().price = 7;
    let _ = session.sync();
    let (first, second) = (all.try_next().unwrap(), staff.try_next().unwrap());
    assert_eq!(first.bytes.as_ptr(), second.bytes.as_ptr());

    // Only some see it: the others hear nothing, and their next patch says what it leads on from.
    offer.write().cost = 5;
    let _ = session.sync();
    assert_eq!(texts(&mut all), [""; 0]);
    let cost = r#"{"Set":{"path":[{"Key":"cost"}],"value":{"Int":5}}}"#;
    assert_eq!(
        texts(&mut staff),
        [format!(
            r#"{{"t":"patch","id":1,"patch":{{"rev":2,"ops":[{cost}]}}}}"#
        )]
    );

    // An item comes as all see it, and what only some see of it behind that.
    let mut second_staff = open(&server, &["staff"]);
    let _ = texts(&mut second_staff);
    offer.write().rows.push(Line {
        name: "a".into(),
        hint: "b".into(),
    });
    let _ = session.sync();
    let insert =
        r#"{"Insert":{"path":[{"Key":"rows"}],"index":0,"value":{"Map":{"name":{"Str":"a"}}}}}"#;
    let hint =
        r#"{"Set":{"path":[{"Key":"rows"},{"Index":0},{"Key":"hint"}],"value":{"Str":"b"}}}"#;
    assert_eq!(
        texts(&mut all),
        [format!(
            r#"{{"t":"patch","id":1,"patch":{{"rev":3,"ops":[{insert}]}},"base":1}}"#
        )]
    );
    let first = staff.try_next().unwrap();
    assert_eq!(
        std::str::from_utf8(&first.bytes).unwrap(),
        format!(r#"{{"t":"patch","id":1,"patch":{{"rev":3,"ops":[{insert},{hint}]}}}}"#)
    );
    let second = second_staff.try_next().unwrap();
    assert_eq!(
        first.bytes.as_ptr(),
        second.bytes.as_ptr(),
        "one frame for all of the staff"
    );
}

#[test]
fn a_snapshot_is_encoded_once_for_those_who_see_the_same() {
    let house = House::new(Plan::default());
    let mut same = [
        house.open("", &["staff"]),
        house.open("", &["staff", "of no field"]),
    ];
    let [first, second] = same
        .each_mut()
        .map(|connection| connection.try_next().unwrap());
    assert_eq!(first.bytes.as_ptr(), second.bytes.as_ptr());
    let other = house.open("", &["admin"]).try_next().unwrap();
    assert_ne!(first.bytes, other.bytes);
}

/// A list that is told as a whole drops what was told of the fields in it: they come again, and in what they were told
/// before is nothing that the list no longer has.
#[test]
fn a_list_told_as_a_whole_brings_what_only_some_see_of_it() {
    let rows = |secret: &str| -> Vec<Row> {
        let secret = |id: i64| format!("STAFF {secret} {id}");
        (0..200).map(|id| Row::new(id, &secret(id))).collect()
    };
    let house = House::new(Plan {
        rows: rows("old").into(),
        ..Plan::default()
    });
    let mut all = house.open("", &[]);
    let mut staff = house.open("", &["staff"]);
    let (_, _) = (texts(&mut all), texts(&mut staff));
    house.change(|plan| {
        for row in plan.rows.iter_mut() {
            row.id += 1000;
            row.open.clear();
            row.secret = row.secret.replace("old", "new");
        }
    });
    let (all, staff) = (texts(&mut all).concat(), texts(&mut staff).concat());
    assert!(all.contains(r#"[{"Set":{"path":[{"Key":"rows"}],"value":{"List":["#));
    assert!(!all.contains("STAFF"));
    assert_eq!(staff.matches("STAFF new").count(), 200);
    assert_eq!(staff.matches("STAFF").count(), 200, "each once");
}

/// What was empty is told as a whole, and so is what a client replaces.
#[test]
fn what_is_told_as_a_whole_without_looking_brings_what_only_some_see_of_it() {
    let rows = |from: i64| (from..from + 300).map(|id| Row::new(id, "STAFF"));
    let house = House::new(Plan::default());
    let mut all = house.open("", &[]);
    let mut staff = house.open("", &["staff"]);
    let (_, _) = (texts(&mut all), texts(&mut staff));
    let whole = r#""looked_ahead"}],"value":{"List":["#;

    house.change(|plan| {
        plan.looked_ahead = rows(0).collect();
        plan.in_order = (0..).zip(rows(0).take(200)).collect();
    });
    let (to_all, to_staff) = (texts(&mut all).concat(), texts(&mut staff).concat());
    assert!(to_all.contains(whole) && !to_all.contains("STAFF"));
    assert_eq!(to_staff.matches("STAFF").count(), 500);

    let items: Vec<_> = (1000..1300)
        .map(|id| format!(r#"{{"Map":{{"id":{{"Int":{id}}},"open":{{"Str":"x"}},"secret":{{"Str":"STAFF"}}}}}}"#))
        .collect();
    let list = format!(r#"{{"List":[{}]}}"#, items.join(","));
    staff.receive(&super::set("looked_ahead", &list)).unwrap();
    let (to_all, to_staff) = (texts(&mut all).concat(), texts(&mut staff).concat());
    assert!(
        to_all.contains(whole) && !to_all.contains("STAFF"),
        "{to_all}"
    );
    assert_eq!(to_staff.matches("STAFF").count(), 300);
    let held = &house.plan.read().looked_ahead;
    assert!(held.iter().all(|row| row.secret == "STAFF"));
}
