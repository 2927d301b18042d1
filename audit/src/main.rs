//! Looks for known vulnerabilities, and for crates that are unsound or no longer maintained, in lock files. The findings
//! are those of cargo-audit, which does it by the same library.
//!
//! `audit DATABASE LOCK...`; `scripts/audit` runs it.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use rustsec::advisory::Informational;
use rustsec::report::{Report, Settings};
use rustsec::{Database, Error, Lockfile};

fn main() -> Result<ExitCode, Error> {
    let mut paths = std::env::args_os().skip(1).map(PathBuf::from);
    let Some(database) = paths.next() else {
        eprintln!("audit DATABASE LOCK...");
        return Ok(ExitCode::FAILURE);
    };
    let database = Database::open(&database)?;
    println!("{} advisories", database.iter().count());
    let mut found = 0;
    for lock in paths {
        found += audit(&database, &lock)?;
    }
    Ok(ExitCode::from(u8::from(found > 0)))
}

/// Prints what is found in a lock file, and returns how much that is.
fn audit(database: &Database, lock: &Path) -> Result<usize, Error> {
    let lockfile = Lockfile::load(lock)?;
    let settings = Settings {
        informational_warnings: vec![
            Informational::Unmaintained,
            Informational::Unsound,
            Informational::Notice,
        ],
        ..Settings::default()
    };
    let report = Report::generate(database, &lockfile, &settings);
    let vulnerabilities = report.vulnerabilities.list.iter();
    let vulnerabilities = vulnerabilities.map(|found| (&found.package, Some(&found.advisory)));
    let warnings = report.warnings.values().flatten();
    let warnings = warnings.map(|found| (&found.package, found.advisory.as_ref()));
    let mut count = 0;
    for (package, advisory) in vulnerabilities.chain(warnings) {
        count += 1;
        let what = advisory.map(|advisory| format!("{}: {}", advisory.id, advisory.title));
        let what = what.unwrap_or_default();
        println!("{} {}: {what}", package.name, package.version);
    }
    let packages = lockfile.packages.len();
    println!("{}: {packages} packages, {count} findings", lock.display());
    Ok(count)
}
