//! Models as the types of other languages, in files that are kept up to date.

use std::any::TypeId;
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::{env, fmt, fs, io};

use serde::Deserialize;
use serde_json::Value as Json;

use super::shape::{Definition, Description, Shape};
use crate::synced::Synced;

/// The variable that makes [`Bindings::check`] write the file.
const UPDATE: &str = "UPDATE_BINDINGS";

/// The types of models for other languages: all that were [added](Self::add), and what is in them.
///
/// A test that [checks](Self::check) a file of them fails when the models have changed and the file has not;
/// `UPDATE_BINDINGS=1 cargo test` writes it.
///
/// ```
/// # #[cfg(feature = "derive")] {
/// use transports::Synced;
/// use transports::schema::Bindings;
///
/// /// A lamp in a room.
/// #[derive(Synced)]
/// struct Lamp {
///     /// In percent.
///     #[synced(range = 0..=100)]
///     brightness: u8,
///     mode: Option<Mode>,
/// }
///
/// #[derive(Synced)]
/// #[synced(rename_all = "lowercase")]
/// enum Mode {
///     Steady,
///     Blinking,
/// }
///
/// let lamps = Bindings::new().add::<Lamp>();
/// assert_eq!(
///     lamps.typescript(),
///     r#"// Made from the models of a Rust program. Do not edit: `UPDATE_BINDINGS=1 cargo test` writes it.
///
/// /** A lamp in a room. */
/// export interface Lamp {
///   /**
///    * In percent.
///    *
///    * @minimum 0
///    * @maximum 100
///    */
///   readonly brightness: number;
///   readonly mode: Mode | null;
/// }
///
/// export type Mode =
///   | "steady"
///   | "blinking";
///
/// /** {@link Lamp}, as it may be given for an edit. */
/// export interface LampInput {
///   /**
///    * In percent.
///    *
///    * @minimum 0
///    * @maximum 100
///    */
///   readonly brightness: number;
///   readonly mode?: Mode | null;
/// }
/// "#
/// );
/// # let folder = std::env::temp_dir().join(format!("bindings-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder).unwrap();
/// # let file = folder.join("models.ts");
/// # std::fs::write(&file, "").unwrap();
/// let stale = lamps.compare(&file).unwrap_err();
/// assert!(stale.to_string().contains("UPDATE_BINDINGS=1 cargo test"));
///
/// lamps.write(&file).unwrap();
/// // In a test, with a path from the folder of the package, as "../web/src/models.ts".
/// lamps.check(&file).unwrap();
/// # std::fs::remove_dir_all(&folder).unwrap();
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Bindings {
    pub(super) definitions: Vec<Definition>,
    /// The positions of these, by their names.
    index: HashMap<String, usize>,
    /// The names of those that are types of this program.
    pub(super) names: HashMap<TypeId, String>,
    /// The names of those that were asked for.
    pub(super) roots: Vec<String>,
    /// The names of those that a server has models of, by what these go by there.
    models: HashMap<String, String>,
    /// What writes the file, if it is no test.
    pub(super) command: Option<String>,
}

impl Bindings {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a model and all types of its fields. Types that have one name on the wire and are not the same are
    /// numbered: `Page`, `Page2`.
    #[must_use]
    pub fn add<T: Synced>(mut self) -> Self {
        let shape = self.collect(&T::ty());
        self.root(&shape);
        self
    }

    fn root(&mut self, shape: &Shape) {
        if let Shape::Named(name) = shape
            && !self.roots.contains(name)
        {
            self.roots.push(name.clone());
        }
    }

    /// Adds the type of a server's models that go by `type_name`, from what the server
    /// [told](crate::Message::Schema) of it. A type without a name of its own gets this one. What the server told of a
    /// name before counts no longer.
    ///
    /// ```
    /// use serde_json::json;
    /// use transports::schema::Bindings;
    ///
    /// let mut lamps = Bindings::new();
    /// lamps.learn("Lamp", &json!({
    ///     "type": { "Named": "Lamp" },
    ///     "definitions": [{ "name": "Lamp", "type": { "Struct": { "fields": [
    ///         { "name": "brightness", "type": { "Int": { "min": 0, "max": 255 } }, "doc": "In percent." },
    ///     ] } } }],
    /// }))?;
    /// assert!(lamps.typescript().contains("readonly brightness: number;"));
    /// # Ok::<(), transports::schema::SchemaError>(())
    /// ```
    ///
    /// # Errors
    /// This is no schema, or one of a later version.
    pub fn learn(&mut self, type_name: &str, schema: &Json) -> Result<(), SchemaError> {
        let description = Description::deserialize(schema).map_err(|error| SchemaError {
            type_name: type_name.to_owned(),
            reason: error.to_string(),
        })?;
        let unfit = |reason: String| SchemaError {
            type_name: type_name.to_owned(),
            reason,
        };
        let Description { shape, definitions } = description;
        let mut defined = BTreeSet::new();
        let mut named = BTreeSet::new();
        shape.names(&mut named);
        for Definition { name, shape, .. } in &definitions {
            if identifier(name) != *name {
                return Err(unfit(format!("`{name}` is no name for a type")));
            }
            if matches!(shape, Shape::Named(_)) {
                return Err(unfit(format!("`{name}` only has another name")));
            }
            defined.insert(&**name);
            shape.names(&mut named);
        }
        if let Some(missing) = named.difference(&defined).next() {
            return Err(unfit(format!("`{missing}` is not defined")));
        }
        // A server has one meaning for a name, as long as it lives.
        for definition in definitions {
            self.define(definition);
        }
        let name = match shape {
            Shape::Any => {
                self.models.remove(type_name);
                return Ok(());
            }
            Shape::Named(name) => name,
            shape => {
                let name = identifier(type_name);
                self.define(Definition {
                    name: name.clone(),
                    doc: String::new(),
                    shape,
                });
                name
            }
        };
        self.models.insert(type_name.to_owned(), name.clone());
        self.root(&Shape::Named(name));
        Ok(())
    }

