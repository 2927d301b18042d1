//! What the compiler says to somebody who makes a mistake, and that it says nothing where there is none.
//!
//! `TRYBUILD=overwrite cargo test -p ui` writes the messages anew.

#[test]
fn ui() {
    let cases = trybuild::TestCases::new();
    cases.pass("pass/*.rs");
    cases.compile_fail("attributes/*.rs");
    cases.compile_fail("rules/*.rs");
    cases.compile_fail("types/*.rs");
}
