//! Random operations against a small model of what accounts are: both must always agree.

use proptest::prelude::*;
use serde_json::{Value, json};
use yinxin_core::apps::AppChanges;
use yinxin_testkit::ground;
use yinxin_testkit::model::{self, NAMES, People, Who};

use crate::asking::{Answer as _, Bearer as _, Reply};
use crate::world::{Tenant, World, tenant, usernames};

#[derive(Clone, Copy, Debug)]
enum Step {
    Register(Who, u8),
    Delete(Who),
    DeleteOldest,
    Ban(Who),
    LiftBan(Who),
    SetPassword(Who, u8),
    Login(Who, u8),
    Inherit(Who, bool),
    /// The n-th token that was ever given.
    UseToken(usize),
    Befriend(Who, Who),
    Part(Who, Who),
    Block(Who, Who),
    Unblock(Who, Who),
    Users,
    Contacts(Who),
    Blocks(Who),
    MoveClock(i64),
}

fn steps() -> impl Strategy<Value = Step> {
    let (who, password) = (0..NAMES.len(), 0..2_u8);
    let pair = (who.clone(), who.clone());
    prop_oneof![
        4 => (who.clone(), password.clone()).prop_map(|(who, password)| Step::Register(who, password)),
        1 => who.clone().prop_map(Step::Delete),
        1 => Just(Step::DeleteOldest),
        1 => who.clone().prop_map(Step::Ban),
        1 => who.clone().prop_map(Step::LiftBan),
        1 => (who.clone(), password.clone()).prop_map(|(who, password)| Step::SetPassword(who, password)),
        3 => (who.clone(), password).prop_map(|(who, password)| Step::Login(who, password)),
        1 => (who.clone(), any::<bool>()).prop_map(|(who, create)| Step::Inherit(who, create)),
        4 => (0..50_usize).prop_map(Step::UseToken),
        3 => pair.clone().prop_map(|(one, other)| Step::Befriend(one, other)),
        1 => pair.clone().prop_map(|(one, other)| Step::Part(one, other)),
        2 => pair.clone().prop_map(|(one, other)| Step::Block(one, other)),
        1 => pair.prop_map(|(one, other)| Step::Unblock(one, other)),
        1 => Just(Step::Users),
        2 => who.clone().prop_map(Step::Contacts),
        1 => who.prop_map(Step::Blocks),
        1 => prop_oneof![Just(1), Just(1000), Just(-500), 0..10_000_i64].prop_map(Step::MoveClock),
    ]
}

/// A server, a model, and the app of this run.
struct Run<'w> {
    w: &'w World,
    app: Tenant,
    model: People,
}

