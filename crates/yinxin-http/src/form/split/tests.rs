//! Whole forms, in whatever pieces they come.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// A field's name and bytes.
type Read = Vec<(String, Vec<u8>)>;

/// Reads a form that comes in pieces of those lengths, the last again and again.
fn read(form: &[u8], lengths: &[usize]) -> Result<Read, &'static str> {
    let mut splitter = Splitter::new(b"XX");
    let mut fields: Read = Vec::new();
    let mut rest = form;
    let mut lengths = lengths.iter();
    let mut length = form.len();
    loop {
        match splitter.next()? {
            Some(Event::Field(field)) => fields.push((field.name, Vec::new())),
            Some(Event::Data(data)) => {
                assert!(!data.is_empty());
                fields.last_mut().unwrap().1.extend_from_slice(&data);
            }
            Some(Event::End) => {}
            Some(Event::Over) => return Ok(fields),
            None if rest.is_empty() => return Err("no end"),
            None => {
                length = lengths.next().copied().unwrap_or(length).clamp(1, rest.len());
                splitter.push(&rest[..length]);
                rest = &rest[length..];
            }
        }
    }
}

fn form(fields: &[(&str, &[u8])]) -> Vec<u8> {
    let mut form = Vec::new();
    for (name, data) in fields {
        let head = format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
        form.extend_from_slice(&[head.as_bytes(), data, b"\r\n"].concat());
    }
    form.extend_from_slice(b"--XX--\r\n");
    form
}

#[test]
fn a_form_is_read_whatever_pieces_it_comes_in() {
    let fields: [(&str, &[u8]); 4] =
        [("file", b"one\r\n--X\r\r\n--Xtwo\r\n\r\n"), ("empty", b""), ("line", b"\r\n"), ("last", b"\r\n-")];
    let form = form(&fields);
    let expected: Read = fields.iter().map(|(name, data)| ((*name).to_owned(), data.to_vec())).collect();
    for length in 1..=form.len() {
        assert_eq!(read(&form, &[length]).as_ref(), Ok(&expected), "{length}");
    }
}

#[test]
fn preambles_blanks_and_epilogues_mean_nothing() {
    let head = "Content-Disposition: form-data; name=a\r\n\r\n";
    let one = Ok(vec![("a".to_owned(), b"1".to_vec())]);
    for form in [
        format!("--XX\r\n{head}1\r\n--XX--"),
        format!("\r\n--XX\r\n{head}1\r\n--XX--\r\nand more"),
        format!("before\r\n--X\r\n--XX \t\r\n{head}1\r\n--XX--\r\n"),
    ] {
        assert_eq!(read(form.as_bytes(), &[3]), one, "{form}");
    }
    assert_eq!(read(b"--XX--", &[1]), Ok(Vec::new()));
}

#[test]
fn what_is_malformed_is_said() {
    let head = "Content-Disposition: form-data; name=a\r\n\r\n";
    for (form, fault) in [
        (String::new(), "no end"),
        ("--XX".into(), "no end"),
        ("--XX-".into(), "no end"),
        (format!("--XX\r\n{head}1"), "no end"),
        (format!("--XX\r\n{head}1\r\n--XX"), "no end"),
        (format!("--XXX\r\n{head}1\r\n--XX--"), "a boundary is followed by something else"),
        (format!("--XX{}\r\n{head}", " ".repeat(65)), "a boundary is followed by something else"),
        ("--XX\r\n\r\nno head".into(), "a field has no name"),
        (format!("--XX\r\nX: {}\r\n\r\n", "x".repeat(HEAD_BYTES_MAX)), "the head of a field is too long"),
        (format!("--XX\r\nX: {}", "x".repeat(HEAD_BYTES_MAX)), "the head of a field is too long"),
        (format!("--XX\r\n{head}\r\n").repeat(FIELDS_MAX + 1), "it has too many fields"),
    ] {
        assert_eq!(read(form.as_bytes(), &[7]), Err(fault), "{form}");
        assert_eq!(read(form.as_bytes(), &[1 << 20]), Err(fault), "{form}");
    }
}

proptest! {
    #[test]
    fn any_bytes_come_out_as_they_went_in(
        data in vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'-'), Just(b'X'), any::<u8>()], 0..300),
        lengths in vec(1..40_usize, 0..60),
    ) {
        prop_assume!(memmem::find(&data, b"\r\n--XX").is_none());
        let whole = form(&[("a", &data), ("b", b"after")]);
        prop_assert_eq!(read(&whole, &lengths), Ok(vec![("a".to_owned(), data), ("b".to_owned(), b"after".to_vec())]));
    }

    #[test]
    fn nonsense_never_panics_and_never_piles_up(
        pieces in vec(prop_oneof![
            Just(b"\r\n--XX".to_vec()),
            Just(b"--XX\r\n".to_vec()),
            Just(b"Content-Disposition: form-data; name=\"".to_vec()),
            Just(b"\r\n\r\n".to_vec()),
            vec(any::<u8>(), 0..100),
        ], 0..40),
    ) {
        let mut splitter = Splitter::new(b"XX");
        'all: for piece in pieces {
            splitter.push(&piece);
            loop {
                match splitter.next() {
                    Ok(None) => break,
                    Ok(Some(Event::Over)) | Err(_) => break 'all,
                    Ok(Some(_)) => {}
                }
            }
            prop_assert!(splitter.buffer.len() <= HEAD_BYTES_MAX + piece.len());
        }
    }
}
