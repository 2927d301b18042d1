//! Ops on fields that have a view, kept apart from the others.
//!
//! What is told as a whole is told without such fields, and they follow as ops of their own: so an item that comes into a
//! list is one op for all, and what only some see of it is one more for them. Ops of a walk never move what was told
//! before, so those of a view may stand behind all others.

use super::{Changes, Mark, Part};
use crate::path::At;
use crate::views::{self, Mask, Names, Seen};
use crate::writer::{Head, Writer};

/// The parts of a model that has views.
#[derive(Debug)]
pub(super) struct Sections {
    names: Names,
    /// The views that are needed for what is written now. None: nobody has them.
    mask: Option<Mask>,
    parts: Vec<(Mask, Part)>,
    /// What waits while another part is written, outermost first.
    outer: Vec<Outer>,
    /// The sections so far: whose they are, and how far its part had come.
    log: Vec<(Mask, Mark)>,
}

#[derive(Debug)]
struct Outer {
    mask: Option<Mask>,
    part: Part,
    /// All ops that there were.
    told: usize,
}

impl Sections {
    /// How many there were.
    pub(super) const fn count(&self) -> usize {
        self.log.len()
    }
}

impl Changes {
    /// From now on changes are of a model that has these views.
    pub(crate) fn keep_apart(&mut self, names: &Names) {
        self.part.show(&Seen::of(names, Mask::NONE));
        self.sections = (!names.is_empty()).then(|| {
            Box::new(Sections {
                names: Names::clone(names),
                mask: Some(Mask::NONE),
                parts: Vec::new(),
                outer: Vec::new(),
                log: Vec::new(),
            })
        });
    }

    /// Whether fields with a view are told apart from the others.
    #[inline]
    pub(crate) const fn is_apart(&self) -> bool {
        self.sections.is_some()
    }

    /// What everybody is told, and what is told behind it to those who have these views; what needs fewer comes first.
    pub(crate) fn parts(&self) -> (&Part, Vec<(Mask, &Part)>) {
        let parts = self.sections.iter().flat_map(|sections| &sections.parts);
        let told = parts.filter(|(_, part)| part.ops > 0);
        let mut told: Vec<_> = told.map(|(mask, part)| (*mask, part)).collect();
        told.sort_by_key(|(mask, _)| (mask.depth(), *mask));
        (&self.part, told)
    }

    /// Forgets all sections.
    pub(super) fn clear_sections(&mut self) {
        let Some(sections) = &mut self.sections else {
            return;
        };
        // A panic of the model's own code left them open.
        let outer = sections.outer.drain(..).next();
        if let Some(outer) = outer {
            self.part = outer.part;
        }
        sections.mask = Some(Mask::NONE);
        sections.parts.clear();
        sections.log.clear();
        self.aside = 0;
    }

    /// Forgets the sections since `mark`.
    pub(super) fn rewind_sections(&mut self, mark: &Mark) {
        if let Some(sections) = &mut self.sections {
            for (mask, mark) in sections.log.drain(mark.sections..).rev() {
                let part = sections.parts.iter_mut().find(|(known, _)| *known == mask);
                if let Some((_, part)) = part {
                    self.aside -= part.ops - mark.ops;
                    part.rewind(&mark);
                }
            }
        }
    }

    /// Tells of what only those see who have a view.
    pub fn within(&mut self, view: &'static str, tell: impl FnOnce(&mut Self)) {
        let entered = self.enter(view);
        tell(self);
        if entered {
            self.leave();
        }
    }

    /// Tells of a field in a value that was told as a whole, without the fields that have a view, as this one has; `below`
    /// tells of those within it.
    pub fn reveal(
        &mut self,
        view: &'static str,
        at: &At<'_>,
        write: impl Fn(&mut Writer),
        below: impl FnOnce(&mut Self),
    ) {
        let entered = self.enter(view);
        if entered {
            self.op(Head::Set, at, write);
        }
        below(self);
        if entered {
            self.leave();
        }
    }

    /// Goes over to another part; false if this one is for those who have the view, too.
    fn enter(&mut self, view: &str) -> bool {
        let told = self.len();
        let Some(sections) = &mut self.sections else {
            return false;
        };
        // Of a view that the model's type did not tell of, nobody knows who has it.
        let here = sections.mask;
        let mask = here.and_then(|here| views::below(&sections.names, here, view));
        if mask == here {
            return false;
        }
        let known = |mask: Mask| sections.parts.iter().position(|(known, _)| *known == mask);
        let part = match mask.map(|mask| (mask, known(mask))) {
            None => Part::default(),
            Some((_, Some(place))) => sections.parts.swap_remove(place).1,
            Some((mask, None)) => {
                // As the outermost part, since one for nobody collects nothing.
                let model = sections
                    .outer
                    .first()
                    .map_or(&self.part, |outer| &outer.part);
                model.like(&Seen::of(&sections.names, mask))
            }
        };
        if let Some(mask) = mask {
            sections.log.push((mask, part.mark()));
            self.aside = told - part.ops;
        }
        sections.mask = mask;
        let part = std::mem::replace(&mut self.part, part);
        sections.outer.push(Outer {
            mask: here,
            part,
            told,
        });
        true
    }

    fn leave(&mut self) {
        let told = self.len();
        let Some(sections) = &mut self.sections else {
            return;
        };
        let Some(outer) = sections.outer.pop() else {
            return;
        };
        let part = std::mem::replace(&mut self.part, outer.part);
        let told = match std::mem::replace(&mut sections.mask, outer.mask) {
            Some(mask) => {
                sections.parts.push((mask, part));
                if told == outer.told {
                    // Nothing to take back, and nothing within it either.
                    sections.log.pop();
                }
                told
            }
            None => outer.told,
        };
        self.aside = told - self.part.ops;
    }
}
