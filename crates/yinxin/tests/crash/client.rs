//! One client: sends deeds as the vendor's REST calls one after another, remembers what was acknowledged, and looks
//! afterwards what there is.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;

use serde_json::{Value, json};
use yinxin_testkit::http::{Response, request};
use yinxin_testkit::server::{AppCredentials, Server};

use crate::random::Random;
use crate::world::{Deed, PEOPLE, Person, World};

/// What is killed: the server answers nothing any more, or it answers that its database is away.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Victim {
    Server,
    Database,
}

/// The server's app and where it is now.
pub struct Site {
    pub addr: SocketAddr,
    pub app: AppCredentials,
    victim: Victim,
    token: String,
}

impl Site {
    /// Makes an app and asks for its token, which is good for ever.
    pub fn new(server: &Server, victim: Victim) -> Self {
        let app = server.create_app("org", "app", &[]);
        let mut site = Self { addr: server.addr(), app, victim, token: String::new() };
        let grant = json!({
            "grant_type": "client_credentials",
            "client_id": site.app.easemob.client_id,
            "client_secret": site.app.easemob.client_secret,
            "ttl": 0,
        });
        let reply = site.call("POST", "token", Some(&grant)).expect("the server answers");
        site.token = field(&reply, "access_token");
        site
    }

    /// Whether an answer, or that there is none, is what the victim's death looks like.
    fn is_end(&self, answer: &io::Result<Response>) -> bool {
        match answer {
            Ok(reply) => self.victim == Victim::Database && is_try_again(reply),
            Err(_) => self.victim == Victim::Server,
        }
    }

    /// A call of the other dialect, by the app's backend for the user of that number.
    fn lanying(&self, user: Option<i64>, method: &str, path: &str, body: Option<&Value>) -> io::Result<Response> {
        let (user, body) = (user.unwrap_or_default().to_string(), body.map(Value::to_string));
        let app = &self.app.lanying;
        let mut headers = vec![("app_id", app.app_id.as_str()), ("access-token", app.admin_token.as_str())];
        headers.extend((user != "0").then_some(("user_id", user.as_str())));
        request(self.addr, method, path, &headers, body.as_deref().map(str::as_bytes))
    }

    /// The data of a question that must be answered.
    fn ask_lanying(&self, user: Option<i64>, path: &str) -> Value {
        let reply = self.lanying(user, "GET", path, None).expect("the server answers");
        assert!(is_done(&reply), "{path}: {}", reply.text());
        reply.json().expect("JSON")["data"].take()
    }

    fn call(&self, method: &str, path: &str, body: Option<&Value>) -> io::Result<Response> {
        let body = body.map(Value::to_string);
        self.send(&self.token, method, path, "application/json", body.as_deref())
    }

    fn send(&self, token: &str, method: &str, path: &str, kind: &str, body: Option<&str>) -> io::Result<Response> {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str()), ("content-type", kind)];
        request(self.addr, method, &format!("/org/app/{path}"), &headers, body.map(str::as_bytes))
    }

    /// The reply to a question that must be answered.
    fn ask(&self, path: &str) -> Value {
        let reply = self.call("GET", path, None).expect("the server answers");
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        reply.json().expect("JSON")
    }
}

/// The vendors' own words for a call that may be made again.
pub fn is_try_again(reply: &Response) -> bool {
    let body = reply.json().unwrap_or_default();
    let easemob =
        matches!((reply.status, body["error"].as_str()), (503, Some("persistence")) | (429, Some("reach_limit")));
    easemob || (reply.status == 503 && body["code"] == 503)
}

/// One of the dialects has its own codes under the status of a success.
fn is_done(reply: &Response) -> bool {
    reply.status == 200 && reply.json().is_ok_and(|body| body["code"].is_null() || body["code"] == 200)
}

fn field(reply: &Response, name: &str) -> String {
    let text = reply.json().ok().and_then(|body| body[name].as_str().map(str::to_owned));
    text.unwrap_or_else(|| panic!("no {name} in {}: {}", reply.status, reply.text()))
}

