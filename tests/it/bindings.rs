//! Models as types of other languages. `tests/browser/types.test.js` compiles the files that are checked here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::{Value as Json, json};
use transports::schema::{Bindings, BindingsError};
use transports::server::Opening;
use transports::{Message, Schema, Server, Session, Synced, Value};

/// A thing in a house.
///
/// What else there is to say stays in Rust. */
#[derive(Synced)]
#[synced(computed(summary: String = Device::summary))]
struct Device {
    /// What people call it, even /* this */.
    #[synced(length = 1..=20)]
    name: String,
    /// In percent.
    #[synced(range = 0..=100)]
    brightness: i64,
    #[synced(range = 0.0..1.5)]
    gain: Option<f64>,
    /// Since the first start.
    #[synced(read_only)]
    ticks: u64,
    small: u8,
    #[synced(default)]
    on: bool,
    note: Option<String>,
    #[synced(rename = "fan-mode")]
    mode: Mode,
    motion: Motion,
    last: Option<Event>,
    shape: Shape,
    children: Vec<Child>,
    by_name: BTreeMap<String, Child>,
    #[synced(length = ..4)]
    tags: BTreeSet<String>,
    position: [f64; 3],
    samples: [i32; 100],
    pair: (u32, Option<String>),
    range: Range,
    levels: Vec<Option<i64>>,
    page: Page<String>,
    other: Page<i32>,
    boxed: Box<Tree>,
    id: Id,
    #[synced(with = "serde")]
    foreign: Option<u8>,
    #[synced(flatten)]
    place: Place,
    #[synced(flatten)]
    network: Option<Network>,
    #[synced(skip)]
    _socket: Option<std::net::TcpStream>,
}

impl Device {
    fn summary(&self) -> String {
        self.name.clone()
    }
}

/// How the fan turns.
#[derive(Synced, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[synced(rename_all = "kebab-case")]
enum Mode {
    /// As it likes.
    Automatic,
    AtNight,
}

/// Where it goes.
#[derive(Synced)]
#[synced(tag = "kind", rename_all = "snake_case")]
enum Motion {
    Standing,
    /// On a line.
    Driving {
        /// In metres a second.
        speed: f64,
        #[synced(default)]
        steps: u64,
    },
    Turning(Turn),
}

#[derive(Synced)]
struct Turn {
    degrees: i16,
}

#[derive(Synced)]
enum Event {
    Started,
    Failed(String),
    Moved(i32, i32),
    Seen { by: Child },
}

#[derive(Synced)]
#[synced(tag = "t", content = "c")]
enum Shape {
    Empty,
    Circle(f64),
    Box { width: f64, height: f64 },
}

#[derive(Synced, Clone, PartialEq)]
struct Child {
    label: Option<String>,
}

#[derive(Synced)]
struct Range(i32, i32);

#[derive(Synced)]
struct Page<T> {
    items: Vec<T>,
}

#[derive(Synced)]
struct Tree {
    leaf: String,
    below: Vec<Self>,
}

#[derive(Synced)]
struct Id(u32);

#[derive(Synced)]
struct Place {
    room: String,
}

#[derive(Synced)]
struct Network {
    address: String,
}

/// Whatever else there is, too.
#[derive(Synced)]
struct Settings {
    volume: u8,
    #[synced(flatten)]
    others: BTreeMap<String, i32>,
}

fn bindings() -> Bindings {
    Bindings::new().add::<Device>().add::<Settings>()
}

#[test]
fn files_are_up_to_date() {
    for path in ["browser/models.ts", "browser/models.schema.json"] {
        if let Err(error) = bindings().check(path) {
            panic!("{error}");
        }
    }
}

#[test]
fn adding_a_model_twice_changes_nothing() {
    let twice = bindings()
        .add::<Device>()
        .add::<Child>()
        .add::<Vec<Child>>();
    assert_eq!(twice.typescript(), bindings().typescript());
}

