//! Messages of the Jupyter wire protocol 5.4, as ZeroMQ frames and back.

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use sha2::Sha256;
use uuid::Uuid;
use zeromq::ZmqMessage;

/// Stands between the addresses and the message.
const DELIMITER: &[u8] = b"<IDS|MSG>";

/// The version of the protocol that is spoken.
pub(super) const VERSION: &str = "5.4";

/// What a Jupyter server writes for the kernel it starts.
#[derive(Debug, Deserialize)]
pub(super) struct ConnectionFile {
    pub(super) transport: String,
    pub(super) ip: String,
    pub(super) shell_port: u32,
    pub(super) control_port: u32,
    pub(super) stdin_port: u32,
    pub(super) iopub_port: u32,
    pub(super) hb_port: u32,
    pub(super) key: String,
    #[serde(default)]
    pub(super) signature_scheme: String,
}

impl ConnectionFile {
    pub(super) fn address(&self, port: u32) -> String {
        let separator = if self.transport == "ipc" { '-' } else { ':' };
        format!("{}://{}{separator}{port}", self.transport, self.ip)
    }
}

/// Signs what goes out and checks what comes in.
#[derive(Clone)]
pub(super) struct Signer(Option<Hmac<Sha256>>);

impl Signer {
    /// `Err`: a scheme that is not known.
    pub(super) fn new(file: &ConnectionFile) -> Result<Self, String> {
        if file.key.is_empty() {
            return Ok(Self(None));
        }
        match file.signature_scheme.as_str() {
            "hmac-sha256" | "" => {
                let hmac = Hmac::new_from_slice(file.key.as_bytes());
                Ok(Self(Some(hmac.expect("a key may have any length"))))
            }
            other => Err(format!("the signature scheme `{other}` is not known")),
        }
    }

    fn of(&self, parts: &[Bytes]) -> Option<Hmac<Sha256>> {
        let mut hmac = self.0.clone()?;
        parts.iter().for_each(|part| hmac.update(part));
        Some(hmac)
    }

    fn sign(&self, parts: &[Bytes]) -> String {
        self.of(parts).map_or_else(String::new, |hmac| {
            let digest = hmac.finalize().into_bytes();
            digest.iter().map(|byte| format!("{byte:02x}")).collect()
        })
    }

    fn check(&self, parts: &[Bytes], signature: &[u8]) -> bool {
        let Some(hmac) = self.of(parts) else {
            return true;
        };
        let digits = str::from_utf8(signature).unwrap_or_default();
        let bytes: Option<Vec<u8>> = (0..digits.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok())
            .collect();
        bytes.is_some_and(|bytes| hmac.verify_slice(&bytes).is_ok())
    }
}

/// A message that came.
#[derive(Clone, Debug)]
pub(super) struct Request {
    /// Who to answer to.
    pub(super) ids: Vec<Bytes>,
    pub(super) header: Json,
    pub(super) content: Json,
}

impl Request {
    /// `Err` says what is wrong with it.
    pub(super) fn read(message: ZmqMessage, signer: &Signer) -> Result<Self, String> {
        let mut frames = message.into_vec();
        let delimiter = frames
            .iter()
            .position(|frame| frame == DELIMITER)
            .ok_or("there is no delimiter")?;
        let rest = frames.split_off(delimiter);
        let [_, signature, header, parent, metadata, content, ..] = rest.as_slice() else {
            return Err("there are frames missing".to_owned());
        };
        let parts = [header, parent, metadata, content].map(Bytes::clone);
        if !signer.check(&parts, signature) {
            return Err("the signature is wrong".to_owned());
        }
        let read = |part: &Bytes| serde_json::from_slice(part).map_err(|error| error.to_string());
        Ok(Self {
            ids: frames,
            header: read(header)?,
            content: read(content)?,
        })
    }

    pub(super) fn kind(&self) -> &str {
        let kind = self.header.get("msg_type").and_then(Json::as_str);
        kind.unwrap_or_default()
    }
}

/// A message that goes out.
#[derive(Clone, Debug)]
pub(super) struct Outgoing {
    pub(super) kind: &'static str,
    /// The header of the request that this belongs to; null if to none.
    pub(super) parent: Json,
    pub(super) metadata: Json,
    pub(super) content: Json,
}

impl Outgoing {
    pub(super) fn new(kind: &'static str, parent: &Json, content: Json) -> Self {
        Self {
            kind,
            parent: parent.clone(),
            metadata: json!({}),
            content,
        }
    }

    /// The frames, to go to `ids` or under a topic.
    pub(super) fn frames(self, ids: Vec<Bytes>, session: &str, signer: &Signer) -> ZmqMessage {
        let header = json!({
            "msg_id": Uuid::new_v4().to_string(),
            "session": session,
            "username": "kernel",
            "date": jiff::Timestamp::now().to_string(),
            "msg_type": self.kind,
            "version": VERSION,
        });
        let parent = if self.parent.is_null() {
            json!({})
        } else {
            self.parent
        };
        let parts =
            [header, parent, self.metadata, self.content].map(|part| Bytes::from(part.to_string()));
        let mut frames = ids;
        frames.push(Bytes::from_static(DELIMITER));
        frames.push(Bytes::from(signer.sign(&parts)));
        frames.extend(parts);
        ZmqMessage::try_from(frames).expect("there is a frame")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(key: &str) -> Signer {
        let file = json!({
            "transport": "tcp", "ip": "127.0.0.1", "shell_port": 1, "control_port": 2, "stdin_port": 3,
            "iopub_port": 4, "hb_port": 5, "key": key, "signature_scheme": "hmac-sha256",
        });
        Signer::new(&serde_json::from_value(file).unwrap()).unwrap()
    }

    fn sent(signer: &Signer) -> ZmqMessage {
        // A comm message whose data is a text: what the Jupyter crates refuse to read.
        let content = json!({ "comm_id": "c", "data": "{\"t\":\"patch\"}" });
        let ids = vec![Bytes::from_static(b"peer")];
        Outgoing::new("comm_msg", &Json::Null, content).frames(ids, "session", signer)
    }

    #[test]
    fn what_was_signed_is_read() {
        for key in ["", "secret"] {
            let signer = signer(key);
            let request = Request::read(sent(&signer), &signer).unwrap();
            assert_eq!(request.ids, [Bytes::from_static(b"peer")]);
            assert_eq!(request.kind(), "comm_msg");
            assert_eq!(request.content["data"], "{\"t\":\"patch\"}");
        }
    }

    #[test]
    fn what_was_changed_on_the_way_is_refused() {
        let good = signer("secret");
        let error = Request::read(sent(&signer("other")), &good).unwrap_err();
        assert_eq!(error, "the signature is wrong");

        for frame in 1..sent(&good).len() {
            let mut frames = sent(&good).into_vec();
            let changed = frames.get_mut(frame).unwrap();
            *changed = Bytes::from(format!("{}x", str::from_utf8(changed).unwrap()));
            assert!(Request::read(ZmqMessage::try_from(frames).unwrap(), &good).is_err());
        }
    }

    #[test]
    fn what_is_cut_short_is_refused() {
        let signer = signer("secret");
        let frames = sent(&signer).into_vec();
        for len in 1..frames.len() {
            let cut = ZmqMessage::try_from(frames.get(..len).unwrap().to_vec()).unwrap();
            assert!(Request::read(cut, &signer).is_err(), "{len} frames");
        }
    }
}
