//! What the tests of faults host: a model that knows which edits were made.

use std::collections::BTreeSet;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};

use axum::Router;
use transports::collections::List;
use transports::session::Hosted;
use transports::{Server, Session, Synced};
use transports_adapters::{autosync, ws};

#[derive(Synced, Debug, PartialEq, Clone)]
pub(crate) struct Board {
    pub(crate) title: String,
    #[synced(range = 0..=100)]
    pub(crate) level: i64,
    /// Names of the edits that were made.
    pub(crate) made: List<String>,
}

impl Board {
    pub(crate) fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            level: 0,
            made: List::new(),
        }
    }

    /// Something that the host does.
    pub(crate) fn change(&mut self, random: &mut fastrand::Rng) {
        match random.u32(0..3) {
            0 => self.title = format!("title {}", random.u32(..)),
            1 => self.level = random.i64(0..=100),
            _ => self.made.reverse(),
        }
    }
}

/// Whether this is what an edit is told that breaks the rule, or whose place is not there any more.
pub(crate) fn is_refusal(reason: &str) -> bool {
    reason.starts_with("level: ") || reason.starts_with("made")
}

/// A server like any other that this session could have.
pub(crate) fn application(session: &Session) -> Router {
    let server = Server::new(session.clone());
    tokio::spawn(autosync(server.clone()));
    Router::new().route("/ws", ws(server))
}

/// The edits that were made; none was made twice.
pub(crate) fn made<'a>(boards: impl IntoIterator<Item = &'a Hosted<Board>>) -> BTreeSet<String> {
    let mut made = BTreeSet::new();
    for board in boards {
        for name in board.read().made.iter() {
            assert!(made.insert(name.clone()), "{name} was made twice");
        }
    }
    made
}

/// Runs as many schedules as `CLIENT_SCHEDULES` says, or the usual number, each on a clock that moves on when nothing
/// else does.
pub(crate) fn schedules<F: Future>(
    usual: u64,
    schedule: impl Fn(u64) -> F,
) -> impl Iterator<Item = F::Output> {
    let number = std::env::var("CLIENT_SCHEDULES").map_or(usual, |number| number.parse().unwrap());
    (0..number).map(move |seed| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        let run = catch_unwind(AssertUnwindSafe(|| runtime.block_on(schedule(seed))));
        run.unwrap_or_else(|_| panic!("schedule {seed}"))
    })
}
