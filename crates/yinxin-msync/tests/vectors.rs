//! Captured frames: the schema reads and writes each byte for byte, `decode` sees what they mean, and our answers are
//! those of the server that was captured, where not stated otherwise.

mod json;

use json::msync_of;
use prost::Message;
use serde_json::Value;
use yinxin_msync::body::{self, Body, content};
use yinxin_msync::encode::{self, Heading};
use yinxin_msync::wire::{
    Command, ContentType, Jid, MSync, MessageType, Meta, Namespace, Provision, RosterOperation, RouteType,
};
use yinxin_msync::{Frame, Kick, decode};

const APP_KEY: &str = "easemob-demo#testapp";
const ALICE: &str = "webim_web_1795283266443";
const BOB: &str = "webim_web_1795283266820";

struct Vector {
    from_client: bool,
    /// Of the complete frame.
    length: usize,
    /// The frame, or its beginning.
    bytes: Vec<u8>,
    meaning: Value,
}

fn vectors(text: &str) -> Vec<Vector> {
    let lines: Vec<_> = text.lines().collect();
    lines
        .chunks_exact(2)
        .map(|pair| {
            let [direction, length, bytes] = pair[0].split_ascii_whitespace().collect::<Vec<_>>()[..] else { panic!() };
            Vector {
                from_client: direction == "C->S",
                length: length.strip_suffix('B').unwrap().parse().unwrap(),
                bytes: hex::decode(bytes).unwrap(),
                meaning: serde_json::from_str(pair[1]).unwrap(),
            }
        })
        .collect()
}

fn whole() -> Vec<Vector> {
    vectors(include_str!("vectors/whole.txt"))
}

fn cut() -> Vec<Vector> {
    vectors(include_str!("vectors/cut.txt"))
}

/// Whether a server of ours, asked the same, would have sent this very frame.
#[track_caller]
fn assert_sent(expected: &Vector, frame: &[u8]) {
    assert!(!expected.from_client);
    assert_eq!((frame.len(), &frame[..expected.bytes.len()]), (expected.length, &*expected.bytes));
}

/// The server's frames of that direction and command that fit.
fn sent(vectors: Vec<Vector>, command: Command, fits: impl Fn(&Value) -> bool) -> Vec<Vector> {
    let command = Value::from(format!("{command:?}").to_uppercase());
    let fits = |vector: &Vector| {
        !vector.from_client && vector.meaning["command"] == command && fits(&vector.meaning["payload"])
    };
    vectors.into_iter().filter(fits).collect()
}

#[test]
fn the_schema_reads_and_writes_every_complete_frame_byte_for_byte() {
    let vectors = whole();
    assert_eq!(vectors.len(), 23);
    for vector in vectors {
        let meant = msync_of(&vector.meaning);
        assert_eq!(vector.bytes.len(), vector.length);
        assert_eq!(MSync::decode(&*vector.bytes).unwrap(), meant);
        assert_eq!(meant.encode_to_vec(), vector.bytes, "{}", vector.meaning);
    }
}

#[test]
fn the_schema_writes_every_cut_frame_in_its_length_and_beginning() {
    let vectors = cut();
    assert_eq!(vectors.len(), 7);
    for vector in vectors {
        let bytes = msync_of(&vector.meaning).encode_to_vec();
        assert_eq!((bytes.len(), &bytes[..vector.bytes.len()]), (vector.length, &*vector.bytes));
    }
}

#[test]
fn every_frame_of_a_client_is_decoded_to_what_it_means() {
    for vector in whole().into_iter().chain(cut()).filter(|vector| vector.from_client) {
        let meant = msync_of(&vector.meaning);
        let payload = meant.payload.clone().unwrap_or_default();
        match decode(&meant.encode_to_vec()).unwrap() {
            Frame::Unread => assert_eq!((meant.command, payload.len()), (Some(1), 0)),
            Frame::Sync(sync) => assert_eq!((meant.command, sync.encode_to_vec()), (Some(0), payload)),
            Frame::Logout(logout) => assert_eq!((meant.command, logout.encode_to_vec()), (Some(4), payload)),
            Frame::Provision(login) => {
                assert_eq!((meant.command, Some(login.guid)), (Some(3), meant.guid));
                assert_eq!(meant.auth, login.token.map(|token| format!("$t${}", token.as_str())));
                let sent = Provision::decode(&*payload).unwrap();
                assert_eq!(login.provision, Provision { auth_token: None, ..sent });
            }
            Frame::Other(command) => panic!("{command}"),
        }
    }
}

