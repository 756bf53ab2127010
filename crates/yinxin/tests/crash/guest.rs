//! A guest of rooms with tokens that admit once each: sends every one twice, and counts how often it was let in.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;
use yinxin_testkit::http::{Response, request};

use crate::client::Site;

const FORM: &str = "application/x-www-form-urlencoded;charset=utf-8";
const UID: u64 = 7;
const ROOM: &str = "abc";
/// What a call is answered that may be made again, and one that is done.
const TRY_AGAIN: i64 = 503;
const DONE: i64 = 200;

/// See the module.
#[derive(Default)]
pub struct Guest {
    /// How often each token has let it in.
    admitted: BTreeMap<String, usize>,
}

impl Guest {
    /// Asks for tokens and uses them up until the database is away.
    pub fn enter_until_killed(&mut self, site: &Site, killed: &AtomicBool) {
        loop {
            let asked = signed(site, &format!("uid={UID}&channelName={ROOM}&repeatUse=false"));
            let asked = body(asked);
            let Some(token) = asked["token"].as_str() else {
                return assert_is_away(&asked, killed);
            };
            self.admitted.insert(token.to_owned(), 0);
            for _ in 0..2 {
                if self.enter(site, token) == TRY_AGAIN {
                    return assert!(killed.load(Ordering::SeqCst), "the database was not killed yet");
                }
            }
        }
    }

    /// Tries every token twice more: none may have let it in, or may now, more than once.
    pub fn check(&mut self, site: &Site) {
        let tokens: Vec<_> = self.admitted.keys().cloned().collect();
        for token in &tokens {
            for _ in 0..2 {
                assert_ne!(self.enter(site, token), TRY_AGAIN, "the database is back");
            }
        }
        let twice: Vec<_> = self.admitted.iter().filter(|(_, times)| **times > 1).collect();
        assert!(twice.is_empty(), "{twice:?}");
        self.admitted.clear();
    }

    fn enter(&mut self, site: &Site, token: &str) -> i64 {
        let key = &site.app.netease.app_key;
        let form = format!("uid={UID}&appkey={key}&channelName={ROOM}&checksum={token}&secureType=1");
        let headers = [("content-type", FORM)];
        let answer = request(site.addr, "POST", "/nrtc/getChannelInfos.action", &headers, Some(form.as_bytes()));
        let code = body(answer)["code"].as_i64().expect("a code");
        if code == DONE {
            *self.admitted.entry(token.to_owned()).or_default() += 1;
        }
        code
    }
}

fn signed(site: &Site, form: &str) -> io::Result<Response> {
    call(site.addr, &site.app.netease.sign("12345", None), form)
}

fn call(addr: SocketAddr, signed: &[(String, String)], form: &str) -> io::Result<Response> {
    let mut headers: Vec<_> = signed.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    headers.push(("content-type", FORM));
    request(addr, "POST", "/nimserver/user/getToken.action", &headers, Some(form.as_bytes()))
}

fn body(answer: io::Result<Response>) -> Value {
    answer.expect("the server answers, whatever its database does").json().expect("JSON")
}

fn assert_is_away(body: &Value, killed: &AtomicBool) {
    assert!(body["code"] == TRY_AGAIN && killed.load(Ordering::SeqCst), "{body}");
}
