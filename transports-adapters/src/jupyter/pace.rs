//! When the next message may go out, and the thread that sends what had to wait.

use std::sync::{LazyLock, Weak, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::link::Link;

/// How many comm messages a process sends per second, after a burst of as many. A quarter of what a Jupyter server
/// passes on by default; the rest is for the outputs of cells.
pub const MESSAGES_PER_SECOND: u32 = 250;

/// The budget of the process: a Jupyter server counts what a kernel sends, not what a comm sends.
static PACE: Mutex<Option<Pace>> = Mutex::new(None);

/// Takes a message from the budget. Without one left: when there will be.
pub(super) fn permit() -> Result<(), Instant> {
    let now = Instant::now();
    PACE.lock().get_or_insert_with(|| Pace::new(now)).take(now)
}

/// Takes further messages from the budget, which may have to make up for them later.
pub(super) fn charge(messages: usize) {
    let now = Instant::now();
    let mut pace = PACE.lock();
    let pace = pace.get_or_insert_with(|| Pace::new(now));
    pace.empty += Pace::MESSAGE * u32::try_from(messages).unwrap_or(u32::MAX);
}

/// A bucket that fills with time.
struct Pace {
    /// When the bucket was, or will be, empty.
    empty: Instant,
}

impl Pace {
    const FULL: Duration = Duration::from_secs(1);
    const MESSAGE: Duration = Duration::from_millis(1000 / MESSAGES_PER_SECOND as u64);

    fn new(now: Instant) -> Self {
        Self {
            empty: now.checked_sub(Self::FULL).unwrap_or(now),
        }
    }

    fn take(&mut self, now: Instant) -> Result<(), Instant> {
        let full = now.checked_sub(Self::FULL).unwrap_or(now);
        let after = self.empty.max(full) + Self::MESSAGE;
        if after > now {
            return Err(after);
        }
        self.empty = after;
        Ok(())
    }
}

/// Has `link` deliver soon, from the thread of this module.
pub(super) fn soon(link: Weak<Link>) {
    static QUEUE: LazyLock<mpsc::Sender<Weak<Link>>> = LazyLock::new(|| {
        let (sender, receiver) = mpsc::channel::<Weak<Link>>();
        thread::Builder::new()
            .name("transports-jupyter".to_owned())
            .spawn(move || {
                for link in receiver {
                    if let Some(link) = link.upgrade() {
                        deliver(&link);
                    }
                }
            })
            .expect("a thread can be started");
        sender
    });
    // The thread runs as long as the process.
    let _ = QUEUE.send(link);
}

fn deliver(link: &Link) {
    while let Err(at) = link.deliver_now() {
        thread::sleep(at.saturating_duration_since(Instant::now()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_and_then_the_rate() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        let burst = (0..).take_while(|_| pace.take(start).is_ok()).count();
        assert_eq!(burst, MESSAGES_PER_SECOND as usize);

        let mut now = start;
        for _ in 0..10 {
            let at = pace.take(now).expect_err("the budget is spent");
            assert_eq!(at - now, Duration::from_millis(4));
            now = at;
            pace.take(now).expect("it is time");
        }
    }

    #[test]
    fn quiet_times_do_not_add_up() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        let later = start + Duration::from_secs(3600);
        let burst = (0..).take_while(|_| pace.take(later).is_ok()).count();
        assert_eq!(burst, MESSAGES_PER_SECOND as usize);
    }
}
