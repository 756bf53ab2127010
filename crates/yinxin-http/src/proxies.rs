//! Who the client is when proxies stand between.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;

use crate::Network;

/// Whether that address is one of the trusted proxies.
pub(crate) fn is_trusted(address: IpAddr, trusted: &[Network]) -> bool {
    trusted.iter().any(|network| network.contains(address))
}

/// The client by `X-Forwarded-For`, to be asked only when the peer is trusted: the rightmost address that is no
/// trusted proxy. What stands further left was written by somebody we do not know.
pub(crate) fn client_behind(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let mut nearest = peer;
    for line in headers.get_all("x-forwarded-for").iter().rev() {
        let Ok(line) = line.to_str() else { return nearest };
        for hop in line.rsplit(',') {
            let Some(hop) = address_in(hop.trim()) else { return nearest };
            nearest = hop;
            if !is_trusted(hop, trusted) {
                return hop;
            }
        }
    }
    nearest
}

/// Whether the trusted peer says that the client spoke TLS: its own word is the rightmost.
pub(crate) fn https_behind(headers: &HeaderMap) -> bool {
    let last = headers.get_all("x-forwarded-proto").iter().next_back();
    last.and_then(|line| line.to_str().ok())
        .and_then(|line| line.rsplit(',').next())
        .is_some_and(|word| word.trim().eq_ignore_ascii_case("https"))
}

/// An address as proxies write it: bare, in brackets, with or without a port.
fn address_in(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse::<IpAddr>().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rightmost_untrusted_address_is_the_client() {
        let trusted: Vec<Network> = ["127.0.0.0/8", "10.0.0.0/8"].map(|text| text.parse().unwrap()).to_vec();
        for (lines, client) in [
            (&[] as &[&str], "127.0.0.1"),
            (&["203.0.113.9"], "203.0.113.9"),
            (&["1.1.1.1, 203.0.113.9"], "203.0.113.9"),
            (&["1.1.1.1, 203.0.113.9, 10.0.0.3"], "203.0.113.9"),
            (&["1.1.1.1", "203.0.113.9", "10.0.0.3,10.0.0.4"], "203.0.113.9"),
            (&["10.0.0.3, 10.0.0.4"], "10.0.0.3"),
            (&["unknown"], "127.0.0.1"),
            (&["203.0.113.9, unknown, 10.0.0.3"], "10.0.0.3"),
            (&["203.0.113.9:4711"], "203.0.113.9"),
            (&["::ffff:203.0.113.9"], "203.0.113.9"),
            (&["[2001:db8::1]"], "2001:db8::1"),
            (&["[2001:db8::1]:443"], "2001:db8::1"),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append("x-forwarded-for", line.parse().unwrap());
            }
            let found = client_behind("127.0.0.1".parse().unwrap(), &headers, &trusted);
            assert_eq!(found, client.parse::<IpAddr>().unwrap(), "{lines:?}");
        }
    }

    #[test]
    fn the_nearest_proxy_says_whether_it_was_tls() {
        for (line, https) in [("https", true), ("HTTPS", true), ("http", false), ("https, http", false), ("", false)] {
            let mut headers = HeaderMap::new();
            headers.insert("x-forwarded-proto", line.parse().unwrap());
            assert_eq!(https_behind(&headers), https, "{line}");
        }
        assert!(!https_behind(&HeaderMap::new()));
    }
}
