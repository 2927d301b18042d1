//! What is done to a server, and what is measured meanwhile.

use std::time::{Duration, Instant};

use transports::{Codec, Mirror, Value};

use super::crowd::{Crowd, Transport};
use super::process::{Process, busy};
use super::target::Target;

/// What is measured, in the order of the columns.
pub(crate) type Figures = Vec<(&'static str, f64)>;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Scenario {
    /// Steady changes to many connections.
    FanOut {
        transport: Transport,
        connections: usize,
        hz: f64,
        secs: f64,
        rows: usize,
        /// Whether one more connection is open that never reads.
        stuck: bool,
        /// Whether all messages are kept and replayed afterwards: where the last change does not tell the whole state,
        /// or it is not the speed that counts.
        replay: bool,
    },
    /// Connections, and nothing to tell them.
    Idle {
        transport: Transport,
        connections: usize,
        secs: f64,
    },
    /// Many connections at once, to a large model.
    Storm {
        transport: Transport,
        connections: usize,
        rows: usize,
        patience: f64,
    },
}

impl Scenario {
    pub(crate) const fn rows(&self) -> usize {
        match self {
            Self::FanOut { rows, .. } | Self::Storm { rows, .. } => *rows,
            Self::Idle { .. } => 0,
        }
    }

    /// Measures a server that has just been started.
    ///
    /// # Errors
    /// The server did not deliver what it had to. That is no figure, however fast it was.
    pub(crate) fn measure(&self, target: &Target) -> Result<Figures, String> {
        match *self {
            Self::FanOut { .. } => self.fan_out(target),
            Self::Idle {
                transport,
                connections,
                secs,
            } => idle(
                target,
                transport,
                connections,
                Duration::from_secs_f64(secs),
            ),
            Self::Storm {
                transport,
                connections,
                patience,
                ..
            } => storm(
                target,
                transport,
                connections,
                Duration::from_secs_f64(patience),
            ),
        }
    }

    fn fan_out(&self, target: &Target) -> Result<Figures, String> {
        let Self::FanOut {
            transport,
            connections,
            hz,
            secs,
            stuck,
            replay,
            ..
        } = *self
        else {
            return Err("not a fan-out".into());
        };
        let total = (hz * secs).round() as u64;
        let mut crowd = Crowd::new(target.port, transport, replay).map_err(text)?;
        if stuck {
            crowd.stick()?;
        }
        crowd.open(connections)?;
        crowd.run(SETTLED)?;
        let resident = target.process.resident().map_err(text)?;

        let meter = Meter::start(target)?;
        target.change(hz, secs)?;
        let expected = total * connections as u64;
        let changing = Duration::from_secs_f64(secs);
        let started = Instant::now();
        crowd.until(changing, |crowd| crowd.patches >= expected)?;
        // Whether all have the last change is asked for only when no more is to be expected.
        while crowd.patches < expected {
            let stats = target.stats()?;
            crowd.run(SETTLED)?;
            let behind = crowd
                .connections
                .iter()
                .any(|one| one.last_ts != stats.last_ts);
            if stats.mutations >= total && !behind {
                break;
            }
            if let Some(reason) = &crowd.ended {
                return Err(format!("a connection ended: {reason}"));
            }
            if started.elapsed() > changing + PATIENCE {
                return Err("not all have the last change".into());
            }
        }
        let elapsed = meter.stop()?;

        let stats = target.stats()?;
        if stats.mutations != total {
            return Err(format!("{} changes instead of {total}", stats.mutations));
        }
        if crowd
            .connections
            .iter()
            .any(|one| one.last_ts != stats.last_ts)
        {
            return Err("not all have the last change".into());
        }
        if replay {
            equal(&crowd, target)?;
        }
        crowd.latencies.sort_unstable();
        let delivered = crowd.patches as f64;
        let grown = target.process.resident().map_err(text)? - resident;
        Ok(vec![
            (CPU_FRAME, elapsed.server / delivered),
            ("p50 ms", at(&crowd.latencies, 0.50)),
            ("p99 ms", at(&crowd.latencies, 0.99)),
            ("max ms", at(&crowd.latencies, 1.0)),
            ("delivered %", 100.0 * delivered / expected as f64),
            ("server cores", elapsed.server / elapsed.time),
            ("load cores", elapsed.load / elapsed.time),
            ("others' cores", elapsed.others / elapsed.time),
            ("grown MB", grown / 1e6),
        ])
    }
}

/// What ratios are made of.
pub(crate) const CPU_FRAME: &str = "CPU us/frame";

/// From the last connection to the first measurement, for what a server does after it has answered.
const SETTLED: Duration = Duration::from_millis(300);
/// How long a server may be late.
const PATIENCE: Duration = Duration::from_secs(20);

