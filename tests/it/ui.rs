//! What the compiler says to somebody who makes a mistake, and that it says nothing where there is none.
//!
//! `TRYBUILD=overwrite cargo test -p tests ui` writes the messages anew.

#[test]
fn ui() {
    let cases = trybuild::TestCases::new();
    cases.pass("it/ui/pass/*.rs");
    cases.compile_fail("it/ui/attributes/*.rs");
    cases.compile_fail("it/ui/rules/*.rs");
    cases.compile_fail("it/ui/types/*.rs");
}
