//! The servers that are measured.

use std::fmt;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::process::Process;

/// Who can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Contestant {
    Limit,
    Ours,
    Axum,
    AxumTuned,
    Published,
}

impl fmt::Display for Contestant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Limit => "limit",
            Self::Ours => "transports",
            Self::Axum => "axum",
            Self::AxumTuned => "axum, small buffers",
            Self::Published => "published Python",
        })
    }
}

/// How servers are started.
#[derive(Debug)]
pub(crate) struct Launcher {
    /// The interpreter that has the published package, and its server.
    pub(crate) python: Option<(PathBuf, PathBuf)>,
    /// Whether the server has the first core to itself.
    pub(crate) pin: bool,
}

/// A server that runs, and ends with this.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) port: u16,
    pub(crate) process: Process,
    child: Option<Child>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Stats {
    pub(crate) mutations: u64,
    pub(crate) last_ts: i64,
}

/// How long a server may take to start.
const START: Duration = Duration::from_secs(30);

impl Launcher {
    pub(crate) fn can(&self, contestant: Contestant) -> bool {
        contestant != Contestant::Published || self.python.is_some()
    }

    pub(crate) fn start(&self, contestant: Contestant, rows: usize) -> Result<Target, String> {
        let port = free_port().map_err(|error| error.to_string())?;
        let mut command = self.command(contestant)?;
        command.args(["--port", &port.to_string(), "--rows", &rows.to_string()]);
        command.stdout(Stdio::null());
        let child = command
            .spawn()
            .map_err(|error| format!("{command:?}: {error}"))?;
        let target = Target {
            port,
            process: Process(child.id()),
            child: Some(child),
        };
        let started = Instant::now();
        while target.stats().is_err() {
            if started.elapsed() > START {
                return Err(format!("{contestant} does not start"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(target)
    }

    fn command(&self, contestant: Contestant) -> Result<Command, String> {
        let own = std::env::current_exe().map_err(|error| error.to_string())?;
        let beside = |name: &str| own.parent().unwrap_or(Path::new(".")).join(name);
        let (program, args): (PathBuf, Vec<String>) = match (contestant, &self.python) {
            (Contestant::Ours, _) => (beside("bench_server"), Vec::new()),
            (Contestant::Published, Some((python, server))) => {
                (python.clone(), vec![server.to_string_lossy().into_owned()])
            }
            (Contestant::Published, None) => return Err("no interpreter was given".into()),
            (kind, _) => {
                let kind = match kind {
                    Contestant::Axum => "axum",
                    Contestant::AxumTuned => "axum-tuned",
                    _ => "raw",
                };
                (beside("limit_server"), vec!["--kind".into(), kind.into()])
            }
        };
        let mut command = if self.pin {
            // Becomes the program, so its id is the server's.
            let mut taskset = Command::new("taskset");
            taskset.args(["-c", "0"]).arg(program);
            taskset
        } else {
            Command::new(program)
        };
        command.args(args);
        Ok(command)
    }
}

fn free_port() -> std::io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

impl Target {
    /// One that somebody else has started.
    pub(crate) const fn running(port: u16, process: u32) -> Self {
        Self {
            port,
            process: Process(process),
            child: None,
        }
    }

    /// Has it change its model.
    pub(crate) fn change(&self, hz: f64, secs: f64) -> Result<(), String> {
        self.get(&format!("/ctl?hz={hz}&secs={secs}")).map(drop)
    }

    pub(crate) fn stats(&self) -> Result<Stats, String> {
        let body = self.get("/stats")?;
        let stats: Value = serde_json::from_str(&body).map_err(|error| error.to_string())?;
        let number = |name: &str| stats.get(name).and_then(Value::as_i64);
        match (number("mutations"), number("last_ts")) {
            (Some(mutations), Some(last_ts)) => Ok(Stats {
                mutations: mutations as u64,
                last_ts,
            }),
            _ => Err(format!("stats are missing in {body}")),
        }
    }

    fn get(&self, path: &str) -> Result<String, String> {
        let ask = || -> std::io::Result<String> {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
            stream.set_read_timeout(Some(START))?;
            let request =
                format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
            stream.write_all(request.as_bytes())?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        let answer = ask().map_err(|error| format!("{path}: {error}"))?;
        match answer.split_once("\r\n\r\n") {
            Some((head, body)) if head.starts_with("HTTP/1.1 20") => Ok(body.to_owned()),
            _ => Err(format!("{path}: {answer}")),
        }
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
