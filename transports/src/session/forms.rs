//! The forms in which patches are wanted.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::Reader;
use crate::changes::Texts;
use crate::writer::Format;

/// How many connections want each form. Patches are encoded for these at once, for others when first asked.
#[derive(Default)]
pub(crate) struct Forms {
    /// By format, with whole texts and with spliced ones.
    counts: [[AtomicUsize; 2]; Format::ALL.len()],
    /// The connections with a codec of the application. They get whole texts.
    custom: AtomicUsize,
}

impl Forms {
    /// The formats to encode patches in, and how ops on texts go out in each.
    pub(crate) fn used(&self) -> impl Iterator<Item = (Format, Texts)> {
        let used = Format::ALL.map(|format| {
            [Texts::Whole, Texts::Spliced]
                .map(|texts| self.count(format, texts).load(Ordering::Relaxed) > 0)
        });
        let any = used.iter().any(|used| used.contains(&true));
        let whole = used.iter().any(|[whole, _]| *whole);
        let custom = self.custom.load(Ordering::Relaxed) > 0;
        // The history needs one, and codecs of the application are served from one with whole texts; JSON is the one
        // that most clients will ask for.
        let more = (!any || (custom && !whole)).then_some((Format::Json, Texts::Whole));
        Format::ALL
            .into_iter()
            .zip(used)
            .flat_map(|(format, [whole, spliced])| {
                [
                    whole.then_some((format, Texts::Whole)),
                    spliced.then_some((format, Texts::Spliced)),
                ]
            })
            .chain([more])
            .flatten()
    }

    /// A connection came that reads like this.
    pub(crate) fn add(&self, reader: &Reader) {
        self.users(reader).fetch_add(1, Ordering::Relaxed);
    }

    /// A connection went that read like this.
    pub(crate) fn remove(&self, reader: &Reader) {
        self.users(reader).fetch_sub(1, Ordering::Relaxed);
    }

    fn users(&self, reader: &Reader) -> &AtomicUsize {
        match reader.codec.format() {
            Some(format) => self.count(format, reader.texts),
            None => &self.custom,
        }
    }

    fn count(&self, format: Format, texts: Texts) -> &AtomicUsize {
        let [json, msgpack, cbor] = &self.counts;
        let [whole, spliced] = match format {
            Format::Json => json,
            Format::MessagePack => msgpack,
            Format::Cbor => cbor,
        };
        match texts {
            Texts::Whole => whole,
            Texts::Spliced => spliced,
        }
    }
}
