//! A Jupyter kernel that is this program: its models in a notebook, live.
//!
//! ```no_run
//! use transports::{Server, Session, Synced};
//! use transports_adapters::jupyter::kernel::{Kernel, KernelError};
//!
//! #[derive(Synced)]
//! struct Lamp {
//!     on: bool,
//!     #[synced(range = 0..=100)]
//!     brightness: i64,
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), KernelError> {
//!     let session = Session::new();
//!     let lamp = session.host(Lamp { on: false, brightness: 50 });
//!     # drop(lamp);
//!     Kernel::new(&Server::new(session)).name("lamp").run_from_args().await
//! }
//! ```
//!
//! `my-program --install --user` puts it into Jupyter's launcher, and a cell with `show` shows the lamp with a switch
//! and a slider. `help` in a cell lists the other commands. Cells can run code of the program instead, or before:
//! [`Kernel::cell`].
//!
//! # What runs when
//!
//! Cells run one after the other, and everything else beside them: widgets are live, names are completed and edits are
//! answered while a cell runs. The kernel syncs its server's session as [`autosync`](crate::autosync()) does.
//!
//! It ends when Jupyter shuts it down, and when the process that started it is gone. An interrupt ends the running
//! cell at its next `.await`.

mod cell;
mod commands;
mod comms;
mod install;
mod iopub;
mod places;
mod shell;
mod view;
mod watch;
mod wire;

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use transports::Server;
use uuid::Uuid;
use zeromq::{PubSocket, RepSocket, RouterSocket, Socket, SocketRecv, SocketSend, ZmqError};

#[cfg(doctest)]
#[doc = include_str!("../../../docs/jupyter.md")]
struct Guide;

pub use self::cell::{Bundle, Cell, CellError, Display, Progress};
pub use self::comms::KernelWidget;
use self::install::{Place, Spec};
use self::iopub::Iopub;
use self::wire::{ConnectionFile, Signer};

type Running = Pin<Box<dyn Future<Output = Result<(), CellError>> + Send>>;
type Handler = Arc<dyn Fn(Cell) -> Running + Send + Sync>;

/// The comm target that front ends find the kernel's models under.
pub const TARGET: &str = "transports";

/// A kernel to be run.
pub struct Kernel {
    server: Server,
    name: String,
    display_name: Option<String>,
    icon: Option<String>,
    targets: BTreeMap<String, Server>,
    handler: Handler,
}

/// Why a kernel cannot be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KernelError {
    /// The command line makes no sense.
    #[error(
        "{reason}\nusage: {program} --install [--user | --prefix FOLDER]\n       {program} CONNECTION_FILE"
    )]
    Usage {
        /// The program's name.
        program: String,
        /// What is wrong.
        reason: String,
    },
    /// A name that Jupyter does not take: letters, digits, `.`, `_` and `-` make one.
    #[error("`{0}` cannot be a kernel's name: use letters, digits, `.`, `_` and `-`")]
    Name(String),
    /// The connection file cannot be read.
    #[error("the connection file {path:?}: {reason}")]
    ConnectionFile {
        /// Where it is.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The kernelspec cannot be written.
    #[error("the kernel cannot be installed")]
    Install(#[source] io::Error),
    /// A socket cannot be opened.
    #[error("the kernel cannot listen")]
    Socket(#[from] ZmqError),
}

/// Messages that are on their way out when the kernel ends have so long to leave: the sockets cannot be asked.
const LINGER: Duration = Duration::from_millis(200);
/// The time between two looks for the parent.
const WATCH: Duration = Duration::from_secs(1);

impl Kernel {
    /// A kernel whose commands are about the models of `server`. Its name is that of the program.
    #[must_use]
    pub fn new(server: &Server) -> Self {
        Self {
            server: server.clone(),
            name: program().replace(|c: char| !install::is_name(&c.to_string()), "-"),
            display_name: None,
            icon: None,
            targets: BTreeMap::from([(TARGET.to_owned(), server.clone())]),
            handler: Arc::new(|cell| Box::pin(async move { cell.command().await })),
        }
    }

    /// The name that the kernel is installed under: letters, digits, `.`, `_` and `-`.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The name that the launcher shows; by default the kernel's name.
    #[must_use]
    pub fn display_name(mut self, name: impl Into<String>) -> Self {
        self.display_name = Some(name.into());
        self
    }

    /// The launcher's icon, as SVG.
    #[must_use]
    pub fn icon(mut self, svg: impl Into<String>) -> Self {
        self.icon = Some(svg.into());
        self
    }

    /// Serves comms that a front end opens for `target`. [`TARGET`] is served from the start.
    #[must_use]
    pub fn serve_target(mut self, target: impl Into<String>, server: &Server) -> Self {
        self.targets.insert(target.into(), server.clone());
        self
    }

    /// Runs cells by a function of the program. It can pass what it does not know on to the kernel's own commands.
    ///
    /// ```
    /// # use transports::{Server, Session};
    /// use transports_adapters::jupyter::kernel::{CellError, Kernel};
    ///
    /// # let server = Server::new(Session::new());
    /// let kernel = Kernel::new(&server).cell(|cell| async move {
    ///     match cell.code().trim() {
    ///         "greet" => cell.print("hello\n"),
    ///         "fail" => return Err(CellError::new("NoSuchLuck", "it had to fail")),
    ///         _ => cell.command().await?,
    ///     }
    ///     Ok(())
    /// });
    /// # drop(kernel);
    /// ```
    #[must_use]
    pub fn cell<F, R>(mut self, handler: F) -> Self
    where
        F: Fn(Cell) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), CellError>> + Send + 'static,
    {
        self.handler = Arc::new(move |cell| Box::pin(handler(cell)));
        self
    }

    /// Does what the command line says: `--install` with `--user` (also without) or `--prefix FOLDER` puts the kernel
    /// into Jupyter's launcher; a connection file, which Jupyter gives, runs it until it is shut down.
    ///
    /// # Errors
    /// The command line makes no sense, or what it asks for fails.
    pub async fn run_from_args(self) -> Result<(), KernelError> {
        match parse(env::args_os().skip(1)) {
            Ok(Task::Run(file)) => self.run(&file).await,
            Ok(Task::Install(place)) => {
                let program = env::current_exe().map_err(KernelError::Install)?;
                let folder = self.install(&place, &program)?;
                eprintln!("installed {:?} in {}", self.name, folder.display());
                Ok(())
            }
            Err(reason) => Err(KernelError::Usage {
                program: program(),
                reason,
            }),
        }
    }

    fn install(&self, place: &Place, program: &Path) -> Result<PathBuf, KernelError> {
        if !install::is_name(&self.name) {
            return Err(KernelError::Name(self.name.clone()));
        }
        let spec = Spec {
            name: &self.name,
            display_name: self.display_name.as_deref().unwrap_or(&self.name),
            language: "text",
            icon: self.icon.as_deref(),
        };
        install::install(&spec, place, program).map_err(KernelError::Install)
    }

    /// Runs until Jupyter shuts the kernel down, or is gone.
    ///
    /// # Errors
    /// The connection file makes no sense, or its ports cannot be listened on.
    pub async fn run(self, connection_file: &Path) -> Result<(), KernelError> {
        let wrong = |reason: String| KernelError::ConnectionFile {
            path: connection_file.to_owned(),
            reason,
        };
        let text = tokio::fs::read(connection_file)
            .await
            .map_err(|error| wrong(error.to_string()))?;
        let file: ConnectionFile =
            serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
        let signer = Signer::new(&file).map_err(wrong)?;
        // One session for all messages of a kernel: front ends tell restarts by it.
        let session = Uuid::new_v4().to_string();

        let mut publisher = PubSocket::new();
        publisher.bind(&file.address(file.iopub_port)).await?;
        let mut shell = RouterSocket::new();
        shell.bind(&file.address(file.shell_port)).await?;
        let mut control = RouterSocket::new();
        control.bind(&file.address(file.control_port)).await?;
        // Nothing is ever asked on it, but clients connect.
        let mut stdin = RouterSocket::new();
        stdin.bind(&file.address(file.stdin_port)).await?;
        let mut heart = RepSocket::new();
        heart.bind(&file.address(file.hb_port)).await?;

        let (iopub, queue) = Iopub::new();
        let mut tasks = tokio::task::JoinSet::new();
        tasks.spawn(iopub::publish(
            queue,
            publisher,
            session.clone(),
            signer.clone(),
        ));
        tasks.spawn(beat(heart));
        tasks.spawn(crate::autosync(self.server.clone()));
        let shell = shell::Shell::start(self, iopub, session, signer, shell, control, &mut tasks);
        tokio::select! {
            () = shell.stopped() => {}
            () = orphaned() => tracing::info!("the parent is gone, the kernel ends"),
        }
        shell.end();
        sleep(LINGER).await;
        drop(stdin);
        Ok(())
    }
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kernel")
            .field("name", &self.name)
            .field("targets", &self.targets.keys())
            .finish_non_exhaustive()
    }
}

