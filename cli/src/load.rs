//! `transports load`.

use std::time::{Duration, Instant};

use anstream::println;
use clap::Args;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::time::{sleep, timeout_at};
use transports_adapters::client::Client;

use crate::Target;

#[derive(Args)]
pub(crate) struct Load {
    #[command(flatten)]
    target: Target,
    /// How many connections to open, 50 at a time.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    connections: u32,
    /// Seconds to listen once all are open.
    #[arg(long, default_value_t = 10.0, value_parser = crate::seconds)]
    seconds: f64,
}

/// How many connections are being opened at any time.
const AT_A_TIME: usize = 50;

impl Load {
    pub(crate) async fn run(self) -> Result<(), String> {
        let bar =
            ProgressBar::new(self.connections.into()).with_style(style("opening", "connections"));
        let started = Instant::now();
        let mut opening = FuturesUnordered::new();
        let (mut clients, mut times, mut failures) = (Vec::new(), Vec::new(), Vec::new());
        let mut wanted = self.connections;
        while wanted > 0 || !opening.is_empty() {
            while wanted > 0 && opening.len() < AT_A_TIME {
                opening.push(open(&self.target));
                wanted -= 1;
            }
            let opened = tokio::select! {
                opened = opening.next() => opened,
                _ = tokio::signal::ctrl_c() => return Err("interrupted".to_owned()),
            };
            match opened {
                Some(Ok((client, time))) => {
                    clients.push(client);
                    times.push(time);
                }
                Some(Err(error)) => failures.push(error),
                None => {}
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        let opened_in = started.elapsed();
        drop(opening);
        if clients.is_empty() {
            return Err(failures.pop().unwrap_or_else(|| "no connection".to_owned()));
        }

        let time = Duration::from_secs_f64(self.seconds);
        let bar = ProgressBar::new(time.as_millis() as u64).with_style(style("listening", "ms"));
        let until = Instant::now() + time;
        let counting: FuturesUnordered<_> =
            clients.iter().map(|client| count(client, until)).collect();
        let mut counts = std::pin::pin!(counting.collect::<Vec<u64>>());
        let counts = loop {
            tokio::select! {
                counts = &mut counts => break counts,
                () = sleep(Duration::from_millis(100)) => {
                    bar.set_position((time - until.saturating_duration_since(Instant::now())).as_millis() as u64);
                }
                _ = tokio::signal::ctrl_c() => return Err("interrupted".to_owned()),
            }
        };
        bar.finish_and_clear();

        times.sort_unstable();
        let changes: u64 = counts.iter().sum();
        let (least, most) = (counts.iter().min().copied(), counts.iter().max().copied());
        println!(
            "connections  {} open, {} failed, in {opened_in:.2?}",
            clients.len(),
            failures.len()
        );
        println!(
            "opening      p50 {:.1?}, p99 {:.1?}, longest {:.1?}",
            percentile(&times, 50),
            percentile(&times, 99),
            percentile(&times, 100)
        );
        println!(
            "models       {}",
            clients.first().map_or(0, |client| client.models().len())
        );
        println!(
            "changes      {changes} in {time:?}: {:.0} a second, {} to {} a connection",
            changes as f64 / self.seconds.max(f64::EPSILON),
            least.unwrap_or_default(),
            most.unwrap_or_default(),
        );
        for client in &clients {
            client.close().await;
        }
        match failures.last() {
            Some(error) => Err(format!("{} connections failed: {error}", failures.len())),
            None => Ok(()),
        }
    }
}

fn style(what: &str, unit: &str) -> ProgressStyle {
    ProgressStyle::with_template(&format!("{what} {{bar:40}} {{pos}}/{{len}} {unit}"))
        .expect("the template is well-formed")
}

async fn open(target: &Target) -> Result<(Client, Duration), String> {
    let started = Instant::now();
    let client = target.connect().await?;
    Ok((client, started.elapsed()))
}

/// Counts the changes that a client hears of.
async fn count(client: &Client, until: Instant) -> u64 {
    let mut changes = client.changes();
    let mut count = 0;
    while let Ok(Some(_)) = timeout_at(until.into(), changes.next()).await {
        count += 1;
    }
    count
}

fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let last = sorted.len().saturating_sub(1);
    sorted
        .get(last * percent / 100)
        .copied()
        .unwrap_or_default()
}
