//! What messages are made of: the plain data model below the tagged values.

use ciborium_ll::Header;

use super::{Form, INFALLIBLE, Writer, cbor, cbor_text, json_text, length, separate};

/// Trees never see these.
impl Writer {
    pub(crate) fn raw_map(&mut self, len: usize) {
        let out = &mut self.buffer;
        match self.form {
            Form::Json => {
                separate(out);
                out.push(b'{');
            }
            Form::MessagePack => {
                rmp::encode::write_map_len(out, length(len)).expect(INFALLIBLE);
            }
            Form::Cbor => cbor(&mut *out, Header::Map(Some(len))),
            Form::Tree => {}
        }
    }

    pub(crate) fn raw_list(&mut self, len: usize) {
        let out = &mut self.buffer;
        match self.form {
            Form::Json => {
                separate(out);
                out.push(b'[');
            }
            Form::MessagePack => {
                rmp::encode::write_array_len(out, length(len)).expect(INFALLIBLE);
            }
            Form::Cbor => cbor(&mut *out, Header::Array(Some(len))),
            Form::Tree => {}
        }
    }

    /// Closes a raw map (`}`) or list (`]`).
    pub(crate) fn raw_end(&mut self, bracket: u8) {
        if self.form == Form::Json {
            self.buffer.push(bracket);
        }
    }

    #[inline]
    pub(crate) fn raw_key(&mut self, key: &str) {
        self.raw_str(key);
        if self.form == Form::Json {
            self.buffer.push(b':');
        }
    }

    #[inline]
    pub(crate) fn raw_str(&mut self, text: &str) {
        let out = &mut self.buffer;
        match self.form {
            Form::Json => {
                separate(out);
                json_text(&mut *out, text);
            }
            Form::MessagePack => rmp::encode::write_str(out, text).expect(INFALLIBLE),
            Form::Cbor => cbor_text(&mut *out, text),
            Form::Tree => {}
        }
    }

    pub(crate) fn raw_uint(&mut self, value: u64) {
        let out = &mut self.buffer;
        match self.form {
            Form::Json => {
                separate(out);
                out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
            }
            Form::MessagePack => {
                rmp::encode::write_uint(out, value).expect(INFALLIBLE);
            }
            Form::Cbor => cbor(&mut *out, Header::Positive(value)),
            Form::Tree => {}
        }
    }

    /// Plain JSON, as awareness states and CRDT operations are.
    pub(crate) fn raw_json(&mut self, json: &serde_json::Value) {
        use serde_json::Value as Json;

        match json {
            Json::Object(entries) => {
                let mut sorted: Vec<_> = entries.iter().collect();
                sorted.sort_unstable_by_key(|(key, _)| *key);
                self.raw_map(sorted.len());
                for (key, value) in sorted {
                    self.raw_key(key);
                    self.raw_json(value);
                }
                self.raw_end(b'}');
            }
            Json::Array(items) => {
                self.raw_list(items.len());
                for item in items {
                    self.raw_json(item);
                }
                self.raw_end(b']');
            }
            Json::String(text) => self.raw_str(text),
            scalar => {
                let out = &mut self.buffer;
                match self.form {
                    Form::Json => {
                        separate(out);
                        serde_json::to_writer(out, scalar).expect(INFALLIBLE);
                    }
                    Form::MessagePack => rmp_serde::encode::write(out, scalar).expect(INFALLIBLE),
                    Form::Cbor => ciborium::into_writer(scalar, out).expect(INFALLIBLE),
                    Form::Tree => {}
                }
            }
        }
    }
}
