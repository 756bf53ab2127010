//! What is sent is what is shown, in both dialects; what one does not know it is not shown.

use proptest::prelude::*;
use yinxin_msync::body::describe;

use super::*;

const PEER: Xid = Xid::user(16);

fn message(ctype: ContentType, content: &str) -> MessageBody {
    let (r#type, ctype) = (MessageType::Chat.into(), ctype.into());
    MessageBody { r#type, ctype, content: content.into(), ..MessageBody::default() }
}

fn kept(said: &MessageBody) -> Vec<u8> {
    from_floo(said, Act::Says, "alice", "bob").unwrap()
}

#[test]
fn a_message_comes_back_as_it_was_sent() {
    let picture = r#"{"url":"http://x/y","dName":"a.png","fLen":5,"width":3,"height":4,"tag":"mine"}"#;
    for said in [
        message(ContentType::Text, "你好 🌍"),
        MessageBody { ext: r#"{"a":1,"b":{"c":[true]}}"#.into(), ..message(ContentType::Text, "hello") },
        MessageBody { ext: "not JSON".into(), config: "{}".into(), ..message(ContentType::Text, "hello") },
        MessageBody { sender_name: "Alice".into(), ext: "[1]".into(), ..message(ContentType::Text, "hello") },
        MessageBody { ext: r#"{"floo":1}"#.into(), ..message(ContentType::Text, "hello") },
        MessageBody { attachment: picture.into(), ..message(ContentType::Image, "a caption") },
        MessageBody { attachment: picture.into(), ..message(ContentType::Audio, "") },
        MessageBody { attachment: picture.into(), ..message(ContentType::Video, "") },
        MessageBody { attachment: picture.into(), ..message(ContentType::File, "") },
        MessageBody { attachment: r#"{"lat":1.5,"lon":2,"addr":"x"}"#.into(), ..message(ContentType::Location, "") },
        MessageBody { attachment: "not JSON".into(), ..message(ContentType::Command, "do") },
        MessageBody { attachment: picture.into(), ..message(ContentType::Text, "with more") },
        MessageBody { attachment: "[]".into(), ..message(ContentType::Forward, "three messages") },
        MessageBody { ext: r#"{"input_status":"typing"}"#.into(), ..message(ContentType::Text, "") },
    ] {
        assert_eq!(to_floo(&kept(&said), PEER), Some(said));
    }
}

#[test]
fn the_other_dialect_is_shown_the_same() {
    let attachment = r#"{"url":"http://x/y","dName":"a.png","fLen":5,"width":3,"height":4}"#;
    let said = MessageBody { attachment: attachment.into(), ..message(ContentType::Image, "") };
    let Description { bodies, ext } = describe(&kept(&said)).unwrap();
    let shown = json!({
        "type": "img", "url": "http://x/y", "filename": "a.png", "file_length": 5,
        "size": { "width": 3.0, "height": 4.0 },
    });
    assert_eq!((bodies, ext.contains_key(OWN)), (vec![shown], true));
    let said = MessageBody { ext: r#"{"a":1}"#.into(), ..message(ContentType::Text, "hello") };
    let Description { bodies, ext } = describe(&kept(&said)).unwrap();
    assert_eq!((bodies, Value::Object(ext)), (vec![json!({ "type": "txt", "msg": "hello" })], json!({ "a": 1 })));
}

#[test]
fn the_other_dialects_messages_are_shown() {
    let of = |content| Body::new(KeptType::Chat, "bob", "alice").content(content).encode();
    let file = Attachment { url: "http://x/y", secret: Some("s"), name: Some("a"), length: Some(5) };
    for (content, ctype, text, attachment) in [
        (content::text("hello"), ContentType::Text, "hello", ""),
        (content::file(file), ContentType::File, "", r#"{"dName":"a","fLen":5,"secret":"s","url":"http://x/y"}"#),
        (content::command("do", &Map::new()), ContentType::Command, "do", ""),
        (content::custom("gift", &Map::new()), ContentType::Command, "gift", ""),
        (
            content::location(1.5, 2.5, Some("x"), None),
            ContentType::Location,
            "",
            r#"{"addr":"x","lat":1.5,"lon":2.5}"#,
        ),
    ] {
        let expected = MessageBody { attachment: attachment.into(), ..message(ctype, text) };
        assert_eq!(to_floo(&of(content), PEER), Some(expected));
    }
}

#[test]
fn nobody_is_shown_another_file_than_the_others() {
    let own = json!({ "attachment": r#"{"url":"http://evil"}"# });
    let ext = Map::from_iter([(OWN.to_owned(), own)]);
    let file = content::file(Attachment { url: "http://x/y", ..Attachment::default() });
    let payload = Body::new(KeptType::Chat, "bob", "alice").content(file).ext(&ext).encode();
    assert_eq!(to_floo(&payload, PEER).unwrap().attachment, r#"{"url":"http://x/y"}"#);
}

#[test]
fn what_is_done_to_a_message_comes_back_with_its_conversation() {
    for (act, operation, mid) in [
        (Act::Confirms(Receipt::Read(5)), OperationType::ReadAck, 5),
        (Act::Confirms(Receipt::Delivered(6)), OperationType::DeliverAck, 6),
        (Act::Confirms(Receipt::Conversation), OperationType::ReadAll, 7),
        (Act::Recalls(8), OperationType::Recall, 8),
    ] {
        let said = MessageBody { operation: Some(Operation { mid, ..Operation::default() }), ..MessageBody::default() };
        let shown = to_floo(&from_floo(&said, act, "alice", "bob").unwrap(), PEER).unwrap();
        let expected = Operation { r#type: operation.into(), mid, xid: Some(PEER) };
        assert_eq!((shown.r#type, shown.operation), (MessageType::Oper as i32, Some(expected)));
    }
}

proptest! {
    /// Whatever a client says can be read again, here and there, or is refused.
    #[test]
    fn what_is_kept_can_be_read(
        ctype in 0..10_i32, content in ".{0,20}", attachment in "(\\{\"url\":\"[a-z]{0,3}\"\\}|.{0,20})",
        ext in "(\\{(\"[a-z]{0,2}\":[0-9]{1,20}(,\"[a-z]\":\"x\")?)?\\}|.{0,20})", config in ".{0,5}",
    ) {
        let said = MessageBody { r#type: 2, ctype, content, attachment, ext, config, ..MessageBody::default() };
        if let Ok(payload) = from_floo(&said, Act::Says, "alice", "bob") {
            prop_assert!(describe(&payload).is_ok());
            let shown = to_floo(&payload, PEER).unwrap();
            prop_assert!(shown.content == said.content || said.ctype > 7);
        }
    }

    /// Whatever bytes are kept: no panic.
    #[test]
    fn any_bytes_are_shown_or_not(payload in proptest::collection::vec(any::<u8>(), 0..60)) {
        let _ = to_floo(&payload, PEER);
    }
}
