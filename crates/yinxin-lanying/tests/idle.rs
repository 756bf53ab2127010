//! What a connection holds that is logged in and silent. A test of its own, since it counts what the process allocates.

use std::net::SocketAddr;
use std::sync::Arc;

use prost::Message as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use yinxin_core::apps::AppChanges;
use yinxin_core::limits::SocketLimits;
use yinxin_core::{Ctx, tokens, users};
use yinxin_floo::packet;
use yinxin_floo::wire::{Command, Frame, Provision, Xid};
use yinxin_realtime::{Bounds, Registry};
use yinxin_testkit::ground::{Ground, Listener, Setup};

#[global_allocator]
static MEMORY: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

/// Bytes; an idle session of the built server takes about 12 KiB of the machine's memory, its record included.
const SESSION_MAX: usize = 16 << 10;
const SESSIONS: usize = 50;

/// A message of the websocket, masked with zeros.
fn message(opcode: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
    [&[0x80 | opcode, 0x80 | 0x7e, length[0], length[1], 0, 0, 0, 0], bytes].concat()
}

/// A line that has logged in, and on which all that the server said has been taken.
async fn log_in(address: SocketAddr, provision: &Provision) -> TcpStream {
    let mut line = TcpStream::connect(address).await.unwrap();
    let hello = "GET /socket.io/?EIO=3&transport=websocket HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\n\
                 upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    line.write_all(hello.as_bytes()).await.unwrap();
    let frame = Frame { command: Command::Provision.into(), payload: provision.encode_to_vec(), ..Frame::default() };
    let announced = message(1, packet::ANNOUNCEMENT.as_bytes());
    let said = [announced, message(2, &packet::attach(&frame.encode_to_vec()))].concat();
    line.write_all(&said).await.unwrap();
    let (mut heard, mut buffer) = (Vec::new(), [0; 1024]);
    let is_welcome = |heard: &[u8]| {
        let announcement = packet::ANNOUNCEMENT.as_bytes();
        let at = heard.windows(announcement.len()).position(|window| window == announcement);
        at.is_some_and(|at| heard.len() > at + announcement.len() + 2)
    };
    while !is_welcome(&heard) {
        let read = line.read(&mut buffer).await.unwrap();
        assert_ne!(read, 0, "{}", String::from_utf8_lossy(&heard));
        heard.extend_from_slice(&buffer[..read]);
    }
    line
}

#[tokio::test]
async fn a_silent_session_holds_little() {
    let registry = Registry::new(Bounds::default());
    let shared = Arc::clone(&registry);
    let routes =
        move |ctx: &Arc<Ctx>| yinxin_lanying::socket(Arc::clone(ctx), Arc::clone(&shared), SocketLimits::default());
    let ground = Ground::new(Setup::default(), registry.clone(), routes).await;
    let app = ground.create_app("acme/chat", AppChanges::default()).await;
    let listener = Listener::start(ground.router.clone()).await;
    let mut logins = Vec::new();
    for number in 0..2 * SESSIONS {
        let name = format!("user{number}");
        let (grant, user) = tokens::issue_for_user(&ground.ctx, &app, Some(&name), true, None).await.unwrap();
        let uid = users::number_of(&ground.ctx, &app, &user).await.unwrap().cast_unsigned();
        let (token, device_guid) = (grant.token, format!("{uid}_1"));
        logins.push(Provision { xid: Some(Xid::user(uid)), token, device_guid, ..Provision::default() });
    }
    let mut lines = Vec::with_capacity(2 * SESSIONS);
    // The first ones pay for what all have in common.
    let (first, second) = logins.split_at(SESSIONS);
    for provision in first {
        lines.push(log_in(listener.address, provision).await);
    }
    let before = MEMORY.current_usage();
    for provision in second {
        lines.push(log_in(listener.address, provision).await);
    }
    let held = (MEMORY.current_usage() - before) / SESSIONS;
    assert_eq!(lines.len(), 2 * SESSIONS);
    assert!(held < SESSION_MAX, "{held} bytes a session");
    println!("{held} bytes a session");
}
