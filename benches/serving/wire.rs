//! What goes over the wire, written by hand for this one model: all that a server has to know at the least.

use std::io::Write as _;

use bytes::Bytes;

use super::Board;

/// The state of the model, and what the peers have not been told of it.
#[derive(Debug)]
pub struct Wire {
    rev: u64,
    board: Board,
    changed: bool,
    rows: Vec<usize>,
    snapshot: Option<Bytes>,
}

impl Wire {
    /// The model with so many rows.
    #[must_use]
    pub fn new(rows: usize) -> Self {
        Self {
            rev: 0,
            board: Board::new(rows),
            changed: false,
            rows: Vec::new(),
            snapshot: None,
        }
    }

    /// One change; see [`Board::change`].
    pub fn change(&mut self, ts: i64) {
        self.board.change(ts);
        self.changed = true;
        self.snapshot = None;
        if let Some(index) = (self.board.tick as usize).checked_rem(self.board.rows.len()) {
            self.rows.push(index);
        }
    }

    /// The patch of what changed since the last one.
    pub fn patch(&mut self) -> Option<Bytes> {
        if !std::mem::take(&mut self.changed) {
            return None;
        }
        self.rev += 1;
        self.rows.sort_unstable();
        self.rows.dedup();
        let mut out = Vec::with_capacity(256);
        let (rev, tick, ts) = (self.rev, self.board.tick, self.board.ts);
        write!(out, r#"{{"t":"patch","id":1,"patch":{{"rev":{rev},"ops":["#).expect(MEMORY);
        for index in self.rows.drain(..) {
            let qty = self.board.rows.get(index).map_or(0, |row| row.qty);
            write!(out, r#"{{"Set":{{"path":[{{"Key":"rows"}},{{"Index":{index}}},{{"Key":"qty"}}],"value":{{"Int":{qty}}}}}}},"#)
                .expect(MEMORY);
        }
        write!(out, r#"{{"Set":{{"path":[{{"Key":"tick"}}],"value":{{"Int":{tick}}}}}}},{{"Set":{{"path":[{{"Key":"ts"}}],"value":{{"Int":{ts}}}}}}}]}}}}"#)
            .expect(MEMORY);
        Some(Bytes::from(out))
    }

    /// The model as a whole, once all patches have been taken; rendered once for each revision.
    pub fn snapshot(&mut self) -> Bytes {
        if let Some(snapshot) = &self.snapshot {
            return snapshot.clone();
        }
        let board = &self.board;
        let mut out = Vec::with_capacity(512 + 96 * board.rows.len());
        let rev = self.rev;
        write!(
            out,
            r#"{{"t":"snapshot","id":1,"type":"Board","rev":{rev},"value":{{"Map":{{"#
        )
        .expect(MEMORY);
        let ints = [
            board.i00, board.i01, board.i02, board.i03, board.i04, board.i05,
        ];
        for (n, value) in ints.iter().enumerate() {
            write!(out, r#""i{n:02}":{{"Int":{value}}},"#).expect(MEMORY);
        }
        out.extend_from_slice(br#""rows":{"List":["#);
        for (n, row) in board.rows.iter().enumerate() {
            let comma = if n == 0 { "" } else { "," };
            let super::Row {
                id,
                name,
                price,
                qty,
            } = row;
            write!(out, r#"{comma}{{"Map":{{"id":{{"Int":{id}}},"name":{{"Str":"{name}"}},"price":{{"Float":{price:?}}},"qty":{{"Int":{qty}}}}}}}"#)
                .expect(MEMORY);
        }
        out.extend_from_slice(b"]},");
        for (n, text) in [&board.s00, &board.s01, &board.s02, &board.s03]
            .iter()
            .enumerate()
        {
            write!(out, r#""s{n:02}":{{"Str":"{text}"}},"#).expect(MEMORY);
        }
        let (tick, ts) = (board.tick, board.ts);
        write!(out, r#""tick":{{"Int":{tick}}},"ts":{{"Int":{ts}}}"#).expect(MEMORY);
        let floats = [
            board.v00, board.v01, board.v02, board.v03, board.v04, board.v05, board.v06, board.v07,
        ];
        for (n, value) in floats.iter().enumerate() {
            write!(out, r#","v{n:02}":{{"Float":{value:?}}}"#).expect(MEMORY);
        }
        out.extend_from_slice(b"}}}");
        let snapshot = Bytes::from(out);
        self.snapshot = Some(snapshot.clone());
        snapshot
    }
}

const MEMORY: &str = "writing to memory";

#[cfg(test)]
mod tests {
    use transports::server::Opening;
    use transports::{Server, Session};

    use super::*;

    /// Whoever writes fewer bytes has less to do.
    #[test]
    fn both_write_the_same_bytes() {
        for rows in [0, 3] {
            let session = Session::new();
            let board = session.host(Board::new(rows));
            let server = Server::new(session);
            let mut connection = server.open(&Opening::parse("").unwrap()).unwrap();
            let mut wire = Wire::new(rows);
            assert_eq!(connection.try_next().unwrap().bytes, wire.snapshot());
            for ts in 1..=5 {
                board.write().change(ts);
                wire.change(ts);
                let _ = server.session().sync();
                assert_eq!(connection.try_next().unwrap().bytes, wire.patch().unwrap());
            }
            let mut late = server.open(&Opening::parse("").unwrap()).unwrap();
            assert_eq!(late.try_next().unwrap().bytes, wire.snapshot());
        }
    }
}
