//! [`Splitter`]: bytes in, fields out; no I/O. Holds what has been pushed and not been taken, and of that never more than
//! one push, one head or one boundary.

use bytes::{Buf, Bytes, BytesMut};
use memchr::memmem::{self, Finder};

use super::head::Field;

/// Bytes of a field's head.
const HEAD_BYTES_MAX: usize = 8 * 1024;
/// Fields of a form.
const FIELDS_MAX: usize = 32;
/// Blanks that may stand behind a boundary.
const PADDING_MAX: usize = 64;

/// What comes next in a form.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Event {
    /// A field begins.
    Field(Field),
    /// Some of its bytes.
    Data(Bytes),
    /// It has ended.
    End,
    /// The form has ended.
    Over,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the first boundary.
    Preamble,
    /// Right behind a boundary.
    Boundary,
    Head,
    Data,
    Over,
}

pub(super) struct Splitter {
    buffer: BytesMut,
    delimiter: Finder<'static>,
    place: Place,
    fields: usize,
}

impl Splitter {
    pub fn new(boundary: &[u8]) -> Self {
        let delimiter = Finder::new(&[b"\r\n--", boundary].concat()).into_owned();
        // The first boundary may stand at the very beginning, where no line ends before it.
        Self { buffer: BytesMut::from(&b"\r\n"[..]), delimiter, place: Place::Preamble, fields: 0 }
    }

    pub fn push(&mut self, data: &[u8]) {
        self.buffer.extend_from_slice(data);
    }

    /// The next event; `None` when it takes more bytes to tell. An error says what is malformed.
    pub fn next(&mut self) -> Result<Option<Event>, &'static str> {
        loop {
            match self.place {
                Place::Preamble => match self.until_delimiter() {
                    (_, true) => self.place = Place::Boundary,
                    (_, false) => return Ok(None),
                },
                Place::Data => {
                    return Ok(match self.until_delimiter() {
                        (data, _) if !data.is_empty() => Some(Event::Data(data)),
                        (_, true) => {
                            self.place = Place::Boundary;
                            Some(Event::End)
                        }
                        (_, false) => None,
                    });
                }
                Place::Boundary => match self.behind_boundary()? {
                    Some(place) => self.place = place,
                    None => return Ok(None),
                },
                Place::Head => return self.head(),
                Place::Over => {
                    self.buffer.clear();
                    return Ok(Some(Event::Over));
                }
            }
        }
    }

    /// Takes what stands before the next delimiter; with nothing before it, takes the delimiter, and says so.
    fn until_delimiter(&mut self) -> (Bytes, bool) {
        let found = self.delimiter.find(&self.buffer);
        let end = found.unwrap_or_else(|| self.buffer.len() - self.begun());
        if self.place == Place::Preamble {
            self.buffer.advance(end);
        } else if end > 0 {
            return (self.buffer.split_to(end).freeze(), false);
        }
        if found.is_some() {
            self.buffer.advance(self.delimiter.needle().len());
        }
        (Bytes::new(), found.is_some())
    }

    /// Bytes at the end of the buffer that may be the beginning of a delimiter.
    fn begun(&self) -> usize {
        let needle = self.delimiter.needle();
        let longest = self.buffer.len().min(needle.len() - 1);
        (1..=longest).rev().find(|&length| self.buffer.ends_with(&needle[..length])).unwrap_or(0)
    }

    /// What a boundary leads to: `--` ends the form, an end of line a head.
    fn behind_boundary(&mut self) -> Result<Option<Place>, &'static str> {
        if self.buffer.starts_with(b"--") {
            return Ok(Some(Place::Over));
        }
        let padding = self.buffer.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        if padding > PADDING_MAX {
            return Err("a boundary is followed by something else");
        }
        match &self.buffer[padding..] {
            [b'\r', b'\n', ..] => {
                // The end of this line stays: a head without a line ends with it.
                self.buffer.advance(padding);
                Ok(Some(Place::Head))
            }
            [] | [b'\r'] => Ok(None),
            [b'-'] if padding == 0 => Ok(None),
            _ => Err("a boundary is followed by something else"),
        }
    }

    fn head(&mut self) -> Result<Option<Event>, &'static str> {
        let Some(end) = memmem::find(&self.buffer, b"\r\n\r\n") else {
            return if self.buffer.len() > HEAD_BYTES_MAX { Err("the head of a field is too long") } else { Ok(None) };
        };
        if end > HEAD_BYTES_MAX {
            return Err("the head of a field is too long");
        }
        self.fields += 1;
        if self.fields > FIELDS_MAX {
            return Err("it has too many fields");
        }
        let field = Field::read(&self.buffer[..end])?;
        self.buffer.advance(end + 4);
        self.place = Place::Data;
        Ok(Some(Event::Field(field)))
    }
}

#[cfg(test)]
mod tests;
