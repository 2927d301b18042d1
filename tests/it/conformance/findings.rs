//! Runs cases one after the other and tells of all that fail, not only of the first.

use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::Value as Json;

use super::vectors;

/// What came out of one case.
#[derive(Default)]
pub(super) struct Findings {
    place: String,
    /// The case as a whole is loose.
    loose: bool,
    /// Differences are tolerated at present.
    lenient: bool,
    failures: Vec<String>,
    tolerated: Vec<String>,
    remarks: Vec<String>,
    skipped: Option<String>,
}

impl Findings {
    fn of(case: &Json) -> Self {
        let loose = vectors::is_loose(case);
        Self {
            loose,
            lenient: loose,
            ..Self::default()
        }
    }

    /// Goes on to a step. Where an earlier one was free to differ and did, later ones may follow from that.
    pub(super) fn step(&mut self, number: usize, step: &Json) {
        let what = step["do"].as_str().unwrap_or_default();
        self.place = format!("step {number} ({what}): ");
        self.lenient = self.loose || vectors::is_loose(step) || !self.tolerated.is_empty();
    }

    /// The steps are over.
    pub(super) fn end(&mut self) {
        self.place = "at the end: ".to_owned();
        self.lenient = self.loose || !self.tolerated.is_empty();
    }

    /// Something is not as in the vectors.
    pub(super) fn differs(&mut self, what: impl Display) {
        let list = if self.lenient {
            &mut self.tolerated
        } else {
            &mut self.failures
        };
        list.push(format!("{}{what}", self.place));
    }

    /// Something is wrong whatever the vectors say.
    pub(super) fn broken(&mut self, what: impl Display) {
        self.failures.push(format!("{}{what}", self.place));
    }

    /// Something to know that is no failure.
    pub(super) fn remark(&mut self, what: impl Display) {
        self.remarks.push(format!("{}{what}", self.place));
    }

    /// The case is not for this implementation.
    pub(super) fn skip(&mut self, why: impl Into<String>) {
        self.skipped = Some(why.into());
    }

    /// Two things are the same.
    pub(super) fn same<T: PartialEq + Display + ?Sized>(
        &mut self,
        what: &str,
        expected: &T,
        got: &T,
    ) {
        if expected != got {
            self.differs(format_args!(
                "{what}\n      expected {}\n      got      {}",
                shown(expected),
                shown(got)
            ));
        }
    }
}

/// Enough of a long text to see what is meant.
fn shown(what: &(impl Display + ?Sized)) -> String {
    const LONGEST: usize = 1500;
    let text = what.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

/// Runs all cases of a file, or of a group in it.
///
/// # Panics
/// If a case fails: with all that do.
pub(super) fn check(file: &str, group: Option<&str>, run: impl Fn(&Json, &mut Findings)) {
    let mut tally = Tally::default();
    for case in vectors::cases(file, group) {
        tally.add(&case, examine(&case, &run));
    }
    tally.finish(file, group.unwrap_or_default());
}

fn examine(case: &Json, run: impl Fn(&Json, &mut Findings)) -> Findings {
    let mut findings = Findings::of(case);
    if let Some(what) = vectors::needs(case) {
        findings.skip(format!("needs {what}"));
        return findings;
    }
    let ran = catch_unwind(AssertUnwindSafe(|| run(case, &mut findings)));
    if ran.is_err() {
        findings.broken("panicked, see above");
    }
    findings
}

/// The findings of all cases.
#[derive(Default)]
struct Tally {
    ran: usize,
    loose: usize,
    otherwise: usize,
    skipped: Vec<String>,
    remarks: Vec<String>,
    failed: Vec<String>,
}

impl Tally {
    fn add(&mut self, case: &Json, findings: Findings) {
        let name = vectors::name(case);
        if let Some(why) = findings.skipped {
            self.skipped.push(format!("{name}: {why}"));
            return;
        }
        self.ran += 1;
        self.loose += usize::from(findings.loose);
        self.otherwise += usize::from(!findings.tolerated.is_empty());
        let remarks = findings.remarks.iter().chain(&findings.tolerated);
        self.remarks
            .extend(remarks.map(|remark| format!("{name}: {remark}")));
        if !findings.failures.is_empty() {
            let failures = findings.failures.join("\n    ");
            self.failed.push(format!("  {name}\n    {failures}"));
        }
    }

    fn finish(self, file: &str, group: &str) {
        let Self { ran, loose, .. } = self;
        eprintln!(
            "{file} {group}: {ran} cases ran ({loose} of them loose, {} of these went otherwise), {} skipped, {} failed",
            self.otherwise,
            self.skipped.len(),
            self.failed.len()
        );
        for line in &self.skipped {
            eprintln!("  skipped: {line}");
        }
        for line in &self.remarks {
            eprintln!("  otherwise: {line}");
        }
        assert!(ran > 0, "{file} {group}: no case ran");
        assert!(
            self.failed.is_empty(),
            "{file} {group}: {} of {ran} cases failed\n{}",
            self.failed.len(),
            self.failed.join("\n")
        );
    }
}
