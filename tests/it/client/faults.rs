//! Random edits, host changes, delays, cuts at any byte and restarts: in the end every mirror is the model, and each
//! edit was made at most once, or exactly once if the client was told so.
//!
//! `CLIENT_SCHEDULES` sets the number of schedules: 500 unless given.

use std::time::Duration;

use axum::Router;
use tokio::task::JoinSet;
use transports::session::Hosted;
use transports::{Codec, Session};
use transports_adapters::client::{Client, EditError, Remote};

use super::network::{Faults, Network};
use crate::board::{self, Board, application, is_refusal};

/// One life of the server: its models, and the application in front of them.
struct Life {
    session: Session,
    boards: Vec<Hosted<Board>>,
}

impl Life {
    fn new() -> Self {
        let session = Session::new();
        let board = |number| session.host(Board::new(format!("board {number}")));
        let boards = (0..2).map(board).collect();
        Self { session, boards }
    }

    fn app(&self) -> Router {
        application(&self.session)
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
            let client = network
                .client()
                .codec(codec)
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
        let board = self.random.choice(&self.life.boards).unwrap();
        board.write().change(&mut self.random);
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
        let lives = self.former.iter().chain([&self.life]);
        let made = board::made(lives.flat_map(|life| &life.boards));
        while let Some(answer) = self.answers.try_join_next() {
            let (name, answer) = answer.unwrap();
            self.answered += 1;
            match answer {
                Ok(answer) => assert!(
                    made.contains(&name),
                    "{name} was not made: {answer:?} {made:?}"
                ),
                Err(EditError::Rejected { reason, .. }) => {
                    assert!(!made.contains(&name), "{name} was made");
                    assert!(is_refusal(&reason), "{reason}");
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
    board::schedules(500, schedule).for_each(drop);
}
