//! All contestants in all scenarios, one after the other and again, and the medians of that.

use super::crowd::Transport;
use super::scenario::{Figures, Scenario};
use super::target::{Contestant, Launcher};

struct Row {
    name: &'static str,
    scenario: Scenario,
    contestants: &'static [Contestant],
}

/// How much is done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) rounds: usize,
    /// How long changes go on.
    pub(crate) secs: f64,
    /// What numbers of connections are divided by.
    pub(crate) divisor: usize,
    /// Whether all mirrors are compared in all scenarios.
    pub(crate) replay: bool,
}

use Contestant::{Axum, AxumTuned, Limit, Ours, Published};

fn rows(size: Size) -> Vec<Row> {
    let many = |connections: usize| (connections / size.divisor).max(1);
    let fan_out = |transport, connections, hz, rows, stuck| Scenario::FanOut {
        transport,
        connections: many(connections),
        hz,
        secs: size.secs,
        rows,
        stuck,
        replay: rows > 0 || size.replay,
    };
    let idle = |transport| Scenario::Idle {
        transport,
        connections: many(5000),
        secs: size.secs,
    };
    let (ws, sse) = (Transport::WebSocket, Transport::Events);
    vec![
        Row {
            name: "WebSocket: 1,000 connections, 100 changes a second",
            scenario: fan_out(ws, 1000, 100.0, 0, false),
            contestants: &[Limit, Ours, AxumTuned, Axum, Published],
        },
        Row {
            name: "SSE: 1,000 connections, 100 changes a second",
            scenario: fan_out(sse, 1000, 100.0, 0, false),
            contestants: &[Limit, Ours, Axum, Published],
        },
        Row {
            name: "one of 1,000 rows, 100 WebSocket connections, 100 changes a second",
            scenario: fan_out(ws, 100, 100.0, 1000, false),
            contestants: &[Limit, Ours, Published],
        },
        Row {
            name: "10,000 changes a second, 100 WebSocket connections",
            scenario: fan_out(ws, 100, 10_000.0, 0, false),
            contestants: &[Limit, Ours, Published],
        },
        Row {
            name: "from quiet: 5 changes a second, 100 WebSocket connections",
            scenario: fan_out(ws, 100, 5.0, 0, false),
            contestants: &[Limit, Ours, Published],
        },
        Row {
            name: "one stuck reader beside 1,000 WebSocket connections, 100 changes a second",
            scenario: fan_out(ws, 1000, 100.0, 0, true),
            contestants: &[Limit, Ours],
        },
        Row {
            name: "5,000 idle WebSocket connections",
            scenario: idle(ws),
            contestants: &[Limit, Ours, AxumTuned, Axum, Published],
        },
        Row {
            name: "5,000 idle SSE connections",
            scenario: idle(sse),
            contestants: &[Limit, Ours, Axum, Published],
        },
        Row {
            name: "1,000 WebSocket connections at once, 1 MB each",
            scenario: Scenario::Storm {
                transport: ws,
                connections: many(1000),
                rows: 12_000 / size.divisor,
                patience: 70.0,
            },
            contestants: &[Limit, Ours, AxumTuned, Axum, Published],
        },
    ]
}

/// Measures and prints. Returns how many contestants failed, the published package apart, whose limits are known.
pub(crate) fn print(launcher: &Launcher, size: Size, only: Option<&str>) -> usize {
    let mut failed = 0;
    for row in rows(size) {
        if only.is_some_and(|only| !row.name.contains(only)) {
            continue;
        }
        println!("\n### {}\n", row.name);
        let contestants: Vec<_> = row
            .contestants
            .iter()
            .copied()
            .filter(|contestant| launcher.can(*contestant))
            .collect();
        let mut results: Vec<Vec<Result<Figures, String>>> = vec![Vec::new(); contestants.len()];
        for _ in 0..size.rounds {
            for (contestant, results) in contestants.iter().zip(&mut results) {
                // Who has failed for lack of time would do so again.
                if results.iter().all(Result::is_ok) {
                    results.push(
                        launcher
                            .start(*contestant, row.scenario.rows())
                            .and_then(|target| row.scenario.measure(&target)),
                    );
                }
            }
        }
        let mut limit: Option<Figures> = None;
        for (contestant, results) in contestants.iter().zip(results) {
            match results
                .into_iter()
                .collect::<Result<Vec<_>, _>>()
                .map(medians)
            {
                Ok(figures) => {
                    if limit.is_none() {
                        head(&figures);
                        limit = Some(figures.clone());
                    }
                    line(*contestant, &figures, limit.as_ref());
                }
                Err(reason) => {
                    println!("| {contestant} | {reason} |");
                    failed += usize::from(*contestant != Published);
                }
            }
        }
    }
    failed
}

fn medians(rounds: Vec<Figures>) -> Figures {
    let Some(first) = rounds.first() else {
        return Vec::new();
    };
    let median = |index: usize| {
        let mut all: Vec<f64> = rounds
            .iter()
            .filter_map(|round| round.get(index).map(|(_, figure)| *figure))
            .collect();
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
    };
    let names = first.iter().enumerate();
    names
        .map(|(index, (name, _))| (*name, median(index)))
        .collect()
}

pub(crate) fn head(figures: &Figures) {
    print!("| |");
    for (name, _) in figures {
        print!(" {name} |");
    }
    print!("\n|---|");
    for _ in figures {
        print!("--:|");
    }
    println!();
}

/// Figures for which less is better, so that "times the limit" says something.
const RATIOS: &[&str] = &[
    super::scenario::CPU_FRAME,
    "p50 ms",
    "p99 ms",
    "all served ms",
    "CPU us/conn",
];

pub(crate) fn line(contestant: impl std::fmt::Display, figures: &Figures, limit: Option<&Figures>) {
    print!("| {contestant} |");
    for (name, figure) in figures {
        let digits = if figure.abs() < 10.0 { 2 } else { 1 };
        print!(" {figure:.digits$}");
        let base = limit.and_then(|limit| limit.iter().find(|(known, _)| known == name));
        if let Some((_, base)) = base
            && RATIOS.contains(name)
            && base != figure
        {
            print!(" ({:.2}x)", figure / base);
        }
        print!(" |");
    }
    println!();
}
