//! Wounded frames, bodies and texts: nothing panics, nothing is held beyond the limits, what is read is what is written.

use std::sync::Mutex;

use peak_alloc::PeakAlloc;
use proptest::prelude::*;
use proptest::sample::select;
use prost::Message;
use yinxin_msync::body::{Body, content, inspect, rewrite_identity, text_body};
use yinxin_msync::frame::{Login, decode_within};
use yinxin_msync::limits::{FRAME_BYTES, LIST_BYTES};
use yinxin_msync::sockjs::{self, Limits};
use yinxin_msync::wire::{
    CommSyncUl, Command, Content, Jid, KeyValue, MSync, MessageBody, MessageType, Meta, Provision,
};
use yinxin_msync::{Frame, decode, read};
use yinxin_testkit::fuzz::{cost, fuzz, wounded, wounded_text};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// One test at a time: what a call holds is counted for the whole process.
static ALONE: Mutex<()> = Mutex::new(());

/// What reading so many bytes may hold: some copies of them, and the lists, which have a limit of their own.
fn most(bytes: usize) -> usize {
    4 * bytes + 3 * LIST_BYTES
}

/// Frames that an SDK was seen to send, and its login.
fn frames() -> Vec<Vec<u8>> {
    let lines = include_str!("vectors/whole.txt").lines().step_by(2);
    let captured = lines.map(|line| hex::decode(line.split_ascii_whitespace().nth(2).unwrap()).unwrap());
    captured.chain([login(provision()).encode_to_vec()]).collect()
}

