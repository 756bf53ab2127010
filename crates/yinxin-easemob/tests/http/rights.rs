//! Who may call what, and what everybody else hears: every operation by every actor.

use std::fmt::Write as _;

use yinxin_core::apps::Profile;

use crate::asking::{Answer as _, Ask, Bearer as _, Reply};
use crate::operations::{For, Names, OPERATIONS, Operation};
use crate::world::{DAY, SECOND, World};

/// A kind of caller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Actor {
    /// The app's backend.
    Backend,
    /// The user in the path.
    Owner,
    /// Another user of the app.
    Neighbour,
    /// No `Authorization` at all.
    Nobody,
    /// `Authorization: Bearer ` with nothing behind it, as some clients send.
    Empty,
    /// A text that is no token.
    Corrupt,
    /// A token as a server makes them, not made by this one.
    Forged,
    /// The owner's token after its time.
    Expired,
    /// The owner's token after a ban was put on and lifted.
    Revoked,
    /// A banned user.
    Banned,
    /// The backend of another app.
    Foreign,
    /// A user of another app who has the owner's name.
    ForeignUser,
}

const ACTORS: [Actor; 12] = [
    Actor::Backend,
    Actor::Owner,
    Actor::Neighbour,
    Actor::Nobody,
    Actor::Empty,
    Actor::Corrupt,
    Actor::Forged,
    Actor::Expired,
    Actor::Revoked,
    Actor::Banned,
    Actor::Foreign,
    Actor::ForeignUser,
];

/// A token that the vendor printed.
const VENDORS: &str = "YWMte3bGuOukEeiTkNP4grL7iwAAAAAAAAAAAAAAAAAAAAGL4CTw6XgR6LaXXVmNX4QCAgMAAAFnKdc-ZgBPGgBFTrLhhyK8woMEI005emtrLJFJV6aoxsZSioSIZkr5kw";

/// Two users who are friends, and the tokens of everybody who may ask about the first.
struct Scene {
    owner: String,
    other: String,
    tokens: Vec<(Actor, Option<String>)>,
}

impl Scene {
    async fn set(w: &World, number: usize) -> Self {
        let [owner, other, banned] = ["owner", "other", "banned"].map(|role| format!("{role}{number}"));
        w.register(&[&owner, &other, &banned]).await;
        w.call("POST", &format!("/users/{owner}/contacts/users/{other}")).await.ok();
        let revoked = w.inherit(&owner).await;
        w.call("POST", &format!("/users/{owner}/deactivate")).await.ok();
        w.call("POST", &format!("/users/{owner}/activate")).await.ok();
        let banned_token = w.inherit(&banned).await;
        w.call("POST", &format!("/users/{banned}/deactivate")).await.ok();
        let tokens = vec![
            (Actor::Backend, Some(w.app.token.clone())),
            (Actor::Owner, Some(w.inherit(&owner).await)),
            (Actor::Neighbour, Some(w.inherit(&other).await)),
            (Actor::Nobody, None),
            (Actor::Empty, Some(String::new())),
            (Actor::Corrupt, Some("not-a-token".into())),
            (Actor::Forged, Some(VENDORS.into())),
            (Actor::Expired, Some(expired(w, &owner).await)),
            (Actor::Revoked, Some(revoked)),
            (Actor::Banned, Some(banned_token)),
            (Actor::Foreign, Some(w.other.token.clone())),
            (Actor::ForeignUser, Some(foreign(w, &owner).await)),
        ];
        Self { owner, other, tokens }
    }

    fn ask<'w>(&self, w: &'w World, operation: &Operation, actor: Actor, user: &str) -> Ask<'w> {
        let token = self.tokens.iter().find(|(other, _)| *other == actor).and_then(|(_, token)| token.clone());
        let mut ask = w.call(operation.method, &operation.path(user, &self.other)).anonymous();
        ask = ask.raw(operation.body(user, &self.other));
        if operation.needs_label() {
            ask = ask.header("content-type", "application/x-www-form-urlencoded");
        }
        match token {
            Some(token) => ask.by(&token),
            None => ask,
        }
    }
}

