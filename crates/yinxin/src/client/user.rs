//! `yinxin user …`.

use serde_json::{Value, json};

use super::{Client, app_path, confirm, secret_lines, segment, text};
use crate::args::{OneUser, Password, Target, UserCommand};
use crate::exit::{Failure, Outcome};
use crate::print;

pub(crate) fn run(command: UserCommand, target: &Target) -> Outcome {
    match command {
        UserCommand::Create { user, password, nickname } => create(&user, &password, nickname.as_deref(), target),
        UserCommand::Show(user) => {
            Client::find(target)?.call("GET", &path(&user, "")?, None)?.print(target, show);
            Ok(())
        }
        UserCommand::List { app, limit, cursor, banned } => {
            let cursor = cursor.map(|cursor| format!("&cursor={}", segment(&cursor))).unwrap_or_default();
            let active = if banned { "&active=false" } else { "" };
            list(&format!("{}/users?limit={limit}{cursor}{active}", app_path(&app)?), target)
        }
        UserCommand::Delete(user) => {
            let path = path(&user, "")?;
            confirm(target, &format!("delete the user {} of {}", user.name, user.app))?;
            let deleted = Client::find(target)?.call("DELETE", &path, None)?;
            deleted.print(target, |user| state_of(user, "deleted"));
            Ok(())
        }
        UserCommand::Ban(user) => act(&user, "/ban", None, target, "banned"),
        UserCommand::Unban(user) => act(&user, "/unban", None, target, "no longer banned"),
        UserCommand::Kick { user, resource } => {
            let body = resource.map(|resource| json!({ "resource": resource }));
            act(&user, "/kick", body.as_ref(), target, "disconnected")
        }
        UserCommand::SetPassword { user, password } => {
            let password = read(&password)?
                .ok_or_else(|| Failure::usage("no password: give --password PASSWORD or --password-stdin"))?;
            act(&user, "/password", Some(&json!({ "password": password })), target, "has a new password")
        }
    }
}

fn path(user: &OneUser, action: &str) -> Outcome<String> {
    if user.name.is_empty() {
        return Err(Failure::usage("the name of the user is empty"));
    }
    Ok(format!("{}/users/{}{action}", app_path(&user.app)?, segment(&user.name)))
}

fn create(user: &OneUser, password: &Password, nickname: Option<&str>, target: &Target) -> Outcome {
    let mut body = json!({ "name": user.name });
    if let Some(password) = read(password)? {
        body["password"] = password.into();
    }
    if let Some(nickname) = nickname {
        body["nickname"] = nickname.into();
    }
    let made = Client::find(target)?.call("POST", &format!("{}/users", app_path(&user.app)?), Some(&body))?;
    made.print(target, show);
    Ok(())
}

fn act(user: &OneUser, action: &str, body: Option<&Value>, target: &Target, state: &str) -> Outcome {
    let path = path(user, action)?;
    Client::find(target)?.call("POST", &path, body)?.print(target, |user| state_of(user, state));
    Ok(())
}

fn list(path: &str, target: &Target) -> Outcome {
    Client::find(target)?.call("GET", path, None)?.print(target, show_page);
    Ok(())
}

fn show_page(page: &Value) {
    let rows = page["users"].as_array().into_iter().flatten().map(|user| {
        let mut row: Vec<String> = [&user["name"], &user["uuid"], &user["nickname"]].map(text).into();
        row.push(state(user));
        row
    });
    print::table(&["name", "uuid", "nickname", "state"], rows);
    if let Some(cursor) = page["cursor"].as_str() {
        print::err(&format!("there are more: --cursor {cursor}"));
    }
}

/// The password that was given, in whichever way.
fn read(password: &Password) -> Outcome<Option<String>> {
    if !password.password_stdin {
        return Ok(password.password.clone());
    }
    let [line] = secret_lines("password")?;
    let missing = || Failure::usage("--password-stdin: the first line of standard input is empty");
    line.map(Some).ok_or_else(missing)
}

fn show(user: &Value) {
    let mut fields = vec![
        ("Name", text(&user["name"])),
        ("UUID", text(&user["uuid"])),
        ("Nickname", text(&user["nickname"])),
        ("State", state(user)),
    ];
    for device in user["devices"].as_array().into_iter().flatten() {
        fields.push(("Device", text(&device["resource"])));
    }
    print::fields(&fields);
}

fn state(user: &Value) -> String {
    let activity = if user["active"] == true { "active" } else { "banned" };
    let presence = if user["online"] == true { ", online" } else { "" };
    format!("{activity}{presence}")
}

fn state_of(user: &Value, state: &str) {
    print::out(&format!("{}: {state}", text(&user["name"])));
}
