//! Random edits, host changes, delays, cuts at any byte and restarts: in the end every mirror is the model, and each
//! edit was made at most once, or exactly once if the client was told so.
//!
//! `CLIENT_SCHEDULES` sets the number of schedules: 500 unless given.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Router;
use tokio::task::JoinSet;
use transports::collections::List;
use transports::session::Hosted;
use transports::{Codec, Server, Session, Synced};
use transports_adapters::client::{Client, EditError, Remote};
use transports_adapters::{autosync, ws};

use super::network::{Faults, Network};

#[derive(Synced, Debug, PartialEq, Clone)]
struct Board {
    title: String,
    #[synced(range = 0..=100)]
    level: i64,
    /// Names of the edits that were made.
    made: List<String>,
}

/// One life of the server: its models, and the application in front of them.
struct Life {
    session: Session,
    boards: Vec<Hosted<Board>>,
}

impl Life {
    fn new() -> Self {
        let session = Session::new();
        let board = |number: usize| Board {
            title: format!("board {number}"),
            level: 0,
            made: List::new(),
        };
        let boards = (0..2).map(|number| session.host(board(number))).collect();
        Self { session, boards }
    }

    /// A server like any other that this session could have.
    fn app(&self) -> Router {
        let server = Server::new(self.session.clone());
        tokio::spawn(autosync(server.clone()));
        Router::new().route("/ws", ws(server))
    }
}

type Answers = JoinSet<(String, Result<u64, EditError>)>;

struct World {
    random: fastrand::Rng,
    network: Network,
    life: Life,
    /// Edits of clients may reach them to the last.
    former: Vec<Life>,
    clients: Vec<(Client, Vec<Remote<Board>>)>,
    answers: Answers,
    edits: usize,
    answered: usize,
}

impl World {
    async fn new(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let life = Life::new();
        let network = Network::new(life.app());
        let mut clients = Vec::new();
        for codec in [Codec::Json, Codec::MessagePack, Codec::Cbor] {
            let client = Client::builder("ws://host/ws")
                .codec(codec)
                .connector(network.clone())
                .backoff(Duration::from_millis(50), Duration::from_secs(1))
                .seed(random.u64(..))
                .connect()
                .await
                .unwrap();
            let mut boards = Vec::new();
            for id in 1..=2 {
                boards.push(client.model_by_id(id).await.unwrap());
            }
            clients.push((client, boards));
        }
        network.set(Faults {
            seed,
            bytes: random.bool().then_some(3000),
            delay: Duration::from_millis(random.u64(0..20)),
        });
        let answers = Answers::new();
        Self {
            random,
            network,
            life,
            former: Vec::new(),
            clients,
            answers,
            edits: 0,
            answered: 0,
        }
    }

    async fn step(&mut self) {
        match self.random.u32(0..20) {
            0..8 => self.edit(),
            8..14 => self.change(),
            14..17 => tokio::time::sleep(Duration::from_millis(self.random.u64(0..300))).await,
            17 => self.network.cut(),
            18 => {
                self.network.serve(None);
                self.network.cut();
                tokio::time::sleep(Duration::from_millis(self.random.u64(0..2000))).await;
                self.network.serve(Some(self.life.app()));
            }
            _ if self.random.u32(0..4) == 0 => self.restart(),
            _ => tokio::task::yield_now().await,
        }
    }

    fn edit(&mut self) {
        let (_, boards) = self.random.choice(&self.clients).unwrap();
        let board = self.random.choice(boards).unwrap().clone();
        let name = format!("edit {}", self.edits);
        self.edits += 1;
        // Some break the rule.
        let level = self.random.i64(0..=110);
        self.answers.spawn(async move {
            let answer = board
                .edit(|board| {
                    board.made.push(name.clone());
                    board.level = level;
                })
                .await;
            (name, answer)
        });
    }

    fn change(&mut self) {
        let mut board = self.random.choice(&self.life.boards).unwrap().write();
        match self.random.u32(0..3) {
            0 => board.title = format!("title {}", self.random.u32(..)),
            1 => board.level = self.random.i64(0..=100),
            _ => board.made.reverse(),
        }
    }

    /// The server starts anew and knows nothing of before.
    fn restart(&mut self) {
        self.network.serve(None);
        self.network.cut();
        let former = std::mem::replace(&mut self.life, Life::new());
        self.former.push(former);
        self.network.serve(Some(self.life.app()));
    }

    /// Each edit is answered once, and was made as often as the answer says.
    fn check_edits(&mut self) {
        let mut made = BTreeMap::<String, usize>::new();
        for board in self
            .former
            .iter()
            .chain([&self.life])
            .flat_map(|life| &life.boards)
        {
            for name in board.read().made.iter() {
                *made.entry(name.clone()).or_default() += 1;
            }
        }
        assert!(
            made.values().all(|times| *times == 1),
            "made twice: {made:?}"
        );
        while let Some(answer) = self.answers.try_join_next() {
            let (name, answer) = answer.unwrap();
            self.answered += 1;
            match answer {
                Ok(answer) => assert!(
                    made.contains_key(&name),
                    "{name} was not made: {answer:?} {made:?}"
                ),
                Err(EditError::Rejected { reason, .. }) => {
                    assert!(!made.contains_key(&name), "{name} was made");
                    // Or the place it was meant for is not there any more.
                    assert!(
                        reason.starts_with("level: ") || reason.starts_with("made"),
                        "{reason}"
                    );
                }
                Err(EditError::Unknown) => {}
                Err(error) => panic!("{name}: {error}"),
            }
        }
    }

    /// Nothing breaks any more: everybody comes to rest, and everything is the same everywhere.
    async fn rest(mut self) {
        self.network.set(Faults::default());
        self.network.serve(Some(self.life.app()));
        let made = self.edits;
        tokio::time::timeout(Duration::from_secs(3600), async {
            while self.answered < made {
                tokio::time::sleep(Duration::from_millis(100)).await;
                self.check_edits();
            }
        })
        .await
        .expect("each edit is answered");
        assert!(self.answers.is_empty());
        let _ = self.life.session.sync();
        for (_, boards) in &mut self.clients {
            for (mirror, hosted) in boards.iter_mut().zip(&self.life.boards) {
                let same = async {
                    while *mirror.read() != *hosted.read() || mirror.revision() != hosted.revision()
                    {
                        mirror.changed().await.unwrap();
                    }
                };
                tokio::time::timeout(Duration::from_secs(3600), same)
                    .await
                    .unwrap_or_else(|_| {
                        panic!(
                            "{:?} at {} is not {:?} at {}",
                            mirror.read(),
                            mirror.revision(),
                            hosted.read(),
                            hosted.revision()
                        )
                    });
                assert_eq!(
                    mirror.client().value(mirror.id()),
                    self.life
                        .session
                        .snapshot(mirror.id())
                        .map(|(_, value)| value)
                );
            }
        }
    }
}

async fn schedule(seed: u64) {
    let mut world = World::new(seed).await;
    for _ in 0..world.random.usize(5..60) {
        world.step().await;
    }
    world.rest().await;
}

#[test]
fn every_mirror_equals_the_model_after_any_schedule() {
    let schedules = std::env::var("CLIENT_SCHEDULES").map_or(500, |number| number.parse().unwrap());
    for seed in 0..schedules {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        let run = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            runtime.block_on(schedule(seed))
        }));
        assert!(run.is_ok(), "schedule {seed}");
    }
}
