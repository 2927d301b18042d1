//! All servers but the published one under a moment of load: all is delivered, and all mirrors are equal.

use std::process::Command;

#[test]
fn all_scenarios_end_with_equal_states() {
    let output = Command::new(env!("CARGO_BIN_EXE_load"))
        .args(["--quick", "--secs", "0.2"])
        .output()
        .unwrap();
    let tables = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{tables}\n{errors}");
    let lines = |name: &str| tables.lines().filter(|line| line.starts_with(name)).count();
    // In each of the nine tables.
    assert_eq!(
        (lines("| limit |"), lines("| transports |")),
        (9, 9),
        "{tables}"
    );
}
