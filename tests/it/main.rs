//! Tests over all crates, a file per behaviour.

mod property;
