//! One simulation: things break for a while, then nothing does, and everybody has to come to rest.

use std::cell::Cell;
use std::panic;
use std::sync::{Arc, Once};
use std::time::{Duration, SystemTime};

use transports::Codec;
use turmoil::{Builder, Sim};

use super::peers::{self, Shown};
use super::stage::{Answer, BOARDS, Life, Stage};
use crate::board::{is_refusal, made};

/// What happened, in numbers.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Seen {
    pub(super) reconnects: u64,
    pub(super) partitions: u64,
    pub(super) holds: u64,
    pub(super) restored: u64,
    pub(super) anew: u64,
    pub(super) by_delta: u64,
    pub(super) by_snapshot: u64,
    pub(super) by_epoch: u64,
    pub(super) catch_ups: u64,
    pub(super) lost: u64,
    pub(super) silent: u64,
    pub(super) slow: u64,
    pub(super) made: u64,
    pub(super) rejected: u64,
    /// The most bytes that waited for one connection.
    pub(super) queued_bytes: usize,
    pub(super) simulated: Duration,
}

impl Seen {
    pub(super) fn add(&mut self, other: &Self) {
        let sums = [
            (&mut self.reconnects, other.reconnects),
            (&mut self.partitions, other.partitions),
            (&mut self.holds, other.holds),
            (&mut self.restored, other.restored),
            (&mut self.anew, other.anew),
            (&mut self.by_delta, other.by_delta),
            (&mut self.by_snapshot, other.by_snapshot),
            (&mut self.by_epoch, other.by_epoch),
            (&mut self.catch_ups, other.catch_ups),
            (&mut self.lost, other.lost),
            (&mut self.silent, other.silent),
            (&mut self.slow, other.slow),
            (&mut self.made, other.made),
            (&mut self.rejected, other.rejected),
        ];
        for (sum, more) in sums {
            *sum += more;
        }
        self.queued_bytes = self.queued_bytes.max(other.queued_bytes);
        self.simulated += other.simulated;
    }
}

/// What is wrong with the link between a client and the server, and until when.
#[derive(Clone, Copy)]
struct Broken {
    is_held: bool,
    until: Duration,
}

pub(super) struct Storm {
    seed: u64,
    sim: Sim<'static>,
    random: fastrand::Rng,
    stage: Arc<Stage>,
    /// The lives that were lost: edits may reach them to the last.
    former: Vec<Life>,
    peers: Vec<(String, Shown)>,
    broken: Vec<Option<Broken>>,
    seen: Seen,
}

/// Time goes on in steps, between which hosts cannot hear of each other.
const TICK: Duration = Duration::from_millis(20);

/// A chunk of what a connection has to be told, some answers beside it, and one model as a whole.
const MOST_QUEUED: usize = (256 + 64 + 64) << 10;

impl Storm {
    pub(super) fn new(seed: u64) -> Self {
        count_panics();
        let mut random = fastrand::Rng::with_seed(seed);
        let begun = Duration::from_secs(1_800_000_000);
        let mut sim = Builder::new()
            .rng_seed(seed)
            .epoch(SystemTime::UNIX_EPOCH + begun)
            .tick_duration(TICK)
            .max_message_latency(Duration::from_millis(random.u64(1..100)))
            .simulation_duration(Duration::MAX)
            .enable_random_order()
            .build();
        let stage = Arc::new(Stage::new(random.fork(), begun));
        let served = Arc::clone(&stage);
        sim.host("server", move || {
            let stage = Arc::clone(&served);
            async move { stage.serve().await }
        });
        let mut peers = Vec::new();
        for codec in [Codec::Json, Codec::MessagePack, Codec::Cbor] {
            let (name, boards) = (format!("ours-{}", codec.name()), Arc::default());
            peers.push((name.clone(), Shown::Ours(Arc::clone(&boards))));
            sim.client(name, peers::ours(Arc::clone(&stage), codec.clone(), boards));

            let (name, follower) = (format!("published-{}", codec.name()), Arc::default());
            peers.push((name.clone(), Shown::Follower(Arc::clone(&follower))));
            sim.client(name, peers::published(Arc::clone(&stage), codec, follower));
        }
        for number in 0..2 {
            let (name, follower) = (format!("events-{number}"), Arc::default());
            peers.push((name.clone(), Shown::Follower(Arc::clone(&follower))));
            sim.client(name, peers::events(Arc::clone(&stage), follower));
        }
        Self {
            seed,
            sim,
            random,
            stage,
            former: Vec::new(),
            broken: vec![None; peers.len()],
            peers,
            seen: Seen::default(),
        }
    }

