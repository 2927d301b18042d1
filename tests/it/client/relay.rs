//! A relay between a server and clients of its own.
//!
//! `CLIENT_SCHEDULES` sets the number of schedules: 200 unless given.

use std::time::Duration;

use futures_util::StreamExt;
use transports::session::Hosted;
use transports::{Op, Session, Synced, Value};
use transports_adapters::client::{Change, Client, ClientError, Relay, Remote};

use super::network::{Faults, Network};
use crate::board::{self, Board, application};

/// The host of a board.
fn host() -> (Session, Hosted<Board>) {
    let session = Session::new();
    let board = session.host(Board::new("first"));
    (session, board)
}

async fn connect(network: &Network, seed: u64) -> Client {
    network
        .client()
        .backoff(Duration::from_millis(50), Duration::from_secs(1))
        .seed(seed)
        .connect()
        .await
        .unwrap()
}

/// A host, a relay of it, and clients of the relay.
struct Chain {
    host: (Session, Hosted<Board>),
    /// Edits may reach them to the last.
    former: Vec<(Session, Hosted<Board>)>,
    up: Network,
    upstream: Client,
    session: Session,
    relay: Relay,
    boards: Vec<Remote<Board>>,
}

impl Chain {
    async fn new(seed: u64) -> Self {
        let host = host();
        let up = Network::new(application(&host.0));
        let upstream = connect(&up, seed).await;
        let session = Session::new();
        let model = upstream.model::<Board>().await.unwrap();
        let relay = model.relay(&session).unwrap();
        let down = Network::new(application(&session));
        let mut boards = Vec::new();
        for number in 1..=2 {
            boards.push(connect(&down, seed + number).await.model().await.unwrap());
        }
        Self {
            host,
            former: Vec::new(),
            up,
            upstream,
            session,
            relay,
            boards,
        }
    }

    fn restart(&mut self) {
        self.up.serve(None);
        self.up.cut();
        self.former.push(std::mem::replace(&mut self.host, host()));
        self.up.serve(Some(application(&self.host.0)));
    }

