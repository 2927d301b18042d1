//! Putting a kernel where Jupyter looks for it.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::json;

/// Where kernels go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// For this user.
    User,
    /// Into an environment, a virtual one or `/usr`.
    Prefix(PathBuf),
}

/// What the launcher shows.
pub(super) struct Spec<'a> {
    pub(super) name: &'a str,
    pub(super) display_name: &'a str,
    pub(super) language: &'a str,
    pub(super) icon: Option<&'a str>,
}

impl Place {
    fn kernels(&self) -> io::Result<PathBuf> {
        let data = match self {
            Self::Prefix(prefix) => prefix.join("share/jupyter"),
            Self::User => match env::var_os("JUPYTER_DATA_DIR") {
                Some(folder) => folder.into(),
                None => user_data()?,
            },
        };
        Ok(data.join("kernels"))
    }
}

/// Jupyter's folder of this user's data.
fn user_data() -> io::Result<PathBuf> {
    let no_home = || io::Error::new(io::ErrorKind::NotFound, "there is no home folder");
    if cfg!(windows) {
        let data = env::var_os("APPDATA").ok_or_else(no_home)?;
        return Ok(Path::new(&data).join("jupyter"));
    }
    let home = env::home_dir().ok_or_else(no_home)?;
    if cfg!(target_os = "macos") {
        return Ok(home.join("Library/Jupyter"));
    }
    let share = env::var_os("XDG_DATA_HOME").filter(|folder| !folder.is_empty());
    Ok(share
        .map_or_else(|| home.join(".local/share"), PathBuf::from)
        .join("jupyter"))
}

/// Writes what Jupyter needs to start `program`; returns the folder.
pub(super) fn install(spec: &Spec<'_>, place: &Place, program: &Path) -> io::Result<PathBuf> {
    let folder = place.kernels()?.join(spec.name);
    fs::create_dir_all(&folder)?;
    let kernel = json!({
        "argv": [program, "{connection_file}"],
        "display_name": spec.display_name,
        "language": spec.language,
        "interrupt_mode": "message",
    });
    fs::write(folder.join("kernel.json"), format!("{kernel:#}\n"))?;
    let icon = folder.join("logo-svg.svg");
    match spec.icon {
        Some(svg) => fs::write(icon, svg)?,
        None if icon.exists() => fs::remove_file(icon)?,
        None => {}
    }
    Ok(folder)
}

/// Whether Jupyter takes this as the name of a kernel.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}
