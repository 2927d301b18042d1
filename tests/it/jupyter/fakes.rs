//! A comm and a widget whose front end is the test.

use std::mem;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use transports_adapters::jupyter::{Comm, OnClose, OnMessage, Widget};

/// Long enough for the slowest machine; only a failure waits for it.
const PATIENCE: Duration = Duration::from_secs(30);

/// One end for the server, and all the other end needs to see. Clones are the same comm.
#[derive(Clone, Default)]
pub(crate) struct FakeComm(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    came: Condvar,
    on_msg: Mutex<Option<OnMessage>>,
    on_close: Mutex<Option<OnClose>>,
}

#[derive(Default)]
struct State {
    sent: Vec<Json>,
    closed: bool,
}

impl FakeComm {
    /// What was sent since this was last asked: so many messages. They may take a moment, as all tests of a process
    /// share its budget of messages.
    pub(crate) fn sent(&self, count: usize) -> Vec<Json> {
        let sent = self.wait(|sent| sent.len() >= count);
        assert_eq!(sent.len(), count, "{sent:?}");
        sent
    }

    /// What was sent since this was last asked, once the latest message is `last`.
    pub(crate) fn sent_until(&self, last: impl Fn(&Json) -> bool) -> Vec<Json> {
        self.wait(|sent| sent.last().is_some_and(&last))
    }

    fn wait(&self, enough: impl Fn(&[Json]) -> bool) -> Vec<Json> {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.0.state.lock().unwrap();
        while !enough(&state.sent) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "it never came, but {:?}", state.sent);
            state = self.0.came.wait_timeout(state, left).unwrap().0;
        }
        mem::take(&mut state.sent)
    }

    /// Whether the server's side closed it.
    pub(crate) fn is_closed(&self) -> bool {
        self.0.state.lock().unwrap().closed
    }

    /// The front end sends.
    pub(crate) fn deliver(&self, data: &Json) {
        let handler = self.0.on_msg.lock().unwrap();
        handler.as_ref().expect("it is being served")(data);
    }

    /// The front end closes.
    pub(crate) fn shut(&self) {
        self.0.on_close.lock().unwrap().as_ref().unwrap()();
    }

    fn push(&self, sent: Json) {
        self.0.state.lock().unwrap().sent.push(sent);
        self.0.came.notify_all();
    }
}

impl Comm for FakeComm {
    fn send(&self, data: &str) {
        self.push(serde_json::from_str(data).expect("a message is JSON"));
    }

    fn on_msg(&self, handler: OnMessage) {
        *self.0.on_msg.lock().unwrap() = Some(handler);
    }

    fn on_close(&self, handler: OnClose) {
        *self.0.on_close.lock().unwrap() = Some(handler);
    }

    fn close(&self) {
        self.0.state.lock().unwrap().closed = true;
    }
}

/// Contents of custom messages, wire texts in them as JSON.
#[derive(Clone, Default)]
pub(crate) struct FakeWidget(pub(crate) FakeComm);

impl FakeWidget {
    pub(crate) fn ready(&self) {
        self.0.deliver(&json!({ "ready": true }));
    }

    pub(crate) fn wire(&self, text: &str) {
        self.0.deliver(&json!({ "wire": text }));
    }
}

impl Widget for FakeWidget {
    fn send(&self, content: &Json) {
        let mut content = content.clone();
        if let Some(Json::String(text)) = content.get("wire") {
            let message: Json = serde_json::from_str(text).expect("a message is JSON");
            content["wire"] = message;
        }
        self.0.push(content);
    }

    fn on_msg(&self, handler: OnMessage) {
        Comm::on_msg(&self.0, handler);
    }

    fn on_close(&self, handler: OnClose) {
        Comm::on_close(&self.0, handler);
    }
}
