use serde::{Deserialize, Serialize};
use transports::Synced;

#[derive(Serialize, Deserialize, Synced)]
struct Lamp {
    #[serde(rename(serialize = "a", deserialize = "b"))]
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<i64>,
    #[serde(with = "hex")]
    bytes: Vec<u8>,
    #[serde(skip_serializing)]
    secret: i64,
}

#[derive(Serialize, Deserialize, Synced)]
#[serde(untagged)]
enum Either {
    Left(i64),
    Right(String),
}

mod hex {
    pub fn serialize<S: serde::Serializer>(_: &[u8], s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str("")
    }
    pub fn deserialize<'de, D: serde::Deserializer<'de>>(_: D) -> Result<Vec<u8>, D::Error> {
        Ok(Vec::new())
    }
}

fn main() {}
