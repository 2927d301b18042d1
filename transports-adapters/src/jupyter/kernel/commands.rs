//! What a cell can say without any code of the program.

use std::time::Duration;

use serde_json::Value as Json;
use tokio::time::{Instant, timeout_at};
use transports::{Mirror, Value};

use super::cell::{Bundle, Cell, CellError};
use super::places::{Place, Places, name_of, plain};
use super::watch::Plot;

/// The commands, how they are used and what they do.
pub(super) const COMMANDS: [(&str, &str, &str); 6] = [
    ("help", "help", "lists the commands"),
    ("models", "models", "lists the models"),
    (
        "show",
        "show [MODEL]",
        "shows a model, or all, live and to be edited",
    ),
    (
        "get",
        "get PATH",
        "reads a place: `get Device.children[0].label`",
    ),
    (
        "set",
        "set PATH = VALUE",
        "edits a place; VALUE is JSON, or plain text",
    ),
    (
        "watch",
        "watch PATH [SECONDS]",
        "plots a number over time: 10 seconds, or as long as you say",
    ),
];

/// How long a path is watched if nothing is said.
const WATCHED: f64 = 10.0;
/// A day: nobody waits longer, and greater numbers are mistyped.
const LONGEST: f64 = 86_400.0;

/// Runs each line. The first that fails ends the cell.
pub(super) async fn run(cell: &Cell) -> Result<(), CellError> {
    for line in cell.code().lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (command, rest) = split(line);
        match command {
            "help" | "?" => help(cell),
            "models" => models(cell)?,
            "show" => show(cell, rest)?,
            "get" => get(cell, rest)?,
            "set" => set(cell, rest)?,
            "watch" => watch(cell, rest).await?,
            other => {
                let message = format!("there is no command `{other}`: `help` lists them");
                return Err(CellError::new("UnknownCommand", message));
            }
        }
    }
    Ok(())
}

/// The first word and the rest.
fn split(line: &str) -> (&str, &str) {
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    (word, rest.trim())
}

fn help(cell: &Cell) {
    let mut text = String::new();
    for (_, usage, what) in COMMANDS {
        text.push_str(&format!("{usage:<22} {what}\n"));
    }
    cell.print(text);
}

fn models(cell: &Cell) -> Result<(), CellError> {
    let places = Places::open(cell.server())?;
    let mut text = String::new();
    let mut table = "| id | type | revision |\n|---|---|---|\n".to_owned();
    for model in places.models() {
        let (id, name) = (model.id(), model.type_name().unwrap_or("?"));
        let revision = model.revision().unwrap_or(0);
        text.push_str(&format!("{id}  {name}  revision {revision}\n"));
        table.push_str(&format!("| {id} | {name} | {revision} |\n"));
    }
    cell.result(Bundle::text(text.trim_end()).with("text/markdown", table));
    Ok(())
}

fn show(cell: &Cell, rest: &str) -> Result<(), CellError> {
    let model = match rest {
        "" => None,
        name => {
            let place = Places::open(cell.server())?.find(name)?;
            if !place.path.is_empty() {
                let message = format!("`{name}` is not a model, only a place in one");
                return Err(CellError::new("PathError", message));
            }
            Some(place.id)
        }
    };
    cell.show(cell.server(), model);
    Ok(())
}

fn get(cell: &Cell, rest: &str) -> Result<(), CellError> {
    let places = Places::open(cell.server())?;
    let value = plain(places.value(&places.find(rest)?)?);
    let text = serde_json::to_string_pretty(&value)?;
    cell.result(match value {
        Json::Object(_) | Json::Array(_) => Bundle::text(text).with("application/json", value),
        _ => Bundle::text(text),
    });
    Ok(())
}

