//! `cargo bench -p benches --bench instructions`: processor instructions from a change to its patch as JSON.
//!
//! Callgrind, which is in Debian's package `valgrind`, counts them: they are the same whatever else the machine does. The
//! program runs itself under it, once for each contestant.
#![expect(
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a program for people, which may panic"
)]

#[path = "../patches/limit.rs"]
#[expect(dead_code, reason = "some of it is only timed")]
mod limit;
#[path = "../patches/models.rs"]
mod models;
#[path = "../patches/ours.rs"]
#[expect(dead_code, reason = "some of it is only timed")]
mod ours;

use std::process::Command;

use benches::Contestant;
use transports::Changes;

type Make = fn() -> Box<dyn Contestant>;

/// What is done, how many changes one step makes, and by whom.
type Workload = (&'static str, u32, &'static [(&'static str, Make)]);

const WORKLOADS: &[Workload] = &[
    (
        "8 fields, one changed",
        1,
        &[
            ("limit", || Box::new(limit::small())),
            ("transports", || Box::new(ours::small())),
        ],
    ),
    (
        "one of 1k rows",
        1,
        &[
            ("limit", || Box::new(limit::one_row(1_000))),
            ("List", || Box::new(ours::one_row::<ours::Tracked>(1_000))),
            ("in MessagePack", || {
                Box::new(ours::one_row_in(Changes::as_msgpack()))
            }),
            ("in CBOR", || Box::new(ours::one_row_in(Changes::as_cbor()))),
        ],
    ),
    (
        "a row of all of 1k",
        1_000,
        &[
            ("limit", || Box::new(limit::all_rows())),
            ("List", || Box::new(ours::all_rows::<ours::Tracked>())),
        ],
    ),
    (
        "a map entry of 10 of 10k",
        10,
        &[
            ("limit", || Box::new(limit::entries())),
            ("Map", || Box::new(ours::entries::<ours::TrackedMap>())),
        ],
    ),
    (
        "push to a 10k log",
        1,
        &[
            ("limit", || Box::new(limit::Push::new())),
            ("List", || Box::new(ours::Push::<ours::Tracked>::new())),
        ],
    ),
    (
        "sliding window of 120",
        1,
        &[
            ("limit", || Box::new(limit::window())),
            ("List", || Box::new(ours::window::<ours::Tracked>())),
        ],
    ),
    (
        "an unchanged row of 1k",
        1_000,
        &[
            ("limit", || Box::new(limit::clean_rows(1_000))),
            ("Vec", || Box::new(ours::idle::<ours::Plain>(1_000))),
        ],
    ),
];

/// Changes before those that count, and those.
const CHANGES: u32 = 3_000;

/// The function that callgrind looks at.
#[inline(never)]
fn counted(contestant: &mut dyn Contestant, steps: u32) {
    contestant.run(steps);
}

fn main() {
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    if let (Some(workload), Some(contestant)) = (args.next(), args.next()) {
        let (_, changes, contestants) = WORKLOADS[workload.parse::<usize>().unwrap()];
        let (_, make) = contestants[contestant.parse::<usize>().unwrap()];
        let mut contestant = make();
        contestant.reset();
        contestant.run(CHANGES / changes);
        return counted(contestant.as_mut(), CHANGES / changes);
    }
    println!(
        "instructions from a change to its encoded patch; in brackets the multiple of the limit"
    );
    for (workload, (name, changes, contestants)) in WORKLOADS.iter().enumerate() {
        print!("| {name:<26} |");
        let mut limit = None;
        for (contestant, (name, _)) in contestants.iter().enumerate() {
            let count = count(workload, contestant) / f64::from(CHANGES / changes * changes);
            let ratio = count / *limit.get_or_insert(count);
            match *name {
                "limit" => print!(" {count:>7.0} |"),
                name => print!(" {name} {count:.0} ({ratio:.1}x) |"),
            }
        }
        println!();
    }
}

/// The instructions of one contestant, by callgrind.
fn count(workload: usize, contestant: usize) -> f64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg("--toggle-collect=*instructions*counted*")
        .arg(std::env::current_exe().unwrap())
        .args([workload.to_string(), contestant.to_string()])
        .output()
        .expect("valgrind is installed");
    let told = String::from_utf8_lossy(&output.stderr);
    let collected = told
        .lines()
        .find_map(|line| line.split_once("Collected : "));
    let (_, number) = collected.unwrap_or_else(|| panic!("no count in what valgrind says: {told}"));
    number.trim().parse().unwrap()
}
