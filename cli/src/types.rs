//! `transports types`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anstream::println;
use clap::Args;
use tokio::time::timeout;
use transports::Value;

use crate::Target;

/// No message carries a schema, so the types are guessed from the values: a field that is null now is `unknown`. A program
/// writes exact ones with `transports::schema`.
#[derive(Args)]
pub(crate) struct Types {
    #[command(flatten)]
    target: Target,
}

impl Types {
    pub(crate) async fn run(self) -> Result<(), String> {
        let client = self.target.connect().await?;
        // Models come in the order of their ids, without a word after the last: an answer to an edit that changes nothing
        // would be one, and not every connection can make edits. So wait until no more come.
        let mut models = client.models();
        let quiet = self
            .target
            .timeout()
            .min(std::time::Duration::from_millis(300));
        let mut arrived = client.changes();
        while timeout(quiet, futures_util::StreamExt::next(&mut arrived))
            .await
            .is_ok_and(|change| change.is_some())
            && client.models().len() > models.len()
        {
            models = client.models();
        }
        let mut types = BTreeMap::new();
        for model in client.models() {
            if let Some(value) = client.value(model.id) {
                types.entry(model.type_name).or_insert(value);
            }
        }
        client.close().await;
        if types.is_empty() {
            return Err("the server shows no models".to_owned());
        }
        for (name, value) in &types {
            println!("{}", declaration(name, value));
        }
        Ok(())
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
