//! Models as the types of other languages, in files that are kept up to date.

use std::any::TypeId;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fmt, fs, io};

use super::{Field, Names, Schema, TupleStruct, Type, Variants};
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
    /// The positions of those that were asked for.
    pub(super) roots: Vec<usize>,
}

/// A type with a name.
#[derive(Clone, Debug)]
pub(super) struct Definition {
    pub(super) id: TypeId,
    /// Unlike all others, and a name in other languages.
    pub(super) name: String,
    pub(super) shape: Shape,
}

#[derive(Clone, Debug)]
pub(super) enum Shape {
    Model(Schema),
    Enum(Variants),
    Names(Names),
    Tuple(TupleStruct),
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
        let root = self.collect(&T::ty());
        if let Some(root) = root
            && !self.roots.contains(&root)
        {
            self.roots.push(root);
        }
        self
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

    /// The position of a type's definition, if it has one, after all that is in it got theirs.
    fn collect(&mut self, ty: &Type) -> Option<usize> {
        let (id, name, shape) = match ty {
            Type::Model(_, schema) => {
                let schema = schema();
                (schema.id?, schema.type_name.clone(), Shape::Model(schema))
            }
            Type::Enum(_, variants) => {
                let variants = variants();
                (
                    variants.id,
                    variants.type_name.clone(),
                    Shape::Enum(variants),
                )
            }
            Type::Names(name, names) => {
                let names = names();
                (names.id, (*name).to_owned(), Shape::Names(names))
            }
            Type::TupleStruct(name, tuple) => {
                let tuple = tuple();
                (tuple.id, (*name).to_owned(), Shape::Tuple(tuple))
            }
            Type::List(inner)
            | Type::Array(inner, _)
            | Type::Set(inner)
            | Type::Map(inner)
            | Type::Optional(inner) => {
                self.collect(inner);
                return None;
            }
            Type::Tuple(items) => {
                for item in items {
                    self.collect(item);
                }
                return None;
            }
            Type::Bool | Type::Int(..) | Type::Float | Type::Str | Type::Any => return None,
        };
        if let Some(known) = self.definitions.iter().position(|known| known.id == id) {
            return Some(known);
        }
        let name = self.free(&identifier(&name));
        let definition = Definition { id, name, shape };
        let position = self.definitions.len();
        self.definitions.push(definition.clone());
        definition.shape.each(&mut |ty| {
            self.collect(ty);
        });
        Some(position)
    }

    /// The name, or one with a number where it is taken.
    fn free(&self, name: &str) -> String {
        let taken: BTreeSet<_> = self.definitions.iter().map(|known| &*known.name).collect();
        let numbered = (2..).map(|number| format!("{name}{number}"));
        std::iter::once(name.to_owned())
            .chain(numbered)
            .find(|name| !taken.contains(&**name))
            .expect("there is a number that nobody took")
    }

    /// The definition of a type that has one.
    pub(super) fn definition(&self, ty: &Type) -> Option<&Definition> {
        let id = match ty {
            Type::Model(_, schema) => schema().id?,
            Type::Enum(_, variants) => variants().id,
            Type::Names(_, names) => names().id,
            Type::TupleStruct(_, tuple) => tuple().id,
            _ => return None,
        };
        self.definitions.iter().find(|known| known.id == id)
    }
}

impl Shape {
    pub(super) fn doc(&self) -> &'static str {
        match self {
            Self::Model(schema) => schema.doc,
            Self::Enum(variants) => variants.doc,
            Self::Names(names) => names.doc,
            Self::Tuple(tuple) => tuple.doc,
        }
    }

    /// All types in it.
    pub(super) fn each<'a>(&'a self, visit: &mut impl FnMut(&'a Type)) {
        match self {
            Self::Model(schema) => {
                schema
                    .fields
                    .iter()
                    .map(|field| &field.ty)
                    .for_each(&mut *visit);
                schema.rest.iter().for_each(visit);
            }
            Self::Tuple(tuple) => tuple.types.iter().for_each(visit),
            Self::Names(_) => {}
            Self::Enum(variants) => {
                for variant in &variants.variants {
                    variant.content.types().for_each(&mut *visit);
                }
            }
        }
    }

    /// All named fields in it.
    pub(super) fn fields(&self) -> Vec<&Field> {
        match self {
            Self::Model(schema) => schema.fields.iter().collect(),
            Self::Enum(variants) => variants
                .variants
                .iter()
                .flat_map(|variant| variant.content.fields())
                .collect(),
            Self::Names(_) | Self::Tuple(_) => Vec::new(),
        }
    }
}

/// A name in the languages that derive from C.
fn identifier(name: &str) -> String {
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
            Self::Stale { path, line } => {
                let path = path.display();
                match line {
                    Some(line) => {
                        write!(f, "{path} is not what the models say, from line {line} on")?
                    }
                    None => write!(f, "{path} is missing")?,
                }
                write!(f, "; `{UPDATE}=1 cargo test` writes it")
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
