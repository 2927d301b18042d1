//! The list, and what clients may do to it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use transports::Synced;

/// Items are held by names that pages make up, and their order is a list of these names. So an edit of an item finds it
/// wherever others have moved it meanwhile.
#[derive(Synced, Serialize, Deserialize, Debug, PartialEq)]
#[synced(validate = Todo::check)]
pub(crate) struct Todo {
    #[synced(length = 1..=60)]
    pub(crate) title: String,
    #[synced(length = 0..=500)]
    pub(crate) items: BTreeMap<String, Item>,
    /// The names of the items, from top to bottom.
    #[synced(length = 0..=500)]
    pub(crate) order: Vec<String>,
}

#[derive(Synced, Serialize, Deserialize, Debug, PartialEq)]
pub(crate) struct Item {
    #[synced(length = 1..=200)]
    pub(crate) text: String,
    pub(crate) done: bool,
}

impl Todo {
    /// Two removals may cross, and an index then means another item than the one that was meant: such an edit is refused.
    fn check(&self) -> Result<(), String> {
        let mut names: Vec<_> = self.order.iter().collect();
        names.sort_unstable();
        if names.into_iter().eq(self.items.keys()) {
            Ok(())
        } else {
            Err("the list has changed meanwhile".to_owned())
        }
    }
}

impl Default for Todo {
    fn default() -> Self {
        let texts = [
            "Open this page in a second tab",
            "Drag an item to another place",
            "Stop the server, go on writing, start it",
        ];
        let names = || (0..texts.len()).map(|number| format!("first-{number}"));
        let item = |text: &str| Item {
            text: text.into(),
            done: false,
        };
        Self {
            title: "To do".into(),
            items: names().zip(texts.map(item)).collect(),
            order: names().collect(),
        }
    }
}
