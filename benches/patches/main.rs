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
mod peers;

use benches::Workload;

use crate::models::Positions;
use crate::peers::Change;

fn main() {
    println!(
        "nanoseconds from a change to its encoded JSON patch; in brackets the multiple of the limit"
    );
    Workload::new("8 fields, one changed", None)
        .with("limit", limit::small())
        .with("transports", ours::small())
        .with("serde_json", peers::whole::small_struct())
        .with("morphix", peers::morphix_crate::small_struct())
        .with("json-patch", peers::json_patch::small_struct())
        .with("published", peers::published_crate::small_struct())
        .measure();
    for (name, len) in [("one of 1k rows", 1_000), ("one of 100k rows", 100_000)] {
        let change = Change::OneRow(Positions::of(len));
        table(
            name,
            len,
            change,
            limit::one_row(len),
            ours::one_row::<ours::Tracked>(len),
            ours::one_row::<ours::Plain>(len),
        );
    }
    Workload::new("10 of 10k map entries", None)
        .with("limit", limit::entries())
        .with("Map", ours::entries::<ours::TrackedMap>())
        .with("BTreeMap", ours::entries::<ours::PlainMap>())
        .with("serde_json", peers::whole::entries())
        .with("morphix", peers::morphix_crate::entries())
        .with("json-patch", peers::json_patch::entries())
        .with("published", peers::published_crate::entries())
        .measure();
    Workload::new("push to a 10k log", Some(1_000))
        .with("limit", limit::Push::new())
        .with("List", ours::Push::<ours::Tracked>::new())
        .with("Vec", ours::Push::<ours::Plain>::new())
        .with("serde_json", peers::whole::push())
        .with("morphix", peers::morphix_crate::Push::new())
        .with("eyeball-im", peers::eyeball::Push::new())
        .measure();
    Workload::new("remove row 0 of 1k", Some(100))
        .with("limit", limit::RemoveFirst::new())
        .with("List", ours::RemoveFirst::<ours::Tracked>::new())
        .with("Vec", ours::RemoveFirst::<ours::Plain>::new())
        .with("serde_json", peers::whole::remove_first())
        .with("morphix", peers::morphix_crate::RemoveFirst::new())
        .with("eyeball-im", peers::eyeball::RemoveFirst::new())
        .measure();
    table(
        "all of 1k rows",
        1_000,
        Change::AllRows,
        limit::all_rows(),
        ours::all_rows::<ours::Tracked>(),
        ours::all_rows::<ours::Plain>(),
    );
    table(
        "sliding window of 120",
        120,
        Change::Window(120),
        limit::window(),
        ours::window::<ours::Tracked>(),
        ours::window::<ours::Plain>(),
    );
    Workload::new("one letter to 10 kB text", Some(1_000))
        .with("limit", limit::Letter::new())
        .with("Text", ours::Letter::<ours::TrackedText>::new())
        .with("String", ours::Letter::<ours::PlainText>::new())
        .with("serde_json", peers::whole::letter())
        .with("json-patch", peers::json_patch::letter())
        .with("published", peers::published_crate::letter())
        .measure();
    // Morphix tells the part that changed, too.
    Workload::new("the same, as a splice", Some(1_000))
        .with("limit", limit::Splice::new())
        .with("Text", ours::Letter::<ours::TrackedText>::spliced())
        .with("morphix", peers::morphix_crate::Letter::new())
        .measure();
    println!("\nthe same patch in other codecs, as multiples of JSON");
    Workload::new("one of 1k rows", None)
        .with("limit", ours::one_row_in(transports::Changes::as_json()))
        .with(
            "msgpack",
            ours::one_row_in(transports::Changes::as_msgpack()),
        )
        .with("cbor", ours::one_row_in(transports::Changes::as_cbor()))
        .measure();
    println!("\nidle sync of a clean model");
    Workload::new("100k rows", None)
        .with("List", ours::idle::<ours::Tracked>(100_000))
        .measure();
    for (name, len) in [("1k rows", 1_000), ("100k rows", 100_000)] {
        Workload::new(name, None)
            .with("limit", limit::clean_rows(len))
            .with("Vec", ours::idle::<ours::Plain>(len))
            .measure();
    }
    Workload::new("session of 10k models", None)
        .with("transports", ours::idle_session())
        .measure();
    println!("\nsnapshot of 100k rows as JSON");
    Workload::new("100k rows", None)
        .with("limit", limit::snapshot(100_000))
        .with("List", ours::snapshot::<ours::Tracked>(100_000))
        .with("Vec", ours::snapshot::<ours::Plain>(100_000))
        .measure();
}

fn table(
    name: &'static str,
    len: usize,
    change: Change,
    limit: impl benches::Contestant,
    tracked: impl benches::Contestant,
    plain: impl benches::Contestant,
) {
    Workload::new(name, None)
        .with("limit", limit)
        .with("List", tracked)
        .with("Vec", plain)
        .with("serde_json", peers::whole::table(len, change))
        .with("morphix", peers::morphix_crate::table(len, change))
        .with("eyeball-im", peers::eyeball::table(len, change))
        .with("json-patch", peers::json_patch::table(len, change))
        .with("published", peers::published_crate::table(len, change))
        .measure();
}
