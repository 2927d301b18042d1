//! What the derive makes of types, a file per attribute or shape.

mod attr_computed;
mod attr_default;
mod attr_flatten;
mod attr_key;
mod attr_names;
mod attr_rules;
mod attr_with;
mod enums;
mod generics;
mod lists;
mod panics;
mod std_types;
mod support;
