//! What the code of a cell can do.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde_json::{Map, Value as Json, json};
use transports::Server;
use uuid::Uuid;

use super::comms::{Comms, KernelWidget};
use super::iopub::Iopub;
use super::wire::Outgoing;
use super::{commands, view};
use crate::jupyter::serve_anywidget;

/// A cell that is being run. Clones are the same cell.
#[derive(Clone)]
pub struct Cell {
    inner: Arc<Inner>,
}

struct Inner {
    code: String,
    count: u64,
    header: Json,
    silent: bool,
    server: Server,
    iopub: Iopub,
    comms: Arc<Comms>,
    interrupted: AtomicBool,
}

/// What a kernel has for its cells.
#[derive(Clone)]
pub(super) struct Surroundings {
    pub(super) server: Server,
    pub(super) iopub: Iopub,
    pub(super) comms: Arc<Comms>,
}

impl Cell {
    pub(super) fn new(around: Surroundings, content: &Json, header: &Json, count: u64) -> Self {
        Self {
            inner: Arc::new(Inner {
                code: content["code"].as_str().unwrap_or_default().to_owned(),
                count,
                header: header.clone(),
                silent: content["silent"] == true,
                server: around.server,
                iopub: around.iopub,
                comms: around.comms,
                interrupted: AtomicBool::new(false),
            }),
        }
    }

    /// What was typed.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.inner.code
    }

    /// The number in front of the cell.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.inner.count
    }

    /// The server of the kernel's models.
    #[must_use]
    pub fn server(&self) -> &Server {
        &self.inner.server
    }

    /// Shows text below the cell. Texts that follow each other within 20 ms go together.
    pub fn print(&self, text: impl fmt::Display) {
        self.stream("stdout", &text.to_string());
    }

    /// Shows text as a warning.
    pub fn eprint(&self, text: impl fmt::Display) {
        self.stream("stderr", &text.to_string());
    }

    fn stream(&self, name: &str, text: &str) {
        if !self.inner.silent {
            self.inner.iopub.stream(name, text, &self.inner.header);
        }
    }

    /// Shows a bundle below the cell. The handle can replace it later, also after the cell is done.
    pub fn display(&self, bundle: impl Into<Bundle>) -> Display {
        let display = Display {
            id: Uuid::new_v4().to_string(),
            cell: self.clone(),
        };
        display.send("display_data", bundle.into());
        display
    }

    /// Shows a bundle as the cell's result, with its number in front.
    pub fn result(&self, bundle: impl Into<Bundle>) {
        let content = json!({
            "data": bundle.into().0,
            "metadata": {},
            "execution_count": self.inner.count,
        });
        self.output("execute_result", content);
    }

    /// Takes away what is shown below the cell, now or when there is something new to show.
    pub fn clear(&self, wait: bool) {
        self.output("clear_output", json!({ "wait": wait }));
    }

    fn output(&self, kind: &'static str, content: Json) {
        if !self.inner.silent {
            let message = Outgoing::new(kind, &self.inner.header, content);
            self.inner.iopub.send(message);
        }
    }

    /// Shows a bar for work of `total` steps.
    #[must_use]
    pub fn progress(&self, label: impl Into<String>, total: u64) -> Progress {
        let label = label.into();
        let display = self.display(bar(&label, 0, total));
        Progress {
            label,
            total,
            display,
            shown: Mutex::new((0, Instant::now())),
        }
    }

    /// Shows all models of a server, live and to be edited.
    pub fn widget(&self, server: &Server) -> Arc<KernelWidget> {
        self.show(server, None)
    }

    /// Shows one model of a server, or all.
    pub(super) fn show(&self, server: &Server, model: Option<u64>) -> Arc<KernelWidget> {
        self.anywidget_of(server, view::SOURCE, view::state(model))
    }

    /// A widget with a front end of your own that is a connection of `server`: its `model.send({ready: true})` brings
    /// the models.
    pub fn anywidget_of(
        &self,
        server: &Server,
        esm: &str,
        state: Map<String, Json>,
    ) -> Arc<KernelWidget> {
        let widget = self.make_widget(esm, state);
        // Before it is shown: its view says that it is ready but once.
        let _ = serve_anywidget(server, Arc::clone(&widget));
        self.show_widget(&widget);
        widget
    }

    /// A widget with a front end of your own: an ES module as [anywidget](https://anywidget.dev) describes, and what
    /// it finds in its model.
    pub fn anywidget(&self, esm: &str, state: Map<String, Json>) -> Arc<KernelWidget> {
        let widget = self.make_widget(esm, state);
        self.show_widget(&widget);
        widget
    }

    fn make_widget(&self, esm: &str, mut state: Map<String, Json>) -> Arc<KernelWidget> {
        let own = json!({
            "_model_module": "anywidget",
            "_model_name": "AnyModel",
            "_model_module_version": "*",
            "_view_module": "anywidget",
            "_view_name": "AnyView",
            "_view_module_version": "*",
            "_view_count": null,
            "_esm": esm,
            "_anywidget_id": format!("transports.{:x}", hash(esm)),
        });
        if let Json::Object(own) = own {
            state.extend(own);
        }
        self.inner.comms.widget(state, &self.inner.header)
    }

    fn show_widget(&self, widget: &KernelWidget) {
        self.display(
            Bundle::text("A live widget. It shows where ipywidgets and anywidget are installed.")
                .with(
                    "application/vnd.jupyter.widget-view+json",
                    json!({ "version_major": 2, "version_minor": 1, "model_id": widget.id() }),
                ),
        );
    }

    /// Runs the code as one of the kernel's own commands: `help` lists them.
    ///
    /// # Errors
    /// It is none, or it fails.
    pub async fn command(&self) -> Result<(), CellError> {
        commands::run(self).await
    }

    /// Whether the user wants it to end. At an `.await` it then ends by itself; a long computation has to ask.
    #[must_use]
    pub fn is_interrupted(&self) -> bool {
        self.inner.interrupted.load(Ordering::Relaxed)
    }

    pub(super) fn interrupt(&self) {
        self.inner.interrupted.store(true, Ordering::Relaxed);
    }
}

