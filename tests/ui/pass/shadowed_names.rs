//! Names of the prelude mean something else where the type stands.
#![allow(
    dead_code,
    non_snake_case,
    reason = "what is named stands in the way, and does nothing else"
)]

use transports::Synced as Derive;

struct Option;
struct Result;
struct String;
struct Vec;
type Ok = ();
fn Some() {}
fn None() {}
trait Default {}
trait Synced {}
struct Box;

#[derive(Derive)]
struct Lamp {
    name: std::string::String,
    #[synced(default)]
    level: std::option::Option<i64>,
    kind: Kind,
}

#[derive(Derive)]
enum Kind {
    Some,
    None,
}

fn main() {}