impl Run<'_> {
    async fn call(&self, method: &str, path: &str, body: Value) -> Reply {
        let ask = crate::asking::Ask::new(self.w, method, &format!("{}{path}", self.app.path)).by(&self.app.token);
        if body.is_null() { ask.await } else { ask.json(&body).await }
    }

    /// Notes a granted token.
    fn granted(&mut self, who: Who, reply: &Reply) -> u16 {
        if reply.status == 200 {
            self.model.tokens.push((reply.json()["access_token"].as_str().unwrap().to_owned(), who, true));
        }
        reply.status
    }

    /// A call about one user.
    async fn about(&self, method: &str, who: Who, rest: &str, body: Value) -> Reply {
        self.call(method, &format!("/users/{}{rest}", NAMES[who]), body).await
    }

    /// Does the step on both and says what each answers.
    async fn step(&mut self, step: Step) -> (Value, Value) {
        match step {
            Step::Register(..)
            | Step::Delete(_)
            | Step::DeleteOldest
            | Step::Ban(_)
            | Step::LiftBan(_)
            | Step::SetPassword(..) => self.change_account(step).await,
            Step::Login(..) | Step::Inherit(..) | Step::UseToken(_) => self.use_account(step).await,
            Step::Befriend(..) | Step::Part(..) | Step::Block(..) | Step::Unblock(..) => self.change_list(step).await,
            Step::Users | Step::Contacts(_) | Step::Blocks(_) => self.read_list(step).await,
            Step::MoveClock(by_ms) => {
                self.w.clock.move_by(by_ms);
                (Value::Null, Value::Null)
            }
        }
    }

    async fn change_account(&mut self, step: Step) -> (Value, Value) {
        let (found, expected) = match step {
            Step::Register(who, password) => {
                let new = json!({ "username": NAMES[who], "password": password.to_string() });
                let free = !self.model.users.contains_key(&who);
                if free {
                    self.model.add(who, Some(password));
                }
                (self.call("POST", "/users", new).await.status, if free { 200 } else { 400 })
            }
            Step::Delete(who) => {
                let known = self.model.remove(who);
                (self.about("DELETE", who, "", Value::Null).await.status, if known { 200 } else { 404 })
            }
            Step::DeleteOldest => {
                let oldest: Vec<&str> = self.model.by_age.first().map(|who| NAMES[*who]).into_iter().collect();
                let gone = usernames(&self.call("DELETE", "/users?limit=1", Value::Null).await.ok()["entities"]);
                assert_eq!(gone, oldest);
                if let Some(who) = self.model.by_age.first() {
                    self.model.remove(*who);
                }
                (200, 200)
            }
            Step::Ban(who) => {
                let known = self.model.set_banned(who, true);
                (self.about("POST", who, "/deactivate", Value::Null).await.status, if known { 200 } else { 400 })
            }
            Step::LiftBan(who) => {
                let known = self.model.set_banned(who, false);
                (self.about("POST", who, "/activate", Value::Null).await.status, if known { 200 } else { 404 })
            }
            Step::SetPassword(who, password) => {
                let known = self.model.set_password(who, password);
                let body = json!({ "newpassword": password.to_string() });
                (self.about("PUT", who, "/password", body).await.status, if known { 200 } else { 404 })
            }
            _ => unreachable!("not about accounts"),
        };
        (found.into(), expected.into())
    }

    async fn use_account(&mut self, step: Step) -> (Value, Value) {
        match step {
            Step::Login(who, password) => {
                let body =
                    json!({ "grant_type": "password", "username": NAMES[who], "password": password.to_string() });
                let reply = self.call("POST", "/token", body).await;
                let may =
                    self.model.users.get(&who).is_some_and(|user| user.password == Some(password) && !user.banned);
                (self.granted(who, &reply).into(), if may { 200 } else { 400 }.into())
            }
            Step::Inherit(who, create) => {
                let body = json!({ "grant_type": "inherit", "username": NAMES[who], "autoCreateUser": create });
                let reply = self.call("POST", "/token", body).await;
                let expected = match self.model.users.get(&who) {
                    Some(user) if user.banned => 400,
                    None if !create => 404,
                    Some(_) => 200,
                    None => {
                        self.model.add(who, None);
                        200
                    }
                };
                (self.granted(who, &reply).into(), expected.into())
            }
            Step::UseToken(number) => {
                let Some((token, who, good)) = self.model.tokens.get(number) else { return (Value::Null, Value::Null) };
                let path = format!("{}/users/{}", self.app.path, NAMES[*who]);
                let reply = crate::asking::Ask::new(self.w, "GET", &path).by(token).await;
                (reply.status.into(), if *good { 200 } else { 401 }.into())
            }
            _ => unreachable!("not about using accounts"),
        }
    }

    async fn change_list(&mut self, step: Step) -> (Value, Value) {
        let (found, expected) = match step {
            Step::Befriend(one, other) | Step::Part(one, other) => {
                let method = if matches!(step, Step::Befriend(..)) { "POST" } else { "DELETE" };
                let reply = self.about(method, one, &format!("/contacts/users/{}", NAMES[other]), Value::Null).await;
                (reply.status, self.befriend_or_part(one, other, method == "POST"))
            }
            Step::Block(one, other) => {
                let body = json!({ "usernames": [NAMES[other]] });
                let reply = self.about("POST", one, "/blocks/users", body).await;
                let known = self.model.have(one, other);
                if known {
                    self.model.block(one, other);
                }
                let is_there = self.model.users.contains_key(&one);
                (
                    reply.status,
                    if known {
                        200
                    } else if is_there {
                        400
                    } else {
                        404
                    },
                )
            }
            Step::Unblock(one, other) => {
                let reply = self.about("DELETE", one, &format!("/blocks/users/{}", NAMES[other]), Value::Null).await;
                let known = self.model.have(one, other);
                self.model.unblock(one, other);
                (reply.status, if known { 200 } else { 404 })
            }
            _ => unreachable!("not about lists"),
        };
        (found.into(), expected.into())
    }

    fn befriend_or_part(&mut self, one: Who, other: Who, befriend: bool) -> u16 {
        if !self.model.have(one, other) {
            return 404;
        }
        if befriend && one == other {
            return 400;
        }
        if befriend {
            self.model.befriend(one, other);
        } else {
            self.model.part(one, other);
        }
        200
    }

    async fn read_list(&self, step: Step) -> (Value, Value) {
        let (who, path) = match step {
            Step::Users => {
                let found = usernames(&self.call("GET", "/users?limit=100", Value::Null).await.ok()["entities"]);
                let expected: Vec<&str> = self.model.by_age.iter().map(|who| NAMES[*who]).collect();
                return (json!(found), json!(expected));
            }
            Step::Contacts(who) => (who, "/contacts/users"),
            Step::Blocks(who) => (who, "/blocks/users"),
            _ => unreachable!("not about reading"),
        };
        let reply = self.about("GET", who, path, Value::Null).await;
        let Some(user) = self.model.users.get(&who) else { return (reply.status.into(), 404.into()) };
        let list = if path.starts_with("/contacts") { &user.contacts } else { &user.blocks };
        (reply.ok()["data"].clone(), list.iter().map(|who| NAMES[*who]).collect())
    }
}

async fn agree(w: &World, number: usize, steps: &[Step]) -> Result<(), TestCaseError> {
    let app = tenant(w, &format!("model/run{number}"), AppChanges::default()).await;
    let mut run = Run { w, app, model: People::default() };
    for (at, step) in steps.iter().enumerate() {
        let (found, expected) = run.step(*step).await;
        prop_assert_eq!(found, expected, "step {}: {:?}", at, step);
    }
    for step in (0..NAMES.len()).flat_map(|who| [Step::Contacts(who), Step::Blocks(who)]).chain([Step::Users]) {
        let (found, expected) = run.step(step).await;
        prop_assert_eq!(found, expected, "in the end: {:?}", step);
    }
    Ok(())
}

#[test]
fn the_server_and_the_model_agree() {
    let runtime = ground::runtime();
    let w = runtime.block_on(World::new());
    model::check(&runtime, &steps(), async |number, steps| agree(&w, number, steps).await);
}