/// A token of that user which has expired by now.
async fn expired(w: &World, user: &str) -> String {
    w.clock.move_by(-DAY);
    let body = serde_json::json!({ "grant_type": "inherit", "username": user, "ttl": 60 });
    let granted = w.post("/token", body).await.ok();
    w.clock.move_by(DAY);
    granted["access_token"].as_str().unwrap().to_owned()
}

/// A token of the user of that name in the other app.
async fn foreign(w: &World, user: &str) -> String {
    let body = serde_json::json!({ "grant_type": "inherit", "username": user, "autoCreateUser": true });
    let granted = Ask::new(w, "POST", "/rival/chat/token").by(&w.other.token).json(&body).await.ok();
    granted["access_token"].as_str().unwrap().to_owned()
}

/// What is to be expected, by sections 1.6, 3.1 and 8.1 of the facts. The letters are those of 8.1.
fn expected(operation: &Operation, actor: Actor, profile: Profile) -> &'static str {
    let may = match (operation.who, actor) {
        (For::Everybody, _) | (_, Actor::Backend) | (For::Owner, Actor::Owner) => true,
        (For::Reader, _) if profile == Profile::Current => true,
        (For::Reader | For::Member, Actor::Owner | Actor::Neighbour) => true,
        _ => false,
    };
    if may {
        return "may";
    }
    if operation.is_attributes() {
        return "D";
    }
    // The grant that takes an app token calls every other one corrupt.
    if operation.is_token() && !matches!(actor, Actor::Nobody | Actor::Empty | Actor::Expired) {
        return "C";
    }
    let is_ban = operation.path.ends_with("activate");
    let is_add = operation.method == "POST" && operation.path.ends_with("/contacts/users/{v}");
    match actor {
        Actor::Corrupt => "C",
        Actor::Forged | Actor::Revoked | Actor::Banned | Actor::Foreign | Actor::ForeignUser => "U",
        Actor::Expired => "E",
        Actor::Nobody | Actor::Empty if operation.who == For::Newcomer => "R",
        Actor::Nobody | Actor::Empty if is_add || operation.is_token() => "O",
        _ if profile == Profile::Current => "O",
        _ if is_ban => "N",
        _ => "A",
    }
}

/// What was heard, in the same letters; the error, its text and its exception must belong together.
fn heard(operation: &Operation, profile: Profile, reply: &Reply, uuid: &str, app: &str) -> String {
    if reply.status != 401 {
        assert!(reply.status < 500, "{}", operation.title());
        // Whoever may call hears about the call: credentials in the body may be wrong, things may be missing.
        return reply.status.to_string();
    }
    let body = reply.json();
    if operation.is_attributes() {
        assert_eq!(body["desc"], "Unauthorized");
        assert_eq!(body.as_object().unwrap().len(), 3, "timestamp, desc, duration: {body}");
        return "D".into();
    }
    let fault = reply.fault();
    let security = match profile {
        Profile::Seed => "org.apache.usergrid.rest.exceptions.SecurityException",
        Profile::Current => "EasemobSecurityException",
    };
    let resource = match operation.names {
        Names::Users => "/users".to_owned(),
        Names::User => format!("/users/{uuid}"),
        Names::Files => "/chatfiles".to_owned(),
    };
    let verb = if operation.path.contains("/batch/") { "get".into() } else { operation.method.to_ascii_lowercase() };
    let permission = format!("Subject does not have permission [applications:{verb}:{app}:{resource}]");
    let (letter, error, exception) = match &*fault.description {
        "Unable to authenticate (OAuth)" => ("O", "unauthorized", security),
        "No admin user access authorized" => ("N", "unauthorized", security),
        "Unable to authenticate due to corrupt access token" => ("C", "auth_bad_access_token", security),
        "Unable to authenticate" => ("U", "auth_bad_access_token", security),
        "Unable to authenticate due to expired access token" => ("E", "unauthorized", security),
        "Open registration doesn't allow, so register user need token," => ("R", "unauthorized", security),
        text if text == permission => ("A", "unauthorized", "org.apache.shiro.authz.UnauthorizedException"),
        text => panic!("{}: {text:?}, not {permission:?}", operation.title()),
    };
    assert_eq!((&*fault.error, fault.exception.as_deref()), (error, Some(exception)), "{}", operation.title());
    letter.into()
}