    /// Breaks things until clients have connected again this often, and then looks whether everything comes to rest.
    pub(super) fn run(mut self, reconnects: u64) -> Seen {
        while self.reconnects() < reconnects {
            self.act();
            let pause = Duration::from_millis(self.random.u64(0..120));
            self.pass(pause);
        }
        self.rest();
        self.note_server();
        self.seen.reconnects = self.reconnects();
        self.seen.simulated = self.sim.elapsed();
        let panics = PANICS.get();
        assert_eq!(panics, 0, "seed {}: something panicked", self.seed);
        self.seen
    }

    /// The connections beyond the first of each.
    fn reconnects(&self) -> u64 {
        let now = self
            .stage
            .server
            .lock()
            .as_ref()
            .map_or(0, |server| server.stats().opened);
        (self.seen.reconnects + now).saturating_sub(self.peers.len() as u64)
    }

    /// Time passes.
    fn pass(&mut self, time: Duration) {
        let until = self.sim.elapsed() + time;
        while self.sim.elapsed() < until {
            self.mend(self.sim.elapsed());
            if let Err(error) = self.sim.step() {
                panic!("seed {}: {error}", self.seed);
            }
            self.check_queues();
        }
    }

    fn check_queues(&mut self) {
        let server = self.stage.server.lock().clone();
        for connection in server.iter().flat_map(|server| server.registry()) {
            let queued = connection.queued_bytes;
            assert!(
                queued <= MOST_QUEUED,
                "seed {}: {queued} bytes wait for {connection:?}",
                self.seed
            );
            self.seen.queued_bytes = self.seen.queued_bytes.max(queued);
        }
    }

    fn act(&mut self) {
        match self.random.u32(0..100) {
            0..70 => self.change(),
            70..72 => self.burst(),
            72..98 => self.break_link(),
            _ => self.restart(),
        }
        self.check_answers();
    }

    fn change(&mut self) {
        let life = self.stage.life.lock();
        for _ in 0..self.random.usize(1..5) {
            let board = self.random.choice(&life.boards).expect("there are some");
            board.write().change(&mut self.random);
        }
    }

    /// More than anybody has room for, each change by itself.
    fn burst(&mut self) {
        let life = self.stage.life.lock();
        let board = self.random.choice(&life.boards).expect("there are some");
        for number in 0..self.random.usize(1..1200) {
            board.write().title = format!("{number:>2000}");
            let _ = life.session.sync();
        }
    }

    fn break_link(&mut self) {
        let number = self.random.usize(..self.peers.len());
        if self.broken[number].is_some() {
            return;
        }
        let peer = self.peers[number].0.as_str();
        let is_held = self.random.bool();
        if is_held {
            self.seen.holds += 1;
            self.sim.hold(peer, "server");
        } else {
            self.seen.partitions += 1;
            match self.random.u32(0..3) {
                0 => self.sim.partition_oneway(peer, "server"),
                1 => self.sim.partition_oneway("server", peer),
                _ => self.sim.partition(peer, "server"),
            }
        }
        let time = Duration::from_millis(self.random.u64(10..5_000));
        let until = self.sim.elapsed() + time;
        self.broken[number] = Some(Broken { is_held, until });
    }

