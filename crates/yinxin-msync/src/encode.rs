//! What a server sends: the frames, each by a function that cannot build a wrong one.
//!
//! Owns which fields an answer must have for the SDK to understand it. Must not know when one is sent. Each function
//! returns one whole frame. Times are milliseconds since 1970.

use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint};

use crate::wire::{
    CommSyncDl, CommUnreadDl, Command, Jid, Logout, Meta, MetaQueue, Namespace, Provision, StatisticsBody,
    StatisticsOperation, Status,
};
use crate::{Kick, LoginRefusal, SendRefusal};

mod heading;

pub use heading::Heading;

/// The login went well. Of what the client offered, compression and encryption, nothing is taken.
///
/// `resource` and `version` are the request's: the SDK forgets its own device when the former is missing.
/// `expires_at_ms`: when given, the SDK warns the application in time and logs out at that instant.
pub fn provision_ok(resource: &str, version: &str, expires_at_ms: Option<i64>) -> Vec<u8> {
    let answer = Provision {
        version: Some(version.into()),
        status: Some(Status::ok()),
        resource: Some(resource.into()),
        auth_token: expires_at_ms.map(|ms| format!(r#"{{"expires_in":{ms}}}"#)),
        ..Provision::default()
    };
    frame(Command::Provision, &answer)
}

/// The login is refused. Close afterwards.
pub fn provision_refused(refusal: LoginRefusal<'_>) -> Vec<u8> {
    frame(Command::Provision, &Provision { status: Some(refusal.status()), ..Provision::default() })
}

/// The answer to a logout, which the SDK does not wait for.
pub fn logout_ok(session_id: &str) -> Vec<u8> {
    let answer = Logout { session_id: Some(session_id.into()), status: Some(Status::ok()), ..Logout::default() };
    frame(Command::Logout, &answer)
}

/// The queues that hold something, and how much each; the client pulls from all of them.
pub fn unread(queues: impl IntoIterator<Item = (Jid, u32)>, now_ms: i64) -> Vec<u8> {
    let unread = queues.into_iter().map(|(queue, n)| MetaQueue { queue: Some(queue), n: Some(n) }).collect();
    let answer = CommUnreadDl { status: Some(Status::ok()), unread, timestamp: Some(wire_ms(now_ms)) };
    frame(Command::Unread, &answer)
}

/// What the client sent as `meta_id` is accepted as `server_id`, at the time that the receiver sees, too.
pub fn send_ok(meta_id: u64, server_id: u64, timestamp_ms: i64) -> Vec<u8> {
    sync(&CommSyncDl { meta_id: Some(meta_id), server_id: Some(server_id), ..answer(Status::ok(), Some(timestamp_ms)) })
}

/// Like [`send_ok`], for a change of a message: the SDK reads its count and its times from a notice that comes with the
/// answer. `to`: the device that sent it.
pub fn edit_ok(meta_id: u64, server_id: u64, timestamp_ms: i64, to: Jid, edit: &serde_json::Value) -> Vec<u8> {
    let from = Jid { name: None, client_resource: None, ..to.clone() };
    let notice = Heading { id: server_id, from, to, timestamp_ms }.notify(edit);
    sync(&CommSyncDl {
        meta_id: Some(meta_id),
        server_id: Some(server_id),
        metas: vec![notice],
        ..answer(Status::ok(), Some(timestamp_ms))
    })
}

/// What the client sent as `meta_id` is refused.
///
/// Quirk(easemob): never to be sent for a meta of [`Namespace::Statistic`]; the SDK reports each as an error.
pub fn send_refused(meta_id: u64, refusal: SendRefusal<'_>) -> Vec<u8> {
    sync(&CommSyncDl { meta_id: Some(meta_id), ..answer(refusal.status(), None) })
}

/// A page of a queue. `next_key` acknowledges exactly these metas, and must never have been used for this device.
///
/// Quirk(easemob): a page never says it is the last, or the SDK does not acknowledge it; the end of the queue is
/// a frame of its own. An empty page would be that end, so that is what comes out.
pub fn page(queue: Jid, metas: Vec<Meta>, next_key: u64, now_ms: i64) -> Vec<u8> {
    if metas.is_empty() {
        return end_of_queue(queue, now_ms);
    }
    sync(&CommSyncDl {
        metas,
        next_key: Some(next_key),
        queue: Some(queue),
        is_last: Some(false),
        ..answer(Status::ok(), Some(now_ms))
    })
}

/// Nothing is left in the queue.
pub fn end_of_queue(queue: Jid, now_ms: i64) -> Vec<u8> {
    sync(&CommSyncDl { queue: Some(queue), is_last: Some(true), ..answer(Status::ok(), Some(now_ms)) })
}

/// Tells a device to go. It considers itself logged out from here on, but the server must close the connection, and
/// not before some 300 ms are over, or a busy client takes it for a broken line and comes back.
///
/// `reason` reaches the application with [`Kick::ReplacedByLogin`] only: what the newer login said for itself.
pub fn kick(kick: Kick, reason: Option<&str>, device: Jid, id: u64, now_ms: i64) -> Vec<u8> {
    let queue = Jid { name: None, client_resource: None, ..device.clone() };
    let body = StatisticsBody {
        operation: Some(StatisticsOperation::from(kick).into()),
        reason: reason.map(Into::into),
        ..StatisticsBody::default()
    };
    let heading = Heading { id, from: queue.clone(), to: device, timestamp_ms: now_ms };
    sync(&CommSyncDl {
        metas: vec![heading.meta(Namespace::Statistic, body.encode_to_vec())],
        queue: Some(queue),
        is_last: Some(true),
        ..answer(Status::ok(), Some(now_ms))
    })
}

/// A notice in JSON, such as a presence, as a page of its own in the nameless queue of the server.
///
/// Quirk(easemob): the SDK's reader fails on any byte below 0x10, so the JSON is written without line breaks.
pub fn notify(to: Jid, id: u64, next_key: u64, json: &serde_json::Value, now_ms: i64) -> Vec<u8> {
    let queue = Jid { name: None, client_resource: None, ..to.clone() };
    let meta = Heading { id, from: queue.clone(), to, timestamp_ms: now_ms }.notify(json);
    page(queue, vec![meta], next_key, now_ms)
}

/// The start of every answer: the SDK does not survive one without a status.
fn answer(status: Status, timestamp_ms: Option<i64>) -> CommSyncDl {
    CommSyncDl { status: Some(status), timestamp: timestamp_ms.map(wire_ms), ..CommSyncDl::default() }
}

fn sync(payload: &CommSyncDl) -> Vec<u8> {
    frame(Command::Sync, payload)
}

/// The envelope, written around the payload without a copy of it: version 0, the command, the payload.
fn frame(command: Command, payload: &impl Message) -> Vec<u8> {
    let length = payload.encoded_len();
    let mut bytes = Vec::with_capacity(length + encoded_len_varint(length as u64) + 5);
    for (tag, number) in [(1, 0), (8, i32::from(command))] {
        prost::encoding::int32::encode(tag, &number, &mut bytes);
    }
    encode_key(9, WireType::LengthDelimited, &mut bytes);
    encode_varint(length as u64, &mut bytes);
    payload.encode_raw(&mut bytes);
    bytes
}

/// A time before 1970 has no form on this wire, and there is none.
fn wire_ms(ms: i64) -> u64 {
    u64::try_from(ms).unwrap_or(0)
}

#[cfg(test)]
mod tests;
