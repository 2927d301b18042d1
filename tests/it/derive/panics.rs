//! A model's own code that panics at a client's edit: the edit is refused, and nothing of it stays.

use transports::collections::List;
use transports::{Changes, Synced, Tracked};

use super::support::{Watched, json, set, value_of};

#[derive(Synced, Clone, Debug, PartialEq)]
#[synced(computed(average: i64 = Batch::average))]
struct Batch {
    #[synced(validate = no_seven)]
    total: i64,
    count: i64,
}

impl Batch {
    /// Panics where `count` is 0.
    fn average(&self) -> i64 {
        self.total / self.count
    }
}

fn no_seven(total: &i64) -> Result<(), String> {
    assert_ne!(*total, 7, "who would think of seven");
    Ok(())
}

#[derive(Synced, Debug)]
#[synced(validate = Plant::check)]
struct Plant {
    first: i64,
    batches: List<Batch>,
    plain: Vec<Batch>,
}

impl Plant {
    fn check(&self) -> Result<(), &'static str> {
        assert_ne!(self.first, 8, "who would think of eight");
        Ok(())
    }
}

fn plant() -> Watched<Plant> {
    let batch = |total| Batch { total, count: 1 };
    Watched::new(Plant {
        first: 0,
        batches: List::from(vec![batch(1), batch(2), batch(3)]),
        plain: vec![batch(1), batch(2)],
    })
}

#[test]
fn a_rule_that_panics_refuses() {
    let mut plant = plant();
    for (place, refusal) in [
        (
            vec!["plain", "1", "total"],
            "plain[1].total: the rule for this panicked",
        ),
        (
            vec!["batches", "1", "total"],
            "batches[1].total: the rule for this panicked",
        ),
    ] {
        let refused = plant.edit([set(&["first"], 1), set(&place, 7)]);
        assert_eq!(refused.unwrap_err().to_string(), refusal);
    }
    assert_eq!(
        plant.refusal(set(&["first"], 8)),
        "the model: the rule for this panicked"
    );
    assert_eq!(plant.collect(), []);
    assert_eq!(plant.change(|plant| plant.first = 8), [set(&["first"], 8)]);
}

#[test]
fn a_computed_field_that_panics_refuses() {
    for list in ["plain", "batches"] {
        let mut plant = plant();
        let refused = plant.edit([
            set(&["first"], 1),
            set(&[list, "0", "total"], 5),
            set(&[list, "1", "count"], 0),
        ]);
        assert_eq!(
            refused.unwrap_err().to_string(),
            "the model: the model panicked at this edit"
        );
        assert_eq!(plant.collect(), [], "{list}");

        let made = plant.edit([set(&[list, "1", "total"], 9)]).unwrap();
        assert_eq!(
            made,
            [
                set(&[list, "1", "average"], 9),
                set(&[list, "1", "total"], 9)
            ]
        );
        plant.change(|plant| {
            plant.batches.push(Batch { total: 4, count: 2 });
            plant.batches.remove(0);
            plant.plain.remove(0);
        });
    }
}

#[derive(Synced, Clone, Debug, PartialEq)]
struct Picky {
    first: i64,
    #[synced(default = never)]
    second: i64,
}

fn never() -> i64 {
    panic!("this has no default after all");
}

#[test]
fn an_op_that_panics_takes_those_before_it_along() {
    let mut model = Tracked::new(Picky {
        first: 1,
        second: 2,
    });
    let before = (*model).clone();
    let ops = [set(&["first"], 5), set(&[], json!({"first": 6}))];
    let mut changes = Changes::as_ops();
    let refusal = Tracked::edit(&mut model, ops, &mut changes).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "the model: the model panicked at this edit"
    );
    assert_eq!((*model).clone(), before);
    assert_eq!(changes.ops(), []);
    assert_eq!(value_of(&*model), json!({"first": 1, "second": 2}));
}
