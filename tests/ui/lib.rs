//! Nothing: the test is in `main.rs`.
