//! Random operations against a small model of what accounts are: both must always agree.

use proptest::prelude::*;
use serde_json::{Value, json};
use yinxin_core::apps::AppChanges;
use yinxin_testkit::ground;
use yinxin_testkit::model::{self, NAMES, People, Who};

use crate::asking::{Ask, Bearer as _, Reply};
use crate::world::{Tenant, World, tenant};

#[derive(Clone, Copy, Debug)]
enum Step {
    Register(Who, u8),
    Delete(Who),
    Ban(Who),
    LiftBan(Who),
    SetPassword(Who, u8),
    /// In one of the three ways.
    Login(Who, u8, usize),
    /// The n-th token that was ever given.
    UseToken(usize),
    Apply(Who, Who),
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
        1 => who.clone().prop_map(Step::Ban),
        1 => who.clone().prop_map(Step::LiftBan),
        1 => (who.clone(), password.clone()).prop_map(|(who, password)| Step::SetPassword(who, password)),
        3 => (who.clone(), password, 0..3_usize).prop_map(|(who, password, way)| Step::Login(who, password, way)),
        4 => (0..50_usize).prop_map(Step::UseToken),
        3 => pair.clone().prop_map(|(one, other)| Step::Apply(one, other)),
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
    /// The number of each, also of one who is gone; at first one of nobody's.
    numbers: [i64; NAMES.len()],
}

/// What a reply says of how it went.
fn code(reply: &Reply) -> Value {
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()["code"].take()
}

