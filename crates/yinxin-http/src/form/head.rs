//! The head of a form and of its fields.

use percent_encoding::percent_decode;

/// Bytes of a boundary, by RFC 2046.
const BOUNDARY_BYTES_MAX: usize = 70;

/// What a form says of a field.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// The file's name, when it is a file.
    pub file_name: Option<String>,
    /// Its content type, as it was sent.
    pub content_type: Option<String>,
}

impl Field {
    /// Reads the lines of a head, which need not be UTF-8.
    pub(super) fn read(head: &[u8]) -> Result<Self, &'static str> {
        let mut field = Self::default();
        let mut named = None;
        for line in head.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty()) {
            let at = line.iter().position(|&byte| byte == b':').ok_or("a line of a field's head has no colon")?;
            let (label, value) = (line[..at].trim_ascii_end(), line[at + 1..].trim_ascii_start());
            if label.eq_ignore_ascii_case(b"content-disposition") {
                let (kind, parameters) = parameters(value);
                if !kind.eq_ignore_ascii_case(b"form-data") {
                    return Err("a part is no field of a form");
                }
                named = text(&parameters, b"name");
                field.file_name = extended(&parameters, b"filename*").or_else(|| text(&parameters, b"filename"));
            } else if label.eq_ignore_ascii_case(b"content-type") {
                field.content_type = Some(String::from_utf8_lossy(value).into_owned());
            }
        }
        field.name = named.ok_or("a field has no name")?;
        Ok(field)
    }
}

/// The boundary that a form's content type names.
pub(super) fn boundary(content_type: &[u8]) -> Option<Vec<u8>> {
    let (kind, parameters) = parameters(content_type);
    if !kind.eq_ignore_ascii_case(b"multipart/form-data") {
        return None;
    }
    let (_, boundary) = parameters.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(b"boundary"))?;
    let legal = (1..=BOUNDARY_BYTES_MAX).contains(&boundary.len()) && boundary.iter().all(|byte| *byte >= b' ');
    legal.then_some(boundary)
}

type Parameter<'a> = (&'a [u8], Vec<u8>);

/// A value and its parameters: `value; name=text; name="quoted text"`.
fn parameters(line: &[u8]) -> (&[u8], Vec<Parameter<'_>>) {
    let end = line.iter().position(|&byte| byte == b';').unwrap_or(line.len());
    let (value, mut rest) = line.split_at(end);
    let mut found = Vec::new();
    while let Some((_, parameter)) = rest.split_first() {
        let Some(at) = parameter.iter().position(|&byte| matches!(byte, b'=' | b';')) else { break };
        let name = parameter[..at].trim_ascii();
        if parameter[at] == b';' {
            rest = &parameter[at..];
            continue;
        }
        let (text, after) = quoted_or_bare(parameter[at + 1..].trim_ascii_start());
        found.push((name, text));
        rest = after.iter().position(|&byte| byte == b';').map_or(&[], |at| &after[at..]);
    }
    (value.trim_ascii(), found)
}

/// A text at the beginning, and what follows it. In quotes a backslash escapes a quote or itself; before anything else
/// it is one, as in the paths that some clients send.
fn quoted_or_bare(from: &[u8]) -> (Vec<u8>, &[u8]) {
    let Some((b'"', mut rest)) = from.split_first() else {
        let end = from.iter().position(|&byte| byte == b';').unwrap_or(from.len());
        return (from[..end].trim_ascii_end().to_vec(), &from[end..]);
    };
    let mut text = Vec::new();
    loop {
        match rest {
            [] => return (text, rest),
            [b'"', after @ ..] => return (text, after),
            [b'\\', escaped @ (b'"' | b'\\'), after @ ..] => {
                text.push(*escaped);
                rest = after;
            }
            [byte, after @ ..] => {
                text.push(*byte);
                rest = after;
            }
        }
    }
}

fn text(parameters: &[Parameter<'_>], name: &[u8]) -> Option<String> {
    let (_, text) = parameters.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
    // Browsers write these three, and nothing else, as percent signs and digits.
    Some(String::from_utf8_lossy(text).replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n"))
}

/// A text in the form `UTF-8''percent%20encoded` (RFC 8187).
fn extended(parameters: &[Parameter<'_>], name: &[u8]) -> Option<String> {
    let (_, text) = parameters.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
    let mut parts = text.splitn(3, |&byte| byte == b'\'');
    let (charset, encoded) = (parts.next()?, parts.nth(1)?);
    charset.eq_ignore_ascii_case(b"utf-8").then(|| percent_decode(encoded).decode_utf8_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(head: &str) -> Result<(String, Option<String>, Option<String>), &'static str> {
        Field::read(head.as_bytes()).map(|field| (field.name, field.file_name, field.content_type))
    }

    #[test]
    fn heads_are_read_as_clients_write_them() {
        let file = |name: &str| Ok(("file".to_owned(), Some(name.to_owned()), None));
        for (line, expected) in [
            (r#"form-data; name="file"; filename="a b.txt""#, file("a b.txt")),
            ("form-data; name=file; filename=a.txt", file("a.txt")),
            (r#"form-data;name="file";filename="小.png""#, file("小.png")),
            (r#"form-data; name="file"; filename="a%22b%0D%0Ac%20d""#, file("a\"b\r\nc%20d")),
            (r#"form-data; name="file"; filename="a\"b\\c\d""#, file(r#"a"b\c\d"#)),
            (r#"form-data; name="file"; filename="x"; filename*=UTF-8''%E5%B0%8F.png"#, file("小.png")),
            (r#"form-data; name="file"; filename="x"; filename*=latin1''%E5"#, file("x")),
            (r#"form-data; name="file"; filename="no end; "#, file("no end;")),
            (r#"form-data; flag; name="file"; filename="""#, file("")),
            ("attachment; name=file", Err("a part is no field of a form")),
            ("form-data; filename=a", Err("a field has no name")),
            ("form-data", Err("a field has no name")),
        ] {
            assert_eq!(read(&format!("content-disposition: {line}")), expected, "{line}");
        }
        let two = "Content-Type: image/png\r\nContent-Disposition: form-data; name=\"n\"";
        assert_eq!(read(two), Ok(("n".into(), None, Some("image/png".into()))));
        assert_eq!(read("nonsense"), Err("a line of a field's head has no colon"));
        assert_eq!(read(""), Err("a field has no name"));
    }

    #[test]
    fn a_form_is_known_by_its_boundary() {
        for (content_type, found) in [
            ("multipart/form-data; boundary=abc", Some("abc")),
            ("Multipart/Form-Data;charset=utf-8; Boundary=\"a b\"", Some("a b")),
            ("multipart/form-data; boundary=", None),
            ("multipart/form-data", None),
            ("multipart/mixed; boundary=abc", None),
            ("application/json", None),
            ("", None),
        ] {
            assert_eq!(boundary(content_type.as_bytes()).as_deref(), found.map(str::as_bytes), "{content_type}");
        }
        let long = format!("multipart/form-data; boundary={}", "x".repeat(71));
        assert_eq!(boundary(long.as_bytes()), None);
    }
}
