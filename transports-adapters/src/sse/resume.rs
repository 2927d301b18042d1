//! What a client has been told, as the id of an event.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Deserialize;
use transports::message::{Epoch, ModelId};

/// The revisions that a client has. Those who have the same share one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    epoch: Epoch,
    revisions: BTreeMap<ModelId, u64>,
}

/// An id is cut here, well below what proxies let through in a header. The models that are left out come as snapshots.
const ID_BYTES: usize = 1024;

impl Told {
    pub(super) const fn new(epoch: Epoch, revisions: BTreeMap<ModelId, u64>) -> Self {
        Self { epoch, revisions }
    }

    /// What a client knows after it got this frame. `None`: no more than before.
    pub(super) fn after(&self, frame: &[u8]) -> Option<Self> {
        let mut told = Vec::new();
        read(frame, &mut told);
        if told.is_empty() {
            return None;
        }
        let mut revisions = self.revisions.clone();
        for (id, rev) in told {
            match rev {
                Some(rev) => revisions.insert(id, rev),
                None => revisions.remove(&id),
            };
        }
        Some(Self::new(self.epoch, revisions))
    }

    /// `<epoch>:<revision>:<models>`: the models as a list of ids and ranges of ids, each with how far beyond the revision
    /// it is, if it is: `00c0ffee00c0ffee:1000:1-40,41=7`.
    pub(super) fn id(&self) -> String {
        let base = self.revisions.values().min().copied().unwrap_or_default();
        let mut id = format!("{}:{base}:", self.epoch);
        let mut models = self
            .revisions
            .iter()
            .map(|(id, rev)| (*id, rev - base))
            .peekable();
        let mut run = String::new();
        while let Some((first, beyond)) = models.next() {
            let mut last = first;
            while let Some(next) = models.next_if(|next| *next == (last.wrapping_add(1), beyond)) {
                last = next.0;
            }
            run.clear();
            let comma = if id.ends_with(':') { "" } else { "," };
            // Writing to a text cannot fail.
            let _ = write!(run, "{comma}{first}");
            if last != first {
                let _ = write!(run, "-{last}");
            }
            if beyond != 0 {
                let _ = write!(run, "={beyond}");
            }
            if id.len() + run.len() > ID_BYTES {
                break;
            }
            id.push_str(&run);
        }
        id
    }

    /// Reads an id. `None`: it is none of ours. No more than `limit` models are taken from it.
    pub(super) fn parse(id: &str, limit: usize) -> Option<Self> {
        if id.len() > ID_BYTES {
            return None;
        }
        let (epoch, rest) = id.split_once(':')?;
        let (base, models) = rest.split_once(':')?;
        let base: u64 = base.parse().ok()?;
        let mut revisions = BTreeMap::new();
        for run in models.split(',').filter(|run| !run.is_empty()) {
            let (ids, beyond) = run.split_once('=').unwrap_or((run, "0"));
            let (first, last) = ids.split_once('-').unwrap_or((ids, ids));
            let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
            let rev = base.checked_add(beyond.parse().ok()?)?;
            let free = limit - revisions.len();
            revisions.extend((first..=last).take(free).map(|id| (id, rev)));
        }
        Some(Self::new(epoch.parse().ok()?, revisions))
    }

    pub(super) const fn epoch(&self) -> Epoch {
        self.epoch
    }

    pub(super) const fn revisions(&self) -> &BTreeMap<ModelId, u64> {
        &self.revisions
    }
}

/// The part of a message that says which revision it brings.
#[derive(Deserialize)]
struct Head {
    t: String,
    id: Option<ModelId>,
    rev: Option<u64>,
    patch: Option<Reached>,
    msgs: Option<Vec<Self>>,
}

#[derive(Deserialize)]
struct Reached {
    rev: u64,
}

impl Head {
    /// Revisions by model; none for one that is gone.
    fn tell(self, told: &mut Vec<(ModelId, Option<u64>)>) {
        match (&*self.t, self.id, self.rev, self.patch) {
            ("gone", Some(id), ..) => told.push((id, None)),
            ("snapshot", Some(id), Some(rev), _)
            | ("patch", Some(id), _, Some(Reached { rev })) => {
                told.push((id, Some(rev)));
            }
            ("batch", ..) => {
                let msgs = self.msgs.unwrap_or_default();
                msgs.into_iter().for_each(|message| message.tell(told));
            }
            _ => {}
        }
    }
}

fn read(frame: &[u8], told: &mut Vec<(ModelId, Option<u64>)>) {
    if let Some((id, rev)) = beginning(frame) {
        told.push((id, Some(rev)));
    } else if let Ok(head) = serde_json::from_slice::<Head>(frame) {
        head.tell(told);
    }
}

