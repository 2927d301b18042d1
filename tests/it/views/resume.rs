//! Clients that come back, with other rights or the same.

use transports::Value;
use transports::mirror::Mirrors;
use transports::server::Connection;

use super::plan::seen;
use super::{House, Plan, texts, views};

fn take(connection: &mut Connection, mirrors: &mut Mirrors) -> String {
    let mut said = String::new();
    while let Some(frame) = connection.try_next() {
        said.push_str(std::str::from_utf8(&frame.bytes).unwrap());
        mirrors.receive(&frame.bytes).unwrap();
    }
    said
}

fn held(mirrors: &Mirrors) -> &Value {
    mirrors.get(1).unwrap().get().unwrap()
}

#[test]
fn who_comes_back_with_the_same_rights_gets_what_it_missed() {
    for rights in [&[][..], &["staff"]] {
        let house = House::new(Plan::default());
        let mut mirrors = Mirrors::default();
        take(&mut house.open(&mirrors.query(), rights), &mut mirrors);
        house.change(|plan| plan.cost = "STAFF 1".into());
        house.change(|plan| plan.title = "one".into());
        house.change(|plan| plan.cost = "STAFF 2".into());
        house.change(|plan| plan.cost = "STAFF 3".into());
        let said = take(&mut house.open(&mirrors.query(), rights), &mut mirrors);
        assert!(!said.contains("snapshot") && said.contains("one"), "{said}");
        assert_eq!(said.contains("STAFF"), !rights.is_empty());
        house.change(|plan| plan.cost = "STAFF 4".into());
        house.change(|plan| plan.title = "two".into());
        let said = take(&mut house.open(&mirrors.query(), rights), &mut mirrors);
        assert!(!said.contains("snapshot") && said.contains("two"), "{said}");
        let (_, whole) = house.session.snapshot(1).unwrap();
        assert_eq!(*held(&mirrors), seen(&whole, rights));
        // Nothing was missed but what is not seen.
        house.change(|plan| plan.text.push_str("ADMIN"));
        let said = take(&mut house.open(&mirrors.query(), rights), &mut mirrors);
        assert_eq!(said, "");
    }
}

#[test]
fn who_comes_back_with_other_rights_gets_the_model_as_they_see_it() {
    let house = House::new(Plan {
        cost: "STAFF".into(),
        ..Plan::default()
    });
    let mut mirrors = Mirrors::default();
    for rights in [&[][..], &["staff"], &["admin"], &[]] {
        let said = take(&mut house.open(&mirrors.query(), rights), &mut mirrors);
        assert!(said.contains("snapshot"), "{rights:?}: {said}");
        let (_, whole) = house.session.snapshot(1).unwrap();
        assert_eq!(*held(&mirrors), seen(&whole, rights));
    }
}

/// A published client says no more than a revision, which may be one that it saw as somebody else.
#[test]
fn who_knows_no_epoch_is_sent_a_model_with_views_as_it_is() {
    let house = House::new(Plan {
        cost: "STAFF".into(),
        ..Plan::default()
    });
    let said = texts(&mut house.open("since=%7B%221%22%3A0%7D", &[])).concat();
    assert!(
        said.contains("snapshot") && !said.contains("STAFF"),
        "{said}"
    );
}

/// Found by thinking: the views it left with are those it came with, and what was in between is lost on it.
#[test]
fn rights_that_changed_twice_within_a_connection_are_not_taken_for_the_same() {
    let house = House::new(Plan::default());
    let mut mirrors = Mirrors::default();
    let mut connection = house.open(&mirrors.query(), &["staff"]);
    let number = connection.number();
    take(&mut connection, &mut mirrors);
    assert!(house.server.set_views(number, views(&[])));
    take(&mut connection, &mut mirrors);
    drop(connection);
    house.change(|plan| plan.title = "one".into());
    take(&mut house.open(&mirrors.query(), &["staff"]), &mut mirrors);
    let (_, whole) = house.session.snapshot(1).unwrap();
    assert_eq!(*held(&mirrors), seen(&whole, &["staff"]));
}
