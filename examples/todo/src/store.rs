//! The file that a list outlives its server in.

use std::io;
use std::path::{Path, PathBuf};

use transports::server::Connection;
use transports::session::Hosted;

use crate::list::Todo;

/// What is in the file; `None` if there is no file yet.
pub(crate) fn load(file: &Path) -> io::Result<Option<Todo>> {
    let bytes = match std::fs::read(file) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(Some(serde_json::from_slice(&bytes)?))
}

/// Replaces the file as a whole, so that it is never there in part.
pub(crate) fn save(file: &Path, todo: &Todo) -> io::Result<()> {
    let beside = file.with_extension("part");
    std::fs::write(&beside, serde_json::to_vec_pretty(todo)?)?;
    std::fs::rename(beside, file)
}

/// Saves the list whenever it has changed. It hears of that as any client does: an edit may be answered a moment before
/// it is in the file.
pub(crate) async fn keep(todo: Hosted<Todo>, mut changes: Connection, file: PathBuf) {
    while changes.next().await.is_some() {
        let saved = save(&file, &todo.read());
        if let Err(error) = saved {
            eprintln!("{}: {error}", file.display());
        }
    }
}
