//! Measuring, for the programs beside: contestants take turns, and the median of many rounds counts.
#![expect(clippy::print_stdout, reason = "tables are what this is for")]

pub mod serving;

use std::hint::black_box;
use std::time::{Duration, Instant};

/// Something that does one change and tells how many bytes came of it.
pub trait Contestant {
    /// Brings the model to where a round begins. Not timed.
    fn reset(&mut self) {}

    /// One change and its encoded patch.
    fn step(&mut self) -> usize;

    /// Several steps; here, so that each contestant gets a loop of its own without calls in between.
    fn run(&mut self, steps: u32) {
        for _ in 0..steps {
            black_box(self.step());
        }
    }
}

/// Any closure is a contestant that needs no reset.
impl<F: FnMut() -> usize> Contestant for F {
    fn step(&mut self) -> usize {
        self()
    }
}

/// A row of the table: what is done, and by whom.
pub struct Workload<'a> {
    name: &'static str,
    /// How many steps a contestant may do between two resets.
    steps: u32,
    contestants: Vec<(&'static str, Box<dyn Contestant + 'a>)>,
}

impl std::fmt::Debug for Workload<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workload")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Nanoseconds a step, by contestant; the first is what the others are compared with.
pub type Times = Vec<(&'static str, f64)>;

const ROUNDS: usize = 15;
/// A round lasts about as long.
const ROUND: Duration = Duration::from_millis(8);

impl<'a> Workload<'a> {
    /// A workload whose steps can go on for ever, or up to `steps` times after a reset.
    #[must_use]
    pub fn new(name: &'static str, steps: Option<u32>) -> Self {
        Self {
            name,
            steps: steps.unwrap_or(u32::MAX),
            contestants: Vec::new(),
        }
    }

    /// Adds a contestant.
    #[must_use]
    pub fn with(mut self, name: &'static str, contestant: impl Contestant + 'a) -> Self {
        self.contestants.push((name, Box::new(contestant)));
        self
    }

    /// Lets all contestants take turns, prints a line, and returns the medians.
    pub fn measure(mut self) -> Times {
        let times: Vec<u32> = self
            .contestants
            .iter_mut()
            .map(|(_, contestant)| calibrate(contestant.as_mut(), self.steps))
            .collect();
        let mut rounds = vec![Vec::new(); self.contestants.len()];
        for _ in 0..ROUNDS {
            for (((_, contestant), steps), rounds) in
                self.contestants.iter_mut().zip(&times).zip(&mut rounds)
            {
                rounds.push(time(contestant.as_mut(), *steps, self.steps));
            }
        }
        let medians = rounds.into_iter().map(median);
        let result: Times = self
            .contestants
            .iter()
            .map(|(name, _)| *name)
            .zip(medians)
            .collect();
        print(self.name, &result);
        result
    }
}

fn print(name: &str, times: &Times) {
    let limit = times.first().map_or(1.0, |(_, time)| *time);
    print!("| {name:<26} |");
    for (contestant, time) in times {
        let ratio = time / limit;
        match *contestant {
            "limit" => print!(" {time:>9.1} |"),
            other => print!(" {other} {time:.1} ({ratio:.1}x) |"),
        }
    }
    println!();
}

fn calibrate(contestant: &mut dyn Contestant, most: u32) -> u32 {
    let mut steps = 1;
    loop {
        let started = Instant::now();
        time(contestant, steps, most);
        if started.elapsed() >= ROUND || steps > 1 << 28 {
            return steps;
        }
        steps *= 2;
    }
}

/// Nanoseconds a step; resets do not count.
fn time(contestant: &mut dyn Contestant, steps: u32, most: u32) -> f64 {
    let mut left = steps;
    let mut spent = Duration::ZERO;
    while left > 0 {
        let now = left.min(most);
        contestant.reset();
        let started = Instant::now();
        contestant.run(now);
        spent += started.elapsed();
        left -= now;
    }
    spent.as_nanos() as f64 / f64::from(steps)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or_default()
}