fn set(cell: &Cell, rest: &str) -> Result<(), CellError> {
    let usage = || CellError::new("Usage", "set PATH = VALUE");
    // A key in quotes may hold an equals sign or a space, so what is a path is found from its end.
    let (path, value) = rest
        .match_indices(['=', ' '])
        .map(|(at, _)| rest.split_at(at))
        .find(|(path, _)| path.matches('"').count() % 2 == 0)
        .ok_or_else(usage)?;
    let value = value.trim_start();
    let value = value.strip_prefix('=').unwrap_or(value).trim();
    if value.is_empty() {
        return Err(usage());
    }
    let value = serde_json::from_str(value).unwrap_or_else(|_| Json::String(value.to_owned()));
    let mut places = Places::open(cell.server())?;
    let place = places.find(path)?;
    places.set(&place, &value)?;
    let now = plain(places.value(&place)?);
    cell.result(format!("{path} = {now}"));
    Ok(())
}

async fn watch(cell: &Cell, rest: &str) -> Result<(), CellError> {
    let (path, seconds) = match rest.rsplit_once(char::is_whitespace) {
        Some((path, last)) if last.parse::<f64>().is_ok() => (path.trim(), last.parse()?),
        _ => (rest, WATCHED),
    };
    if !(0.0..=LONGEST).contains(&seconds) {
        let message = format!("{seconds} seconds: from 0 to {LONGEST} can be watched");
        return Err(CellError::new("Usage", message));
    }
    let mut places = Places::open(cell.server())?;
    let place = places.find(path)?;
    let start = Instant::now();
    let end = start + Duration::from_secs_f64(seconds);
    let mut plot = Plot::show(cell, path, seconds);
    plot.add(0.0, number(&places, &place, path)?);
    while timeout_at(end, places.changed())
        .await
        .is_ok_and(|changed| changed.is_ok())
    {
        plot.add(
            start.elapsed().as_secs_f64(),
            number(&places, &place, path)?,
        );
    }
    cell.print(plot.finish());
    Ok(())
}

fn number(places: &Places, place: &Place, path: &str) -> Result<f64, CellError> {
    match places.value(place)? {
        Value::Float(value) => Ok(*value),
        // A plot shows no more digits than a float has.
        Value::Int(value) => Ok(*value as f64),
        Value::Bool(value) => Ok(f64::from(u8::from(*value))),
        other => {
            let message = format!("{path} is {}, only numbers can be watched", plain(other));
            Err(CellError::new("TypeError", message))
        }
    }
}

/// What fits before the cursor: where it begins, and the words. Positions count characters.
pub(super) fn complete(places: &Places, code: &str, cursor: usize) -> (usize, Vec<String>) {
    let before: String = code.chars().take(cursor).collect();
    let line = before.rsplit('\n').next().unwrap_or_default();
    let typed = line.rsplit(char::is_whitespace).next().unwrap_or_default();
    let matches = if line.trim_start() == typed {
        let words = COMMANDS.iter().map(|(word, ..)| (*word).to_owned());
        words.filter(|word| word.starts_with(typed)).collect()
    } else {
        places.complete(typed)
    };
    (
        cursor.min(code.chars().count()) - typed.chars().count(),
        matches,
    )
}

/// What is known of the word at the cursor.
pub(super) fn inspect(places: &Places, code: &str, cursor: usize) -> Option<Bundle> {
    let is_word = |c: &char| !c.is_whitespace() && *c != '=';
    let before: Vec<char> = code.chars().take(cursor).collect();
    let begin = before
        .iter()
        .rposition(|c| !is_word(c))
        .map_or(0, |at| at + 1);
    let word: String = code.chars().skip(begin).take_while(is_word).collect();
    if let Some((_, usage, what)) = COMMANDS.iter().find(|(name, ..)| *name == word) {
        return Some(Bundle::text(format!("{usage}\n{what}")));
    }
    let place = places.find(&word).ok()?;
    let value = places.value(&place).ok()?;
    let model = places.models().find(|model| model.id() == place.id);
    let name = model.map(name_of).unwrap_or_default();
    let shown = serde_json::to_string_pretty(&plain(value)).ok()?;
    let (kind, revision) = (value.kind(), places.revision(place.id));
    Some(Bundle::text(format!(
        "{word}: {kind}\nof {name}, revision {revision}\n{shown}"
    )))
}

/// The names of models that are shown in the kernel's banner.
pub(super) fn hosted(places: &Places) -> String {
    let names: Vec<_> = places.models().filter_map(Mirror::type_name).collect();
    names.join(", ")
}