/// See the module.
pub struct Client {
    number: usize,
    random: Random,
    /// Deeds so far; makes their texts new.
    deeds: usize,
    /// As acknowledged.
    world: World,
    /// The number of each, once it was told. It stays as long as its user.
    numbers: [Option<i64>; PEOPLE],
    /// The deed whose answer did not come, and what the world is if it happened.
    open: Option<(Deed, World)>,
}

impl Client {
    pub fn new(number: usize, random: Random) -> Self {
        Self { number, random, deeds: 0, world: World::default(), numbers: [None; PEOPLE], open: None }
    }

    fn name(&self, who: usize) -> String {
        format!("client_{}_person_{who}", self.number)
    }

    /// What the names begin with that a person takes.
    fn taken_names(&self, who: usize) -> String {
        format!("called_{}_{who}_", self.number)
    }

    /// What the mobiles of this client's people begin with.
    fn mobiles(&self) -> String {
        format!("138{}", self.number)
    }

    /// Sends deeds until one is not answered, or not done because the database is away.
    pub fn write_until_killed(&mut self, site: &Site, killed: &AtomicBool, acknowledge: &Sender<()>) {
        loop {
            self.deeds += 1;
            let deed = self.world.choose(&mut self.random, self.deeds);
            let after = self.world.after(&deed);
            let answer = self.perform(site, &deed);
            let (deed, after) = self.open.insert((deed, after));
            match answer {
                Ok(reply) if is_done(&reply) => {
                    match deed {
                        Deed::LogIn { who, .. } => after.keep_token(*who, field(&reply, "access_token")),
                        Deed::Join { who, .. } => {
                            self.numbers[*who] = reply.json().expect("JSON")["data"]["user_id"].as_i64();
                        }
                        Deed::Delete { who } => self.numbers[*who] = None,
                        _ => {}
                    }
                    self.world = after.clone();
                    self.open = None;
                    // Nobody counts any more once the server is being killed.
                    let _ = acknowledge.send(());
                }
                other => {
                    let is_end = killed.load(Ordering::SeqCst) && site.is_end(&other);
                    let said = other.map(|reply| format!("{} {}", reply.status, reply.text()));
                    assert!(is_end, "{deed:?} is answered so: {said:?}");
                    return;
                }
            }
        }
    }

    /// The number of somebody who is there; or what was said instead.
    fn number_of(&mut self, site: &Site, who: usize) -> Result<i64, io::Result<Response>> {
        if let Some(number) = self.numbers[who] {
            return Ok(number);
        }
        match site.lanying(None, "GET", "/user/list", None) {
            Ok(reply) if is_done(&reply) => self.note_numbers(&reply.json().expect("JSON")["data"]),
            other => return Err(other),
        }
        Ok(self.numbers[who].expect("everybody is in the list"))
    }

    fn note_numbers(&mut self, list: &Value) {
        for user in list.as_array().expect("a list of users") {
            let (name, number) =
                (user["username"].as_str().expect("a name"), user["user_id"].as_i64().expect("a number"));
            let is_called = |who: &usize| name == self.name(*who) || name.starts_with(&self.taken_names(*who));
            if let Some(who) = (0..PEOPLE).find(is_called) {
                let known = *self.numbers[who].get_or_insert(number);
                assert_eq!(known, number, "{name} has another number now");
            }
        }
    }

    fn perform(&mut self, site: &Site, deed: &Deed) -> io::Result<Response> {
        match deed {
            Deed::Join { who, password } => {
                let body = json!({ "username": self.name(*who), "password": password });
                return site.lanying(None, "POST", "/user/register/v2", Some(&body));
            }
            Deed::BindMobile { who, .. } | Deed::TakeName { who, .. } => {
                return self.number_of(site, *who).map_or_else(|said| said, |number| self.change(site, deed, number));
            }
            Deed::Apply { who, whom } | Deed::Accept { who, whom } => {
                let numbers = self.number_of(site, *who).and_then(|own| Ok((own, self.number_of(site, *whom)?)));
                let is_asked = matches!(deed, Deed::Apply { .. });
                return numbers.map_or_else(|said| said, |(own, other)| ask_or_accept(site, is_asked, own, other));
            }
            _ => {}
        }
        self.perform_by_easemob(site, deed)
    }

