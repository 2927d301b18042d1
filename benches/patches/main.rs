//! `cargo bench -p benches --bench patches`: nanoseconds from a change to its patch as JSON.
#![expect(
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a program for people, which may panic"
)]

mod limit;
mod models;
mod ours;

use benches::Workload;

fn main() {
    println!(
        "nanoseconds from a change to its encoded JSON patch; in brackets the multiple of the limit"
    );
    Workload::new("8 fields, one changed", None)
        .with("limit", limit::small())
        .with("transports", ours::small())
        .measure();
    for (name, len) in [("one of 1k rows", 1_000), ("one of 100k rows", 100_000)] {
        Workload::new(name, None)
            .with("limit", limit::one_row(len))
            .with("List", ours::one_row::<ours::Tracked>(len))
            .with("Vec", ours::one_row::<ours::Plain>(len))
            .measure();
    }
    Workload::new("push to a 10k log", Some(1_000))
        .with("limit", limit::Push::new())
        .with("List", ours::Push::<ours::Tracked>::new())
        .with("Vec", ours::Push::<ours::Plain>::new())
        .measure();
    Workload::new("remove row 0 of 1k", Some(100))
        .with("limit", limit::RemoveFirst::new())
        .with("List", ours::RemoveFirst::<ours::Tracked>::new())
        .with("Vec", ours::RemoveFirst::<ours::Plain>::new())
        .measure();
    Workload::new("all of 1k rows", None)
        .with("limit", limit::all_rows())
        .with("List", ours::all_rows::<ours::Tracked>())
        .with("Vec", ours::all_rows::<ours::Plain>())
        .measure();
    Workload::new("sliding window of 120", None)
        .with("limit", limit::window())
        .with("List", ours::window::<ours::Tracked>())
        .with("Vec", ours::window::<ours::Plain>())
        .measure();
    println!("\nidle sync of a clean model");
    Workload::new("100k rows", None)
        .with("List", ours::idle::<ours::Tracked>(100_000))
        .measure();
    Workload::new("100k rows", None)
        .with("Vec", ours::idle::<ours::Plain>(100_000))
        .measure();
}
