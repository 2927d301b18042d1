//! `transports types`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;
use std::{fs, io};

use anstream::{eprintln, print};
use clap::Args;
use futures_util::StreamExt;
use tokio::time::{Instant, timeout_at};
use transports::Value;
use transports::schema::Bindings;
use transports_adapters::client::{Change, Client};

use crate::{Failure, Target};

#[derive(Args)]
pub(crate) struct Types {
    #[command(flatten)]
    target: Target,
    /// JSON Schema instead of TypeScript.
    #[arg(long)]
    json_schema: bool,
    /// Write to this file. It is left alone if nothing changed.
    #[arg(long, value_name = "FILE", conflicts_with = "check")]
    out: Option<PathBuf>,
    /// Only compare with this file: exit code 3 if it is not what would be written.
    #[arg(long, value_name = "FILE")]
    check: Option<PathBuf>,
}

impl Types {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let client = self.target.builder().schema().connect().await;
        let client = client.map_err(|error| error.to_string())?;
        let models = self.models(&client).await;
        let bindings = client.schema().written_by(self.command());
        client.close().await;
        let text = if self.json_schema {
            if let Some(name) = models.keys().find(|name| bindings.model(name).is_none()) {
                let reason = format!(
                    "the server does not tell what `{name}` is made of, so there is no schema"
                );
                return Err(reason.into());
            }
            format!("{:#}\n", bindings.json_schema())
        } else {
            typescript(&bindings, &models)
        };
        if models.is_empty() {
            return Err("the server shows no models".to_owned().into());
        }
        match (&self.check, &self.out) {
            (Some(path), _) => match read(path)? {
                Some(found) if found.replace("\r\n", "\n") == text => Ok(()),
                found => {
                    let path = path.display();
                    let state = found.map_or("missing", |_| "not what the server tells");
                    let command = self.command();
                    Err(Failure::Stale(format!(
                        "{path} is {state}; `{command}` writes it"
                    )))
                }
            },
            (None, Some(path)) if read(path)?.as_ref() == Some(&text) => Ok(()),
            (None, Some(path)) => fs::write(path, text)
                .map_err(|error| format!("cannot write {}: {error}", path.display()).into()),
            (None, None) => {
                print!("{text}");
                Ok(())
            }
        }
    }

    /// What writes the file, wherever the server is.
    fn command(&self) -> &'static str {
        if self.json_schema {
            "transports types URL --json-schema --out FILE"
        } else {
            "transports types URL --out FILE"
        }
    }

    /// A value of each type.
    async fn models(&self, client: &Client) -> BTreeMap<String, Value> {
        // Models come in the order of their ids, without a word after the last: an answer to an edit that changes nothing
        // would be one, and not every connection can make edits. So wait until no more come.
        let mut arrived = client.changes();
        let longest = self.target.timeout();
        let quiet = longest.min(Duration::from_millis(300));
        let none = client.models().is_empty();
        let mut deadline = Instant::now() + if none { longest } else { quiet };
        while let Ok(Some(change)) = timeout_at(deadline, arrived.next()).await {
            if matches!(change, Change::Replaced { .. }) {
                deadline = Instant::now() + quiet;
            }
        }
        let values = client.models().into_iter().filter_map(|model| {
            let value = client.value(model.id)?;
            Some((model.type_name, value))
        });
        // The first of each type counts.
        values.fold(BTreeMap::new(), |mut types, (name, value)| {
            types.entry(name).or_insert(value);
            types
        })
    }
}

/// What the server told, and guesses of what it did not tell.
fn typescript(bindings: &Bindings, models: &BTreeMap<String, Value>) -> String {
    let mut text = bindings.typescript();
    for (name, value) in models {
        if bindings.model(name).is_none() {
            let yellow = anstyle::AnsiColor::Yellow.on_default().bold();
            eprintln!(
                "{yellow}note:{yellow:#} the server does not tell what `{name}` is made of: this is guessed from its value now"
            );
            let _ = write!(
                text,
                "\n// Guessed from a value.\n{}",
                declaration(name, value)
            );
        }
    }
    text
}

/// What is in a file, if it is there.
fn read(path: &PathBuf) -> Result<Option<String>, Failure> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("cannot read {}: {error}", path.display()).into()),
    }
}

fn declaration(name: &str, value: &Value) -> String {
    match value {
        Value::Map(_) => format!("export interface {name} {}\n", type_of(value, 0)),
        other => format!("export type {name} = {};\n", type_of(other, 0)),
    }
}

fn type_of(value: &Value, depth: usize) -> String {
    match value {
        Value::Bool(_) => "boolean".to_owned(),
        Value::Int(_) | Value::Float(_) => "number".to_owned(),
        Value::Str(_) => "string".to_owned(),
        Value::List(items) => {
            let kinds: BTreeSet<_> = items.iter().map(|item| type_of(item, depth)).collect();
            match kinds.into_iter().collect::<Vec<_>>().as_slice() {
                [] => "unknown[]".to_owned(),
                [one] => format!("{one}[]"),
                several => format!("({})[]", several.join(" | ")),
            }
        }
        Value::Map(entries) => {
            let indent = "  ".repeat(depth + 1);
            let mut text = String::from("{\n");
            for (key, entry) in entries {
                let plain =
                    !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
                let key = if plain && !key.starts_with(|c: char| c.is_ascii_digit()) {
                    key.clone()
                } else {
                    format!("{key:?}")
                };
                let _ = writeln!(text, "{indent}{key}: {};", type_of(entry, depth + 1));
            }
            text + &"  ".repeat(depth) + "}"
        }
        _ => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_follow_the_values() {
        let row = Value::from_iter([("a key", Value::Int(1))]);
        let value = Value::from_iter([
            ("on", Value::Bool(true)),
            ("rows", Value::List(vec![row])),
            ("later", Value::Null),
            ("mixed", Value::List(vec![Value::Int(1), "x".into()])),
        ]);
        assert_eq!(
            declaration("Device", &value),
            "export interface Device {\n  later: unknown;\n  mixed: (number | string)[];\n  on: boolean;\n  rows: {\n    \
             \"a key\": number;\n  }[];\n}\n"
        );
    }
}
