//! What the derive makes of types, a file per attribute or shape.

mod attributes;
mod enums;
mod panics;
mod std_types;
mod support;
