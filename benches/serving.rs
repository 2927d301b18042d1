//! What the servers under load have in common: the model, the way it is changed, and how they are asked to.

mod board;
mod control;
mod flags;
mod wire;

pub use self::board::{Board, Row, now};
pub use self::control::Control;
pub use self::flags::flags;
pub use self::wire::Wire;

use std::time::Duration;

/// From one flush to the next while changes keep coming, in all servers. With the default of 10 ms two of 100 changes a
/// second would now and then go out as one, because timers are late by up to a millisecond.
pub const FLUSH: Duration = Duration::from_millis(5);
