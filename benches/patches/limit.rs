//! Code that knows what changes and writes exactly that.

use benches::Contestant;

use std::collections::BTreeMap;

use crate::models::{
    LETTERS, Positions, Row, entries as entries_model, key, row, rows, small as small_model,
};

fn int(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

fn text(out: &mut Vec<u8>, value: &str) {
    serde_json::to_writer(out, value).unwrap();
}

pub(crate) fn small() -> impl Contestant {
    let mut model = small_model();
    let mut out = Vec::new();
    move || {
        model.level += 1;
        out.clear();
        out.extend_from_slice(br#"{"Set":{"path":[{"Key":"level"}],"value":{"Int":"#);
        int(&mut out, model.level);
        out.extend_from_slice(b"}}}");
        out.len()
    }
}

fn set_qty(out: &mut Vec<u8>, index: usize, qty: i64) {
    out.extend_from_slice(br#"{"Set":{"path":[{"Key":"rows"},{"Index":"#);
    int(out, index as i64);
    out.extend_from_slice(br#"},{"Key":"qty"}],"value":{"Int":"#);
    int(out, qty);
    out.extend_from_slice(b"}}}");
}

fn insert(out: &mut Vec<u8>, index: usize, row: &Row) {
    out.extend_from_slice(br#"{"Insert":{"path":[{"Key":"rows"}],"index":"#);
    int(out, index as i64);
    out.extend_from_slice(br#","value":{"Map":{"id":{"Int":"#);
    int(out, row.id);
    out.extend_from_slice(br#"},"name":{"Str":"#);
    text(out, &row.name);
    out.extend_from_slice(br#"},"price":{"Float":"#);
    serde_json::to_writer(&mut *out, &row.price).unwrap();
    out.extend_from_slice(br#"},"qty":{"Int":"#);
    int(out, row.qty);
    out.extend_from_slice(b"}}}}}");
}

fn remove_at(out: &mut Vec<u8>, index: usize) {
    out.extend_from_slice(br#"{"RemoveAt":{"path":[{"Key":"rows"}],"index":"#);
    int(out, index as i64);
    out.extend_from_slice(b"}}");
}

pub(crate) fn one_row(len: usize) -> impl Contestant {
    let mut model = rows(len);
    let mut positions = Positions::of(len);
    let mut out = Vec::new();
    move || {
        let index = positions.next();
        model[index].qty += 1;
        out.clear();
        set_qty(&mut out, index, model[index].qty);
        out.len()
    }
}

pub(crate) fn all_rows() -> impl Contestant {
    let mut model = rows(1_000);
    let mut out = Vec::new();
    move || {
        out.clear();
        for (index, row) in model.iter_mut().enumerate() {
            row.qty += 1;
            if index > 0 {
                out.push(b',');
            }
            set_qty(&mut out, index, row.qty);
        }
        out.len()
    }
}

/// All rows compared with a copy of them, which is the least that can be done where nothing notes changes.
pub(crate) fn clean_rows(len: usize) -> impl Contestant {
    let model = rows(len);
    let copy = model.clone();
    move || {
        let changed = model.iter().zip(&copy).find(|(row, old)| {
            row.id != old.id || row.name != old.name || row.price != old.price || row.qty != old.qty
        });
        usize::from(changed.is_some())
    }
}

pub(crate) fn window() -> impl Contestant {
    let mut model = rows(120);
    let mut next = 120;
    let mut out = Vec::new();
    move || {
        model.remove(0);
        next += 1;
        model.push(row(next));
        out.clear();
        remove_at(&mut out, 0);
        out.push(b',');
        insert(&mut out, 119, &model[119]);
        out.len()
    }
}

pub(crate) struct Push {
    model: Vec<Row>,
    out: Vec<u8>,
}

impl Push {
    pub(crate) fn new() -> Self {
        Self {
            model: rows(12_000),
            out: Vec::new(),
        }
    }
}

impl Contestant for Push {
    fn reset(&mut self) {
        self.model.truncate(10_000);
    }

    fn step(&mut self) -> usize {
        let index = self.model.len();
        self.model.push(row(index));
        self.out.clear();
        insert(&mut self.out, index, &self.model[index]);
        self.out.len()
    }
}

pub(crate) struct RemoveFirst {
    model: Vec<Row>,
    out: Vec<u8>,
}

impl RemoveFirst {
    pub(crate) fn new() -> Self {
        Self {
            model: Vec::new(),
            out: Vec::new(),
        }
    }
}

impl Contestant for RemoveFirst {
    fn reset(&mut self) {
        self.model = rows(1_050);
    }

    fn step(&mut self) -> usize {
        self.model.remove(0);
        self.out.clear();
        remove_at(&mut self.out, 0);
        self.out.len()
    }
}

pub(crate) fn entries() -> impl Contestant {
    let mut model: BTreeMap<String, i64> = entries_model();
    let mut positions = Positions::of(10_000);
    let mut out = Vec::new();
    move || {
        out.clear();
        for nth in 0..10 {
            let key = key(positions.next());
            let value = model.get_mut(&key).unwrap();
            *value += 1;
            if nth > 0 {
                out.push(b',');
            }
            out.extend_from_slice(br#"{"Set":{"path":[{"Key":"entries"},{"Key":"#);
            text(&mut out, &key);
            out.extend_from_slice(br#"}],"value":{"Int":"#);
            int(&mut out, *value);
            out.extend_from_slice(b"}}}");
        }
        out.len()
    }
}

pub(crate) struct Letter {
    model: String,
    out: Vec<u8>,
}

impl Letter {
    pub(crate) fn new() -> Self {
        Self {
            model: String::new(),
            out: Vec::new(),
        }
    }
}

impl Contestant for Letter {
    fn reset(&mut self) {
        self.model = "x".repeat(LETTERS);
    }

    fn step(&mut self) -> usize {
        self.model.push('y');
        self.out.clear();
        self.out
            .extend_from_slice(br#"{"Set":{"path":[{"Key":"text"}],"value":{"Str":"#);
        text(&mut self.out, &self.model);
        self.out.extend_from_slice(b"}}}");
        self.out.len()
    }
}

/// The letter alone, for a reader that takes it.
pub(crate) struct Splice {
    model: String,
    out: Vec<u8>,
}

impl Splice {
    pub(crate) fn new() -> Self {
        Self {
            model: String::new(),
            out: Vec::new(),
        }
    }
}

impl Contestant for Splice {
    fn reset(&mut self) {
        self.model = "x".repeat(LETTERS);
    }

    fn step(&mut self) -> usize {
        // A character is a byte here.
        let at = self.model.len();
        self.model.push('y');
        self.out.clear();
        self.out
            .extend_from_slice(br#"{"Splice":{"path":[{"Key":"text"}],"at":"#);
        int(&mut self.out, at as i64);
        self.out.extend_from_slice(br#","delete":0,"insert":"#);
        text(&mut self.out, &self.model[at..]);
        self.out.extend_from_slice(b"}}");
        self.out.len()
    }
}

/// As many bytes of plain JSON as the wire's form of the rows has.
pub(crate) fn snapshot(len: usize) -> impl Contestant {
    #[derive(serde::Serialize)]
    struct Tagged<'a> {
        id: Int,
        name: Str<'a>,
        price: Float,
        qty: Int,
    }
    #[derive(serde::Serialize)]
    struct Int {
        #[serde(rename = "Int")]
        int: i64,
    }
    #[derive(serde::Serialize)]
    struct Str<'a> {
        #[serde(rename = "Str")]
        text: &'a str,
    }
    #[derive(serde::Serialize)]
    struct Float {
        #[serde(rename = "Float")]
        float: f64,
    }
    #[derive(serde::Serialize)]
    struct Map<'a> {
        #[serde(rename = "Map")]
        map: Tagged<'a>,
    }
    let model = rows(len);
    let mut out = Vec::new();
    move || {
        out.clear();
        let rows = model.iter().map(|row| Map {
            map: Tagged {
                id: Int { int: row.id },
                name: Str { text: &row.name },
                price: Float { float: row.price },
                qty: Int { int: row.qty },
            },
        });
        use serde::Serializer;
        serde_json::Serializer::new(&mut out)
            .collect_seq(rows)
            .unwrap();
        out.len()
    }
}
