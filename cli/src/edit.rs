//! `transports edit`.

use anstream::println;
use clap::Args;
use tokio::time::timeout;
use transports::message::ModelId;
use transports::{Op, Value};
use transports_adapters::client::EditError;

use crate::path::parse;
use crate::{Target, plain, watch};

pub(crate) const EXAMPLES: &str = "Examples:
  transports edit ws://127.0.0.1:8000/ws 1 brightness 70
  transports edit ws://127.0.0.1:8000/ws 1 'children[0].label' '\"left\"'
  transports edit ws://127.0.0.1:8000/ws 1 . '{\"on\": true}'";

#[derive(Args)]
pub(crate) struct Edit {
    #[command(flatten)]
    target: Target,
    /// The id of the model, as `watch` shows it.
    id: ModelId,
    /// The place, as `watch` shows it; `.` is the whole model.
    path: String,
    /// The new value, as JSON. What is no JSON is taken as text.
    #[arg(allow_hyphen_values = true)]
    value: String,
}

impl Edit {
    pub(crate) async fn run(self) -> Result<(), String> {
        let path =
            parse(&self.path).map_err(|error| format!("the path `{}`: {error}", self.path))?;
        let json = serde_json::from_str(&self.value).unwrap_or_else(|_| self.value.into());
        let client = self.target.connect().await?;
        let waited = timeout(self.target.timeout(), client.model_by_id::<Value>(self.id)).await;
        let model = waited
            .map_err(|_| {
                format!(
                    "the server shows no model {} within {} s",
                    self.id, self.target.timeout
                )
            })?
            .map_err(|error| error.to_string())?;
        let old = watch::find(&client, self.id, &path);
        let value = plain::value(json, old.as_ref())?;
        let edit = model.propose(vec![Op::Set { path, value }]);
        let answer = timeout(self.target.timeout(), edit)
            .await
            .map_err(|_| format!("the server did not answer within {} s", self.target.timeout))?;
        client.close().await;
        match answer {
            Ok(rev) => {
                println!("revision {rev}");
                Ok(())
            }
            Err(EditError::Rejected { reason, .. }) => Err(format!("refused: {reason}")),
            Err(error) => Err(error.to_string()),
        }
    }
}
