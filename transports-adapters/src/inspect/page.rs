//! The report as a page.

use std::fmt;
use std::time::SystemTime;

use super::{Report, Row, millis};
use transports::session::ModelInfo;

/// The page, as it is at this time.
pub(super) fn page(report: &Report, now: SystemTime) -> impl fmt::Display {
    let now = millis(now);
    fmt::from_fn(move |f| {
        f.write_str(HEAD)?;
        write!(f, "<p>epoch {}</p>", Text(&report.epoch))?;
        stats(report, f)?;
        f.write_str("<h2>Connections</h2>")?;
        table(
            &[
                "number",
                "name",
                "transport",
                "address",
                "codec",
                "came",
                "last seen",
                "frames in",
                "bytes in",
                "frames out",
                "bytes out",
                "queued bytes",
                "events behind",
                "limits reached",
            ],
            &report.connections,
            |row, f| connection(row, now, f),
            f,
        )?;
        if let Some(next) = report.next_connections {
            write!(f, "<p><a href=\"?connections={next}\">more</a></p>")?;
        }
        f.write_str("<h2>Models</h2>")?;
        table(
            &[
                "id",
                "type",
                "revision",
                "subscribers",
                "patches kept",
                "their bytes",
                "snapshot bytes",
            ],
            &report.models,
            model,
            f,
        )?;
        if let Some(next) = report.next_models {
            write!(f, "<p><a href=\"?models={next}\">more</a></p>")?;
        }
        f.write_str("</body></html>\n")
    })
}

const HEAD: &str = "<!doctype html>
<html lang=\"en\"><head><meta charset=\"utf-8\"><title>transports</title><style>
body { font: 14px sans-serif; margin: 1em }
table { border-collapse: collapse }
td, th { border: 1px solid #ccc; padding: 2px 6px; text-align: left }
</style></head><body><h1>transports</h1>";

fn stats(report: &Report, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let stats = &report.stats;
    let rows = [
        ("connections", stats.connections as u64),
        ("models", stats.models as u64),
        ("queued bytes", stats.queued_bytes as u64),
        ("opened", stats.opened),
        ("refused", stats.refused),
        ("frames in", stats.frames_in),
        ("bytes in", stats.bytes_in),
        ("frames out", stats.frames_out),
        ("bytes out", stats.bytes_out),
        ("catch-ups", stats.catch_ups),
        ("edits made", stats.edits_made),
        ("edits rejected", stats.edits_rejected),
    ];
    let ended = stats.ended.iter().filter(|(_, count)| *count > 0);
    let limits = stats.limit_hits.iter().filter(|(_, count)| *count > 0);
    f.write_str("<table>")?;
    for (name, count) in rows {
        write!(f, "<tr><th>{name}</th><td>{count}</td></tr>")?;
    }
    for (name, count) in ended {
        write!(f, "<tr><th>ended: {name}</th><td>{count}</td></tr>")?;
    }
    for (name, count) in limits {
        write!(f, "<tr><th>limit: {name}</th><td>{count}</td></tr>")?;
    }
    f.write_str("</table>")
}

fn table<T>(
    heads: &[&str],
    rows: &[T],
    cells: impl Fn(&T, &mut fmt::Formatter<'_>) -> fmt::Result,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    f.write_str("<table><tr>")?;
    for head in heads {
        write!(f, "<th>{head}</th>")?;
    }
    f.write_str("</tr>")?;
    for row in rows {
        f.write_str("<tr>")?;
        cells(row, f)?;
        f.write_str("</tr>\n")?;
    }
    f.write_str("</table>")
}

fn connection(row: &Row, now: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let ago = |time: Option<u64>| {
        time.map_or_else(String::new, |time| {
            format!("{} s ago", now.saturating_sub(time) / 1000)
        })
    };
    let cells = [
        row.number.to_string(),
        row.name.clone().unwrap_or_default(),
        row.transport.to_owned(),
        row.address.clone().unwrap_or_default(),
        row.codec.clone(),
        ago(row.since),
        ago(row.last_active),
        row.frames_in.to_string(),
        row.bytes_in.to_string(),
        row.frames_out.to_string(),
        row.bytes_out.to_string(),
        row.queued_bytes.to_string(),
        row.behind.to_string(),
        row.limits_hit.join(", "),
    ];
    write_cells(&cells, f)
}

fn model(info: &ModelInfo, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let cells = [
        info.id.to_string(),
        info.type_name.clone(),
        info.revision.to_string(),
        info.subscribers.to_string(),
        info.history.to_string(),
        info.history_bytes.to_string(),
        info.snapshot_bytes
            .map_or_else(String::new, |bytes| bytes.to_string()),
    ];
    write_cells(&cells, f)
}

fn write_cells(cells: &[String], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    cells
        .iter()
        .try_for_each(|cell| write!(f, "<td>{}</td>", Text(cell)))
}

/// Text as HTML wants it: names of users and types may have anything in them.
struct Text<'a>(&'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            c => write!(f, "{c}"),
        })
    }
}
