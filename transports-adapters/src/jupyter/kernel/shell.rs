//! Requests and their answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use serde_json::{Value as Json, json};
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};
use zeromq::{RouterRecvHalf, RouterSendHalf, RouterSocket, SocketRecv, SocketSend};

use super::cell::{Bundle, Cell, CellError, Surroundings};
use super::comms::Comms;
use super::iopub::Iopub;
use super::places::Places;
use super::wire::{Outgoing, Request, Signer, VERSION};
use super::{Handler, Kernel, commands};

/// What answers requests, on both channels they come by.
pub(super) struct Shell {
    name: String,
    session: String,
    signer: Signer,
    around: Surroundings,
    handler: Handler,
    count: AtomicU64,
    /// Cells to be run, one after the other.
    cells: mpsc::UnboundedSender<(Request, RouterSendHalf)>,
    current: Mutex<Option<(Cell, AbortHandle)>>,
    stopped: watch::Sender<bool>,
}

impl Shell {
    pub(super) fn start(
        kernel: Kernel,
        iopub: Iopub,
        session: String,
        signer: Signer,
        shell: RouterSocket,
        control: RouterSocket,
        tasks: &mut JoinSet<()>,
    ) -> Arc<Self> {
        let (cells, queue) = mpsc::unbounded_channel();
        let around = Surroundings {
            server: kernel.server,
            comms: Comms::new(iopub.clone(), kernel.targets),
            iopub,
        };
        let this = Arc::new(Self {
            name: kernel.display_name.unwrap_or(kernel.name),
            session,
            signer,
            around,
            handler: kernel.handler,
            count: AtomicU64::new(0),
            cells,
            current: Mutex::default(),
            stopped: watch::Sender::new(false),
        });
        this.iopub().status("starting", &Json::Null);
        for socket in [shell, control] {
            let (answers, requests) = socket.split();
            tasks.spawn(Arc::clone(&this).listen(requests, answers));
        }
        tasks.spawn(Arc::clone(&this).run_cells(queue));
        this
    }

    /// Waits for a shutdown.
    pub(super) async fn stopped(&self) {
        // It cannot fail: the sender is here.
        let _ = self.stopped.subscribe().wait_for(|stopped| *stopped).await;
    }

    pub(super) fn end(&self) {
        self.interrupt();
        self.around.comms.shut();
    }

    fn iopub(&self) -> &Iopub {
        &self.around.iopub
    }

    fn interrupt(&self) {
        if let Some((cell, running)) = &*self.current.lock() {
            cell.interrupt();
            running.abort();
        }
    }

    async fn listen(self: Arc<Self>, mut requests: RouterRecvHalf, answers: RouterSendHalf) {
        while let Ok(message) = requests.recv().await {
            match Request::read(message, &self.signer) {
                Ok(request) if request.kind() == "execute_request" => {
                    // The queue lives as long as this does.
                    let _ = self.cells.send((request, answers.clone()));
                }
                Ok(request) => self.serve(&request, answers.clone()).await,
                Err(reason) => tracing::warn!(reason, "a message is dropped"),
            }
        }
    }

    /// Everything but the running of cells.
    async fn serve(&self, request: &Request, answers: RouterSendHalf) {
        let header = &request.header;
        self.iopub().status("busy", header);
        let content = &request.content;
        let answer = match request.kind() {
            "kernel_info_request" => Some(("kernel_info_reply", self.info())),
            "complete_request" => Some(("complete_reply", self.complete(content))),
            "inspect_request" => Some(("inspect_reply", self.inspect(content))),
            "is_complete_request" => Some(("is_complete_reply", json!({ "status": "complete" }))),
            "history_request" => Some(("history_reply", json!({ "status": "ok", "history": [] }))),
            "comm_info_request" => {
                let info = self.around.comms.info(content["target_name"].as_str());
                Some(("comm_info_reply", info))
            }
            "interrupt_request" => {
                self.interrupt();
                Some(("interrupt_reply", json!({ "status": "ok" })))
            }
            "shutdown_request" => {
                let reply = json!({ "status": "ok", "restart": content["restart"] == true });
                self.iopub()
                    .send(Outgoing::new("shutdown_reply", header, reply.clone()));
                Some(("shutdown_reply", reply))
            }
            kind @ ("comm_open" | "comm_msg" | "comm_close") => {
                self.around.comms.receive(kind, content, header);
                None
            }
            kind => {
                tracing::debug!(kind, "a request that is not known");
                None
            }
        };
        if let Some((kind, content)) = answer {
            self.answer(answers, request, kind, content).await;
        }
        self.iopub().status("idle", header);
        if request.kind() == "shutdown_request" {
            self.stopped.send_replace(true);
        }
    }

    async fn answer(
        &self,
        mut answers: RouterSendHalf,
        request: &Request,
        kind: &'static str,
        content: Json,
    ) {
        let message = Outgoing::new(kind, &request.header, content);
        let frames = message.frames(request.ids.clone(), &self.session, &self.signer);
        if let Err(error) = answers.send(frames).await {
            tracing::debug!(%error, "who asked is gone");
        }
    }

