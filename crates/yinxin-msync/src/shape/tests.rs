//! Each way of hiding bytes from a careless reader, and the bound on memory.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn field(number: u64, bytes: &[u8]) -> Vec<u8> {
    [&*varint(number << 3 | 2), &*varint(bytes.len() as u64), bytes].concat()
}

fn varint(number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    prost::encoding::encode_varint(number, &mut bytes);
    bytes
}

#[test]
fn a_length_where_a_number_belongs_is_refused_at_every_depth() {
    let spoofed_from = field(2, &field(2, b"eve"));
    for body in [
        field(1, &spoofed_from),
        field(6, &spoofed_from),
        field(4, &field(1, &spoofed_from)),
        field(4, &field(20, &field(3, &spoofed_from))),
        field(13, &field(2, &spoofed_from)),
    ] {
        assert_eq!(check::<wire::MessageBody>(&body), Err(Malformed("a field of the wrong type")));
    }
}

#[test]
fn an_inner_field_that_reaches_beyond_its_message_is_refused() {
    // A content of two bytes whose text claims five, followed by what such a reader would take for the text.
    let body = [&field(4, &[0x12, 5])[..], &field(5, b"")].concat();
    assert_eq!(check::<wire::MessageBody>(&body), Err(Malformed("a field longer than its message")));
}

#[test]
fn unknown_fields_pass_at_every_depth() {
    let content = [field(2, b"hi"), vec![0xf8, 0x01, 7]].concat();
    let body = [field(4, &content), vec![0xfd, 0x7f, 1, 2, 3, 4], field(15, b"\xff")].concat();
    assert_eq!(check::<wire::MessageBody>(&body), Ok(()));
    assert_eq!(read::<wire::MessageBody>(&body).unwrap().contents[0].text.as_deref(), Some("hi"));
}

#[test]
fn lists_of_tiny_elements_are_bounded_by_the_memory_they_would_take() {
    let too_many = Err(Malformed("too many list elements"));
    let contents = LIST_BYTES / size_of::<wire::Content>();
    assert_eq!(check::<wire::MessageBody>(&field(4, b"").repeat(contents)), Ok(()));
    assert_eq!(check::<wire::MessageBody>(&field(4, b"").repeat(contents + 1)), too_many);
    assert_eq!(check::<wire::CommSyncUl>(&field(1, &field(10, b"")).repeat(LIST_BYTES / 24 + 1)), too_many);

    let packed = field(22, &[0].repeat(LIST_BYTES / 4 + 1));
    assert_eq!(check::<wire::Provision>(&packed), too_many);
}

#[test]
fn what_a_shape_lets_pass_is_what_the_structs_read() {
    let full = wire::Provision {
        os_type: Some(16),
        status: Some(wire::Status { redirect_info: vec![wire::RedirectInfo::default()], ..wire::Status::ok() }),
        encrypt_type: vec![0, 1],
        protocol_compress_type: vec![2],
        protocol_compress_direction: Some(2),
        is_manual_login: Some(true),
        os_custom_value: Some(7),
        reason: Some("r".into()),
        ..wire::Provision::default()
    };
    assert_eq!(read::<wire::Provision>(&full.encode_to_vec()), Ok(full));
    assert_eq!(read::<wire::Jid>(&field(2, b"\xff")), Err(Malformed("a text that is not UTF-8")));
}

/// Fields of every number and type, four messages deep, some of them text.
fn soup() -> impl Strategy<Value = Vec<u8>> {
    let level = |inner: BoxedStrategy<Vec<u8>>| {
        let value = prop_oneof![
            1 => any::<u64>().prop_map(|number| (0, varint(number))),
            1 => any::<[u8; 8]>().prop_map(|bytes| (1, bytes.into())),
            1 => any::<[u8; 4]>().prop_map(|bytes| (5, bytes.into())),
            6 => inner.prop_map(|bytes| (2, [varint(bytes.len() as u64), bytes].concat())),
        ];
        vec((1_u64..26, value), 0..3)
            .prop_map(|fields| {
                fields
                    .into_iter()
                    .flat_map(|(number, (wire_type, value))| [varint(number << 3 | wire_type), value].concat())
                    .collect()
            })
            .boxed()
    };
    level(level(level("[a-z]{0,3}".prop_map(String::into_bytes).boxed())))
}

/// A shape leaves nothing to the struct's decoder but to look inside texts.
fn agrees<T: Shaped>(bytes: &[u8]) {
    match (T::decode(bytes), check::<T>(bytes)) {
        (Ok(_), checked) => assert_eq!(checked, Ok(())),
        (Err(_), Err(_)) => {}
        (Err(error), Ok(())) => assert!(error.to_string().contains("UTF-8"), "{error}"),
    }
}

proptest! {
    #[test]
    fn shapes_and_structs_agree(bytes in soup()) {
        agrees::<wire::Jid>(&bytes);
        agrees::<wire::Provision>(&bytes);
        agrees::<wire::Logout>(&bytes);
        agrees::<wire::CommSyncUl>(&bytes);
        agrees::<wire::MessageBody>(&bytes);
        agrees::<wire::RosterBody>(&bytes);
        agrees::<wire::StatisticsBody>(&bytes);
        agrees::<wire::MucBody>(&bytes);
    }
}