    /// Waits until everybody shows what the host has.
    async fn agrees(&self) {
        let same = async {
            loop {
                let now = self.host.1.read().clone();
                let hosted = Board::read(self.relay.hosted().read().clone()).unwrap();
                if hosted == now && self.boards.iter().all(|board| *board.read() == now) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if tokio::time::timeout(Duration::from_secs(3600), same)
            .await
            .is_err()
        {
            let shown: Vec<_> = self
                .boards
                .iter()
                .map(|board| board.read().clone())
                .collect();
            panic!(
                "{:?}, {:?} and {shown:?}",
                self.host.1.read(),
                self.relay.hosted()
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn changes_go_down_and_edits_go_up() {
    let chain = Chain::new(1).await;
    assert_eq!(chain.boards[0].read().title, "first");
    chain.host.1.write().title = "second".into();
    chain.agrees().await;
    assert_eq!(chain.boards[1].read().title, "second");

    chain.boards[0]
        .edit(|board| board.level = 70)
        .await
        .unwrap();
    chain.boards[1]
        .edit(|board| board.made.push("a".into()))
        .await
        .unwrap();
    while chain.host.1.read().made.is_empty() || chain.host.1.read().level < 70 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    chain.agrees().await;

    // The program that relays may change it, too.
    let mut value = chain.relay.hosted().read().clone();
    if let Value::Map(entries) = &mut value {
        entries.insert("title".into(), "third".into());
    }
    *chain.relay.hosted().write() = value;
    while chain.host.1.read().title != "third" {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    chain.agrees().await;
}

#[tokio::test(start_paused = true)]
async fn what_upstream_refuses_goes_back() {
    let chain = Chain::new(1).await;
    let mut changes = chain.boards[0].changes();
    let rev = chain.boards[0]
        .edit(|board| board.level = 101)
        .await
        .unwrap();
    let (mut levels, mut last) = (Vec::new(), 0);
    while last <= rev {
        let Some(Change::Patched { rev, ops, .. }) = changes.next().await else {
            panic!("patches only")
        };
        last = rev;
        levels.extend(ops.iter().filter_map(Op::value).cloned());
    }
    assert_eq!(
        levels,
        [Value::from(101), Value::from(0)],
        "there, and back"
    );
    assert_eq!(chain.boards[0].read().level, 0);
    chain.agrees().await;
    assert_eq!(chain.host.1.read().level, 0);
}

#[tokio::test(start_paused = true)]
async fn edits_made_while_upstream_is_away_go_up_once_it_is_back() {
    let chain = Chain::new(1).await;
    chain.up.serve(None);
    chain.up.cut();
    chain.boards[0]
        .edit(|board| board.made.push("down".into()))
        .await
        .unwrap();
    {
        let mut board = chain.host.1.write();
        board.made.push("up".into());
        board.title = "meanwhile".into();
    }
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(chain.boards[1].read().made.as_slice(), ["down"]);
    chain.up.serve(Some(application(&chain.host.0)));
    while chain.host.1.read().made.len() < 2 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    chain.agrees().await;
    assert_eq!(chain.boards[0].read().title, "meanwhile");
}

/// Told as a whole, a list would undo what others change of it.
#[test]
fn many_changes_of_a_list_are_proposed_one_by_one() {
    let old = Value::List(vec!["x".repeat(20).into()]);
    let new = Value::List(
        (0..100)
            .map(Value::from)
            .chain(["x".repeat(20).into()])
            .collect(),
    );
    let ops = transports::diff(&old, new);
    assert_eq!(ops.len(), 100);
    assert!(
        ops.iter().all(|op| matches!(op, Op::Insert { .. })),
        "{ops:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_relay_tells_when_it_follows_nothing_any_more() {
    let chain = Chain::new(1).await;
    chain.upstream.close().await;
    assert_eq!(chain.relay.closed().await, ClientError::Stopped);
}

async fn schedule(seed: u64) -> [usize; 3] {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut chain = Chain::new(seed).await;
    chain.up.set(Faults {
        seed,
        bytes: random.bool().then_some(3000),
        delay: Duration::from_millis(random.u64(0..20)),
    });
    let mut edits = 0;
    let mut restarts = 0;
    for _ in 0..random.usize(5..60) {
        match random.u32(0..20) {
            0..9 => {
                let board = random.choice(&chain.boards).unwrap();
                let name = format!("edit {edits}");
                edits += 1;
                // Some break the rule.
                let level = random.i64(0..=110);
                let _ = board
                    .edit(|board| {
                        board.made.insert(0, name);
                        board.level = level;
                    })
                    .await;
            }
            9..13 => chain.host.1.write().change(&mut random),
            13..17 => tokio::time::sleep(Duration::from_millis(random.u64(0..300))).await,
            17 => chain.up.cut(),
            18 => {
                chain.up.serve(None);
                chain.up.cut();
                tokio::time::sleep(Duration::from_millis(random.u64(0..2000))).await;
                chain.up.serve(Some(application(&chain.host.0)));
            }
            _ if random.u32(0..4) == 0 => {
                chain.restart();
                restarts += 1;
            }
            _ => tokio::task::yield_now().await,
        }
    }
    chain.up.set(Faults::default());
    chain.up.serve(Some(application(&chain.host.0)));
    // Edits that wait are sent by now, and answered.
    tokio::time::sleep(Duration::from_secs(120)).await;
    chain.agrees().await;
    let _ = chain.session.sync();

    let hosts = chain.former.iter().chain([&chain.host]);
    let made = board::made(hosts.map(|(_, board)| board));
    [edits, made.len(), restarts]
}

#[test]
fn host_relay_and_clients_agree_after_any_schedule() {
    let mut seen = [0; 3];
    for run in board::schedules(200, schedule) {
        for (sum, number) in seen.iter_mut().zip(run) {
            *sum += number;
        }
    }
    let [edits, made, restarts] = seen;
    assert!(
        made * 3 > edits && restarts > 0,
        "most edits come through: {seen:?}"
    );
}