/// Reads only as much of a patch or a snapshot as it takes: the rest may be a megabyte.
fn beginning(frame: &[u8]) -> Option<(ModelId, u64)> {
    if let Some(rest) = frame.strip_prefix(br#"{"t":"patch","id":"#) {
        let (id, rest) = number(rest)?;
        let (rev, _) = number(rest.strip_prefix(br#","patch":{"rev":"#)?)?;
        return Some((id, rev));
    }
    let (id, rest) = number(frame.strip_prefix(br#"{"t":"snapshot","id":"#)?)?;
    let rest = rest.strip_prefix(br#","type":""#)?;
    let end = rest.iter().position(|c| matches!(c, b'"' | b'\\'))?;
    let (rev, _) = number(rest.get(end..)?.strip_prefix(br#"","rev":"#)?)?;
    Some((id, rev))
}

fn number(text: &[u8]) -> Option<(u64, &[u8])> {
    let end = text.iter().position(|c| !c.is_ascii_digit())?;
    let (digits, rest) = text.split_at_checked(end)?;
    Some((str::from_utf8(digits).ok()?.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch() -> Epoch {
        "c0ffee".parse().unwrap()
    }

    #[test]
    fn an_id_names_runs_of_models_and_reads_back() {
        let mut revisions: BTreeMap<_, _> = (1..=40).map(|id| (id, 1000)).collect();
        revisions.extend([(41, 1007), (43, 1007), (u64::MAX, 1000)]);
        let told = Told::new(epoch(), revisions);
        let id = told.id();
        assert_eq!(
            id,
            "0000000000c0ffee:1000:1-40,41=7,43=7,18446744073709551615"
        );
        assert_eq!(Told::parse(&id, 1024), Some(told));
        assert_eq!(
            Told::new(epoch(), BTreeMap::new()).id(),
            "0000000000c0ffee:0:"
        );
    }

    #[test]
    fn a_long_id_is_cut_between_models() {
        let revisions: BTreeMap<_, _> = (1..=2000).map(|id| (id, id * 3)).collect();
        let id = Told::new(epoch(), revisions.clone()).id();
        assert!(
            id.len() <= ID_BYTES && id.len() > ID_BYTES - 20,
            "{}",
            id.len()
        );
        let back = Told::parse(&id, 1024).unwrap();
        assert!(back.revisions.len() > 50);
        assert!(back.revisions.iter().all(|(id, rev)| revisions[id] == *rev));
    }

    #[test]
    fn what_is_no_id_of_ours_is_none_and_costs_nothing() {
        for text in [
            "",
            "5",
            "x:1:1",
            "c0ffee:1",
            "c0ffee::1",
            "c0ffee:1:a",
            "c0ffee:1:1=",
            "c0ffee:1:-",
            "c0ffee:18446744073709551615:1=1",
            "c0ffee:1:1=-1",
        ] {
            assert_eq!(Told::parse(text, 10), None, "{text}");
        }
        let all = Told::parse("c0ffee:1:0-18446744073709551615,5=9", 10).unwrap();
        assert_eq!(all.revisions.len(), 10);
        assert_eq!(Told::parse("c0ffee:1:9-1", 10).unwrap().revisions.len(), 0);
    }

    #[test]
    fn frames_say_what_a_client_has_after_them() {
        let told = Told::new(epoch(), [(1, 4), (2, 2)].into());
        let after = |frame: &str| told.after(frame.as_bytes()).map(|told| told.revisions);
        assert_eq!(
            after(r#"{"t":"patch","id":1,"patch":{"rev":5,"ops":[]}}"#),
            Some([(1, 5), (2, 2)].into())
        );
        assert_eq!(
            after(r#"{"t":"snapshot","id":7,"type":"A","rev":9,"value":"Null"}"#),
            Some([(1, 4), (2, 2), (7, 9)].into())
        );
        assert_eq!(
            after(r#"{"t":"snapshot","id":7,"type":"\"rev\":1","rev":9,"value":"Null"}"#),
            Some([(1, 4), (2, 2), (7, 9)].into())
        );
        assert_eq!(
            after(
                r#"{"t":"batch","msgs":[{"t":"patch","id":1,"patch":{"rev":5,"ops":[]}},{"t":"ack","id":2,"rev":8,"proposal":"p"}]}"#
            ),
            Some([(1, 5), (2, 2)].into())
        );
        assert_eq!(after(r#"{"t":"gone","id":1}"#), Some([(2, 2)].into()));
        assert_eq!(after(r#"{"t":"ack","id":2,"rev":8,"proposal":"p"}"#), None);
        assert_eq!(after("nonsense"), None);
    }
}
