//! A `Set` of a leaf in the binary codecs, in as few pieces as possible.

use super::Writer;
use super::notation::{Notation, block};
use crate::path::{At, Step};

/// A value without anything below it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Leaf<'a> {
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(&'a str),
}

impl Writer {
    pub(crate) fn leaf(&mut self, leaf: Leaf<'_>) {
        match leaf {
            Leaf::Bool(value) => self.bool(value),
            Leaf::Int(value) => self.int(value),
            Leaf::Float(value) => self.float(value),
            Leaf::Str(value) => self.str(value),
        }
    }

    /// The bytes that [`op`](Self::op) makes of such a `Set`, in the notation of this writer's codec.
    #[inline(never)]
    pub(crate) fn set_leaf<C: Notation>(&mut self, at: &At<'_>, leaf: Leaf<'_>) {
        debug_assert_eq!(self.form, C::FORM);
        let out = &mut self.buffer;
        C::open(out, at);
        path::<C>(out, at);
        C::value(out, at, leaf);
    }
}

/// The steps from the root down; most places are at most three steps deep.
#[inline(always)]
fn path<C: Notation>(out: &mut Vec<u8>, at: &At<'_>) {
    let Some((above, last)) = at.split() else {
        return;
    };
    if let Some((top, middle)) = above.split() {
        if let Some((root, first)) = top.split() {
            if !root.is_root() {
                far_path::<C>(out, root);
            }
            step::<C>(out, first);
        }
        step::<C>(out, middle);
    }
    step::<C>(out, last);
}

/// The steps above the last three.
#[cold]
#[inline(never)]
fn far_path<C: Notation>(out: &mut Vec<u8>, at: &At<'_>) {
    path::<C>(out, at);
}

#[inline(always)]
fn step<C: Notation>(out: &mut Vec<u8>, step: &Step<'_>) {
    match *step {
        Step::Root => {}
        Step::Field(field) => match C::prepared(field) {
            Some(step) => block(out, step),
            None => C::key(out, field.name),
        },
        Step::Key(key) => C::key(out, key),
        Step::Index(index) => C::index(out, index),
    }
}
