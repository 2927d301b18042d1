//! Which revisions of a model somebody sees.

use crate::views::{Mask, Names, Views};

/// The last revisions of a model, by the views that are needed to see what they changed. Who has others does not hear of
/// a revision: the last one is another one then.
#[derive(Clone, Default)]
pub(crate) struct Visible {
    names: Names,
    /// Where revisions began, which everybody sees.
    first: u64,
    last: Vec<(Mask, u64)>,
}

impl Visible {
    pub(super) fn beginning_at(first: u64, names: &Names) -> Self {
        Self {
            names: Names::clone(names),
            first,
            last: Vec::new(),
        }
    }

    /// The views of the model, if it has any.
    pub(super) fn names(&self) -> Option<&Names> {
        Some(&self.names).filter(|names| !names.is_empty())
    }

    /// There is a revision that changed what needs these views.
    pub(super) fn note(&mut self, rev: u64, masks: impl Iterator<Item = Mask>) {
        for mask in masks {
            match self.last.iter_mut().find(|(known, _)| *known == mask) {
                Some((_, last)) => *last = rev,
                None => self.last.push((mask, rev)),
            }
        }
    }

    /// The last revision that somebody sees.
    pub(super) fn rev(&self, views: &Views) -> u64 {
        let has = Mask::of(&self.names, views);
        let seen = self.last.iter().filter(|(mask, _)| mask.is_within(has));
        seen.map(|(_, rev)| *rev).max().unwrap_or(self.first)
    }
}
