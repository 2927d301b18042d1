//! How much work a client's edit may make in lists.

use std::cell::Cell;

use super::{Author, EditError, Reason};

thread_local! {
    /// What the edit that this thread is making may still move. An edit passes through code of the model's types, most
    /// of it generated, which has no business with it.
    static LEFT: Cell<Option<Budget>> = const { Cell::new(None) };
}

/// The items of lists that an edit may move from place to place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    limit: usize,
    left: usize,
}

impl Budget {
    pub(crate) const fn of(items: usize) -> Self {
        Self {
            limit: items,
            left: items,
        }
    }

    /// Runs what makes the edit.
    pub(crate) fn spend<R>(self, edit: impl FnOnce() -> R) -> R {
        struct Restore(Option<Budget>);

        impl Drop for Restore {
            fn drop(&mut self) {
                LEFT.set(self.0);
            }
        }

        let _restore = Restore(LEFT.replace(Some(self)));
        edit()
    }
}

/// The edit is about to move so many items of a list. What a client asks for is counted against its budget, if it has
/// one; undoing that is not.
pub(crate) fn moves(items: usize, author: Author) -> Result<(), EditError> {
    let (Author::Client, Some(budget)) = (author, LEFT.get()) else {
        return Ok(());
    };
    let Some(left) = budget.left.checked_sub(items) else {
        return Err(EditError::new(Reason::TooManyMoved {
            limit: budget.limit,
        }));
    };
    LEFT.set(Some(Budget { left, ..budget }));
    Ok(())
}