/// The captured server also echoed `compressType` and `encryptType`, which the SDK does not look at; ours does not.
#[test]
fn a_login_is_answered() {
    let vectors = sent(whole(), Command::Provision, |_| true);
    assert_eq!(vectors.len(), 2);
    for (vector, (resource, expires_at_ms)) in
        vectors.into_iter().zip([(ALICE, 1_800_467_266_427), (BOB, 1_800_467_266_817)])
    {
        let mut envelope = msync_of(&vector.meaning);
        let mut answer = Provision::decode(&*envelope.payload.unwrap()).unwrap();
        answer.compress_type.clear();
        answer.encrypt_type.clear();
        envelope.payload = Some(answer.encode_to_vec());
        assert_eq!(encode::provision_ok(resource, "4.21.1", Some(expires_at_ms)), envelope.encode_to_vec());
    }
}

#[test]
fn unread_and_logout_are_answered() {
    let [none, one] = &sent(whole(), Command::Unread, |_| true)[..] else { panic!() };
    assert_sent(none, &encode::unread([], 1_795_283_266_467));
    assert_sent(one, &encode::unread([(Jid::user(APP_KEY, "alice"), 1)], 1_795_283_266_833));
    let [logout] = &sent(whole(), Command::Logout, |_| true)[..] else { panic!() };
    assert_sent(logout, &encode::logout_ok("1795283266446:"));
}

#[test]
fn what_was_sent_is_accepted() {
    let [first, second] = &sent(whole(), Command::Sync, |payload| !payload["metaId"].is_null())[..] else { panic!() };
    assert_sent(first, &encode::send_ok(530_300_866_778, 531_049_524_365_361_152, 1_795_283_266_784));
    assert_sent(second, &encode::send_ok(530_300_867_148, 531_049_524_737_605_632, 1_795_283_267_139));
}

#[test]
fn queues_end() {
    let ends = sent(whole(), Command::Sync, |payload| payload["isLast"] == true);
    assert_eq!(ends.len(), 3);
    for (end, now_ms) in ends.iter().zip([1_795_283_266_852, 1_795_283_267_142, 1_795_283_267_354]) {
        assert_sent(end, &encode::end_of_queue(Jid::user(APP_KEY, "alice"), now_ms));
    }
}

#[test]
fn pages_carry_messages_and_contact_requests() {
    let [offline, online, contact] = &sent(cut(), Command::Sync, |payload| payload["isLast"] == false)[..] else {
        panic!()
    };
    let heading = |id, resource: Option<&str>, timestamp_ms| {
        let from = resource.map_or_else(|| Jid::user(APP_KEY, "alice"), |it| Jid::device(APP_KEY, "alice", it));
        Heading { id, from, to: Jid::user(APP_KEY, "bob"), timestamp_ms }
    };
    let page = |meta: Meta, next_key, now_ms| encode::page(Jid::user(APP_KEY, "alice"), vec![meta], next_key, now_ms);

    let ext = serde_json::json!({"k": "v"});
    let body = Body::new(MessageType::Chat, "alice", "bob").content(content::text("offline hello"));
    let body = body.ext(ext.as_object().unwrap()).encode();
    let meta = heading(531_049_524_365_361_152, Some(ALICE), 1_795_283_266_784).chat(body, RouteType::All, false);
    assert_sent(offline, &page(meta, 531_049_524_426_178_560, 1_795_283_266_842));

    let body = body::text_body("alice", "bob", "online hello");
    let meta = heading(531_049_524_737_605_632, Some(ALICE), 1_795_283_267_139).chat(body, RouteType::All, true);
    assert_sent(online, &page(meta, 531_049_524_738_654_208, 1_795_283_267_140));

    let meta = heading(531_049_524_956_758_016, None, 1_795_283_267_348).roster(RosterOperation::Add, Some("hi"));
    assert_sent(contact, &page(meta, 531_049_524_956_758_017, 1_795_283_267_348));
}

#[test]
fn a_device_is_kicked() {
    let [kicked] = &sent(cut(), Command::Sync, |payload| payload["isLast"] == true)[..] else { panic!() };
    let device = Jid::device(APP_KEY, "bob", BOB);
    assert_sent(kicked, &encode::kick(Kick::Dismissed, None, device, 531_049_525_390_868_480, 1_795_283_267_762));
}

#[test]
fn a_captured_body_is_summed_up_and_told_the_truth() {
    let bodies: Vec<Vec<u8>> = whole()
        .iter()
        .filter(|vector| vector.from_client)
        .filter_map(|vector| match decode(&vector.bytes).unwrap() {
            Frame::Sync(sync) => sync.meta.filter(|meta| meta.ns == Some(Namespace::Chat.into()))?.payload,
            _ => None,
        })
        .collect();
    assert_eq!(bodies.len(), 2);
    for (payload, text) in bodies.iter().zip(["offline hello", "online hello"]) {
        let summary = body::inspect(payload).unwrap();
        assert_eq!((summary.kind, summary.content), (Some(MessageType::Chat), Some(ContentType::Text)));
        assert_eq!(summary.text.as_deref(), Some(text));
        assert_eq!(body::rewrite_identity(payload, "alice", "bob").as_ref(), Ok(payload));
    }
}
