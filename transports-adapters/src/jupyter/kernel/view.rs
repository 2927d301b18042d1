//! The front ends of the kernel's own widgets.

use serde_json::{Map, Value as Json, json};
use transports::message::ModelId;

/// All models as trees, live and to be edited.
pub(super) const SOURCE: &str = include_str!("widget/view.js");
/// A number over time.
pub(super) const PLOT: &str = include_str!("widget/plot.js");

/// What the view finds in its model: which of the server's models it shows (null: all).
pub(super) fn state(model: Option<ModelId>) -> Map<String, Json> {
    Map::from_iter([("shown".to_owned(), json!(model))])
}

/// A text within HTML.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}
