//! What holds for every input: nothing panics, a rewritten body differs in two names only, what is written is read.

use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;
use yinxin_msync::body::{EditFacts, clean_meta, describe, digest, edit, inspect, rewrite_identity, text_body};
use yinxin_msync::fields::fields;
use yinxin_msync::sockjs::{self, Limits};
use yinxin_msync::wire::{CommSyncUl, Content, Jid, KeyValue, MSync, MessageBody, Meta, key_value};
use yinxin_msync::{Frame, decode};

/// Bytes that look like fields more often than not: a tag of a small number, then something.
fn field_soup() -> impl Strategy<Value = Vec<u8>> {
    let field = (1_u8..26, prop_oneof![Just(0_u8), Just(1), Just(2), Just(5), 0_u8..8], vec(any::<u8>(), 0..12))
        .prop_map(|(number, wire_type, mut value)| {
            let mut bytes = Vec::new();
            prost::encoding::encode_varint(u64::from(number) << 3 | u64::from(wire_type), &mut bytes);
            match wire_type {
                0 => value = vec![value.first().map_or(0, |byte| byte & 0x7f)],
                1 => value.resize(8, 1),
                2 => value.insert(0, u8::try_from(value.len()).unwrap()),
                5 => value.resize(4, 1),
                _ => {}
            }
            bytes.extend(value);
            bytes
        });
    vec(field, 0..12).prop_map(|fields| fields.concat())
}

fn soup() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![vec(any::<u8>(), 0..200), field_soup()]
}

fn jid() -> impl Strategy<Value = Jid> {
    (any::<Option<String>>(), any::<Option<String>>()).prop_map(|(app_key, name)| Jid {
        app_key,
        name,
        ..Jid::default()
    })
}

fn key_value() -> impl Strategy<Value = KeyValue> {
    let value = prop_oneof![
        any::<i64>().prop_map(key_value::Value::Varint),
        any::<f32>().prop_map(key_value::Value::Float),
        any::<f64>().prop_map(key_value::Value::Double),
        any::<String>().prop_map(key_value::Value::Text),
    ];
    (any::<Option<String>>(), any::<Option<i32>>(), proptest::option::of(value))
        .prop_map(|(key, r#type, value)| KeyValue { key, r#type, value })
}

/// A body of the schema, with unknown fields somewhere.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let content = (any::<Option<i32>>(), any::<Option<String>>(), any::<Option<i32>>(), vec(key_value(), 0..3))
        .prop_map(|(r#type, text, sub_type, params)| Content { r#type, text, sub_type, params, ..Content::default() });
    let known = (
        any::<Option<i32>>(),
        proptest::option::of(jid()),
        proptest::option::of(jid()),
        vec(content, 0..3),
        vec(key_value(), 0..3),
        any::<Option<u64>>(),
    )
        .prop_map(|(r#type, from, to, contents, ext, ack_message_id)| {
            MessageBody { r#type, from, to, contents, ext, ack_message_id, ..MessageBody::default() }.encode_to_vec()
        });
    let unknown = (14_u64..10_000, vec(any::<u8>(), 0..20)).prop_map(|(number, value)| {
        let mut bytes = Vec::new();
        prost::encoding::encode_varint(number << 3 | 2, &mut bytes);
        prost::encoding::encode_varint(value.len() as u64, &mut bytes);
        [bytes, value].concat()
    });
    vec(prop_oneof![known, unknown], 0..4).prop_map(|parts| parts.concat())
}

/// Every field but from and to, as it lies there.
fn others(body: &[u8]) -> Vec<&[u8]> {
    fields(body).map(Result::unwrap).filter(|field| !matches!(field.number, 2 | 3)).map(|field| field.raw).collect()
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in soup(), text in ".{0,80}") {
        let _ = decode(&bytes);
        let _ = sockjs::parse_client(&text, Limits::default());
        let rewritten = rewrite_identity(&bytes, "a", "b");
        prop_assert_eq!(rewritten.is_ok(), inspect(&bytes).is_ok());
        prop_assert_eq!(rewritten.is_ok(), describe(&bytes).is_ok());
        prop_assert_eq!(rewritten.is_ok(), clean_meta(&bytes).is_ok());
        let _ = digest(&bytes);
        let _ = edit(&bytes, &bytes, &EditFacts { sender: "a", sent_ms: 0, edited_ms: 0, count: 1 });
        if let Ok(body) = rewritten {
            prop_assert!(body.len() <= bytes.len() + 10);
        }
    }

    #[test]
    fn no_payload_panics(command in 0_i32..6, payload in soup()) {
        let frame = MSync {
            guid: Some(Jid::named("a")), command: Some(command), payload: Some(payload), ..MSync::default()
        };
        let _ = decode(&frame.encode_to_vec());
    }

    #[test]
    fn a_rewritten_body_differs_in_the_two_names_only(body in body(), from in ".{0,9}", to in ".{0,9}") {
        let rewritten = rewrite_identity(&body, &from, &to).unwrap();
        prop_assert_eq!(others(&rewritten), others(&body));
        let names: Vec<_> = fields(&rewritten)
            .map(Result::unwrap)
            .filter(|field| matches!(field.number, 2 | 3))
            .map(|field| (field.number, Jid::decode(field.bytes().unwrap()).unwrap()))
            .collect();
        prop_assert_eq!(names, [(2, Jid::named(&from)), (3, Jid::named(&to))]);
        prop_assert_eq!(rewrite_identity(&rewritten, &from, &to), Ok(rewritten.clone()));
        prop_assert_eq!(inspect(&rewritten), inspect(&body));
        prop_assert_eq!(describe(&rewritten), describe(&body));
    }

    #[test]
    fn whatever_the_bytes_a_rewritten_body_says_the_truth(body in field_soup()) {
        if let Ok(rewritten) = rewrite_identity(&body, "alice", "bob")
            && let Ok(read) = MessageBody::decode(&*rewritten)
        {
            prop_assert_eq!((read.from, read.to), (Some(Jid::named("alice")), Some(Jid::named("bob"))));
        }
    }

    #[test]
    fn what_a_client_sends_is_what_is_read(
        id in any::<Option<u64>>(), to in jid(), ns in any::<Option<i32>>(), payload in vec(any::<u8>(), 0..50),
        ext in vec(key_value(), 0..4), directed_users in vec(".{0,5}", 0..4), key in any::<Option<u64>>(),
    ) {
        let meta = Meta { id, to: Some(to), ns, payload: Some(payload), ext, directed_users, ..Meta::default() };
        let sync = CommSyncUl { meta: Some(meta), key, ..CommSyncUl::default() };
        let frame = MSync { command: Some(0), payload: Some(sync.encode_to_vec()), ..MSync::default() };
        let Ok(Frame::Sync(read)) = decode(&frame.encode_to_vec()) else { return Err(TestCaseError::fail("refused")) };
        // NaN is not itself, so the bytes are compared.
        prop_assert_eq!(read.encode_to_vec(), sync.encode_to_vec());
    }

    #[test]
    fn a_text_is_read_back(text in ".{0,200}") {
        let body = text_body("a", "b", &text);
        let summary = inspect(&body).unwrap();
        prop_assert_eq!(summary.text.as_deref(), Some(&*text));
    }

    #[test]
    fn sockjs_hands_over_what_it_was_given(frame in vec(any::<u8>(), 0..300)) {
        let text = sockjs::message(&frame);
        prop_assert_eq!(sockjs::parse_client(&text[1..], Limits::default()), Ok(vec![frame]));
    }
}
