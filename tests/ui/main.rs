//! What the compiler says to somebody who makes a mistake. The programs in `pass/` are tests, too.
//!
//! `TRYBUILD=overwrite cargo test -p ui` writes the messages anew.

#[test]
fn ui() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("attributes/*.rs");
    cases.compile_fail("rules/*.rs");
    cases.compile_fail("types/*.rs");
}
