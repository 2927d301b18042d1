//! `key`

use transports::{Op, Synced};

use super::support::{Watched, path, set};

#[derive(Synced, Clone, Debug, PartialEq)]
struct Keyed {
    #[synced(key = "id")]
    rows: Vec<Row>,
}

#[derive(Synced, Clone, Debug, PartialEq)]
struct Row {
    id: String,
    n: i64,
}

#[test]
fn key() {
    let row = |id: &str, n| Row { id: id.into(), n };
    let mut watched = Watched::new(Keyed {
        rows: (0..6).map(|n| row(&n.to_string(), n)).collect(),
    });
    // All rows change, and one comes from behind.
    let ops = watched.change(|model| {
        model.rows.rotate_right(1);
        model.rows.iter_mut().for_each(|row| row.n += 10);
    });
    assert_eq!(ops.len(), 7);
    assert_eq!(
        ops[0],
        Op::Move {
            path: path(&["rows"]),
            from: 5,
            to: 0
        }
    );
    assert_eq!(ops[1], set(&["rows", "0", "n"], 15));
    let ops = watched.change(|model| {
        model.rows.remove(2);
        model.rows.iter_mut().for_each(|row| row.n += 10);
    });
    assert_eq!(
        ops[0],
        Op::RemoveAt {
            path: path(&["rows"]),
            index: 2
        }
    );
    assert_eq!(ops.len(), 6);
}