#[test]
fn a_stale_file_is_told_with_its_line_and_the_command() {
    let folder = std::env::temp_dir().join(format!("bindings-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path: PathBuf = folder.join("child.ts");
    let bindings = Bindings::new().add::<Child>();

    let missing = bindings.compare(&path).unwrap_err();
    assert!(matches!(missing, BindingsError::Stale { line: None, .. }));
    assert!(
        missing
            .to_string()
            .ends_with("child.ts is missing; `UPDATE_BINDINGS=1 cargo test` writes it")
    );

    bindings.write(&path).unwrap();
    bindings.compare(&path).unwrap();
    bindings.check(&path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace('\n', "\r\n")).unwrap();
    bindings.compare(&path).unwrap();

    std::fs::write(&path, text.replace("label", "lable")).unwrap();
    let stale = bindings.compare(&path).unwrap_err();
    assert!(
        matches!(stale, BindingsError::Stale { line: Some(4), .. }),
        "{stale}"
    );
    assert!(
        stale
            .to_string()
            .contains("from line 4 on; `UPDATE_BINDINGS=1 cargo test`")
    );

    let folder_in_its_place = bindings.compare(&folder).unwrap_err();
    assert!(matches!(folder_in_its_place, BindingsError::Io { .. }));
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn the_schema_carries_what_the_attributes_say() {
    let schema = Schema::of::<Device>().unwrap();
    assert_eq!(schema.doc, "A thing in a house.");
    let field = |name: &str| {
        schema
            .fields
            .iter()
            .find(|field| field.name == name)
            .unwrap()
    };
    assert_eq!(field("name").doc, "What people call it, even /* this */.");
    assert_eq!(field("name").limits.length.max, Some(20.into()));
    assert_eq!(field("brightness").limits.range.max, Some(100.into()));
    assert!(field("gain").limits.range.is_exclusive);
    assert_eq!(field("tags").limits.length.max, Some(3.into()));
    assert!(field("ticks").read_only && !field("name").read_only);
    assert!(field("on").has_default && !field("name").has_default);
    assert!(field("summary").read_only);
    assert!(field("address").may_be_missing && !field("room").may_be_missing);
}

/// The value that `types.test.js` checks against the JSON Schema is one that the wire takes and shows.
#[test]
fn the_value_of_the_types_is_what_the_wire_has() {
    let text = std::fs::read_to_string("browser/device.json").unwrap();
    let shown: Json = serde_json::from_str(&text).unwrap();
    let session = Session::new();
    let hosted = session.host(Device::read(value(&shown)).unwrap());
    let (_, snapshot) = session.snapshot(hosted.id()).unwrap();
    assert_eq!(snapshot, value(&shown));
}

const CHILDREN: &str = r"
/** {@link Child2}, as it may be given for an edit. */
export type Child2Input = readonly ChildInput[];
";

/// What a client makes of what the server tells is what the program itself writes.
#[test]
fn a_client_that_asks_learns_all_of_it() {
    let text = std::fs::read_to_string("browser/device.json").unwrap();
    let shown: Json = serde_json::from_str(&text).unwrap();
    let session = Session::new();
    let _device = session.host(Device::read(value(&shown)).unwrap());
    let _settings = session.host(Settings {
        volume: 3,
        others: BTreeMap::new(),
    });
    let _log = session.host_named("the log", vec![Some(1_u64)]);
    // By the name of what is in it.
    let _children = session.host_named("Child", vec![Child { label: None }]);
    let server = Server::new(session);
    for codec in ["json", "msgpack", "cbor"] {
        let opening = Opening::parse(&format!("schema=1&codec={codec}")).unwrap();
        let mut connection = server.open(&opening).unwrap();
        let mut learned = Bindings::new();
        while let Some(frame) = connection.try_next() {
            let message = connection.codec().decode(&frame.bytes).unwrap();
            if let Message::Schema { type_name, schema } = message {
                learned.learn(&type_name, &schema).unwrap();
            }
        }
        let log = "\nexport type the_log = readonly (number | bigint | null)[];\n";
        let models = learned.typescript();
        assert!(models.contains(log), "{models}");
        let models = models.replace(log, "");
        let models = models.replace("\nexport type Child2 = readonly Child[];\n", "");
        let models = models.replace(CHILDREN, "");
        assert_eq!(models, bindings().typescript(), "{codec}");
        let defs = |bindings: &Bindings| bindings.json_schema()["$defs"].clone();
        let mut all = defs(&learned);
        for name in ["the_log", "Child2"] {
            assert!(all.as_object_mut().unwrap().remove(name).is_some());
        }
        assert_eq!(all, defs(&bindings()), "{codec}");
        assert_eq!(learned.model("Device"), Some("Device"));
        assert_eq!(learned.model("the log"), Some("the_log"));
        assert_eq!(learned.model("Child"), Some("Child2"));
    }
}

/// Found by reading: written as tuples, a few bytes of a server became 16^20 items.
#[test]
fn arrays_of_arrays_are_not_all_written_out() {
    let nested = (0..20).fold(json!("Float"), |item, _| json!({ "Array": [item, 16] }));
    let mut bindings = Bindings::new();
    let definitions = json!([{ "name": "T", "type": nested }]);
    let schema = json!({ "type": { "Named": "T" }, "definitions": definitions });
    bindings.learn("T", &schema).unwrap();
    let text = bindings.typescript();
    assert!(text.len() < 3000, "{} bytes", text.len());
    assert!(text.contains("readonly [number, number,"), "{text}");
}

#[test]
fn a_schema_that_makes_no_sense_is_refused() {
    let named = |name: &str, ty: Json| json!({ "type": { "Named": name }, "definitions": [{ "name": name, "type": ty }] });
    for (schema, reason) in [
        (json!(null), "struct Description"),
        (json!({ "type": "Colour" }), "unknown variant `Colour`"),
        (
            json!({ "type": { "List": "Bool" } }),
            "the type of a model has a name",
        ),
        (json!({ "type": { "Named": "A" } }), "`A` is not defined"),
        (
            named("A { } evil", json!("Bool")),
            "`A { } evil` is no name for a type",
        ),
        (
            named("A", json!({ "Named": "A" })),
            "`A` only has another name",
        ),
        (
            named("A", json!({ "List": { "Named": "B" } })),
            "`B` is not defined",
        ),
    ] {
        let mut bindings = Bindings::new();
        let error = bindings.learn("T", &schema).unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
        assert_eq!(bindings.typescript(), Bindings::new().typescript());
    }
}

fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => number
            .as_i64()
            .map_or_else(|| Value::Float(number.as_f64().unwrap()), Value::Int),
        Json::String(text) => Value::from(&**text),
        Json::Array(items) => Value::List(items.iter().map(value).collect()),
        Json::Object(entries) => entries
            .iter()
            .map(|(key, item)| (key.as_str(), value(item)))
            .collect(),
    }
}

#[derive(Synced)]
#[allow(dead_code, reason = "only its type is looked at")]
struct Offer {
    price: i64,
    /// What it costs us.
    #[synced(view = "staff")]
    cost: i64,
}

#[test]
fn a_field_with_a_view_may_be_missing_and_says_whose_it_is() {
    let bindings = Bindings::new().add::<Offer>();
    let text = bindings.typescript();
    assert!(
        text.contains(
            "  readonly price: number | bigint;\n  /**\n   * What it costs us.\n   *\n   * @view staff\n   */\n  readonly cost?: number | bigint;\n"
        ),
        "{text}"
    );
    assert!(!text.contains("OfferInput"), "{text}");
    let schema = bindings.json_schema();
    let offer = &schema["$defs"]["Offer"];
    assert_eq!(offer["properties"]["cost"]["x-view"], "staff");
    assert_eq!(offer["required"], serde_json::json!(["price"]));
}
