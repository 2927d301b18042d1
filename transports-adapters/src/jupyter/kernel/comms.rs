//! The comms and widgets of a kernel.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use serde_json::{Map, Value as Json, json};
use transports::Server;
use transports::server::Opening;
use uuid::Uuid;

use super::iopub::Iopub;
use super::wire::Outgoing;
use crate::jupyter::{Comm, OnClose, OnMessage, Widget, serve_comm_with};

/// What a front end opens to ask for all widgets.
const CONTROL: &str = "jupyter.widget.control";
const WIDGET: &str = "jupyter.widget";
/// The version of the widgets' messages.
const WIDGETS: &str = "2.1.0";

/// All comms that are open.
pub(super) struct Comms {
    iopub: Iopub,
    targets: BTreeMap<String, Server>,
    open: Mutex<BTreeMap<String, Arc<Channel>>>,
}

/// One comm.
struct Channel {
    id: String,
    target: String,
    iopub: Iopub,
    /// The header of the request that it came with. Notebooks that run without a front end keep only what belongs to a
    /// cell.
    parent: Json,
    on_msg: Mutex<Option<Arc<OnMessage>>>,
    on_close: Mutex<Option<OnClose>>,
    /// Of a widget, by trait.
    state: Option<Mutex<Map<String, Json>>>,
    comms: Weak<Comms>,
}

impl Comms {
    pub(super) fn new(iopub: Iopub, targets: BTreeMap<String, Server>) -> Arc<Self> {
        Arc::new(Self {
            iopub,
            targets,
            open: Mutex::default(),
        })
    }

    /// Takes in a message about comms, of a request with this header.
    pub(super) fn receive(self: &Arc<Self>, kind: &str, content: &Json, header: &Json) {
        let id = content["comm_id"].as_str().unwrap_or_default();
        match kind {
            "comm_open" => self.opened(id, content, header),
            "comm_close" => {
                if let Some(channel) = self.take(id) {
                    channel.closed();
                }
            }
            _ => {
                let channel = self.open.lock().get(id).cloned();
                match channel {
                    Some(channel) if channel.target == CONTROL => {
                        self.told(&channel, &content["data"], header);
                    }
                    Some(channel) if channel.state.is_some() => {
                        channel.widget_message(&content["data"], header);
                    }
                    Some(channel) => channel.handle(&content["data"]),
                    // It was closed meanwhile.
                    None => {}
                }
            }
        }
    }

    /// The answer to `comm_info_request`.
    pub(super) fn info(&self, target: Option<&str>) -> Json {
        let open = self.open.lock();
        let comms: Map<_, _> = open
            .values()
            .filter(|channel| target.is_none_or(|target| channel.target == target))
            .map(|channel| (channel.id.clone(), json!({ "target_name": channel.target })))
            .collect();
        json!({ "status": "ok", "comms": comms })
    }

    /// A widget with this state, shown to every front end.
    pub(super) fn widget(
        self: &Arc<Self>,
        state: Map<String, Json>,
        header: &Json,
    ) -> Arc<KernelWidget> {
        let data = json!({ "state": state, "buffer_paths": [] });
        let id = Uuid::new_v4().simple().to_string();
        let channel = self.add(id, WIDGET, header, Some(state));
        let content = json!({ "comm_id": channel.id, "target_name": WIDGET, "data": data });
        self.iopub.send(Outgoing {
            metadata: json!({ "version": WIDGETS }),
            ..Outgoing::new("comm_open", header, content)
        });
        Arc::new(KernelWidget(channel))
    }

    /// Ends all connections, without a word to the front end.
    pub(super) fn shut(&self) {
        let open = std::mem::take(&mut *self.open.lock());
        open.into_values().for_each(|channel| channel.closed());
    }

    fn add(
        self: &Arc<Self>,
        id: String,
        target: &str,
        header: &Json,
        state: Option<Map<String, Json>>,
    ) -> Arc<Channel> {
        let channel = Arc::new(Channel {
            id: id.clone(),
            target: target.to_owned(),
            iopub: self.iopub.clone(),
            parent: header.clone(),
            on_msg: Mutex::default(),
            on_close: Mutex::default(),
            state: state.map(Mutex::new),
            comms: Arc::downgrade(self),
        });
        let before = self.open.lock().insert(id, Arc::clone(&channel));
        if let Some(before) = before {
            before.closed();
        }
        channel
    }

    fn take(&self, id: &str) -> Option<Arc<Channel>> {
        self.open.lock().remove(id)
    }

