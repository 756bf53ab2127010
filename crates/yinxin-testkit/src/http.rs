//! A small blocking HTTP/1.1 client over a plain socket: it sends exactly the bytes it is given, so a test can set any
//! Host, any body and any malformed request. One request per connection; it adds nothing but `host`,
//! `connection: close` and `content-length`. Knows no TLS, no redirects and no cookies.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long a test waits for the next bytes of a reply, and for room to send more of a request.
const TIMEOUT: Duration = Duration::from_secs(10);
/// No reply of a test is larger than this.
const BODY_MAX: u64 = 64 << 20;
/// Neither is the head of a reply, in bytes.
const HEAD_MAX: u64 = 64 << 10;

/// A reply: its status, its headers in order with lower-case names, and its body with the chunking taken off.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Name (lower case) and value of every header, in the order they came.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// The first header of that name, given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The body as text, whatever it holds.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Result<serde_json::Value> {
        serde_json::from_slice(&self.body)
    }
}

/// Sends one request and reads its reply. `target` goes into the request line as it is.
pub fn request(
    addr: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: Option<&[u8]>,
) -> io::Result<Response> {
    let has = |name: &str| headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
    let mut lines = vec![format!("{method} {target} HTTP/1.1")];
    lines.extend(headers.iter().map(|(name, value)| format!("{name}: {value}")));
    if !has("host") {
        lines.push(format!("host: {addr}"));
    }
    if !has("connection") {
        lines.push("connection: close".to_owned());
    }
    if let Some(body) = body
        && !has("content-length")
        && !has("transfer-encoding")
    {
        lines.push(format!("content-length: {}", body.len()));
    }
    let mut bytes = (lines.join("\r\n") + "\r\n\r\n").into_bytes();
    bytes.extend_from_slice(body.unwrap_or_default());
    exchange(addr, &bytes, method == "HEAD")
}

/// Sends these bytes, well-formed or not, and reads the reply.
pub fn send(addr: SocketAddr, bytes: &[u8]) -> io::Result<Response> {
    exchange(addr, bytes, bytes.starts_with(b"HEAD "))
}

fn exchange(addr: SocketAddr, bytes: &[u8], bodiless: bool) -> io::Result<Response> {
    let mut stream = TcpStream::connect_timeout(&addr, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    // A server may answer and close before it has read everything (413): the reply says more than the broken pipe.
    let sent = stream.write_all(bytes);
    match read_reply(BufReader::new(stream), bodiless) {
        Err(_) if sent.is_err() => Err(sent.unwrap_err()),
        reply => reply,
    }
}

fn read_reply(mut from: impl BufRead, bodiless: bool) -> io::Result<Response> {
    let (status, headers) = loop {
        let head = read_head(&mut from)?;
        if head.0 / 100 != 1 {
            break head;
        }
    };
    let mut reply = Response { status, headers, body: Vec::new() };
    if bodiless || status == 204 || status == 304 {
        return Ok(reply);
    }
    let chunked = reply.header("transfer-encoding").is_some_and(|v| v.eq_ignore_ascii_case("chunked"));
    reply.body = if chunked {
        read_chunks(&mut from)?
    } else if let Some(length) = reply.header("content-length") {
        read_exactly(&mut from, length.parse().map_err(|_| bad("content-length", length))?)?
    } else {
        let mut body = Vec::new();
        from.take(BODY_MAX).read_to_end(&mut body)?;
        body
    };
    Ok(reply)
}

fn read_head(from: &mut impl BufRead) -> io::Result<(u16, Vec<(String, String)>)> {
    let mut from = from.take(HEAD_MAX);
    let first = read_line(&mut from)?;
    let status = first.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)).and_then(|code| code.parse().ok());
    let status = status.ok_or_else(|| bad("status line", &first))?;
    let mut headers = Vec::new();
    loop {
        let line = read_line(&mut from)?;
        if line.is_empty() {
            return Ok((status, headers));
        }
        let (name, value) = line.split_once(':').ok_or_else(|| bad("header", &line))?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
}

fn read_chunks(from: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = read_line(from)?;
        let digits = line.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(digits, 16).map_err(|_| bad("chunk size", &line))?;
        if size == 0 {
            while !read_line(from)?.is_empty() {} // trailers
            return Ok(body);
        }
        body.extend(read_exactly(from, size)?);
        if body.len() as u64 > BODY_MAX || !read_line(from)?.is_empty() {
            return Err(bad("chunk", &line));
        }
    }
}

fn read_exactly(from: &mut impl BufRead, length: u64) -> io::Result<Vec<u8>> {
    if length > BODY_MAX {
        return Err(bad("length", &length.to_string()));
    }
    let mut body = Vec::new();
    from.take(length).read_to_end(&mut body)?;
    if (body.len() as u64) < length {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, format!("{} of {length} bytes came", body.len())));
    }
    Ok(body)
}

fn read_line(from: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    from.read_until(b'\n', &mut line)?;
    if line.pop() != Some(b'\n') {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the reply ends inside a line"));
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    String::from_utf8(line).map_err(|e| bad("line", &e.to_string()))
}

fn bad(what: &str, value: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("bad {what} in the reply: {value:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(bytes: &str) -> io::Result<Response> {
        read_reply(bytes.as_bytes(), false)
    }

    #[test]
    fn reads_the_three_ways_a_body_ends() {
        let counted = reply("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi more").unwrap();
        assert_eq!((counted.status, counted.text().as_str()), (200, "hi"));
        let chunked =
            reply("HTTP/1.1 201 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n1;x=y\r\n!\r\n0\r\n\r\n").unwrap();
        assert_eq!((chunked.status, chunked.text().as_str()), (201, "hi!"));
        let closed = reply("HTTP/1.0 404 Not Found\r\nX-A: b\r\n\r\nto the end").unwrap();
        assert_eq!((closed.header("x-a"), closed.text().as_str()), (Some("b"), "to the end"));
    }

    #[test]
    fn skips_interim_replies_and_bodiless_ones() {
        let reply = reply("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\nnot a body").unwrap();
        assert_eq!((reply.status, reply.body.len()), (204, 0));
    }

    #[test]
    fn a_reply_cut_short_is_an_error() {
        for bytes in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhi", "nonsense\r\n\r\n"] {
            assert!(reply(bytes).is_err(), "{bytes:?}");
        }
    }
}
