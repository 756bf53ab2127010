//! Spoofing, what is kept, what is seen, and what a server writes itself.

use serde_json::json;

use super::content::Attachment;
use super::*;
use crate::read;
use crate::wire::{Content, EditScope, KeyValue, Size, ValueType, key_value};

fn rewritten(body: &[u8]) -> MessageBody {
    read(&rewrite_identity(body, "alice", "bob").unwrap()).unwrap()
}

#[test]
fn the_names_are_replaced_wherever_and_however_often_they_stand() {
    let eve = MessageBody { from: Some(Jid::user("o#a", "eve")), to: Some(Jid::named("eve")), ..Default::default() };
    let text = MessageBody { contents: vec![content::text("hi")], ..Default::default() }.encode_to_vec();
    let eve = eve.encode_to_vec();
    // The tag 0x12 in three bytes.
    let clumsy = [0x92, 0x80, 0x00, 0x05, 0x12, 0x03, b'e', b'v', b'e'];
    for body in [&[][..], &eve, &[&*eve, &*text, &*eve].concat(), &[&*text, &*eve, &clumsy].concat()] {
        let MessageBody { from, to, .. } = rewritten(body);
        assert_eq!((from, to), (Some(Jid::named("alice")), Some(Jid::named("bob"))), "{body:?}");
    }
}

#[test]
fn what_is_not_replaced_keeps_its_bytes() {
    // type 1, no names, a content with an explicit subType 0 and a field 30 of tomorrow, field 99.
    let body = [0x08, 1, 0x22, 8, 0x08, 0, 0xb0, 0x01, 0, 0xf0, 0x01, 7, 0x9a, 0x06, 1, b'x'];
    let identity = b"\x12\x07\x12\x05alice\x1a\x05\x12\x03bob";
    let expected = [&body[..2], identity, &body[2..]].concat();
    assert_eq!(rewrite_identity(&body, "alice", "bob"), Ok(expected.clone()));
    assert_eq!(rewrite_identity(&expected, "alice", "bob"), Ok(expected));
}

/// Each of these decodes to a message from eve in protobufjs 6.
#[test]
fn a_name_that_only_a_careless_reader_would_find_is_refused() {
    let eve = [0x12, 5, 0x12, 3, b'e', b'v', b'e'];
    for (start, why) in [
        (&[0x32, 7][..], "ackMessageId as a length, so that its value is read as more fields"),
        (
            &[0x22, 2, 0x12, 3, 0x9a, 0x06, 7],
            "a text longer than its content, so that an unknown field is read on inside",
        ),
        (&[0x92, 0x80, 0x80, 0x80, 0x10, 5, 0x12, 3, b'e', b'v', b'e'], "a tag that is another one in 32 bits"),
    ] {
        let body = [start, &eve].concat();
        assert!(rewrite_identity(&body, "alice", "bob").is_err(), "{why}");
        assert!(inspect(&body).is_err(), "{why}");
    }
}

#[test]
fn a_body_is_summed_up() {
    let body = text_body("alice", "bob", "hällo");
    let summary = inspect(&body).unwrap();
    assert_eq!((summary.kind, summary.content), (Some(MessageType::Chat), Some(ContentType::Text)));
    assert!(matches!(summary.text, Some(Cow::Borrowed("hällo"))));

    let receipt = Body::new(MessageType::ReadAck, "a", "b").about(531_049_524_365_361_152).encode();
    let summary = inspect(&receipt).unwrap();
    assert_eq!((summary.kind, summary.ack_message_id), (Some(MessageType::ReadAck), Some(531_049_524_365_361_152)));
    assert_eq!((summary.content, summary.text), (None, None));

    assert_eq!(inspect(&[]).unwrap().kind, Some(MessageType::Normal));
    assert_eq!(inspect(&[0x08, 99]).unwrap().kind, None);
    assert_eq!(inspect(&[0x58, 9]).unwrap().edit_message_id, Some(9));
    let command = Body::new(MessageType::Chat, "a", "b").content(Content { text: Some("x".into()), ..of_kind(6) });
    assert_eq!(inspect(&command.content(content::text("second")).encode()).unwrap().text, None);
}

