//! The bounds of this crate, each with a name. Must not know who exceeds them or what is done about it.

/// Bytes of one frame, the default. Files travel by HTTP, so a frame holds text and an application's extension. It is
/// larger than a message may be, so that a sender can be told that its message is too large.
pub const FRAME_BYTES: usize = 128 * 1024;

/// Memory that the lists inside one decoded frame or body may take, before their spare room.
///
/// A list element of two bytes on the wire can be hundreds of bytes in memory; without this bound a frame of
/// [`FRAME_BYTES`] would take megabytes.
pub const LIST_BYTES: usize = 64 * 1024;

/// Frames in one SockJS text message; the SDK sends one at a time.
pub const SOCKJS_FRAMES: usize = 16;

/// Characters of one SockJS text message beside its frame in base64: quotes, brackets, spaces.
pub const SOCKJS_ROOM_BYTES: usize = 64;
