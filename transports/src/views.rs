//! Fields that only some peers see.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The views that a connection has: it is sent the fields with `#[synced(view = "...")]` whose view is among them.
///
/// ```
/// use transports::Views;
///
/// let mut views = Views::from_iter(["staff"]);
/// views.insert("audit");
/// assert!(views.contains("staff"));
/// assert!(Views::default().is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Views(BTreeSet<String>);

impl Views {
    /// Adds a view.
    pub fn insert(&mut self, view: impl Into<String>) {
        self.0.insert(view.into());
    }

    /// Whether a view is among them.
    #[must_use]
    pub fn contains(&self, view: &str) -> bool {
        self.0.contains(view)
    }

    /// Whether there are none, so that all fields with a view are hidden.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Their names, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Those that a model has.
    pub(crate) fn only(mut self, names: &[&'static str]) -> Self {
        self.0.retain(|view| names.contains(&view.as_str()));
        self
    }

    pub(crate) fn is_superset(&self, other: &Self) -> bool {
        self.0.is_superset(&other.0)
    }
}

impl<V: Into<String>> FromIterator<V> for Views {
    fn from_iter<I: IntoIterator<Item = V>>(views: I) -> Self {
        Self(views.into_iter().map(Into::into).collect())
    }
}

/// All views that fields of a model have, in order.
pub(crate) type Names = Arc<[&'static str]>;

/// Some of the views of a model, by their places among its [`Names`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Mask(u64);

impl Mask {
    pub(crate) const NONE: Self = Self(0);
    /// More views than these no model may have.
    pub(crate) const MOST: usize = u64::BITS as usize;

    /// Those that somebody has.
    pub(crate) fn of(names: &[&'static str], views: &Views) -> Self {
        if views.is_empty() {
            return Self::NONE;
        }
        let seen = names.iter().enumerate();
        let seen = seen.filter(|(_, name)| views.contains(name));
        Self(seen.fold(0, |mask, (place, _)| mask | 1 << place))
    }

    const fn with(self, place: usize) -> Self {
        Self(self.0 | 1 << place)
    }

    const fn has(self, place: usize) -> bool {
        self.0 & (1 << place) != 0
    }

    /// Whether who has `views` has these.
    pub(crate) const fn is_within(self, views: Self) -> bool {
        self.0 & !views.0 == 0
    }

    /// What needs more views is below what needs fewer.
    pub(crate) const fn depth(self) -> u32 {
        self.0.count_ones()
    }
}

/// What of a model is written. Everything, unless somebody said otherwise.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen(Option<(Names, Mask)>);

impl Seen {
    pub(crate) const EVERYTHING: Self = Self(None);

    pub(crate) fn of(names: &Names, mask: Mask) -> Self {
        Self((!names.is_empty()).then(|| (Arc::clone(names), mask)))
    }

    /// Whether fields with this view are written. What the model's type did not tell of is not.
    pub(crate) fn has(&self, view: &str) -> bool {
        self.0
            .as_ref()
            .is_none_or(|(names, mask)| place(names, view).is_some_and(|place| mask.has(place)))
    }
}

/// These views and one more; `None` if the model's type did not tell of it.
pub(crate) fn below(names: &[&'static str], mask: Mask, view: &str) -> Option<Mask> {
    place(names, view).map(|place| mask.with(place))
}

fn place(names: &[&'static str], view: &str) -> Option<usize> {
    names.iter().position(|name| *name == view)
}

thread_local! {
    /// The views of the client whose edit this thread is making, if the model has any. An edit passes through generated
    /// code, which asks for nothing but this.
    static AUTHOR: RefCell<Option<Views>> = const { RefCell::new(None) };
}

/// Runs what makes an edit of a client that has these views.
pub(crate) fn making<R>(views: &Views, edit: impl FnOnce() -> R) -> R {
    struct Restore(Option<Views>);

    impl Drop for Restore {
        fn drop(&mut self) {
            AUTHOR.set(self.0.take());
        }
    }

    let _restore = Restore(AUTHOR.replace(Some(views.clone())));
    edit()
}

/// Whether there are fields that the client whose edit is being made may not see.
pub(crate) fn is_limited() -> bool {
    AUTHOR.with_borrow(Option::is_some)
}

/// Whether the client whose edit is being made does not see fields with this view.
pub fn is_hidden(view: &str) -> bool {
    AUTHOR.with_borrow(|author| author.as_ref().is_some_and(|views| !views.contains(view)))
}
