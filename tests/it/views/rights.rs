//! Views that come and go while a connection is open.

use super::{House, Plan, set, texts, views};

#[test]
fn a_view_that_is_granted_brings_its_values_and_one_that_is_revoked_takes_them() {
    let house = House::new(Plan {
        cost: "STAFF 1".into(),
        ..Plan::default()
    });
    let mut connection = house.open("", &[]);
    let number = connection.number();
    assert!(!texts(&mut connection).concat().contains("STAFF"));
    house.change(|plan| plan.cost = "STAFF 2".into());
    assert_eq!(texts(&mut connection), [""; 0]);

    assert!(house.server.set_views(number, views(&["staff"])));
    let granted = texts(&mut connection);
    assert_eq!(granted.len(), 1, "{granted:?}");
    assert!(granted[0].contains("snapshot") && granted[0].contains("STAFF 2"));
    house.change(|plan| plan.cost = "STAFF 3".into());
    assert!(texts(&mut connection).concat().contains("STAFF 3"));

    assert!(house.server.set_views(number, views(&[])));
    let revoked = texts(&mut connection);
    assert_eq!(revoked.len(), 1, "{revoked:?}");
    assert!(revoked[0].contains("snapshot") && !revoked[0].contains("STAFF"));
    house.change(|plan| plan.cost = "STAFF 4".into());
    assert_eq!(texts(&mut connection), [""; 0]);
    drop(connection);
    assert!(!house.server.set_views(number, views(&[])));
}

/// What waited when the view was taken away was encoded while it was there.
#[test]
fn what_waits_to_be_sent_is_not_sent_any_more_but_answers_are() {
    let house = House::new(Plan::default());
    let mut connection = house.open("", &["staff"]);
    let _ = texts(&mut connection);
    connection
        .receive(&set("title", r#"{"Str":"mine"}"#))
        .unwrap();
    house.change(|plan| plan.cost = "STAFF 1".into());
    connection.receive(&set("title", r#"{"Int":1}"#)).unwrap();
    house.change(|plan| plan.cost = "STAFF 2".into());
    // The first is taken; others are there behind it.
    let first = connection.try_next().unwrap();
    assert!(String::from_utf8_lossy(&first.bytes).contains("mine"));
    assert!(connection.queued_bytes() > 0);

    assert!(house.server.set_views(connection.number(), views(&[])));
    let rest = texts(&mut connection);
    assert!(!rest.concat().contains("STAFF"), "{rest:?}");
    assert!(rest.iter().any(|text| text.contains("snapshot")));
    assert_eq!(
        rest.iter().filter(|text| text.contains("reject")).count(),
        1,
        "{rest:?}"
    );
}

#[test]
#[should_panic(expected = "no field in them can have the view `staff`")]
fn items_of_a_set_have_no_views() {
    use std::collections::BTreeSet;

    use transports::{Session, Synced};

    #[derive(Synced, Clone, PartialEq, Eq, PartialOrd, Ord)]
    struct Item {
        name: String,
        #[synced(view = "staff")]
        secret: String,
    }

    #[derive(Synced)]
    struct Items {
        all: BTreeSet<Item>,
    }

    let _ = Session::new().host(Items {
        all: BTreeSet::new(),
    });
}