/// The id that a refusal names: the user's or, where the path's place for a name has none, a made-up one.
async fn id_in_refusals(w: &World, operation: &Operation, owner: &str, reply: &Reply) -> String {
    if operation.path.contains("{u}") && reply.status == 401 {
        return w.uuid(owner).await;
    }
    let text = reply.text();
    text.split_once(":/users/").map_or_else(String::new, |(_, rest)| rest[..36].to_owned())
}

async fn table_of(profile: Profile) -> String {
    let w = World::of_profile(profile).await;
    let app = w.app().await.uuid().to_string();
    let mut table = String::new();
    let mut scenes = 0;
    let mut scene = Scene::set(&w, scenes).await;
    let mut stored = w.dump().await;
    for operation in OPERATIONS {
        let mut row = format!("{:<56}", operation.title());
        for actor in ACTORS {
            let reply = scene.ask(&w, operation, actor, &scene.owner).await;
            let now = w.dump().await;
            let id = id_in_refusals(&w, operation, &scene.owner, &reply).await;
            let heard = heard(operation, profile, &reply, &id, &app);
            let title = format!("{profile:?} {actor:?} {}: {}", operation.title(), reply.text());
            match expected(operation, actor, profile) {
                "may" => assert!(heard.parse::<u16>().is_ok(), "{title}"),
                letter => assert_eq!((&*heard, now == stored), (letter, true), "{title}"),
            }
            write!(row, "{heard:<10}").unwrap();
            if now != stored {
                scenes += 1;
                scene = Scene::set(&w, scenes).await;
                stored = w.dump().await;
            }
        }
        table += row.trim_end();
        table.push('\n');
    }
    table
}

#[tokio::test]
async fn every_operation_by_every_actor() {
    let mut head = format!("{:<56}", "");
    for actor in ACTORS {
        write!(head, "{:<10}", format!("{actor:?}")).unwrap();
    }
    let head = head.trim_end();
    let (seed, current) = (table_of(Profile::Seed).await, table_of(Profile::Current).await);
    let legend = "\
200  allowed; so is every other number, which is then about the call itself
A    unauthorized           Subject does not have permission [applications:<verb>:<app>:/users…]
O    unauthorized           Unable to authenticate (OAuth)
N    unauthorized           No admin user access authorized
R    unauthorized           Open registration doesn't allow, so register user need token,
E    unauthorized           Unable to authenticate due to expired access token
C    auth_bad_access_token  Unable to authenticate due to corrupt access token
U    auth_bad_access_token  Unable to authenticate
D    (desc)                 Unauthorized: the attribute service's own body";
    insta::assert_snapshot!(format!(
        "{legend}\n\nprofile = seed\n{head}\n{seed}\nprofile = current\n{head}\n{current}"
    ));
}

/// A refusal with what may differ between users taken out: the id.
fn shape(reply: &Reply) -> (u16, String, Option<String>) {
    let text = reply.text();
    let Some((before, rest)) = text.split_once(":/users/") else { return (reply.status, text, None) };
    (reply.status, format!("{before}:/users/<id>{}", &rest[36..]), Some(rest[..36].to_owned()))
}

#[tokio::test]
async fn nobody_without_a_right_learns_which_names_exist() {
    for profile in [Profile::Seed, Profile::Current] {
        let w = World::of_profile(profile).await;
        let scene = Scene::set(&w, 0).await;
        for operation in OPERATIONS {
            for actor in ACTORS {
                // What the backend, or a login with the right password, hears is meant to differ; so may what is open to all.
                if expected(operation, actor, profile) == "may" || actor == Actor::Owner {
                    continue;
                }
                let known = shape(&scene.ask(&w, operation, actor, &scene.owner).await);
                let unknown = shape(&scene.ask(&w, operation, actor, "nobody").await);
                let title = format!("{actor:?} {}", operation.title());
                assert_eq!((known.0, known.1), (unknown.0, unknown.1), "{title}");
                assert_eq!(known.2.is_some(), unknown.2.is_some(), "{title}");
            }
        }
    }
}

