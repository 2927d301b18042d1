//! The load program: opens connections, has the server change its model, and measures both.
//!
//! - `load`: all contestants in all scenarios, as tables; `scripts/bench-load` builds what it needs and calls it. With
//!   `--quick` a few connections for a moment: whether all is delivered, not how fast.
//! - `load --port P --pid N --connections N ...`: one scenario against a server that runs.
#![expect(clippy::print_stdout, reason = "tables are what this is for")]

mod crowd;
mod decode;
mod process;
mod scenario;
mod table;
mod target;

use std::collections::BTreeMap;
use std::error::Error;
use std::process::{Command, ExitCode};
use std::str::FromStr;

use benches::serving::flags;

use self::crowd::Transport;
use self::scenario::Scenario;
use self::table::Size;
use self::target::{Launcher, Target};

const USAGE: &str = "usage:
  load [--quick] [--pin] [--rounds 3] [--secs 5] [--only TEXT] [--python PYTHON --published SERVER.PY]
  load --port P --pid PID [--do fan-out|stuck|idle|storm] [--sse]
       [--connections 1000] [--hz 100] [--secs 5] [--rows R]

--pin gives the server the first core and the load program the second.";

fn main() -> ExitCode {
    match run() {
        Ok(0) => ExitCode::SUCCESS,
        Ok(failed) => {
            eprintln!("{failed} failed");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

type Flags = BTreeMap<&'static str, String>;

fn run() -> Result<usize, Box<dyn Error>> {
    let flags = flags(
        &[
            "connections",
            "do",
            "hz",
            "only",
            "pid",
            "port",
            "published",
            "python",
            "rounds",
            "rows",
            "secs",
        ],
        &["pin", "quick", "sse"],
    )?;
    rlimit::increase_nofile_limit(u64::MAX)?;
    let pin = flags.contains_key("pin");
    if pin {
        let own = std::process::id().to_string();
        let status = Command::new("taskset")
            .args(["-c", "-p", "1", &own])
            .output()?
            .status;
        if !status.success() {
            return Err("there is no second core to be pinned to".into());
        }
    }
    if flags.contains_key("port") {
        return one(&flags);
    }
    let python = flags.get("python").map(Into::into);
    let launcher = Launcher {
        python: python.zip(flags.get("published").map(Into::into)),
        pin,
    };
    let quick = flags.contains_key("quick");
    let size = Size {
        rounds: number(&flags, "rounds", if quick { 1 } else { 3 })?,
        secs: number(&flags, "secs", if quick { 0.5 } else { 5.0 })?,
        divisor: if quick { 100 } else { 1 },
        replay: quick,
    };
    Ok(table::print(
        &launcher,
        size,
        flags.get("only").map(String::as_str),
    ))
}

/// One scenario against a server that runs.
fn one(flags: &Flags) -> Result<usize, Box<dyn Error>> {
    let target = Target::running(number(flags, "port", 0)?, number(flags, "pid", 0)?);
    let transport = if flags.contains_key("sse") {
        Transport::Events
    } else {
        Transport::WebSocket
    };
    let connections = number(flags, "connections", 1000)?;
    let secs = number(flags, "secs", 5.0)?;
    let rows = number(flags, "rows", 0)?;
    let what = flags.get("do").map_or("fan-out", String::as_str);
    let scenario = match what {
        "fan-out" | "stuck" => Scenario::FanOut {
            transport,
            connections,
            hz: number(flags, "hz", 100.0)?,
            secs,
            rows,
            stuck: what == "stuck",
            replay: rows > 0,
        },
        "idle" => Scenario::Idle {
            transport,
            connections,
            secs,
        },
        "storm" => Scenario::Storm {
            transport,
            connections,
            rows,
            patience: 70.0,
        },
        other => return Err(format!("no such scenario: {other}").into()),
    };
    let figures = scenario.measure(&target)?;
    table::head(&figures);
    table::line(what, &figures, None);
    Ok(0)
}

fn number<T: FromStr<Err: Error + 'static>>(
    flags: &Flags,
    name: &str,
    default: T,
) -> Result<T, Box<dyn Error>> {
    match flags.get(name) {
        Some(value) => Ok(value.parse()?),
        None => Ok(default),
    }
}
