//! What a guest of rooms asks a node for: a token that admits once, and to be let in with it.

use std::io;
use std::net::SocketAddr;

use serde_json::Value;
use yinxin_testkit::http::request;
use yinxin_testkit::server::AppCredentials;

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const UID: u64 = 77;

/// The answer to who asks for such a token.
pub fn draw(node: SocketAddr, app: &AppCredentials, room: &str) -> io::Result<Value> {
    let signed = app.netease.sign("12345", None);
    let mut headers: Vec<_> = signed.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    headers.push(FORM);
    let form = format!("uid={UID}&repeatUse=false&channelName={room}");
    let reply = request(node, "POST", "/nimserver/user/getToken.action", &headers, Some(form.as_bytes()))?;
    Ok(reply.json().expect("JSON"))
}

/// The code that somebody is answered who joins with that token.
pub fn join(node: SocketAddr, app: &AppCredentials, room: &str, token: &str) -> io::Result<i64> {
    let key = &app.netease.app_key;
    let form = format!("uid={UID}&appkey={key}&channelName={room}&checksum={token}&secureType=1");
    let reply = request(node, "POST", "/nrtc/getChannelInfos.action", &[FORM], Some(form.as_bytes()))?;
    Ok(reply.json().expect("JSON")["code"].as_i64().expect("a code"))
}
