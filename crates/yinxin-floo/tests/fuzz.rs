//! Wounded frames and texts: nothing panics, nothing is held beyond a small multiple of what came, what is read is what
//! is written.

use std::sync::Mutex;

use peak_alloc::PeakAlloc;
use proptest::prelude::*;
use prost::Message as _;
use yinxin_floo::frame::read;
use yinxin_floo::limits::{FRAME_BYTES, TEXT_BYTES};
use yinxin_floo::wire::{self, Command, MessageBody, Meta, Operation, Provision, SyncUl, Xid};
use yinxin_floo::{Frame, Packet, decode, packet};
use yinxin_testkit::fuzz::{cost, fuzz, wounded, wounded_text};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// One test at a time: what a call holds is counted for the whole process.
static ALONE: Mutex<()> = Mutex::new(());

/// What reading so many bytes may hold: some copies of them, and the structs.
fn most(bytes: usize) -> usize {
    4 * bytes + 1024
}

fn body() -> MessageBody {
    MessageBody {
        r#type: 1,
        content: "你好 🌍".into(),
        operation: Some(Operation { r#type: 5, mid: u64::MAX, xid: Some(Xid::user(7)) }),
        config: "{}".into(),
        attachment: r#"{"url":"http://x"}"#.into(),
        ..MessageBody::default()
    }
}

fn sync() -> SyncUl {
    let meta = Meta {
        id: 9,
        from: Some(Xid { uid: 1 << 40, device_sn: u32::MAX }),
        to: Some(Xid::user(8)),
        ns: 1,
        payload: body().encode_to_vec(),
        ..Meta::default()
    };
    SyncUl { xid: Some(Xid::user(8)), key: 3, meta: Some(meta), is_full_sync: true, full_sync_num: -1 }
}

fn provision() -> Provision {
    Provision {
        xid: Some(Xid::user(8)),
        token: "YWMt".into(),
        os_type: 6,
        device_guid: "8_1".into(),
        ..Provision::default()
    }
}

fn enveloped(command: Command, payload: Vec<u8>) -> Vec<u8> {
    wire::Frame { command: command.into(), payload, ..wire::Frame::default() }.encode_to_vec()
}

/// Wounds at each depth: only with the lengths around it in order is an inner one ever looked at.
fn wounded_frames() -> impl Strategy<Value = Vec<u8>> {
    let sync = sync();
    let meta = sync.meta.clone().unwrap().encode_to_vec();
    let sync = sync.encode_to_vec();
    let frames = vec![
        enveloped(Command::Sync, sync.clone()),
        enveloped(Command::Provision, provision().encode_to_vec()),
        enveloped(Command::Unread, vec![]).into_iter().chain([0x08, 0x00]).collect(),
    ];
    prop_oneof![
        wounded(frames, FRAME_BYTES + 100),
        wounded(vec![sync], FRAME_BYTES).prop_map(|sync| enveloped(Command::Sync, sync)),
        wounded(vec![provision().encode_to_vec()], FRAME_BYTES).prop_map(|one| enveloped(Command::Provision, one)),
        wounded(vec![meta], FRAME_BYTES).prop_map(|meta| {
            let mut up = Vec::new();
            prost::encoding::bytes::encode(3, &meta, &mut up);
            enveloped(Command::Sync, up)
        }),
    ]
}

#[test]
fn no_frame_panics_or_holds_much_and_each_is_read_as_it_is_written() {
    let _alone = ALONE.lock();
    fuzz(&wounded_frames(), |bytes| {
        let (decoded, held) = cost(&MEMORY, || decode(bytes));
        assert!(held <= most(bytes.len()), "{held} bytes held for {}", bytes.len());
        let Ok(frame) = decoded else { return };
        let again = match &frame {
            Frame::Provision(login) => {
                let token = login.token.as_str().to_owned();
                let provision = Provision { token, ..login.provision.clone() };
                enveloped(Command::Provision, provision.encode_to_vec())
            }
            Frame::Unread => enveloped(Command::Unread, vec![]),
            Frame::Sync(up) => enveloped(Command::Sync, up.encode_to_vec()),
            Frame::Other(number) => wire::Frame { command: *number, ..wire::Frame::default() }.encode_to_vec(),
        };
        if again.len() <= FRAME_BYTES {
            assert_eq!(decode(&again), Ok(frame));
        }
    });
}

#[test]
fn no_body_panics_or_holds_much() {
    let _alone = ALONE.lock();
    fuzz(&wounded(vec![body().encode_to_vec()], FRAME_BYTES), |bytes| {
        let (body, held) = cost(&MEMORY, || read::<MessageBody>(bytes));
        assert!(held <= most(bytes.len()), "{held} bytes held for {}", bytes.len());
        let Ok(body) = body else { return };
        assert_eq!(read::<MessageBody>(&body.encode_to_vec()), Ok(body));
    });
}

#[test]
fn no_packet_panics_or_holds_much() {
    let _alone = ALONE.lock();
    let seeds = [packet::ANNOUNCEMENT, "2probe", "40", "41", "452-/a,1[\"x\"]", "3"];
    fuzz(&wounded_text(&seeds, TEXT_BYTES + 100), |text| {
        let (packet, held) = cost(&MEMORY, || packet::parse(text));
        assert!(held <= most(text.len()), "{held} bytes held for {}", text.len());
        match packet {
            Ok(Packet::Announced { attachments, is_frame }) => {
                assert!((1..=4).contains(&attachments) && (attachments == 1 || !is_frame));
            }
            Ok(Packet::Ping(said)) => assert_eq!(packet::pong(said)[1..], text[1..]),
            Ok(Packet::Close | Packet::Nothing) | Err(_) => {}
        }
        let attached = packet::attach(text.as_bytes());
        assert_eq!(packet::attachment(&attached), Ok(text.as_bytes()));
    });
}