/// The same for the same module, so that a front end loads it once.
fn hash(text: &str) -> u64 {
    use std::hash::{DefaultHasher, Hasher};

    let mut hasher = DefaultHasher::new();
    hasher.write(text.as_bytes());
    hasher.finish()
}

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cell")
            .field("code", &self.code())
            .field("count", &self.count())
            .finish_non_exhaustive()
    }
}

/// One thing in several formats, by MIME type; the front end shows the richest that it can.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bundle(Map<String, Json>);

impl Bundle {
    /// Plain text. Every bundle should have it: some front ends show nothing else.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::default().with("text/plain", text.into())
    }

    /// HTML, and plain text beside.
    #[must_use]
    pub fn html(html: impl Into<String>, text: impl Into<String>) -> Self {
        Self::text(text).with("text/html", html.into())
    }

    /// Markdown, which is its own plain text.
    #[must_use]
    pub fn markdown(markdown: impl Into<String>) -> Self {
        let markdown = markdown.into();
        Self::text(markdown.clone()).with("text/markdown", markdown)
    }

    /// Adds a format: a text, base64 for images, JSON for JSON types.
    #[must_use]
    pub fn with(mut self, mime: &str, data: impl Into<Json>) -> Self {
        self.0.insert(mime.to_owned(), data.into());
        self
    }

    pub(super) fn into_json(self) -> Json {
        Json::Object(self.0)
    }
}

impl From<&str> for Bundle {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Bundle {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

/// Something that is shown and can be replaced.
#[derive(Clone, Debug)]
pub struct Display {
    id: String,
    cell: Cell,
}

impl Display {
    /// Shows another bundle in its place, wherever it is shown.
    pub fn update(&self, bundle: impl Into<Bundle>) {
        self.send("update_display_data", bundle.into());
    }

    fn send(&self, kind: &'static str, bundle: Bundle) {
        let transient = json!({ "display_id": self.id });
        let content = json!({ "data": bundle.0, "metadata": {}, "transient": transient });
        self.cell.output(kind, content);
    }
}

/// A progress bar below a cell.
#[derive(Debug)]
pub struct Progress {
    label: String,
    total: u64,
    display: Display,
    shown: Mutex<(u64, Instant)>,
}

impl Progress {
    /// The time between two pictures of it.
    const INTERVAL: Duration = Duration::from_millis(100);

    /// So many steps are done. Shown at most ten times a second, and at the end.
    pub fn set(&self, done: u64) {
        let mut shown = self.shown.lock();
        let (before, at) = *shown;
        if done == before || done < self.total && at.elapsed() < Self::INTERVAL {
            return;
        }
        *shown = (done, Instant::now());
        self.display.update(bar(&self.label, done, self.total));
    }
}

fn bar(label: &str, done: u64, total: u64) -> Bundle {
    let shown = view::escape(label);
    Bundle::html(
        format!(
            "<label>{shown} <progress value=\"{done}\" max=\"{total}\"></progress> {done}/{total}</label>"
        ),
        format!("{label}: {done}/{total}"),
    )
}

/// Why a cell failed. Any error becomes one by `?`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellError {
    pub(super) name: String,
    pub(super) message: String,
}

impl CellError {
    /// An error of a name and with a reason.
    pub fn new(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            message: message.into(),
        }
    }
}

impl<E: std::error::Error> From<E> for CellError {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            message = format!("{message}: {cause}");
            source = cause.source();
        }
        Self::new("Error", message)
    }
}