impl Run<'_> {
    /// A call of the app's backend.
    fn ask(&self, method: &str, path: &str) -> Ask<'_> {
        Ask::new(self.w, method, path).header("app_id", &self.app.app_id).by(&self.app.admin)
    }

    /// The same in the name of a user.
    fn ask_as(&self, who: Who, method: &str, path: &str) -> Ask<'_> {
        self.ask(method, path).header("user_id", self.numbers[who])
    }

    fn is_there(&self, who: Who) -> bool {
        self.model.users.contains_key(&who)
    }

    /// Does the step on both and says what each answers.
    async fn step(&mut self, step: Step) -> (Value, Value) {
        match step {
            Step::Register(..) | Step::Delete(_) | Step::Ban(_) | Step::LiftBan(_) | Step::SetPassword(..) => {
                let (found, expected) = self.change_account(step).await;
                (found, expected.into())
            }
            Step::Login(who, password, way) => self.log_in(who, password, way).await,
            Step::UseToken(number) => {
                let Some((token, _, good)) = self.model.tokens.get(number) else { return (Value::Null, Value::Null) };
                let ask = Ask::new(self.w, "GET", "/user/profile").header("app_id", &self.app.app_id).by(token);
                (code(&ask.await), if *good { 200 } else { 402 }.into())
            }
            Step::Apply(..) | Step::Part(..) | Step::Block(..) | Step::Unblock(..) => {
                let (found, expected) = self.change_list(step).await;
                (found, expected.into())
            }
            Step::Users | Step::Contacts(_) | Step::Blocks(_) => self.read_list(step).await,
            Step::MoveClock(by_ms) => {
                self.w.clock.move_by(by_ms);
                (Value::Null, Value::Null)
            }
        }
    }

    async fn change_account(&mut self, step: Step) -> (Value, u32) {
        match step {
            Step::Register(who, password) => {
                let body = json!({ "username": NAMES[who], "password": password.to_string() });
                let reply = self.ask("POST", "/user/register/v2").json(&body).await;
                if self.is_there(who) {
                    return (code(&reply), 10004);
                }
                self.model.add(who, Some(password));
                self.numbers[who] = reply.json()["data"]["user_id"].as_i64().unwrap();
                (code(&reply), 200)
            }
            Step::Delete(who) => {
                let reply = self.ask_as(who, "POST", "/user/delete").await;
                (code(&reply), if self.model.remove(who) { 200 } else { 10000 })
            }
            Step::Ban(who) | Step::LiftBan(who) => {
                let is_ban = matches!(step, Step::Ban(_));
                let path = if is_ban { "/user/disable" } else { "/user/enable" };
                let reply = self.ask("PUT", path).json(&json!({ "list": [self.numbers[who]] })).await;
                (code(&reply), if self.model.set_banned(who, is_ban) { 200 } else { 10000 })
            }
            Step::SetPassword(who, password) => {
                let body = json!({ "password": password.to_string() });
                let reply = self.ask_as(who, "POST", "/user/change_password_admin").json(&body).await;
                (code(&reply), if self.model.set_password(who, password) { 200 } else { 10000 })
            }
            _ => unreachable!("not about accounts"),
        }
    }

    async fn log_in(&mut self, who: Who, password: u8, way: usize) -> (Value, Value) {
        let password_text = password.to_string();
        let (path, body) = [
            ("/token/user", json!({ "name": NAMES[who], "password": password_text })),
            ("/token/id", json!({ "user_id": self.numbers[who], "password": password_text })),
            ("/token/login", json!({ "login_name": NAMES[who], "password": password_text })),
        ][way]
            .clone();
        let reply = Ask::new(self.w, "POST", path).header("app_id", &self.app.app_id).json(&body).await;
        let expected = match self.model.users.get(&who) {
            Some(user) if user.password != Some(password) => 402,
            Some(user) if user.banned => 10010,
            Some(_) => 200,
            None => 402,
        };
        if expected == 200 {
            self.model.tokens.push((reply.json()["data"]["token"].as_str().unwrap().to_owned(), who, true));
        }
        (code(&reply), expected.into())
    }

    async fn change_list(&mut self, step: Step) -> (Value, u32) {
        let (Step::Apply(one, other) | Step::Part(one, other) | Step::Block(one, other) | Step::Unblock(one, other)) =
            step
        else {
            unreachable!("not about lists")
        };
        let known = self.model.have(one, other);
        let named = |path: &str| format!("{path}?user_id={}", self.numbers[other]);
        let reply = match step {
            Step::Apply(..) => {
                let body = json!({ "user_id": self.numbers[other] });
                self.ask_as(one, "POST", "/roster/apply").json(&body).await
            }
            Step::Part(..) => self.ask_as(one, "POST", &named("/roster/delete")).await,
            Step::Block(..) => self.ask_as(one, "POST", &named("/roster/block")).await,
            _ => self.ask_as(one, "POST", &named("/roster/unblock")).await,
        };
        if !known {
            return (code(&reply), 10000);
        }
        match step {
            Step::Apply(..) if one == other => return (code(&reply), 10002),
            // Whoever is blocked is not told.
            Step::Apply(..) if self.model.users[&other].blocks.contains(&one) => {}
            Step::Apply(..) => self.model.befriend(one, other),
            Step::Part(..) => self.model.part(one, other),
            Step::Block(..) => self.model.block(one, other),
            _ => self.model.unblock(one, other),
        }
        (code(&reply), 200)
    }

    async fn read_list(&self, step: Step) -> (Value, Value) {
        let numbers = |list: &[Who]| list.iter().map(|who| self.numbers[*who]).collect::<Value>();
        let (who, path) = match step {
            Step::Users => {
                let mut reply = self.ask("GET", "/user/list?page_num=1&page_size=100").await.json();
                let found = reply["data"].as_array_mut().unwrap().iter_mut().map(|user| user["user_id"].take());
                return (found.collect(), numbers(&self.model.by_age));
            }
            Step::Contacts(who) => (who, "/roster/list"),
            Step::Blocks(who) => (who, "/roster/blocked_list"),
            _ => unreachable!("not about reading"),
        };
        let reply = self.ask_as(who, "GET", path).await;
        let Some(user) = self.model.users.get(&who) else { return (code(&reply), 10000.into()) };
        let list = if path == "/roster/list" { &user.contacts } else { &user.blocks };
        (reply.json()["data"].take(), numbers(list))
    }
}

async fn agree(w: &World, number: usize, steps: &[Step]) -> Result<(), TestCaseError> {
    let app = tenant(w, &format!("model/run{number}"), AppChanges::default()).await;
    let mut run = Run { w, app, model: People::default(), numbers: [16, 32, 48, 64] };
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
