//! A model together with what the wire last saw of it.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::changes::Changes;
use crate::edit::{Author, PatchError, Reason, Undo};
use crate::patch::Op;
use crate::path::{At, Path};
use crate::synced::Synced;
use crate::writer::Writer;

/// A model whose changes can be asked for: change it like any other value, then [collect](Self::collect).
///
/// A [`Session`](crate::Session) keeps its models in these. On its own it serves programs that bring their own
/// transport.
///
/// What would be methods are associated functions, so that they cannot hide the model's own.
///
/// ```
/// # #[cfg(feature = "derive")] {
/// use transports::{Changes, Synced, Tracked};
///
/// #[derive(Synced)]
/// struct Lamp {
///     on: bool,
///     level: i64,
/// }
///
/// let mut lamp = Tracked::new(Lamp { on: false, level: 3 });
/// let mut changes = Changes::as_json();
///
/// lamp.on = true;
/// Tracked::collect(&mut lamp, &mut changes);
/// assert_eq!(changes.json(), br#"{"Set":{"path":[{"Key":"on"}],"value":{"Bool":true}}}"#);
/// # }
/// ```
pub struct Tracked<T: Synced> {
    model: T,
    shadow: T::Shadow,
    /// Whether the wire lacks a field's present value.
    faulty: bool,
    /// Whether the model was borrowed mutably since the last collection.
    borrowed: bool,
}

impl<T: Synced> Tracked<T> {
    /// Tracks `model` from its present state on.
    pub fn new(model: T) -> Self {
        let shadow = model.shadow();
        // Numbers beyond the wire's show as faults from the first collection on.
        let faulty = !model.same(&shadow);
        Self {
            model,
            shadow,
            faulty,
            borrowed: false,
        }
    }

    /// Adds to `changes` what changed since the last collection.
    pub fn collect(this: &mut Self, changes: &mut Changes) {
        this.borrowed = false;
        let before = changes.faults().len();
        this.model.diff(&mut this.shadow, &At::root(), changes);
        this.faulty = changes.faults().len() > before;
    }

    /// Writes the model as the wire knows it: the state as of the last collection, given that nothing was changed
    /// since.
    pub fn write(this: &Self, out: &mut Writer) {
        this.model.write(this.faulty.then_some(&this.shadow), out);
    }

    /// Makes a client's edit: all of its ops or none, within the model's rules. `changes` then has what really changed,
    /// which is what every peer is to be told, the one that asked included.
    ///
    /// # Errors
    /// Why the edit was refused. The model is as it was. A panic of the model's own code, in a rule or a computed field,
    /// is a refusal, too: what one peer asks for is no reason to stop serving the others.
    ///
    /// # Panics
    /// If the model was borrowed mutably since the last collection: what the host changed has to be told before, or it
    /// would pass for the client's.
    pub fn edit(
        this: &mut Self,
        ops: impl IntoIterator<Item = Op>,
        changes: &mut Changes,
    ) -> Result<(), PatchError> {
        assert!(
            !this.borrowed,
            "the host's changes are collected before an edit"
        );
        let mut undo = Undo::default();
        // Of what a panic leaves behind, `undo` is whole, and the rest is made anew.
        let edited = catch_unwind(AssertUnwindSafe(|| {
            undo.make(&mut this.model, ops, Author::Client)?;
            changes.judge();
            Self::collect(this, changes);
            match changes.take_refusal() {
                None => Ok(()),
                Some((path, reason)) => Err(PatchError {
                    op: None,
                    path,
                    reason,
                }),
            }
        }));
        match edited {
            Ok(Ok(())) => Ok(()),
            Ok(Err(refusal)) => {
                undo.revert(&mut this.model);
                // The shadow may have followed the edit, and collections have noted it; all of that goes back the same
                // way, and nobody hears of it.
                changes.clear();
                Self::collect(this, changes);
                changes.clear();
                Err(refusal)
            }
            Err(_) => {
                undo.revert(&mut this.model);
                this.shadow = this.model.shadow();
                changes.clear();
                changes.take_refusal();
                Err(PatchError {
                    op: None,
                    path: Path::default(),
                    reason: Reason::Rule("the model panicked at this edit".to_owned()),
                })
            }
        }
    }

    /// The model itself, tracked no longer.
    pub fn into_inner(this: Self) -> T {
        this.model
    }
}

impl<T: Synced> Deref for Tracked<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.model
    }
}

impl<T: Synced> DerefMut for Tracked<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        self.borrowed = true;
        &mut self.model
    }
}

impl<T: Synced + fmt::Debug> fmt::Debug for Tracked<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.model.fmt(f)
    }
}