fn idle(
    target: &Target,
    transport: Transport,
    connections: usize,
    time: Duration,
) -> Result<Figures, String> {
    let mut crowd = Crowd::new(target.port, transport, false).map_err(text)?;
    // What the first connections have the process set up once is not theirs.
    crowd.open(4)?;
    crowd.run(SETTLED)?;
    let process = target.process;
    let resident = process.resident().map_err(text)?;
    let proportional = process.proportional().map_err(text)?;
    crowd.open(connections)?;
    crowd.run(2 * SETTLED)?;
    let count = connections as f64;
    let resident = (process.resident().map_err(text)? - resident) / count;
    let proportional = (process.proportional().map_err(text)? - proportional) / count;

    let sleeps = process.sleeps().map_err(text)?;
    let meter = Meter::start(target)?;
    crowd.run(time)?;
    let elapsed = meter.stop()?;
    let sleeps = process.sleeps().map_err(text)? - sleeps;
    if let Some(reason) = &crowd.ended {
        return Err(format!("a connection ended: {reason}"));
    }
    Ok(vec![
        ("RSS kB/conn", resident / 1024.0),
        ("PSS kB/conn", proportional / 1024.0),
        ("wake-ups/s", sleeps / time.as_secs_f64()),
        ("CPU ms/s", elapsed.server / 1000.0 / time.as_secs_f64()),
    ])
}

fn storm(
    target: &Target,
    transport: Transport,
    connections: usize,
    patience: Duration,
) -> Result<Figures, String> {
    let meter = Meter::start(target)?;
    let before = target.process.resident().map_err(text)?;
    let mut crowd = Crowd::new(target.port, transport, false).map_err(text)?;
    let time = crowd.storm(connections, patience)?;
    let elapsed = meter.stop()?;
    let peak = target.process.peak().map_err(text)?;
    let whole = snapshot(target)?;
    for connection in &crowd.connections {
        if connection.snapshots != 1 || connection.snapshot_bytes != whole.len() {
            return Err(format!(
                "{} snapshots, the last of {} bytes instead of {}",
                connection.snapshots,
                connection.snapshot_bytes,
                whole.len()
            ));
        }
    }
    Ok(vec![
        ("all served ms", time.as_secs_f64() * 1000.0),
        ("peak RSS MB", peak / 1e6),
        ("before MB", before / 1e6),
        ("CPU us/conn", elapsed.server / connections as f64),
        ("server cores", elapsed.server / elapsed.time),
        ("load cores", elapsed.load / elapsed.time),
        ("others' cores", elapsed.others / elapsed.time),
        ("kB each", whole.len() as f64 / 1024.0),
    ])
}

/// What somebody gets who comes now.
fn snapshot(target: &Target) -> Result<Box<[u8]>, String> {
    let mut crowd = Crowd::new(target.port, Transport::WebSocket, true).map_err(text)?;
    crowd.open(1)?;
    let first = crowd.connections.first().and_then(|one| one.kept.first());
    first.cloned().ok_or_else(|| "no snapshot".into())
}

/// Whether all mirrors are what somebody gets who comes now: a snapshot, which may be a little older, and what was missed
/// since.
fn equal(crowd: &Crowd, target: &Target) -> Result<(), String> {
    let last = target.stats()?.last_ts;
    let mut newcomer = Crowd::new(target.port, Transport::WebSocket, true).map_err(text)?;
    newcomer.open(1)?;
    let is_current = |crowd: &Crowd| crowd.connections.iter().all(|one| one.last_ts == last);
    newcomer.until(PATIENCE, is_current)?;
    let first = newcomer.connections.first().ok_or("no connection")?;
    let expected = mirror(&first.kept)?;
    for (number, connection) in crowd.connections.iter().enumerate() {
        if mirror(&connection.kept)? != expected {
            return Err(format!("the mirror of connection {number} differs"));
        }
    }
    Ok(())
}

fn mirror(messages: &[Box<[u8]>]) -> Result<Value, String> {
    let mut mirror = Mirror::<Value>::new(1);
    for message in messages {
        let message = Codec::Json.decode(message).map_err(text)?;
        mirror.receive(message).map_err(text)?;
    }
    mirror.get().cloned().ok_or_else(|| "no state".into())
}

/// CPU time, from here to there.
struct Meter {
    process: Process,
    started: Instant,
    server: f64,
    load: f64,
    busy: f64,
}

/// In microseconds.
struct Elapsed {
    time: f64,
    server: f64,
    load: f64,
    /// What other programs used meanwhile: what makes figures worse that are not about CPU.
    others: f64,
}

impl Meter {
    fn start(target: &Target) -> Result<Self, String> {
        Ok(Self {
            process: target.process,
            started: Instant::now(),
            server: target.process.cpu().map_err(text)?,
            load: Process::own().cpu().map_err(text)?,
            busy: busy().map_err(text)?,
        })
    }

    fn stop(self) -> Result<Elapsed, String> {
        let server = self.process.cpu().map_err(text)? - self.server;
        let load = Process::own().cpu().map_err(text)? - self.load;
        let all = busy().map_err(text)? - self.busy;
        Ok(Elapsed {
            time: self.started.elapsed().as_micros() as f64,
            server,
            load,
            others: (all - server - load).max(0.0),
        })
    }
}

/// The quantile of sorted microseconds, in milliseconds.
fn at(sorted: &[u32], quantile: f64) -> f64 {
    let last = sorted.len().saturating_sub(1) as f64;
    let index = (last * quantile).round() as usize;
    sorted.get(index).copied().map_or(f64::NAN, f64::from) / 1000.0
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
