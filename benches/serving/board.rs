//! The model that is served.

use std::time::{SystemTime, UNIX_EPOCH};

use transports::Synced;
use transports::collections::List;

/// Twenty fields and a table.
#[derive(Synced)]
#[expect(missing_docs, reason = "the names say all")]
pub struct Board {
    pub tick: i64,
    /// When it was changed last: nanoseconds since the epoch of the realtime clock.
    pub ts: i64,
    pub v00: f64,
    pub v01: f64,
    pub v02: f64,
    pub v03: f64,
    pub v04: f64,
    pub v05: f64,
    pub v06: f64,
    pub v07: f64,
    pub i00: i64,
    pub i01: i64,
    pub i02: i64,
    pub i03: i64,
    pub i04: i64,
    pub i05: i64,
    pub s00: String,
    pub s01: String,
    pub s02: String,
    pub s03: String,
    pub rows: List<Row>,
}

/// A row of the table.
#[derive(Clone, Debug, Synced)]
#[expect(missing_docs, reason = "the names say all")]
pub struct Row {
    pub id: i64,
    pub name: String,
    pub price: f64,
    pub qty: i64,
}

impl Board {
    /// The model with so many rows, not yet changed.
    #[must_use]
    pub fn new(rows: usize) -> Self {
        let text = |field: &str| format!("text of {field}");
        let row = |id: usize| Row {
            id: id as i64,
            name: format!("row {id}"),
            price: 1.5,
            qty: 0,
        };
        Self {
            tick: 0,
            ts: 0,
            v00: 0.5,
            v01: 1.5,
            v02: 2.5,
            v03: 3.5,
            v04: 4.5,
            v05: 5.5,
            v06: 6.5,
            v07: 7.5,
            i00: 0,
            i01: 1,
            i02: 2,
            i03: 3,
            i04: 4,
            i05: 5,
            s00: text("s00"),
            s01: text("s01"),
            s02: text("s02"),
            s03: text("s03"),
            rows: (0..rows).map(row).collect(),
        }
    }

    /// One change, made at `ts`: of `tick`, `ts` and the `qty` of a row.
    pub fn change(&mut self, ts: i64) {
        self.tick += 1;
        self.ts = ts;
        if let Some(index) = (self.tick as usize).checked_rem(self.rows.len())
            && let Some(row) = self.rows.get_mut(index)
        {
            row.qty += 1;
        }
    }
}

impl std::fmt::Debug for Board {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Board")
            .field("tick", &self.tick)
            .field("rows", &self.rows.len())
            .finish_non_exhaustive()
    }
}

/// Nanoseconds of the realtime clock.
#[must_use]
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_nanos() as i64)
}
