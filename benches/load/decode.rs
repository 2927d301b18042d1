//! The least that finds the messages in a stream: of WebSocket frames, or of events in HTTP chunks. Keeps no more of the
//! stream than what a message lacks, so that thousands of connections cost little.

use memchr::{memchr, memmem};

/// What was found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found<'a> {
    Message(&'a [u8]),
    /// A message that is too large to be kept, of so many bytes.
    Large(usize),
    Ping(&'a [u8]),
}

/// Messages above this are counted and dropped, unless they are to be kept.
const LARGE: usize = 64 << 10;

#[derive(Debug)]
pub(crate) struct Decoder {
    state: State,
    events: bool,
    keep_large: bool,
    /// The beginning of what is not complete.
    partial: Vec<u8>,
    /// The beginning of a line of events that is not complete, and how much of the line was dropped.
    line: Vec<u8>,
    dropped: usize,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Head,
    Frame,
    /// Bytes of a large message that are to come, and its size.
    Skip {
        left: usize,
        size: usize,
    },
    ChunkSize,
    Chunk(usize),
    ChunkEnd,
}

impl Decoder {
    pub(crate) fn new(events: bool, keep_large: bool) -> Self {
        Self {
            state: State::Head,
            events,
            keep_large,
            partial: Vec::new(),
            line: Vec::new(),
            dropped: 0,
        }
    }

    /// Takes in what was read.
    ///
    /// # Errors
    /// The stream is not what was asked for.
    pub(crate) fn feed(
        &mut self,
        input: &[u8],
        found: &mut impl FnMut(Found<'_>),
    ) -> Result<(), String> {
        if self.partial.is_empty() {
            let used = self.go(input, found)?;
            self.partial
                .extend_from_slice(input.get(used..).unwrap_or_default());
        } else {
            let mut all = std::mem::take(&mut self.partial);
            all.extend_from_slice(input);
            let used = self.go(&all, found)?;
            if used < all.len() {
                all.drain(..used);
                self.partial = all;
            }
        }
        Ok(())
    }

    /// How many bytes were used up.
    fn go(&mut self, input: &[u8], found: &mut impl FnMut(Found<'_>)) -> Result<usize, String> {
        let mut used = 0;
        while let Some(rest) = input.get(used..).filter(|rest| !rest.is_empty()) {
            let step = match self.state {
                State::Head => self.head(rest)?,
                State::Frame => self.frame(rest, found)?,
                State::Skip { left, size } => {
                    let len = left.min(rest.len());
                    self.state = if len == left {
                        found(Found::Large(size));
                        State::Frame
                    } else {
                        State::Skip {
                            left: left - len,
                            size,
                        }
                    };
                    Some(len)
                }
                State::ChunkSize => self.chunk_size(rest)?,
                State::Chunk(left) => {
                    let (now, _) = rest.split_at(left.min(rest.len()));
                    self.lines(now, found);
                    self.state = match left - now.len() {
                        0 => State::ChunkEnd,
                        left => State::Chunk(left),
                    };
                    Some(now.len())
                }
                State::ChunkEnd => rest.get(..2).map(|_| {
                    self.state = State::ChunkSize;
                    2
                }),
            };
            match step {
                Some(step) => used += step,
                None => break,
            }
        }
        Ok(used)
    }

    fn head(&mut self, rest: &[u8]) -> Result<Option<usize>, String> {
        const END: &[u8] = b"\r\n\r\n";
        let Some(at) = memmem::find(rest, END) else {
            return Ok(None);
        };
        let (status, state) = if self.events {
            (&b"HTTP/1.1 200"[..], State::ChunkSize)
        } else {
            (&b"HTTP/1.1 101"[..], State::Frame)
        };
        if !rest.starts_with(status) {
            return Err(format!("refused: {}", String::from_utf8_lossy(rest)));
        }
        self.state = state;
        Ok(Some(at + END.len()))
    }

    fn frame(
        &mut self,
        rest: &[u8],
        found: &mut impl FnMut(Found<'_>),
    ) -> Result<Option<usize>, String> {
        let &[first, second, ref after @ ..] = rest else {
            return Ok(None);
        };
        let (header, len) = match second {
            126 => match after.first_chunk() {
                Some(len) => (4, usize::from(u16::from_be_bytes(*len))),
                None => return Ok(None),
            },
            127 => match after.first_chunk() {
                Some(len) => (10, u64::from_be_bytes(*len) as usize),
                None => return Ok(None),
            },
            // The first bit says masked, which servers must not do.
            128.. => return Err("a frame with a mask".into()),
            len => (2, usize::from(len)),
        };
        if first == 0x81 && len > LARGE && !self.keep_large {
            self.state = State::Skip {
                left: len,
                size: len,
            };
            return Ok(Some(header));
        }
        let Some(payload) = rest.get(header..header + len) else {
            return Ok(None);
        };
        match first {
            0x81 => found(Found::Message(payload)),
            0x89 => found(Found::Ping(payload)),
            0x8a => {}
            0x88 => {
                let (code, reason) = payload.split_at(payload.len().min(2));
                let reason = String::from_utf8_lossy(reason);
                return Err(format!("closed with code {code:?}: {reason}"));
            }
            other => return Err(format!("an unexpected frame: {other:#x}")),
        }
        Ok(Some(header + len))
    }

    fn chunk_size(&mut self, rest: &[u8]) -> Result<Option<usize>, String> {
        let Some(end) = memchr(b'\n', rest) else {
            return Ok(None);
        };
        let line = String::from_utf8_lossy(rest.get(..end).unwrap_or_default()).into_owned();
        match usize::from_str_radix(line.trim(), 16) {
            Ok(0) => Err("the events ended".into()),
            Ok(size) => {
                self.state = State::Chunk(size);
                Ok(Some(end + 1))
            }
            Err(_) => Err(format!("no size of a chunk: {line:?}")),
        }
    }

    fn lines(&mut self, mut bytes: &[u8], found: &mut impl FnMut(Found<'_>)) {
        while let Some(end) = memchr(b'\n', bytes) {
            let (line, rest) = bytes.split_at(end);
            bytes = rest.get(1..).unwrap_or_default();
            if self.dropped > 0 {
                found(Found::Large(self.dropped + line.len()));
                self.dropped = 0;
            } else if self.line.is_empty() {
                self.line(line, found);
            } else {
                let mut whole = std::mem::take(&mut self.line);
                whole.extend_from_slice(line);
                self.line(&whole, found);
            }
        }
        if self.dropped > 0 {
            self.dropped += bytes.len();
            return;
        }
        self.line.extend_from_slice(bytes);
        if self.line.len() > LARGE && !self.keep_large {
            let line = std::mem::take(&mut self.line);
            self.dropped = data(&line).map_or(line.len(), <[u8]>::len);
        }
    }

    fn line(&self, line: &[u8], found: &mut impl FnMut(Found<'_>)) {
        match data(line) {
            Some(data) if data.len() > LARGE && !self.keep_large => found(Found::Large(data.len())),
            Some(data) => found(Found::Message(data)),
            None => {}
        }
    }
}

/// Each message is one line of data; the other lines are of no interest here.
fn data(line: &[u8]) -> Option<&[u8]> {
    line.strip_prefix(b"data:").map(<[u8]>::trim_ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(events: bool, stream: &[u8], step: usize) -> Vec<String> {
        let mut decoder = Decoder::new(events, false);
        let mut all = Vec::new();
        for piece in stream.chunks(step) {
            decoder
                .feed(piece, &mut |found| {
                    all.push(match found {
                        Found::Message(message) => String::from_utf8_lossy(message).into_owned(),
                        Found::Ping(payload) => format!("ping {}", payload.len()),
                        Found::Large(size) => format!("large {size}"),
                    });
                })
                .unwrap();
        }
        all
    }

    #[test]
    fn frames_are_found_however_the_stream_is_cut() {
        let mut stream = b"HTTP/1.1 101 Switching Protocols\r\na: b\r\n\r\n".to_vec();
        stream.extend(b"\x81\x02{}\x89\x01p");
        stream.extend([0x81, 126, 1, 0]);
        stream.extend([b'x'; 256]);
        stream.extend([0x81, 127, 0, 0, 0, 0, 0, 1, 0x11, 0x70]);
        stream.extend(vec![b'y'; 70_000]);
        stream.extend(b"\x81\x01z");
        let expected = ["{}", "ping 1", &"x".repeat(256), "large 70000", "z"];
        for step in [1, 2, 3, 7, 100, 4096, stream.len()] {
            assert!(decode(false, &stream, step) == expected, "{step}");
        }
    }

    #[test]
    fn events_are_found_however_the_stream_is_cut() {
        let mut stream = b"HTTP/1.1 200 OK\r\na: b\r\n\r\n".to_vec();
        let long = format!("data: {}\n\n", "y".repeat(70_000));
        for chunk in [
            ": hi\n\ndata: {}\n\nda",
            "ta: [1]\r\n\r\n",
            &long,
            "data:z\n\n",
        ] {
            stream.extend(format!("{:x}\r\n{chunk}\r\n", chunk.len()).bytes());
        }
        let expected = ["{}", "[1]", "large 70000", "z"];
        for step in [1, 2, 3, 7, 100, 4096, stream.len()] {
            assert!(decode(true, &stream, step) == expected, "{step}");
        }
    }

    #[test]
    fn a_close_frame_is_an_error() {
        let mut decoder = Decoder::new(false, false);
        let stream = b"HTTP/1.1 101 x\r\n\r\n\x88\x03\x03\xe9!";
        assert!(decoder.feed(stream, &mut |_| {}).is_err());
    }
}
