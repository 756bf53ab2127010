//! What an operator may set about connections, and networks in the form `10.0.0.0/8`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use std::time::Duration;

/// The limits and timeouts of a listener.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// From the first byte of a request to the end of its headers; then the connection is closed.
    pub header_timeout: Duration,
    /// How long a connection may be silent before its first request, between two, or while it does not take an answer.
    /// A handler may take any time, but once it has answered, a streamed body must send something this often.
    pub idle_timeout: Duration,
    /// For a whole body. Handed to the handlers in [`crate::Arrival`]; it is [`crate::read_body`] that keeps it.
    pub body_timeout: Duration,
    /// Connections open at once, websockets included. One more is answered 503 and closed: a caller that is told at
    /// once can go to another node, one that waits un-accepted only sees a server that hangs.
    pub connections_max: usize,
    /// Connections open at once from one address; 0 is no limit. Trusted proxies are exempt.
    pub connections_per_client_max: usize,
    /// Bytes of a request's head. More still reaches the router, with [`crate::Arrival::head_too_large`] set.
    pub header_bytes_max: usize,
    /// Bytes of a body where the call does not say otherwise. Handed to the handlers in [`crate::Arrival`].
    pub body_bytes_max: usize,
    /// How long requests in flight may take to end once the shutdown has begun.
    pub drain_timeout: Duration,
    /// Connections that the kernel may hold for us before they are accepted; for [`crate::bind`].
    pub backlog: u32,
    /// Whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
    pub trusted_proxies: Vec<Network>,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            body_timeout: Duration::from_secs(20),
            connections_max: 10_000,
            connections_per_client_max: 0,
            header_bytes_max: 16 * 1024,
            body_bytes_max: 512 * 1024,
            drain_timeout: Duration::from_secs(10),
            backlog: 4096,
            trusted_proxies: vec![
                Network { address: IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), bits: 8 },
                Network::from(IpAddr::V6(Ipv6Addr::LOCALHOST)),
            ],
        }
    }
}

/// An address, or a block of addresses: `10.0.0.0/8`, `::1`, `fd00::/8`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

/// A text that is neither an address nor a block of addresses.
#[derive(Debug, thiserror::Error)]
#[error("'{0}' is not an IP address or a network like 10.0.0.0/8")]
pub struct NetworkFault(String);

impl Network {
    /// Whether the address is of this network. The address is expected in its canonical form: IPv4, not mapped to IPv6.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let beyond = 32 - u32::from(self.bits.min(32));
                (own.to_bits() ^ other.to_bits()).checked_shr(beyond).unwrap_or(0) == 0
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let beyond = 128 - u32::from(self.bits.min(128));
                (own.to_bits() ^ other.to_bits()).checked_shr(beyond).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        let address = address.to_canonical();
        Self { address, bits: if address.is_ipv4() { 32 } else { 128 } }
    }
}

impl FromStr for Network {
    type Err = NetworkFault;

    fn from_str(text: &str) -> Result<Self, NetworkFault> {
        let fault = || NetworkFault(text.to_owned());
        let Some((address, bits)) = text.split_once('/') else {
            return Ok(Self::from(text.parse::<IpAddr>().map_err(|_| fault())?));
        };
        let address: IpAddr = address.parse().map_err(|_| fault())?;
        let bits: u8 = bits.parse().map_err(|_| fault())?;
        if bits > if address.is_ipv4() { 32 } else { 128 } {
            return Err(fault());
        }
        Ok(Self { address, bits })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_contain_their_addresses() {
        for (network, address, within) in [
            ("10.0.0.0/8", "10.255.1.2", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.6", false),
            ("fd00::/8", "fd12::1", true),
            ("::/0", "2001:db8::1", true),
            ("::/0", "192.0.2.7", false),
            ("::ffff:192.0.2.7", "192.0.2.7", true),
        ] {
            let parsed: Network = network.parse().unwrap();
            assert_eq!(parsed.contains(address.parse().unwrap()), within, "{network} {address}");
        }
        for illegal in ["", "10.0.0.0/33", "::/129", "10.0.0/8", "host", "10.0.0.0/-1", "10.0.0.0/8/8"] {
            assert!(illegal.parse::<Network>().is_err(), "{illegal}");
        }
    }
}