/// Answers heartbeats.
async fn beat(mut heart: RepSocket) {
    while let Ok(message) = heart.recv().await {
        if heart.send(message).await.is_err() {
            return;
        }
    }
}

/// Waits until the process that started the kernel is gone. Without one to watch: for ever.
async fn orphaned() {
    let parent = env::var("JPY_PARENT_PID").ok();
    let Some(parent) = parent.and_then(|parent| parent.parse::<u32>().ok()) else {
        return std::future::pending().await;
    };
    while is_alive(parent) {
        sleep(WATCH).await;
    }
}

#[cfg(unix)]
fn is_alive(parent: u32) -> bool {
    // Started through another program, it is not the parent; then only Linux can tell.
    std::os::unix::process::parent_id() == parent
        || Path::new("/proc").join(parent.to_string()).exists()
}

/// On Windows the variable holds a handle, which cannot be asked without unsafe code.
#[cfg(not(unix))]
fn is_alive(_parent: u32) -> bool {
    true
}

fn program() -> String {
    let path = env::args_os().next().map(PathBuf::from);
    let name = path.as_deref().and_then(Path::file_stem);
    name.map_or_else(
        || "kernel".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}

/// What the command line asks for.
#[derive(Debug, PartialEq)]
enum Task {
    Run(PathBuf),
    Install(Place),
}

fn parse(args: impl Iterator<Item = OsString>) -> Result<Task, String> {
    let mut install = false;
    let mut place = None;
    let mut file = None;
    let mut args = args.peekable();
    while let Some(arg) = args.next() {
        let known = match arg.to_str() {
            Some("--install") => {
                install = true;
                true
            }
            Some("--user") => place.replace(Place::User).is_none(),
            Some("--prefix") => {
                let folder = args.next().ok_or("--prefix needs a folder")?;
                place.replace(Place::Prefix(folder.into())).is_none()
            }
            Some(flag) if flag.starts_with('-') => false,
            _ => file.replace(PathBuf::from(&arg)).is_none(),
        };
        if !known {
            return Err(format!("{arg:?} makes no sense here"));
        }
    }
    match (install, file) {
        (true, None) => Ok(Task::Install(place.unwrap_or(Place::User))),
        (false, Some(file)) if place.is_none() => Ok(Task::Run(file)),
        (false, None) => {
            Err("this is a Jupyter kernel: install it, and start it from Jupyter".to_owned())
        }
        _ => Err("--install goes alone, and --user and --prefix go with it".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_lines() {
        let parse = |line: &str| parse(line.split_whitespace().map(OsString::from));
        assert_eq!(parse("file.json"), Ok(Task::Run("file.json".into())));
        assert_eq!(parse("--install"), Ok(Task::Install(Place::User)));
        assert_eq!(parse("--install --user"), Ok(Task::Install(Place::User)));
        assert_eq!(
            parse("--install --prefix /opt/x"),
            Ok(Task::Install(Place::Prefix("/opt/x".into())))
        );
        for line in [
            "",
            "--user",
            "--prefix",
            "--install --prefix",
            "--install file",
            "a b",
            "--what",
            "--install --user --prefix /x",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn an_installed_kernel_starts_this_program() {
        let server = Server::new(transports::Session::new());
        let folder = env::temp_dir().join(format!("transports-{}", Uuid::new_v4()));
        let place = Place::Prefix(folder.clone());
        let kernel = Kernel::new(&server)
            .name("lamp")
            .display_name("A lamp")
            .icon("<svg/>");
        let installed = kernel.install(&place, Path::new("/bin/lamp")).unwrap();
        assert_eq!(installed, folder.join("share/jupyter/kernels/lamp"));
        let spec = std::fs::read(installed.join("kernel.json")).unwrap();
        let spec: serde_json::Value = serde_json::from_slice(&spec).unwrap();
        assert_eq!(
            spec["argv"],
            serde_json::json!(["/bin/lamp", "{connection_file}"])
        );
        assert_eq!(spec["display_name"], "A lamp");
        assert_eq!(spec["interrupt_mode"], "message");
        assert!(installed.join("logo-svg.svg").exists());

        let kernel = Kernel::new(&server).name("../lamp");
        let error = kernel.install(&place, Path::new("/bin/lamp")).unwrap_err();
        assert!(matches!(error, KernelError::Name(_)), "{error}");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