    fn info(&self) -> Json {
        let models = Places::open(&self.around.server).map(|places| commands::hosted(&places));
        json!({
            "status": "ok",
            "protocol_version": VERSION,
            "implementation": "transports",
            "implementation_version": env!("CARGO_PKG_VERSION"),
            "language_info": {
                "name": "text",
                "version": "",
                "mimetype": "text/plain",
                "file_extension": ".txt",
            },
            "banner": format!("{}: {}", self.name, models.unwrap_or_default()),
            "help_links": [],
            "debugger": false,
        })
    }

    fn complete(&self, content: &Json) -> Json {
        let (code, cursor) = code_of(content);
        let (start, matches) = match Places::open(&self.around.server) {
            Ok(places) => commands::complete(&places, code, cursor),
            Err(_) => (cursor, Vec::new()),
        };
        json!({
            "status": "ok",
            "matches": matches,
            "cursor_start": start,
            "cursor_end": cursor,
            "metadata": {},
        })
    }

    fn inspect(&self, content: &Json) -> Json {
        let (code, cursor) = code_of(content);
        let places = Places::open(&self.around.server).ok();
        let found = places.and_then(|places| commands::inspect(&places, code, cursor));
        json!({
            "status": "ok",
            "found": found.is_some(),
            "data": found.map_or_else(|| json!({}), Bundle::into_json),
            "metadata": {},
        })
    }

    async fn run_cells(
        self: Arc<Self>,
        mut queue: mpsc::UnboundedReceiver<(Request, RouterSendHalf)>,
    ) {
        while let Some((request, answers)) = queue.recv().await {
            let failed = self.execute(&request, answers).await;
            if !failed || request.content.get("stop_on_error") == Some(&Json::Bool(false)) {
                continue;
            }
            // What was asked for in one go with it, as by "run all", is not run.
            while let Ok((request, answers)) = queue.try_recv() {
                self.iopub().status("busy", &request.header);
                let content = json!({ "status": "aborted" });
                self.answer(answers, &request, "execute_reply", content)
                    .await;
                self.iopub().status("idle", &request.header);
            }
        }
    }

    /// Runs a cell; tells whether it failed.
    async fn execute(&self, request: &Request, answers: RouterSendHalf) -> bool {
        let (header, content) = (&request.header, &request.content);
        let silent = content["silent"] == true;
        let counts = !silent && content["store_history"] != false;
        let count = self.count.fetch_add(u64::from(counts), Ordering::Relaxed) + u64::from(counts);
        self.iopub().status("busy", header);
        if !silent {
            let input = json!({ "code": content["code"], "execution_count": count });
            self.iopub()
                .send(Outgoing::new("execute_input", header, input));
        }
        let result = self
            .run(Cell::new(self.around.clone(), content, header, count))
            .await;
        let failed = result.is_err();
        let reply = match result {
            Ok(()) => json!({
                "status": "ok",
                "execution_count": count,
                "user_expressions": {},
                "payload": [],
            }),
            Err(error) => {
                let CellError { name, message } = error;
                let traceback = format!("\u{1b}[31m{name}\u{1b}[0m: {message}");
                let shown = json!({ "ename": name, "evalue": message, "traceback": [traceback] });
                if !silent {
                    self.iopub().send(Outgoing::new("error", header, shown));
                }
                json!({
                    "status": "error",
                    "execution_count": count,
                    "ename": name,
                    "evalue": message,
                    "traceback": [traceback],
                })
            }
        };
        self.answer(answers, request, "execute_reply", reply).await;
        self.iopub().status("idle", header);
        failed
    }

    async fn run(&self, cell: Cell) -> Result<(), CellError> {
        if cell.code().trim().is_empty() {
            return Ok(());
        }
        // A task of its own, so that its panic and its interrupt end it alone.
        let running = tokio::spawn((self.handler)(cell.clone()));
        *self.current.lock() = Some((cell, running.abort_handle()));
        let ended = running.await;
        self.current.lock().take();
        ended.unwrap_or_else(|error| match error.try_into_panic() {
            Ok(panic) => {
                let message = panic
                    .downcast_ref::<&str>()
                    .map(|text| (*text).to_owned())
                    .or_else(|| panic.downcast_ref::<String>().cloned());
                let message = message.unwrap_or_else(|| "without a message".to_owned());
                Err(CellError::new("Panic", message))
            }
            Err(_) => Err(CellError::new("Interrupted", "the cell was interrupted")),
        })
    }
}

/// The code of a request and the cursor in it, in characters.
fn code_of(content: &Json) -> (&str, usize) {
    let code = content["code"].as_str().unwrap_or_default();
    let cursor = content["cursor_pos"].as_u64();
    let cursor = cursor.and_then(|cursor| usize::try_from(cursor).ok());
    (code, cursor.unwrap_or(usize::MAX).min(code.chars().count()))
}