fn provision() -> Vec<u8> {
    let provision = Provision {
        version: Some("4.21.1".into()),
        compress_type: vec![0],
        encrypt_type: vec![0],
        resource: Some("webim_web_1".into()),
        auth_token: Some(r#"{"token":"$t$YWMt"}"#.into()),
        protocol_compress_type: vec![2],
        ..Provision::default()
    };
    provision.encode_to_vec()
}

fn login(provision: Vec<u8>) -> MSync {
    MSync {
        guid: Some(Jid::device("o#a", "alice", "webim_web_1")),
        auth: Some("$t$YWMt".into()),
        encrypt_type: vec![0],
        ..envelope(Command::Provision, provision)
    }
}

/// What lies in them.
fn payloads() -> Vec<Vec<u8>> {
    let payloads = frames().into_iter().filter_map(|frame| MSync::decode(&*frame).unwrap().payload);
    payloads.filter(|payload| !payload.is_empty()).collect()
}

fn metas() -> Vec<Vec<u8>> {
    let metas = payloads().into_iter().filter_map(|payload| CommSyncUl::decode(&*payload).ok()?.meta);
    let lists = Meta {
        ext: vec![KeyValue::default(); 2],
        directed_users: vec![String::new(), "bob".into()],
        ..Meta::default()
    };
    metas.chain([lists]).map(|meta| meta.encode_to_vec()).collect()
}

/// Bodies: those that were captured, and some of kinds that they lack.
fn bodies() -> Vec<Vec<u8>> {
    let payloads = metas().into_iter().filter_map(|meta| Meta::decode(&*meta).unwrap().payload);
    let receipt = Body::new(MessageType::ReadAck, "alice", "bob").about(u64::MAX).encode();
    let two = Body::new(MessageType::Chat, "a", "b").content(content::text("one")).content(content::text("two"));
    let lists = MessageBody {
        contents: vec![Content { params: vec![KeyValue::default(); 2], ..Content::default() }; 2],
        ext: vec![KeyValue::default(); 2],
        ..MessageBody::default()
    };
    let more = [text_body("alice", "bob", "你好 🌍"), receipt, two.encode(), lists.encode_to_vec()];
    payloads.filter(|payload| inspect(payload).is_ok_and(|_| !payload.is_empty())).chain(more).collect()
}

fn envelope(command: Command, payload: Vec<u8>) -> MSync {
    MSync { command: Some(command.into()), payload: Some(payload), ..MSync::default() }
}

fn enveloped(command: Command, payload: Vec<u8>) -> Vec<u8> {
    envelope(command, payload).encode_to_vec()
}

/// A field of bytes, whatever they are.
fn field(number: u32, bytes: &[u8]) -> Vec<u8> {
    let mut field = Vec::new();
    prost::encoding::bytes::encode(number, &bytes.to_vec(), &mut field);
    field
}

/// Wounds at each depth: only with the lengths around it in order is an inner one ever looked at.
fn wounded_frames() -> impl Strategy<Value = Vec<u8>> {
    let commands = select(vec![Command::Sync, Command::Unread, Command::Notice, Command::Provision, Command::Logout]);
    prop_oneof![
        wounded(frames(), FRAME_BYTES + 100),
        (commands, wounded(payloads(), FRAME_BYTES)).prop_map(|(command, payload)| enveloped(command, payload)),
        wounded(vec![provision()], FRAME_BYTES).prop_map(|provision| login(provision).encode_to_vec()),
        wounded(metas(), FRAME_BYTES).prop_map(|meta| enveloped(Command::Sync, field(1, &meta))),
        wounded(bodies(), FRAME_BYTES).prop_map(|body| enveloped(Command::Sync, field(1, &field(6, &body)))),
    ]
}

fn wounded_bodies() -> impl Strategy<Value = Vec<u8>> {
    let contents = bodies().into_iter().flat_map(|body| MessageBody::decode(&*body).unwrap().contents);
    let contents = contents.map(|content| content.encode_to_vec()).filter(|content| !content.is_empty()).collect();
    prop_oneof![wounded(bodies(), FRAME_BYTES), wounded(contents, FRAME_BYTES).prop_map(|content| field(4, &content))]
}

/// Writes what was read; without the bound of a frame, since what was short may be long when written properly.
fn again(frame: &Frame) -> Frame {
    let bytes = match frame {
        Frame::Provision(login) => {
            let Login { guid, token, provision } = &**login;
            let auth = token.as_ref().map(|token| format!("$t${}", token.as_str()));
            let payload = provision.encode_to_vec();
            MSync { guid: Some(guid.clone()), auth, ..envelope(Command::Provision, payload) }.encode_to_vec()
        }
        Frame::Unread => enveloped(Command::Unread, Vec::new()),
        Frame::Sync(up) => enveloped(Command::Sync, up.encode_to_vec()),
        Frame::Logout(logout) => enveloped(Command::Logout, logout.encode_to_vec()),
        Frame::Other(number) => MSync { command: Some(*number), ..MSync::default() }.encode_to_vec(),
    };
    decode_within(&bytes, usize::MAX).unwrap()
}

#[test]
fn no_frame_panics_or_holds_much_and_each_is_read_as_it_is_written() {
    let _alone = ALONE.lock();
    fuzz(&wounded_frames(), |bytes| {
        let (decoded, held) = cost(&MEMORY, || decode(bytes));
        assert!(held <= most(bytes.len()), "{held} bytes held for {}", bytes.len());
        match decoded {
            Ok(Frame::Sync(up)) => {
                let Frame::Sync(read) = again(&Frame::Sync(up.clone())) else { panic!("another command") };
                // Bytes, since NaN is not itself.
                assert_eq!(read.encode_to_vec(), up.encode_to_vec());
            }
            Ok(frame) => assert_eq!(again(&frame), frame),
            Err(_) => {}
        }
    });
}

#[test]
fn no_body_panics_or_holds_much_and_each_says_who_it_is_from() {
    let _alone = ALONE.lock();
    fuzz(&wounded_bodies(), |bytes| {
        let (summary, held) = cost(&MEMORY, || inspect(bytes));
        assert!(held <= most(bytes.len()), "{held} bytes held for {}", bytes.len());
        let (rewritten, held) = cost(&MEMORY, || rewrite_identity(bytes, "alice", "bob"));
        assert!(held <= most(bytes.len()), "{held} bytes held for {}", bytes.len());
        assert_eq!(rewritten.is_ok(), summary.is_ok());
        let (Ok(rewritten), Ok(summary)) = (rewritten, summary) else { return };
        assert_eq!(inspect(&rewritten), Ok(summary));
        assert_eq!(rewrite_identity(&rewritten, "alice", "bob").as_ref(), Ok(&rewritten));
        if let Ok(body) = read::<MessageBody>(&rewritten) {
            assert_eq!((&body.from, &body.to), (&Some(Jid::named("alice")), &Some(Jid::named("bob"))));
            let bytes = body.encode_to_vec();
            assert_eq!(read::<MessageBody>(&bytes).unwrap().encode_to_vec(), bytes);
        }
    });
}

#[test]
fn no_text_of_sockjs_panics_or_holds_much() {
    let _alone = ALONE.lock();
    let limits = Limits { text_bytes: 4096, frames: 3, frame_bytes: 100 };
    let seeds = [r#"["CABAAVgA"]"#, r#"["CABAAVgA","CAFAAQ==",""]"#, r#" [ "\u0043A\u003d=" ] "#, "[]", r#"["a","#];
    fuzz(&wounded_text(&seeds, 5000), |text| {
        let (frames, held) = cost(&MEMORY, || sockjs::parse_client(text, limits));
        assert!(held <= 4 * text.len() + 1024, "{held} bytes held for {}", text.len());
        let Ok(frames) = frames else { return };
        assert!(text.len() <= 4096 && frames.len() <= 3 && frames.iter().all(|frame| frame.len() <= 100));
        for frame in frames {
            let written = sockjs::message(&frame);
            assert_eq!(sockjs::parse_client(&written[1..], limits), Ok(vec![frame]));
        }
    });
}