    /// Mends the links whose time has come.
    fn mend(&mut self, now: Duration) {
        for (broken, (peer, _)) in self.broken.iter_mut().zip(&self.peers) {
            let Some(Broken { is_held, .. }) = broken.take_if(|broken| broken.until <= now) else {
                continue;
            };
            if is_held {
                self.sim.release(peer.as_str(), "server");
            } else {
                self.sim.repair(peer.as_str(), "server");
            }
        }
    }

    /// The server is lost, and comes back with its state or without.
    fn restart(&mut self) {
        self.sim.crash("server");
        self.note_server();
        {
            let mut life = self.stage.life.lock();
            if self.random.bool() {
                self.seen.restored += 1;
                *life = life.restored();
            } else {
                self.seen.anew += 1;
                let anew = Life::new(self.sim.since_epoch());
                self.former.push(std::mem::replace(&mut *life, anew));
            }
        }
        let downtime = Duration::from_millis(self.random.u64(0..2_000));
        self.pass(downtime);
        self.sim.bounce("server");
    }

    /// Adds up what a server counted that is no more.
    fn note_server(&mut self) {
        let Some(server) = self.stage.server.lock().take() else {
            return;
        };
        let stats = server.stats();
        let seen = &mut self.seen;
        seen.reconnects += stats.opened;
        seen.by_delta += stats.resumed_by_delta;
        seen.by_snapshot += stats.resumed_by_snapshot;
        seen.by_epoch += stats.resumed_by_epoch;
        seen.catch_ups += stats.catch_ups;
        seen.lost += stats.ended("lost");
        seen.silent += stats.ended("silent");
        seen.slow += stats.ended("slow");
    }

    /// No edit was made twice, and each as its client was told.
    fn check_answers(&mut self) {
        let life = self.stage.life.lock();
        let made = made(
            self.former
                .iter()
                .chain([&*life])
                .flat_map(|life| &life.boards),
        );
        for (name, answer) in self.stage.take_answers() {
            match answer {
                Answer::Made => {
                    self.seen.made += 1;
                    assert!(
                        made.contains(&name),
                        "seed {}: {name} was not made",
                        self.seed
                    );
                }
                Answer::Rejected(reason) => {
                    self.seen.rejected += 1;
                    assert!(!made.contains(&name), "seed {}: {name} was made", self.seed);
                    assert!(is_refusal(&reason), "seed {}: {reason}", self.seed);
                }
                Answer::Unknown => {}
            }
        }
    }

    /// Nothing breaks any more.
    fn rest(&mut self) {
        self.stage.calm();
        self.mend(Duration::MAX);
        let until = self.sim.elapsed() + Duration::from_secs(120);
        while let Err(difference) = self.agree() {
            assert!(
                self.sim.elapsed() < until,
                "seed {}: {difference}",
                self.seed
            );
            self.pass(Duration::from_millis(100));
        }
        self.pass(Duration::from_secs(3));
        if let Err(difference) = self.agree() {
            panic!("seed {}: not at rest: {difference}", self.seed);
        }
        self.check_answers();
    }

    /// Whether all edits are answered and everybody shows what is hosted.
    fn agree(&self) -> Result<(), String> {
        if !self.stage.is_answered() {
            return Err("edits wait for answers".to_owned());
        }
        let session = self.stage.life.lock().session.clone();
        let _ = session.sync();
        for id in BOARDS {
            let hosted = session.snapshot(id);
            let hosted = hosted.map(|(revision, value)| {
                (
                    revision,
                    serde_json::to_value(value).expect("values are JSON"),
                )
            });
            for (name, peer) in &self.peers {
                let shown = peer.shows(id);
                if shown != hosted {
                    return Err(format!("{name} shows {shown:?}, not {hosted:?}"));
                }
            }
        }
        Ok(())
    }
}

thread_local! {
    static PANICS: Cell<u32> = const { Cell::new(0) };
}

/// Counts the panics of this thread, which runs all hosts: tokio keeps those of tasks to itself.
fn count_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            PANICS.set(PANICS.get() + 1);
            before(info);
        }));
    });
}