    /// The front end opened a comm.
    fn opened(self: &Arc<Self>, id: &str, content: &Json, header: &Json) {
        let target = content["target_name"].as_str().unwrap_or_default();
        if target == CONTROL {
            self.add(id.to_owned(), CONTROL, header, None);
            return;
        }
        let refusal = match self.targets.get(target) {
            None => format!("there is no target `{target}`"),
            Some(server) => {
                let wishes = content.pointer("/data/query").and_then(Json::as_str);
                let comm = KernelComm(self.add(id.to_owned(), target, header, None));
                let served = Opening::parse(wishes.unwrap_or_default())
                    .map_err(Into::into)
                    .and_then(|wishes| serve_comm_with(server, comm, wishes));
                match served {
                    Ok(_) => return,
                    Err(error) => error.to_string(),
                }
            }
        };
        tracing::warn!(refusal, "a comm is refused");
        self.take(id);
        let content = json!({ "comm_id": id, "data": { "error": refusal } });
        self.iopub
            .send(Outgoing::new("comm_close", header, content));
    }

    /// A front end asks for all widgets: its page was loaded anew.
    fn told(&self, control: &Channel, data: &Json, header: &Json) {
        if data["method"] != "request_states" {
            return;
        }
        let open = self.open.lock();
        let states: Map<_, _> = open
            .values()
            .filter_map(|channel| {
                let state = channel.state.as_ref()?.lock();
                let described = json!({
                    "model_name": state.get("_model_name"),
                    "model_module": state.get("_model_module"),
                    "model_module_version": state.get("_model_module_version"),
                    "state": *state,
                });
                Some((channel.id.clone(), described))
            })
            .collect();
        drop(open);
        let data = json!({ "method": "update_states", "states": states, "buffer_paths": [] });
        control.send(data, header);
    }
}

impl Channel {
    fn send(&self, data: Json, header: &Json) {
        let content = json!({ "comm_id": self.id, "data": data });
        self.iopub.send(Outgoing::new("comm_msg", header, content));
    }

    fn handle(&self, data: &Json) {
        // Not locked while it runs: it may close the comm.
        let handler = self.on_msg.lock().clone();
        if let Some(handler) = handler {
            handler(data);
        }
    }

    fn closed(&self) {
        let handler = self.on_close.lock().take();
        self.on_msg.lock().take();
        if let Some(handler) = handler {
            handler();
        }
    }

    /// Closes from this side.
    fn close(&self) {
        let known = self.comms.upgrade().and_then(|comms| comms.take(&self.id));
        if known.is_some() {
            self.closed();
            let content = json!({ "comm_id": self.id, "data": {} });
            self.iopub
                .send(Outgoing::new("comm_close", &Json::Null, content));
        }
    }

    /// A message in the widgets' own protocol.
    fn widget_message(&self, data: &Json, header: &Json) {
        let Some(state) = &self.state else {
            return;
        };
        match data["method"].as_str() {
            Some("custom") => self.handle(&data["content"]),
            Some("request_state") => {
                let state = Json::Object(state.lock().clone());
                let data = json!({ "method": "update", "state": state, "buffer_paths": [] });
                self.send(data, header);
            }
            Some("update") => {
                let Some(update) = data["state"].as_object() else {
                    return;
                };
                state.lock().extend(update.clone());
                let data = json!({ "method": "echo_update", "state": update, "buffer_paths": [] });
                self.send(data, header);
            }
            _ => {}
        }
    }
}

/// A comm that a front end opened.
struct KernelComm(Arc<Channel>);

impl Comm for KernelComm {
    fn send(&self, data: &str) {
        self.0.send(Json::String(data.to_owned()), &self.0.parent);
    }

    fn on_msg(&self, handler: OnMessage) {
        *self.0.on_msg.lock() = Some(Arc::new(handler));
    }

    fn on_close(&self, handler: OnClose) {
        *self.0.on_close.lock() = Some(handler);
    }

    fn close(&self) {
        self.0.close();
    }
}

/// A widget of this kernel: made by [`Cell::anywidget`](super::Cell::anywidget).
pub struct KernelWidget(Arc<Channel>);

impl KernelWidget {
    /// The id of the widget's model.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// Sets a part of its state, in every view.
    pub fn set(&self, name: &str, value: Json) {
        self.keep(name, value.clone());
        let data = json!({ "method": "update", "state": { name: value }, "buffer_paths": [] });
        self.0.send(data, &self.0.parent);
    }

    /// Sets a part of its state for views to come, without telling those there are.
    pub(super) fn keep(&self, name: &str, value: Json) {
        if let Some(state) = &self.0.state {
            state.lock().insert(name.to_owned(), value);
        }
    }

    /// A part of its state, as this side or the front end last set it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Json> {
        self.0.state.as_ref()?.lock().get(name).cloned()
    }

    /// Takes it off every page.
    pub fn close(&self) {
        self.0.close();
    }
}

impl Widget for KernelWidget {
    fn send(&self, content: &Json) {
        let data = json!({ "method": "custom", "content": content });
        self.0.send(data, &self.0.parent);
    }

    fn on_msg(&self, handler: OnMessage) {
        *self.0.on_msg.lock() = Some(Arc::new(handler));
    }

    fn on_close(&self, handler: OnClose) {
        *self.0.on_close.lock() = Some(handler);
    }
}

impl fmt::Debug for KernelWidget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KernelWidget").field(&self.0.id).finish()
    }
}
