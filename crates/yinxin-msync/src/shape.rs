//! The shape of each message that comes from strangers, checked before anything is decoded, passed on or allocated.
//!
//! Owns for every known field its wire type, and the memory its lists would take. Must not know what fields mean.
//!
//! Two reasons. Readers in JavaScript (tried: protobufjs 6) do not look at wire types and do not stop at the end of a
//! nested message: a length where they expect a number, or an inner field that reaches beyond its message, makes them
//! read the bytes inside as fields of the outer message. So a sender could smuggle a second `from` past a server that
//! only walks over what it does not need. And a list element of two bytes may be hundreds in memory.
//! Unknown fields pass; whatever a reader of the same schema does with them, it skips what is skipped here.

use std::mem::size_of;

use prost::Message;

use crate::fields::{Value, count_varints, fields};
use crate::limits::LIST_BYTES;
use crate::{Malformed, wire};

/// What a field must look like.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Integers, booleans, enums.
    Varint,
    /// A list of them, packed or not.
    Varints,
    /// A double.
    Fixed64,
    /// A float.
    Fixed32,
    /// Text or bytes.
    Bytes,
    /// A message of this shape.
    Message(&'static [Known]),
}

/// A field of the schema.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    number: u32,
    kind: Kind,
    /// Memory of one element of a list, 0 for a single field.
    element_bytes: usize,
}

const fn one(number: u32, kind: Kind) -> Known {
    Known { number, kind, element_bytes: 0 }
}

const fn many<T>(number: u32, kind: Kind) -> Known {
    Known { number, kind, element_bytes: size_of::<T>() }
}

/// The fields of a message: single ones by kind, single messages, then lists with the type of their elements.
macro_rules! shape {
    (
        $($kind:ident: $($number:literal)+;)*
        $(@one $one:literal $inner:ident;)*
        $(@many $many:literal $element:ty, $of:expr;)*
    ) => {
        &[
            $($(one($number, Kind::$kind),)+)*
            $(one($one, Kind::Message($inner)),)*
            $(many::<$element>($many, $of),)*
        ]
    };
}

const JID: &[Known] = shape! { Bytes: 1 2 3 4; };
const KEY_VALUE: &[Known] = shape! { Bytes: 1 6; Varint: 2 3; Fixed32: 4; Fixed64: 5; };
const REDIRECT: &[Known] = shape! { Bytes: 1; Varint: 2; };
const STATUS: &[Known] = shape! {
    Varint: 1; Bytes: 2;
    @many 3 wire::RedirectInfo, Kind::Message(REDIRECT);
};
const PROVISION: &[Known] = shape! {
    Varint: 1 3 10 19 23; Bytes: 2 4 7 9 11 12 13 14 16 17 18 20 21;
    @one 8 STATUS;
    @many 5 i32, Kind::Varints; @many 6 i32, Kind::Varints; @many 22 i32, Kind::Varints;
};
const LOGOUT: &[Known] = shape! { Bytes: 1 2; @one 3 STATUS; };
const META: &[Known] = shape! {
    Varint: 1 4 5 7; Bytes: 6 9;
    @one 2 JID; @one 3 JID;
    @many 8 wire::KeyValue, Kind::Message(KEY_VALUE); @many 10 String, Kind::Bytes;
};
const SYNC_UP: &[Known] = shape! { Varint: 2 4 5; @one 1 META; @one 3 JID; };
const SIZE: &[Known] = shape! { Fixed64: 1 2; };
const CONTENT: &[Known] = shape! {
    Varint: 1 9 12 17 22 25; Fixed64: 3 4; Bytes: 2 5 6 7 8 10 14 15 16 19 21 23 24;
    @one 13 SIZE; @one 18 SIZE;
    @many 11 wire::KeyValue, Kind::Message(KEY_VALUE); @many 20 wire::KeyValue, Kind::Message(KEY_VALUE);
};
const MESSAGE_CONFIG: &[Known] = shape! { Varint: 1; };
const STREAM: &[Known] = shape! { Bytes: 1; Varint: 2 3 4 5; };
const MESSAGE_BODY: &[Known] = shape! {
    Varint: 1 6 11 12; Bytes: 8 9;
    @one 2 JID; @one 3 JID; @one 7 MESSAGE_CONFIG; @one 13 STREAM;
    @many 4 wire::Content, Kind::Message(CONTENT); @many 5 wire::KeyValue, Kind::Message(KEY_VALUE);
};
const ROSTER_STATUS: &[Known] = shape! { Varint: 1; Bytes: 2; };
const ROSTER_BODY: &[Known] = shape! {
    Varint: 1 7; Bytes: 5 6;
    @one 2 ROSTER_STATUS; @one 3 JID;
    @many 4 wire::Jid, Kind::Message(JID);
};
const STATISTICS_BODY: &[Known] = shape! { Varint: 1 2 4 5 6; Bytes: 3 7 10; };
const MUC_BODY: &[Known] = shape! { Varint: 2; @one 1 JID; };

/// A message that may be read from bytes of a stranger; see [`read`].
pub trait Shaped: Message + Default {
    /// Its known fields.
    const SHAPE: &'static [Known];
}

macro_rules! shaped {
    ($($message:ident $shape:ident)+) => {
        $(impl Shaped for wire::$message {
            const SHAPE: &'static [Known] = $shape;
        })+
    };
}

shaped! {
    Jid JID Provision PROVISION Logout LOGOUT CommSyncUl SYNC_UP MessageBody MESSAGE_BODY RosterBody ROSTER_BODY
    StatisticsBody STATISTICS_BODY MucBody MUC_BODY
}

/// Decodes a message of [`wire`] from bytes that anybody may have written, within [`LIST_BYTES`].
pub fn read<T: Shaped>(bytes: &[u8]) -> Result<T, Malformed> {
    check::<T>(bytes)?;
    T::decode(bytes).map_err(|_| Malformed("a text that is not UTF-8"))
}

/// Whether every known field, at every depth, is of its wire type and lies within its message.
pub fn check<T: Shaped>(bytes: &[u8]) -> Result<(), Malformed> {
    let mut room = LIST_BYTES;
    check_message(bytes, T::SHAPE, &mut room)
}

/// Recurses as deep as the schema, which is four.
fn check_message(bytes: &[u8], shape: &[Known], room: &mut usize) -> Result<(), Malformed> {
    for field in fields(bytes) {
        let field = field?;
        let Some(known) = shape.iter().find(|known| known.number == field.number) else { continue };
        let elements = match (known.kind, field.value) {
            (Kind::Varint | Kind::Varints, Value::Varint(_))
            | (Kind::Fixed64, Value::Fixed64(_))
            | (Kind::Fixed32, Value::Fixed32(_))
            | (Kind::Bytes, Value::Bytes(_)) => 1,
            (Kind::Varints, Value::Bytes(packed)) => count_varints(packed)?,
            (Kind::Message(inner), Value::Bytes(message)) => {
                check_message(message, inner, room)?;
                1
            }
            _ => return Err(Malformed("a field of the wrong type")),
        };
        let taken = elements.saturating_mul(known.element_bytes);
        *room = room.checked_sub(taken).ok_or(Malformed("too many list elements"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
