//! The bounds of this crate, each with a name. Must not know who exceeds them or what is done about it.

/// Bytes of one frame, the default. Files travel by HTTP, so a frame holds text and an application's extension. It is
/// larger than a message may be, so that a sender can be told that its message is too large.
pub const FRAME_BYTES: usize = 128 * 1024;

/// Bytes of a text packet. The only one of use announces a frame, in about forty bytes.
pub const TEXT_BYTES: usize = 1024;

/// Binary messages that one event may bring with it. Frames come alone; the rest is for events that mean nothing here.
pub const ATTACHMENTS: u8 = 4;