    /// What somebody of that number changes of what it logs in by.
    fn change(&self, site: &Site, deed: &Deed, number: i64) -> io::Result<Response> {
        let path = match deed {
            Deed::BindMobile { mobile, .. } => format!("/user/mobile?mobile={}{mobile}", self.mobiles()),
            Deed::TakeName { who, name } => format!("/user/username?username={}{name}", self.taken_names(*who)),
            other => unreachable!("{other:?} is no such change"),
        };
        site.lanying(Some(number), "POST", &path, None)
    }

    fn perform_by_easemob(&self, site: &Site, deed: &Deed) -> io::Result<Response> {
        let name = |who: &usize| self.name(*who);
        match deed {
            Deed::Register { who, password } => {
                let person = |who| json!({ "username": name(who), "password": password, "nickname": "new" });
                site.call("POST", "users", Some(&who.iter().map(person).collect()))
            }
            Deed::Delete { who } => site.call("DELETE", &format!("users/{}", name(who)), None),
            Deed::SetPassword { who, password } => {
                let body = json!({ "newpassword": password });
                site.call("PUT", &format!("users/{}/password", name(who)), Some(&body))
            }
            Deed::Ban { who } => site.call("POST", &format!("users/{}/deactivate", name(who)), None),
            Deed::Unban { who } => site.call("POST", &format!("users/{}/activate", name(who)), None),
            Deed::Rename { who, nickname } => {
                site.call("PUT", &format!("users/{}", name(who)), Some(&json!({ "nickname": nickname })))
            }
            Deed::Feel { who, mood } => {
                let (path, form) = (format!("metadata/user/{}", name(who)), format!("mood={}", mood.replace(' ', "+")));
                site.send(&site.token, "PUT", &path, "application/x-www-form-urlencoded", Some(&form))
            }
            Deed::Bind { who, device } => {
                let body = json!({ "device_id": "phone", "notifier_name": "FCM", "device_token": device });
                site.call("PUT", &format!("users/{}/push/binding", name(who)), Some(&body))
            }
            Deed::Befriend { who, whom } => site.call("POST", &self.relation(*who, "contacts", *whom), None),
            Deed::Part { who, whom } => site.call("DELETE", &self.relation(*who, "contacts", *whom), None),
            Deed::Block { who, whom } => {
                let names: Vec<String> = whom.iter().map(name).collect();
                site.call("POST", &format!("users/{}/blocks/users", name(who)), Some(&json!({ "usernames": names })))
            }
            Deed::Unblock { who, whom } => site.call("DELETE", &self.relation(*who, "blocks", *whom), None),
            Deed::LogIn { who, password } => self.log_in(site, *who, password),
            other => unreachable!("{other:?} is of the other dialect"),
        }
    }

    fn relation(&self, who: usize, list: &str, whom: usize) -> String {
        format!("users/{}/{list}/users/{}", self.name(who), self.name(whom))
    }

    fn log_in(&self, site: &Site, who: usize, password: &str) -> io::Result<Response> {
        let grant = json!({ "grant_type": "password", "username": self.name(who), "password": password, "ttl": 0 });
        site.call("POST", "token", Some(&grant))
    }

    /// Compares what there is with what was acknowledged, and goes on from there. Says whether a deed was open, and
    /// whether it had happened.
    pub fn reconcile(&mut self, site: &Site, round: usize) -> (bool, bool) {
        self.note_numbers(&site.ask_lanying(None, "/user/list"));
        let found = World(std::array::from_fn(|who| self.look(site, who)));
        for who in (0..PEOPLE).filter(|who| found.0[*who].is_none()) {
            self.numbers[who] = None;
        }
        let open = self.open.take();
        let happened = open.as_ref().is_some_and(|(_, after)| *after == found && found != self.world);
        assert!(
            found == self.world || happened,
            "round {round}, client {}: found\n{found:#?}\nafter\n{:#?}\nwas acknowledged; not answered: {open:#?}",
            self.number,
            self.world
        );
        self.world = found;
        (open.is_some(), happened)
    }

