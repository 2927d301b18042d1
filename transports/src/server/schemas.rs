//! What clients that ask are told of the types of models.

use std::any::TypeId;
use std::collections::HashMap;

use bytes::Bytes;
use parking_lot::Mutex;
use serde_json::json;

use crate::codec::{Codec, CodecError};
use crate::message::{Json, Message};
use crate::schema::Bindings;
use crate::session::Model;

/// The types of all models that clients were told of. A name means the same in all of them.
#[derive(Default)]
pub(crate) struct Schemas {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    bindings: Bindings,
    described: HashMap<TypeId, Described>,
}

struct Described {
    schema: Json,
    /// The last messages, one for each format, with the name they are for. Models of a type mostly go by one name.
    frames: [Option<(String, Bytes)>; 3],
}

/// What a client was told of a name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    Type(TypeId),
    /// Several types go by it.
    Nothing,
}

/// What a client was told.
#[derive(Default)]
pub(crate) struct Known(HashMap<String, Told>);

impl Schemas {
    /// What a client is to be told before it hears of this model, if it was not.
    pub(crate) fn news(
        &self,
        known: &mut Known,
        model: &dyn Model,
        codec: &Codec,
    ) -> Result<Option<Bytes>, CodecError> {
        let (name, id) = (model.type_name(), model.type_id());
        match known.0.get_mut(name) {
            Some(Told::Nothing) => Ok(None),
            Some(Told::Type(told)) if *told == id => Ok(None),
            Some(told) => {
                *told = Told::Nothing;
                let message = Message::Schema {
                    type_name: name.to_owned(),
                    schema: json!({ "type": "Any" }),
                };
                codec.encode(&message).map(Some)
            }
            None => {
                known.0.insert(name.to_owned(), Told::Type(id));
                self.frame(model, codec).map(Some)
            }
        }
    }

    fn frame(&self, model: &dyn Model, codec: &Codec) -> Result<Bytes, CodecError> {
        let Inner {
            bindings,
            described,
        } = &mut *self.inner.lock();
        let name = model.type_name();
        let Described { schema, frames } =
            described
                .entry(model.type_id())
                .or_insert_with(|| Described {
                    schema: bindings.describe(&model.ty()),
                    frames: Default::default(),
                });
        let mut cached = codec
            .format()
            .and_then(|format| frames.get_mut(format.slot()));
        if let Some(Some((for_name, frame))) = &cached
            && for_name == name
        {
            return Ok(frame.clone());
        }
        let message = Message::Schema {
            type_name: name.to_owned(),
            schema: schema.clone(),
        };
        let frame = codec.encode(&message)?;
        if let Some(cached) = &mut cached {
            **cached = Some((name.to_owned(), frame.clone()));
        }
        Ok(frame)
    }
}