/// The id that a stranger hears for a name.
async fn id_heard(w: &World, name: &str) -> String {
    shape(&w.get(&format!("/users/{name}/status")).anonymous().await).2.unwrap()
}

#[tokio::test]
async fn the_id_of_a_name_that_nobody_has_looks_real_and_stays() {
    let w = World::new().await;
    w.register(&["anna"]).await;
    assert_eq!(id_heard(&w, "anna").await, w.uuid("anna").await);
    let made_up = id_heard(&w, "nobody").await;
    for name in ["nobody", "NoBody", "other", "x", "nobody"] {
        let id = uuid::Uuid::parse_str(&id_heard(&w, name).await).unwrap();
        assert_eq!((id.get_version_num(), id.get_variant()), (1, uuid::Variant::RFC4122), "{name}");
        let made_ms = yinxin_core::mint::time_of(id).unwrap();
        let app = w.app().await;
        assert!((app.created_ms..=w.now_ms()).contains(&made_ms), "{name}: {made_ms}");
        assert_eq!(id.to_string() == made_up, name.eq_ignore_ascii_case("nobody"), "{name}");
    }
    w.clock.move_by(SECOND);
    assert_eq!(id_heard(&w, "nobody").await, made_up);
    let w = w.restarted().await;
    assert_eq!(id_heard(&w, "nobody").await, made_up);
}

#[tokio::test]
async fn a_login_says_nothing_about_names_in_the_seeds_profile() {
    let w = World::new().await;
    w.register(&["anna"]).await;
    let known = w.log_in("anna", "wrong").await;
    let unknown = w.log_in("nobody", "wrong").await;
    assert_eq!((known.status, known.text()), (unknown.status, unknown.text()));
    let current = World::of_profile(Profile::Current).await;
    current.log_in("nobody", "wrong").await.refused(404, "invalid_grant", "user not found");
}

#[tokio::test]
async fn an_open_app_takes_one_newcomer_at_a_time() {
    let setup = crate::world::Setup { open_registration: true, ..Default::default() };
    let w = World::with(setup.clone()).await;
    let new = |name: &str| serde_json::json!({ "username": name, "password": "1" });
    w.post("/users", new("a")).anonymous().await.ok();
    w.post("/users", new("b")).by("").await.ok();
    w.post("/users", new("c")).by("not-a-token").await.ok();
    w.post("/users", [new("d")].as_slice().into()).anonymous().await.ok();
    let closed = "Open registration doesn't allow, so register user need token,";
    w.post("/users", vec![new("e"), new("f")].into()).anonymous().await.refused(401, "unauthorized", closed);
    assert_eq!(w.names().await, ["a", "b", "c", "d"]);
    let w = World::with(crate::world::Setup { profile: Profile::Current, ..setup }).await;
    w.post("/users", vec![new("e"), new("f")].into()).anonymous().await.ok();
    assert_eq!(w.names().await, ["e", "f"]);
}

#[tokio::test]
async fn the_backend_opens_and_closes_registration() {
    let w = World::new().await;
    let new = serde_json::json!({ "username": "a", "password": "1" });
    assert_eq!(w.post("/users", new.clone()).anonymous().await.status, 401);
    let entity = w.put("", serde_json::json!({ "allow_open_registration": true })).await.ok()["entities"][0].clone();
    assert_eq!(entity["allow_open_registration"], true);
    assert_eq!(entity["uuid"], w.app().await.uuid().to_string());
    w.post("/users", new.clone()).anonymous().await.ok();
    w.put("", serde_json::json!({ "allow_open_registration": false })).await.ok();
    assert_eq!(w.post("/users", new).anonymous().await.status, 401);
}