fn of_kind(number: i32) -> Content {
    Content { r#type: Some(number), ..Content::default() }
}

#[test]
fn half_an_emoji_is_replaced_and_passed_on_as_it_is() {
    let body = [0x22, 5, 0x12, 3, 0xed, 0xa0, 0xbd];
    assert_eq!(inspect(&body).unwrap().text.as_deref(), Some("\u{fffd}\u{fffd}\u{fffd}"));
    assert!(rewrite_identity(&body, "a", "b").unwrap().ends_with(&body));
}

#[test]
fn a_servers_own_bodies_hold_what_was_given_and_no_more() {
    let file = Attachment { url: "http://f/1", secret: Some("s"), name: Some("n"), length: Some(9) };
    let size = Size { width: Some(1.0), height: Some(2.0) };
    let params = json!({"k": "v"});
    let params = params.as_object().unwrap();
    for (content, content_type) in [
        (content::image(file, Some(size)), ContentType::Image),
        (content::voice(file, Some(3)), ContentType::Voice),
        (content::video(file, Some(file), Some(3)), ContentType::Video),
        (content::file(file), ContentType::File),
        (content::location(1.5, -2.5, Some("street"), None), ContentType::Location),
        (content::command("do", params), ContentType::Command),
        (content::custom("event", params), ContentType::Custom),
    ] {
        let body = Body::new(MessageType::Chat, "a", "b").content(content.clone()).ext(params).encode();
        assert_eq!(inspect(&body).unwrap().content, Some(content_type));
        let body: MessageBody = read(&body).unwrap();
        assert_eq!((body.contents, body.ext), (vec![content.clone()], key_values(params)));
        assert_eq!(content.sub_type, None);
    }
    assert_eq!(content::video(file, None, None).thumbnail_remote_path, None);
}

#[test]
fn json_values_travel_as_their_types() {
    let object = json!({
        "bool": true, "int": -7, "long": 4_294_967_296_i64, "huge": u64::MAX, "double": 1.5, "text": "t",
        "object": {"a": [1]}, "list": [], "null": null,
    });
    let entries = key_values(object.as_object().unwrap());
    let entry = |key: &str| {
        let KeyValue { r#type, value, .. } = entries.iter().find(|entry| entry.key.as_deref() == Some(key)).unwrap();
        (ValueType::try_from(r#type.unwrap()).unwrap(), value.clone().unwrap())
    };
    let text = |text: &str| key_value::Value::Text(text.into());
    assert_eq!(entry("bool"), (ValueType::Bool, key_value::Value::Varint(1)));
    assert_eq!(entry("int"), (ValueType::Int, key_value::Value::Varint(-7)));
    assert_eq!(entry("long"), (ValueType::LlInt, key_value::Value::Varint(4_294_967_296)));
    assert_eq!(entry("huge"), (ValueType::Double, key_value::Value::Double(18_446_744_073_709_551_615.0)));
    assert_eq!(entry("double"), (ValueType::Double, key_value::Value::Double(1.5)));
    assert_eq!(entry("text"), (ValueType::String, text("t")));
    assert_eq!(entry("object"), (ValueType::JsonString, text(r#"{"a":[1]}"#)));
    assert_eq!(entry("list"), (ValueType::JsonString, text("[]")));
    assert_eq!(entry("null"), (ValueType::JsonString, text("null")));
}

#[test]
fn a_body_is_described_in_the_words_of_rest() {
    let file = Attachment { url: "http://f/1", secret: Some("s"), name: Some("n"), length: Some(9) };
    let size = Size { width: Some(1.0), height: Some(2.0) };
    let ext = json!({
        "bool": true, "int": -7, "long": 4_294_967_296_i64, "double": 1.5, "text": "t", "object": {"a": [1]}, "null": null,
    });
    let attached = |kind: &str, more: serde_json::Value| {
        let mut all = json!({ "type": kind, "url": "http://f/1", "secret": "s", "filename": "n", "file_length": 9 });
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    let still = json!({
        "length": 3, "thumb": "http://f/1", "thumb_secret": "s", "thumb_filename": "n", "thumb_file_length": 9,
    });
    let params = json!({"k": "v"});
    let params = params.as_object().unwrap();
    for (content, said) in [
        (content::text("h\u{e4}llo"), json!({ "type": "txt", "msg": "h\u{e4}llo" })),
        (content::image(file, Some(size)), attached("img", json!({ "size": { "width": 1.0, "height": 2.0 } }))),
        (content::voice(file, Some(3)), attached("audio", json!({ "length": 3 }))),
        (content::video(file, Some(file), Some(3)), attached("video", still)),
        (content::file(file), attached("file", json!({}))),
        (
            content::location(1.5, -2.5, Some("street"), None),
            json!({ "type": "loc", "lat": 1.5, "lng": -2.5, "addr": "street" }),
        ),
        (content::command("do", params), json!({ "type": "cmd", "action": "do", "params": { "k": "v" } })),
        (
            content::custom("event", params),
            json!({ "type": "custom", "customEvent": "event", "customExts": { "k": "v" } }),
        ),
        (of_kind(99), json!({ "type": "other" })),
    ] {
        let body = Body::new(MessageType::Chat, "a", "b").content(content).ext(ext.as_object().unwrap()).encode();
        let description = describe(&body).unwrap();
        assert_eq!((description.bodies, json!(description.ext)), (vec![said], ext.clone()));
    }
    assert_eq!(describe(&[]), Ok(Description::default()));
}

/// Who judges a message must see what its receiver will be shown.
#[test]
fn a_description_hides_nothing() {
    // Half an emoji beside the words.
    let broken = [0x22, 8, 0x12, 6, b'b', b'a', b'd', 0xed, 0xa0, 0xbd];
    assert_eq!(describe(&broken).unwrap().bodies, [json!({ "type": "txt", "msg": "bad\u{fffd}\u{fffd}\u{fffd}" })]);
    // A summary in a text, which the SDK shows when there is a subType.
    let summary = Content { summary: Some("bad".into()), sub_type: Some(0), ..content::text("good") };
    let said = json!({ "type": "txt", "msg": "good", "summary": "bad", "subType": 0 });
    let body = Body::new(MessageType::Chat, "a", "b").content(summary).content(content::text("second")).encode();
    assert_eq!(describe(&body).unwrap().bodies, [said, json!({ "type": "txt", "msg": "second" })]);
    // Said twice, the last holds, as in every reader.
    let twice = [0x22, 8, 0x12, 1, b'a', 0x12, 3, b'b', b'a', b'd'];
    assert_eq!(describe(&twice).unwrap().bodies, [json!({ "type": "txt", "msg": "bad" })]);
    // Another text beside the text.
    let beside = |meta: &str| {
        let more = MessageBody { meta: Some(meta.to_owned()), ..MessageBody::default() }.encode_to_vec();
        describe(&[text_body("a", "b", "good"), more].concat()).unwrap().bodies
    };
    for shown in [json!([{ "code": "en", "text": "bad" }]), json!("bad")] {
        let said = json!({ "type": "txt", "msg": "good", "translations": shown });
        assert_eq!(beside(&json!({ "translations": shown, "reaction": [1] }).to_string()), [said]);
    }
    assert_eq!(beside("{"), [json!({ "type": "txt", "msg": "good" })]);
    assert!(describe(&[0x22, 9, 0x12, 1, b'a']).is_err(), "what is malformed is refused as everywhere");
}

fn change(text: &str, ext: &[(&str, &str)], scope: EditScope) -> Vec<u8> {
    let ext = ext.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
    let mut body = Body::new(MessageType::Edit, "alice", "bob").content(content::text(text)).ext(&ext).encode();
    let more = MessageBody { edit_message_id: Some(7), edit_scope: Some(scope.into()), ..MessageBody::default() };
    body.extend(more.encode_to_vec());
    body
}

const FACTS: EditFacts<'_> = EditFacts { sender: "alice", sent_ms: 1, edited_ms: 2, count: 3 };

fn edited(message: &[u8], change: &[u8]) -> (MessageBody, MessageBody) {
    let Edited { message, news } = edit(message, change, &FACTS).unwrap().unwrap();
    (read(&message).unwrap(), read(&news).unwrap())
}

#[test]
fn a_changed_text_is_another_text_and_says_so() {
    let ext = json!({ "old": 1 }).as_object().unwrap().clone();
    let message = Body::new(MessageType::Chat, "alice", "bob").content(content::text("one")).ext(&ext).encode();
    let (stored, news) = edited(&message, &change("two", &[], EditScope::Body));
    assert_eq!((stored.r#type, news.r#type), (Some(MessageType::Chat.into()), Some(MessageType::Edit.into())));
    assert_eq!((stored.edit_message_id, news.edit_message_id), (None, Some(7)));
    for body in [stored, news] {
        assert_eq!((body.from, body.to), (Some(Jid::named("alice")), Some(Jid::named("bob"))));
        assert_eq!(body.contents, [content::text("two")]);
        assert_eq!(body.ext, key_values(&ext), "the extension was not meant");
        let meta: serde_json::Value = serde_json::from_str(&body.meta.unwrap()).unwrap();
        let facts = json!({ "sender": "alice", "send_time": 1, "chat_type": "chat:user", "count": 3,
            "operator": "alice", "edit_time": 2 });
        assert_eq!(meta, json!({ "edit_msg": facts }));
    }
    let (stored, news) = edited(&message, &change("two", &[("new", "x")], EditScope::BodyAndExt));
    for body in [stored, news] {
        assert_eq!(body.ext, key_values(json!({ "new": "x" }).as_object().unwrap()));
    }
}

#[test]
fn of_a_message_with_a_file_only_the_extension_changes_and_of_a_command_nothing() {
    let file =
        |url| Body::new(MessageType::Chat, "a", "b").content(content::file(Attachment { url, ..Default::default() }));
    let ext = json!({ "x": 1 }).as_object().unwrap().clone();
    let sent = MessageBody { edit_scope: Some(EditScope::BodyAndExt.into()), ..MessageBody::default() };
    let change = [file("other").ext(&ext).encode(), sent.encode_to_vec()].concat();
    let (stored, news) = edited(&file("mine").encode(), &change);
    for body in [stored, news] {
        assert_eq!(body.contents[0].remote_path.as_deref(), Some("mine"));
        assert_eq!(body.ext, key_values(&ext));
    }
    let command = Body::new(MessageType::Chat, "a", "b").content(content::command("x", &ext)).encode();
    assert_eq!(edit(&command, &command, &FACTS), Ok(None));
    assert_eq!(edit(&text_body("a", "b", "x"), &command, &FACTS), Ok(None), "a text does not become a command");
    assert_eq!(edit(&text_body("a", "b", "x"), &[], &FACTS), Ok(None));
}

#[test]
fn only_the_server_says_that_a_message_was_changed() {
    let forged = r#"{"edit_msg":{"sender":"eve"},"reaction":[],"isRead":true,"translations":[{"code":"zh"}]}"#;
    let more = MessageBody { meta: Some(forged.to_owned()), ..MessageBody::default() }.encode_to_vec();
    let body = [text_body("a", "b", "x"), more].concat();
    assert!(inspect(&body).unwrap().has_meta);
    let cleaned = clean_meta(&body).unwrap();
    let read_back: MessageBody = read(&cleaned).unwrap();
    assert_eq!(read_back.meta.as_deref(), Some(r#"{"translations":[{"code":"zh"}]}"#));
    assert_eq!(read_back.contents, [content::text("x")]);
    let nonsense = MessageBody { meta: Some("{".to_owned()), ..MessageBody::default() }.encode_to_vec();
    assert_eq!(clean_meta(&nonsense), Ok(Vec::new()));
    let said = add_meta(&cleaned, json!({ "reaction": [1] }).as_object().unwrap()).unwrap();
    let said: MessageBody = read(&said).unwrap();
    let meta: serde_json::Value = serde_json::from_str(&said.meta.unwrap()).unwrap();
    assert_eq!(meta, json!({ "translations": [{ "code": "zh" }], "reaction": [1] }));
}

#[test]
fn a_body_is_spelled_as_the_rest_replies_do() {
    let ext = json!({ "whole": 7, "big": 5_000_000_000_i64, "real": 1.5, "yes": true, "text": "x", "nested": [1] });
    let ext = ext.as_object().unwrap();
    let shown = |content: Content| {
        let body = Body::new(MessageType::Chat, "a", "b").content(content).ext(ext).encode();
        let Digest { bodies, ext: shown, .. } = digest(&body).unwrap();
        assert_eq!(&shown, ext);
        bodies.into_iter().next().unwrap()
    };
    let file = Attachment { url: "u", secret: Some("s"), name: Some("n"), length: Some(9) };
    let of_file = |kind: &str| json!({ "type": kind, "url": "u", "secret": "s", "filename": "n", "file_length": 9 });
    assert_eq!(shown(content::text("hi")), json!({ "type": "txt", "msg": "hi" }));
    assert_eq!(shown(content::file(file)), of_file("file"));
    let voice = shown(content::voice(file, Some(3)));
    assert_eq!((&voice["type"], &voice["length"]), (&json!("audio"), &json!(3)));
    let image = shown(content::image(file, Some(Size { width: Some(4.0), height: Some(5.0) })));
    assert_eq!((&image["type"], &image["size"]), (&json!("img"), &json!({ "width": 4.0, "height": 5.0 })));
    let video = shown(content::video(file, Some(file), Some(3)));
    assert_eq!((&video["thumb"], &video["thumb_secret"], &video["length"]), (&json!("u"), &json!("s"), &json!(3)));
    assert_eq!(shown(content::command("go", ext)), json!({ "type": "cmd", "action": "go" }));
    let place = json!({ "type": "loc", "lat": 1.0, "lng": 2.0, "addr": "a", "buildingName": "b" });
    assert_eq!(shown(content::location(1.0, 2.0, Some("a"), Some("b"))), place);
    let custom = json!({ "type": "custom", "customEvent": "e", "customExts": [ext] });
    assert_eq!(shown(content::custom("e", ext)), custom);
    let unknown = Content { r#type: Some(99), ..Content::default() };
    let body = Body::new(MessageType::Chat, "a", "b").content(unknown).encode();
    assert_eq!(digest(&body).unwrap().bodies, [] as [serde_json::Value; 0]);
}
