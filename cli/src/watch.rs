//! `transports watch`.

use anstream::println;
use anstyle::{AnsiColor, Style};
use clap::Args;
use futures_util::StreamExt;
use serde_json::json;
use transports::message::ModelId;
use transports::{Op, Value};
use transports_adapters::client::{Change, Client, State};

use crate::Target;
use crate::path::at;
use crate::plain::plain;

#[derive(Args)]
pub(crate) struct Watch {
    #[command(flatten)]
    target: Target,
    /// One JSON object a line: `{"id", "type", "rev", "value"}` for a model as a whole, `{"id", "type", "rev", "ops"}` for
    /// a change.
    #[arg(long)]
    json: bool,
    /// Only the model of this id.
    #[arg(long)]
    id: Option<ModelId>,
    /// End after so many lines or changes.
    #[arg(long)]
    count: Option<u64>,
}

const NAME: Style = AnsiColor::Cyan.on_default().bold();
const FAINT: Style = Style::new().dimmed();
const PATH: Style = AnsiColor::Yellow.on_default();

impl Watch {
    pub(crate) async fn run(self) -> Result<(), String> {
        // Asked for before the connection is there, so that nothing is missed.
        let client = self
            .target
            .builder()
            .start()
            .map_err(|error| error.to_string())?;
        let mut changes = client.changes();
        let mut states = client.states();
        let mut told = 0;
        while self.count.is_none_or(|count| told < count) {
            tokio::select! {
                biased;
                change = changes.next() => match change {
                    Some(change) if self.id.is_none_or(|id| id == change.id()) => {
                        self.tell(&client, &change);
                        told += 1;
                    }
                    Some(_) => {}
                    None => break,
                },
                _ = states.changed() => match &*states.borrow_and_update() {
                    State::Offline { reason } => anstream::eprintln!("{FAINT}offline: {reason}{FAINT:#}"),
                    State::Closed { reason } => return Err(reason.to_string()),
                    _ => {}
                },
                _ = tokio::signal::ctrl_c() => break,
            }
        }
        client.close().await;
        Ok(())
    }

    fn tell(&self, client: &Client, change: &Change) {
        let id = change.id();
        let name = client
            .models()
            .into_iter()
            .find(|model| model.id == id)
            .map(|model| model.type_name)
            .unwrap_or_default();
        let rev = change.rev();
        let value = client.value(id).unwrap_or(Value::Null);
        match change {
            Change::Patched { ops, .. } if self.json => {
                let ops: Vec<_> = ops.iter().map(op_json).collect();
                println!(
                    "{}",
                    json!({ "id": id, "type": name, "rev": rev, "ops": ops })
                );
            }
            Change::Patched { ops, .. } => {
                for op in ops.iter() {
                    println!(
                        "{NAME}{name}{NAME:#} {FAINT}{id} r{rev}{FAINT:#} {}",
                        op_line(op)
                    );
                }
            }
            _ if self.json => {
                println!(
                    "{}",
                    json!({ "id": id, "type": name, "rev": rev, "value": plain(&value) })
                );
            }
            _ => {
                println!("{NAME}{name}{NAME:#} {FAINT}{id} r{rev}{FAINT:#}");
                show(&value, 1);
            }
        }
    }
}

/// A value, a line for each leaf.
fn show(value: &Value, depth: usize) {
    let indent = "  ".repeat(depth);
    let entry = |name: String, value: &Value| match value {
        Value::Map(entries) if !entries.is_empty() => {
            println!("{indent}{PATH}{name}{PATH:#}");
            show(value, depth + 1);
        }
        Value::List(items)
            if items
                .iter()
                .any(|item| matches!(item, Value::Map(_) | Value::List(_))) =>
        {
            println!("{indent}{PATH}{name}{PATH:#}");
            show(value, depth + 1);
        }
        leaf => println!("{indent}{PATH}{name}{PATH:#} {}", plain(leaf)),
    };
    match value {
        Value::Map(entries) => entries
            .iter()
            .for_each(|(key, value)| entry(key.clone(), value)),
        Value::List(items) => items
            .iter()
            .enumerate()
            .for_each(|(index, item)| entry(format!("[{index}]"), item)),
        leaf => println!("{indent}{}", plain(leaf)),
    }
}

fn op_line(op: &Op) -> String {
    let path = op.path();
    let what = match op {
        Op::Set { value, .. } => format!("= {}", plain(value)),
        Op::Remove { .. } => "removed".to_owned(),
        Op::Insert { index, value, .. } => format!("[{index}] + {}", plain(value)),
        Op::RemoveAt { index, .. } => format!("[{index}] removed"),
        Op::Move { from, to, .. } => format!("[{from}] moved to [{to}]"),
        Op::Reorder { order, .. } => format!("{} items reordered", order.len()),
        Op::Splice {
            at, delete, insert, ..
        } => format!("[{at}] -{delete} +{insert:?}"),
    };
    format!("{PATH}{path}{PATH:#} {what}")
}

fn op_json(op: &Op) -> serde_json::Value {
    let path = op.path().to_string();
    match op {
        Op::Set { value, .. } => json!({ "op": "set", "path": path, "value": plain(value) }),
        Op::Remove { .. } => json!({ "op": "remove", "path": path }),
        Op::Insert { index, value, .. } => {
            json!({ "op": "insert", "path": path, "index": index, "value": plain(value) })
        }
        Op::RemoveAt { index, .. } => json!({ "op": "remove_at", "path": path, "index": index }),
        Op::Move { from, to, .. } => json!({ "op": "move", "path": path, "from": from, "to": to }),
        Op::Reorder { order, .. } => json!({ "op": "reorder", "path": path, "order": order }),
        Op::Splice {
            at, delete, insert, ..
        } => {
            json!({ "op": "splice", "path": path, "at": at, "delete": delete, "insert": insert })
        }
    }
}

/// The value at a path of a model, for the other commands.
pub(crate) fn find(client: &Client, id: ModelId, path: &transports::Path) -> Option<Value> {
    at(&client.value(id)?, path).cloned()
}