    /// The name of the type of the models that a server calls `type_name`, if it was [learned](Self::learn).
    #[must_use]
    pub fn model(&self, type_name: &str) -> Option<&str> {
        self.models.get(type_name).map(String::as_str)
    }

    /// Says what is to be done to write the file, for its first line and for errors, in place of
    /// `UPDATE_BINDINGS=1 cargo test`.
    #[must_use]
    pub fn written_by(mut self, command: impl Into<String>) -> Self {
        self.command = Some(command.into());
        self
    }

    pub(super) fn command(&self) -> &str {
        self.command
            .as_deref()
            .unwrap_or("UPDATE_BINDINGS=1 cargo test")
    }

    /// Writes the file, if it is not what it should be: TypeScript, or JSON Schema if its name ends with `.json`.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), BindingsError> {
        let path = path.as_ref();
        let text = self.text(path);
        if read(path)?.as_deref() == Some(&text) {
            return Ok(());
        }
        fs::write(path, text).map_err(|error| BindingsError::io(path, error))
    }

    /// As [`compare`](Self::compare), for a test that also keeps the file up to date: with `UPDATE_BINDINGS=1` in the
    /// environment it is [written](Self::write) instead.
    ///
    /// # Errors
    /// The file is not there, holds something else, or cannot be read or written.
    pub fn check(&self, path: impl AsRef<Path>) -> Result<(), BindingsError> {
        if env::var_os(UPDATE).is_some_and(|value| value == "1") {
            self.write(path)
        } else {
            self.compare(path)
        }
    }

    /// Checks that the file is what [`write`](Self::write) would write. Line ends may be those of Windows.
    ///
    /// # Errors
    /// The file is not there, holds something else, or cannot be read.
    pub fn compare(&self, path: impl AsRef<Path>) -> Result<(), BindingsError> {
        let path = path.as_ref();
        let text = self.text(path);
        match read(path)?.map(|found| found.replace("\r\n", "\n")) {
            Some(found) if found == text => Ok(()),
            found => Err(BindingsError::Stale {
                path: path.to_owned(),
                line: found.map(|found| 1 + equal_lines(&found, &text)),
                command: self.command().to_owned(),
            }),
        }
    }

    fn text(&self, path: &Path) -> String {
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            format!("{:#}\n", self.json_schema())
        } else {
            self.typescript()
        }
    }

    /// Puts a definition in its place: that of another of the same name, or the last.
    pub(super) fn define(&mut self, definition: Definition) -> usize {
        let next = self.definitions.len();
        let position = *self.index.entry(definition.name.clone()).or_insert(next);
        match self.definitions.get_mut(position) {
            Some(known) => *known = definition,
            None => self.definitions.push(definition),
        }
        position
    }

    /// The name, or one with a number where it is taken.
    pub(super) fn free(&self, name: &str) -> String {
        let numbered = (2..).map(|number| format!("{name}{number}"));
        std::iter::once(name.to_owned())
            .chain(numbered)
            .find(|name| !self.index.contains_key(name))
            .expect("there is a number that nobody took")
    }

    /// What is defined under a name.
    pub(super) fn definition(&self, name: &str) -> Option<&Definition> {
        self.definitions.get(*self.index.get(name)?)
    }
}

/// A name in the languages that derive from C.
pub(super) fn identifier(name: &str) -> String {
    let mut text: String = name
        .chars()
        .map(|char| {
            if char.is_ascii_alphanumeric() {
                char
            } else {
                '_'
            }
        })
        .collect();
    if !text.starts_with(|char: char| char.is_ascii_alphabetic() || char == '_') {
        text.insert(0, '_');
    }
    text
}

/// What is in the file, if it is there.
fn read(path: &Path) -> Result<Option<String>, BindingsError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(BindingsError::io(path, error)),
    }
}

fn equal_lines(a: &str, b: &str) -> usize {
    a.lines().zip(b.lines()).take_while(|(a, b)| a == b).count()
}

/// Why a file of [`Bindings`] is not as it should be.
#[derive(Debug)]
#[non_exhaustive]
pub enum BindingsError {
    /// It is missing or holds something else than the models say.
    Stale {
        /// The file.
        path: PathBuf,
        /// The first line that differs, counted from 1, if there is a file.
        line: Option<usize>,
        /// What writes the file.
        command: String,
    },
    /// It cannot be read or written.
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl BindingsError {
    fn io(path: &Path, source: io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            source,
        }
    }
}

impl fmt::Display for BindingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stale {
                path,
                line,
                command,
            } => {
                let path = path.display();
                match line {
                    Some(line) => {
                        write!(f, "{path} is not what the models say, from line {line} on")?
                    }
                    None => write!(f, "{path} is missing")?,
                }
                write!(f, "; `{command}` writes it")
            }
            Self::Io { path, .. } => write!(f, "cannot read or write {}", path.display()),
        }
    }
}

impl std::error::Error for BindingsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Stale { .. } => None,
            Self::Io { source, .. } => Some(source),
        }
    }
}

/// What a server tells of a type cannot be made sense of.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the schema of `{type_name}` cannot be read: {reason}")]
#[non_exhaustive]
pub struct SchemaError {
    /// The name of the type on the wire.
    pub type_name: String,
    /// What is wrong.
    pub reason: String,
}
