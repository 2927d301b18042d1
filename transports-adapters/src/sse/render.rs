//! Messages as events, each rendered once for all who are told the same.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;

use super::resume::Told;

/// Larger messages go out as they are, shared with all others, in pieces of this size: that a piece was taken shows that
/// the client reads.
pub(super) const PIECE: usize = 16 << 10;

/// Connections that are up to date want the same few events.
const STEPS: usize = 32;

/// The latest events.
#[derive(Default)]
pub(super) struct Renderer(Mutex<VecDeque<Step>>);

/// A message, to a client that was told so much.
struct Step {
    // Held, so that no other message can lie at its address.
    frame: Bytes,
    before: Option<Arc<Told>>,
    after: Option<Arc<Told>>,
    event: Bytes,
}

impl Renderer {
    /// Queues a message as an event. `told` is `None` for a client that needs no ids.
    pub(super) fn render(
        &self,
        frame: Bytes,
        told: &mut Option<Arc<Told>>,
        out: &mut VecDeque<Bytes>,
    ) {
        if frame.len() > PIECE {
            let mut head = String::new();
            advance(&frame, told, &mut head);
            head.push_str("data: ");
            out.push_back(head.into());
            let mut rest = frame;
            while !rest.is_empty() {
                out.push_back(rest.split_to(rest.len().min(PIECE)));
            }
            out.push_back(Bytes::from_static(b"\n\n"));
            return;
        }
        let mut steps = self.0.lock();
        let is_it = |step: &&Step| {
            step.frame.as_ptr() == frame.as_ptr()
                && step.frame.len() == frame.len()
                && match (&step.before, &*told) {
                    (None, None) => true,
                    // By another way to the same state: from here on it is shared.
                    (Some(a), Some(b)) => Arc::ptr_eq(a, b) || a == b,
                    _ => false,
                }
        };
        if let Some(step) = steps.iter().rev().find(is_it) {
            told.clone_from(&step.after);
            out.push_back(step.event.clone());
            return;
        }
        let before = told.clone();
        let mut head = String::new();
        advance(&frame, told, &mut head);
        let mut event = Vec::with_capacity(head.len() + frame.len() + 8);
        event.extend_from_slice(head.as_bytes());
        event.extend_from_slice(b"data: ");
        event.extend_from_slice(&frame);
        event.extend_from_slice(b"\n\n");
        let event = Bytes::from(event);
        out.push_back(event.clone());
        if steps.len() == STEPS {
            steps.pop_front();
        }
        steps.push_back(Step {
            frame,
            before,
            after: told.clone(),
            event,
        });
    }
}

/// Notes what the client knows then, and writes it as the event's id.
fn advance(frame: &[u8], told: &mut Option<Arc<Told>>, head: &mut String) {
    let Some(after) = told.as_ref().and_then(|told| told.after(frame)) else {
        return;
    };
    head.push_str("id: ");
    head.push_str(&after.id());
    head.push('\n');
    *told = Some(Arc::new(after));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(rev: u64) -> Option<Arc<Told>> {
        let epoch = "c0ffee".parse().unwrap();
        Some(Arc::new(Told::new(epoch, [(1, rev)].into())))
    }

    fn patch(rev: u64) -> Bytes {
        format!(r#"{{"t":"patch","id":1,"patch":{{"rev":{rev},"ops":[]}}}}"#).into()
    }

    #[test]
    fn those_who_are_told_the_same_share_the_bytes() {
        let renderer = Renderer::default();
        let (mut first, mut second, mut third, mut fourth) = (told(4), told(4), told(3), None);
        let frame = patch(5);
        let mut out = VecDeque::new();
        for told in [&mut first, &mut second, &mut third, &mut fourth] {
            renderer.render(frame.clone(), told, &mut out);
        }
        assert_eq!(
            &out[0][..],
            br#"id: 0000000000c0ffee:5:1
data: {"t":"patch","id":1,"patch":{"rev":5,"ops":[]}}

"#
        );
        assert_eq!(out[0].as_ptr(), out[1].as_ptr());
        assert!(Arc::ptr_eq(&first.unwrap(), &second.unwrap()));
        assert_eq!(out[0], out[2]);
        assert!(out[3].starts_with(b"data: "));
    }

    #[test]
    fn a_large_message_is_not_copied() {
        let frame = Bytes::from(vec![b' '; 3 * PIECE + 1]);
        let mut out = VecDeque::new();
        Renderer::default().render(frame.clone(), &mut None, &mut out);
        assert_eq!(out.len(), 6);
        assert_eq!(out[1].as_ptr(), frame.as_ptr());
        assert_eq!(out[5], "\n\n");
    }
}
