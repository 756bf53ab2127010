//! Frames that the web SDK 1.0.5 was seen to send are read as what they are, and what is built for it has its bytes.

use yinxin_floo::frame::read;
use yinxin_floo::wire::{ContentType, ErrorCode, MessageBody, MessageType, Namespace, OperationType, QoS, SyncUl, Xid};
use yinxin_floo::{Frame, decode, encode};

const ALICE: u64 = 2_302_128_618_880;
const BOB: u64 = 2_302_128_618_896;
const MESSAGE: u64 = 1 << 62;

fn frame(hex: &str) -> Frame {
    decode(&hex::decode(hex).unwrap()).unwrap()
}

fn sync(hex: &str) -> SyncUl {
    let Frame::Sync(up) = frame(hex) else { panic!("another command") };
    *up
}

fn body(hex: &str) -> MessageBody {
    let meta = sync(hex).meta.unwrap();
    assert_eq!(meta.ns, Namespace::Message as i32);
    assert_eq!(meta.from.unwrap().uid, ALICE);
    read(&meta.payload).unwrap()
}

#[test]
fn a_login_is_read() {
    let sent = "080010001803224a120d0880fbbb8c804310eefeccdd033211544f4b2d3233303231323836313838383038064205322e302e3052\
        18323330323132383631383838305f313338303731353037326a03576562";
    let Frame::Provision(login) = frame(sent) else { panic!("another command") };
    assert_eq!(login.token.as_str(), "TOK-2302128618880");
    assert_eq!(login.provision.xid, Some(Xid { uid: ALICE, device_sn: 1_001_602_926 }));
    assert_eq!(login.provision.device_guid, "2302128618880_1380715072");
    assert_eq!(login.provision.os_type, 6);
    assert_eq!((login.provision.sdk_vsn.as_str(), login.provision.device_info.as_str()), ("2.0.0", "Web"));
    assert!(!format!("{login:?}").contains("TOK-"));
}

#[test]
fn a_sign_of_life_is_read() {
    assert_eq!(frame("080010001800"), Frame::Unread);
    assert_eq!(frame(""), Frame::Unread);
}

#[test]
fn messages_are_read() {
    let text = body(
        "08001000180122481a46088cde8588a034120d0880fbbb8c804310eecddbdd031a090890fbbb8c80431000208cde8588a03428013\
         21a0802220568656c6c6f28003204080010004a077b2261223a317d",
    );
    assert_eq!((text.r#type, text.ctype), (MessageType::Chat as i32, ContentType::Text as i32));
    assert_eq!((text.content.as_str(), text.ext.as_str()), ("hello", r#"{"a":1}"#));
    let picture = body(
        "080010001801225d1a5b08d2de8588a034120d0880fbbb8c804310eecddbdd031a090890fbbb8c8043100020d2de8588a0342801\
         322f080222037069632801320408001000421e7b2275726c223a22687474703a2f2f782f79222c227769647468223a337d",
    );
    assert_eq!((picture.ctype, picture.attachment.as_str()), (1, r#"{"url":"http://x/y","width":3}"#));
    let typing = body(
        "08001000180122501a4e08d9de8588a034120d0880fbbb8c804310eecddbdd031a090890fbbb8c80431000280132290802220028\
         003204080010004a197b22696e7075745f737461747573223a22747970696e67227d5001",
    );
    assert_eq!((typing.content.as_str(), typing.qos), ("", QoS::AtMostOnce as i32));
}

#[test]
fn what_is_done_to_messages_is_read() {
    for (operation, hex) in [
        (
            OperationType::Recall,
            "0408001000180122471a4508edfebda486e928120d0880fbbb8c804310eecddbdd031a090890fbbb8c804310002801321f080122\
             00280632170805108080808080808080401a090890fbbb8c80431000",
        ),
        (
            OperationType::Delete,
            "04080010001801224b1a4908e5ffbda486e928120d0880fbbb8c804310eecddbdd031a0d0880fbbb8c804310eecddbdd03280132\
             1f08012200280632170806108080808080808080401a090890fbbb8c80431000",
        ),
        (
            OperationType::ReadCancel,
            "04080010001801224c1a4a08dfffebecbe9a9803120d0880fbbb8c804310eecddbdd031a0d0880fbbb8c804310eecddbdd032801\
             321f08012200280632170803108080808080808080401a090890fbbb8c80431000",
        ),
    ] {
        let body = body(&hex[2..]);
        assert_eq!((body.r#type, body.ctype), (MessageType::Oper as i32, ContentType::Command as i32));
        let done = body.operation.unwrap();
        assert_eq!((done.r#type, done.mid, done.xid.unwrap().uid), (operation as i32, MESSAGE, BOB));
    }
}

#[test]
fn a_look_back_is_read() {
    let up = sync("08001000180122190a090890fbbb8c804310001080808080808080804020012828");
    assert_eq!((up.xid, up.key), (Some(Xid::user(BOB)), MESSAGE));
    assert_eq!((up.is_full_sync, up.full_sync_num), (true, 20));
}

#[test]
fn what_a_server_says_has_the_fields_that_the_sdk_needs() {
    let alice = Xid { uid: ALICE, device_sn: 7 };
    assert_eq!(hex::encode(encode::provision_ok(alice)), "1803220f0a02080112090880fbbb8c80431007");
    let refused = encode::provision_refused(alice, ErrorCode::InvalidToken, "no");
    assert_eq!(hex::encode(refused), "180322130a06080712026e6f12090880fbbb8c80431007");
    assert_eq!(hex::encode(encode::unread([(BOB, 3)])), "22130a020801120d0a070890fbbb8c804310031801");
    let end = encode::end_of_conversation(Xid::user(BOB));
    assert_eq!(hex::encode(end), "1801220d0a02080122070890fbbb8c8043");
    let sent = encode::sent(Xid::user(BOB), 5, 6, 7);
    assert_eq!(hex::encode(sent), "180122130a02080122070890fbbb8c8043280530063807");
}

#[test]
fn what_is_no_frame_is_refused() {
    for hex in ["ff", "0a", "1001", "2801", "180322ff", "18012203080001ff", "18012206220433221100"] {
        assert!(decode(&hex::decode(hex).unwrap()).is_err(), "{hex}");
    }
    assert_eq!(frame("1802"), Frame::Other(2));
    assert_eq!(frame("1863"), Frame::Other(99));
    assert!(decode(&vec![0; yinxin_floo::limits::FRAME_BYTES + 1]).is_err());
}