    fn look(&self, site: &Site, who: usize) -> Option<Person> {
        let name = self.name(who);
        let user = site.call("GET", &format!("users/{name}"), None).expect("the server answers");
        if user.status == 404 {
            self.look_for_remains(site, who);
            return None;
        }
        let user = user.json().expect("JSON")["entities"][0].take();
        let mood = site.ask(&format!("metadata/user/{name}"))["data"]["mood"].as_str().map(str::to_owned);
        let devices = site.ask(&format!("users/{name}/push/binding"));
        let by_number = |path: &str| site.ask_lanying(self.numbers[who], path);
        let profile = by_number("/user/profile");
        Some(Person {
            password: self.password_of(site, who),
            banned: user["activated"] == false,
            nickname: user["nickname"].as_str().map(str::to_owned),
            mood,
            mobile: profile["mobile"].as_str().map(|mobile| suffix(mobile, &self.mobiles())),
            called: profile["username"]
                .as_str()
                .filter(|called| *called != name)
                .map(|called| suffix(called, &self.taken_names(who))),
            is_open: by_number("/user/settings")["auth_mode"] == 0,
            asked_by: self.askers(&by_number("/roster/apply/list")),
            device: devices["entities"][0]["device_token"].as_str().map(str::to_owned),
            contacts: self.people(&site.ask(&format!("users/{name}/contacts/users"))),
            blocks: self.people(&site.ask(&format!("users/{name}/blocks/users"))),
            token: self.working_token(site, who),
        })
    }

    /// Nothing of somebody who is not there may be left: no login, no token, no attribute.
    fn look_for_remains(&self, site: &Site, who: usize) {
        assert_eq!(self.working_token(site, who), None, "{} is gone and its token works", self.name(who));
        assert_eq!(site.ask(&format!("metadata/user/{}", self.name(who)))["data"], json!({}));
    }

    /// Both worlds that may be, the acknowledged one first.
    fn possible(&self, who: usize) -> impl Iterator<Item = &Person> {
        let worlds = [Some(&self.world), self.open.as_ref().map(|(_, after)| after)];
        worlds.into_iter().flatten().filter_map(move |world| world.0[who].as_ref())
    }

    fn password_of(&self, site: &Site, who: usize) -> String {
        let is_right = |password: &str| {
            let reply = self.log_in(site, who, password).expect("the server answers");
            reply.status == 200 || reply.text().contains("user not activated")
        };
        let right = self.possible(who).map(|person| &person.password).find(|password| is_right(password));
        right.unwrap_or_else(|| panic!("{} has neither the old nor the new password", self.name(who))).clone()
    }

    /// The token that is known, if it still works.
    fn working_token(&self, site: &Site, who: usize) -> Option<String> {
        let token = self.possible(who).find_map(|person| person.token.as_ref())?;
        let path = format!("users/{}", self.name(who));
        let reply = site.send(token, "GET", &path, "application/json", None).expect("the server answers");
        (reply.status == 200).then(|| token.clone())
    }

    fn askers(&self, list: &Value) -> BTreeSet<usize> {
        let asks = |who: &usize| {
            list.as_array().expect("a list").iter().any(|one| one["user_id"].as_i64() == self.numbers[*who])
        };
        (0..PEOPLE).filter(|who| self.numbers[*who].is_some()).filter(asks).collect()
    }

    fn people(&self, list: &Value) -> BTreeSet<usize> {
        let names = list["data"].as_array().expect("a list of names");
        let number = |name: &Value| (0..PEOPLE).find(|&who| *name == self.name(who)).expect("one of our people");
        names.iter().map(number).collect()
    }
}

/// Asks somebody to become a contact, or says yes to who has asked.
fn ask_or_accept(site: &Site, is_asked: bool, own: i64, other: i64) -> io::Result<Response> {
    if is_asked {
        return site.lanying(Some(own), "POST", "/roster/apply", Some(&json!({ "user_id": other })));
    }
    site.lanying(Some(own), "POST", &format!("/roster/accept?user_id={other}"), None)
}

/// The number behind what such texts begin with.
fn suffix(text: &str, start: &str) -> usize {
    let number = text.strip_prefix(start).and_then(|number| number.parse().ok());
    number.unwrap_or_else(|| panic!("{text} is none of ours"))
}
