//! `yinxin app …`.

use std::time::UNIX_EPOCH;

use serde_json::{Map, Value, json};

use super::{Client, app_path, confirm, secret_lines, segment, split_app, text};
use crate::args::{AdminTokenCommand, AppCommand, Dialect, Keys, Settings, Target};
use crate::exit::{Failure, Outcome};
use crate::print;

/// Characters of a message in a list of reports.
const EXCERPT_CHARS: usize = 60;

pub(crate) fn run(command: AppCommand, target: &Target) -> Outcome {
    match command {
        AppCommand::Create { app, settings } => create(&app, &settings, target),
        AppCommand::List { secrets } => list(secrets, target),
        AppCommand::Show { app, secrets } => {
            let path = format!("{}?secrets={secrets}", app_path(&app)?);
            Client::find(target)?.call("GET", &path, None)?.print(target, show);
            Ok(())
        }
        AppCommand::Set { app, settings } => set(&app, &settings, target),
        AppCommand::Delete { app } => {
            let path = app_path(&app)?;
            confirm(target, &format!("delete the app {app} with all its users"))?;
            let deleted = Client::find(target)?.call("DELETE", &path, None)?;
            deleted.print(target, |_| print::out(&format!("deleted the app {app}")));
            Ok(())
        }
        AppCommand::Reports { app, limit, cursor } => {
            let cursor = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
            let path = format!("{}/reports?limit={limit}{cursor}", app_path(&app)?);
            Client::find(target)?.call("GET", &path, None)?.print(target, show_reports);
            Ok(())
        }
        AppCommand::RotateSecret { app, dialect } => {
            let (name, ends) = match dialect {
                Dialect::Easemob => ("easemob", "the client secret and all app tokens"),
                Dialect::Netease => ("netease", "the app secret, the permission secret and the admission key"),
            };
            let path = format!("{}/rotate-secret?dialect={name}", app_path(&app)?);
            confirm(target, &format!("end {ends} of {app}"))?;
            Client::find(target)?.call("POST", &path, None)?.print(target, show);
            Ok(())
        }
        AppCommand::AdoptKeys { app, keys } => adopt_keys(&app, keys, target),
        AppCommand::AdoptLanyingKeys { app, app_id, admin_token_stdin } => {
            adopt_lanying_keys(&app, &app_id, admin_token_stdin, target)
        }
        AppCommand::AdminToken(command) => admin_token(command, target),
    }
}

fn adopt_keys(app: &str, keys: Keys, target: &Target) -> Outcome {
    let path = format!("{}/netease-keys", app_path(app)?);
    confirm(target, &format!("end the present NetEase keys of {app}"))?;
    let [app_secret, perm_secret] = if keys.secrets_stdin {
        let [first, second] = secret_lines::<2>("secrets")?;
        let missing = || Failure::usage("--secrets-stdin: the first line of standard input is empty");
        [Some(first.ok_or_else(missing)?), second]
    } else {
        [keys.app_secret, keys.perm_secret]
    };
    let mut body = json!({ "app_key": keys.app_key, "app_secret": app_secret });
    if let Some(secret) = perm_secret {
        body["perm_secret"] = secret.into();
    }
    Client::find(target)?.call("PUT", &path, Some(&body))?.print(target, show);
    Ok(())
}

fn adopt_lanying_keys(app: &str, app_id: &str, with_token: bool, target: &Target) -> Outcome {
    let path = format!("{}/lanying-keys", app_path(app)?);
    confirm(target, &format!("end the present app_id of {app}"))?;
    let mut body = json!({ "app_id": app_id });
    if with_token {
        let [token] = secret_lines::<1>("admin token")?;
        let token = token.ok_or_else(|| Failure::usage("--admin-token-stdin: standard input is empty"))?;
        body["admin_token"] = token.into();
    }
    Client::find(target)?.call("PUT", &path, Some(&body))?.print(target, show);
    Ok(())
}

fn admin_token(command: AdminTokenCommand, target: &Target) -> Outcome {
    let tokens = |app: &str| Ok::<_, Failure>(format!("{}/admin-tokens", app_path(app)?));
    match command {
        AdminTokenCommand::Create { app, label } => {
            let made = Client::find(target)?.call("POST", &tokens(&app)?, Some(&json!({ "label": label })))?;
            let show = |made: &Value| {
                print::fields(&[("Id", text(&made["id"])), ("Admin token", text(&made["admin_token"]))]);
            };
            made.print(target, show);
        }
        AdminTokenCommand::List { app } => {
            let found = Client::find(target)?.call("GET", &tokens(&app)?, None)?;
            found.print(target, |found| {
                let rows = found["admin_tokens"].as_array().into_iter().flatten();
                let rows = rows.map(|token| [&token["id"], &token["label"], &token["created"]].map(text).into());
                print::table(&["id", "label", "created"], rows);
            });
        }
        AdminTokenCommand::Revoke { app, id } => {
            let path = format!("{}/{}", tokens(&app)?, segment(&id));
            confirm(target, &format!("end the admin token {id} of {app}"))?;
            let revoked = Client::find(target)?.call("DELETE", &path, None)?;
            revoked.print(target, |_| print::out(&format!("revoked the admin token {id}")));
        }
    }
    Ok(())
}

fn create(app: &str, settings: &Settings, target: &Target) -> Outcome {
    let (org, name) = split_app(app)?;
    let body = json!({ "org": org, "app": name, "settings": to_json(settings) });
    Client::find(target)?.call("POST", "/apps", Some(&body))?.print(target, show);
    Ok(())
}

fn set(app: &str, settings: &Settings, target: &Target) -> Outcome {
    let path = app_path(app)?;
    let changes = to_json(settings);
    if changes.is_empty() {
        return Err(Failure::usage("nothing to set: `yinxin app set --help` lists the settings"));
    }
    let body = json!({ "settings": changes });
    Client::find(target)?.call("PATCH", &path, Some(&body))?.print(target, show);
    Ok(())
}

fn list(secrets: bool, target: &Target) -> Outcome {
    let found = Client::find(target)?.call("GET", &format!("/apps?secrets={secrets}"), None)?;
    found.print(target, |found| show_all(found, secrets));
    Ok(())
}

fn show_all(found: &Value, secrets: bool) {
    let mut header = vec!["app key", "application", "client id", "profile", "registration"];
    if secrets {
        header.push("client secret");
    }
    let rows = found["apps"].as_array().into_iter().flatten().map(|app| {
        let mut row: Vec<String> =
            [&app["app_key"], &app["application"], &app["easemob"]["client_id"], &app["settings"]["profile"]]
                .map(text)
                .into();
        row.push(registration(app).to_owned());
        if secrets {
            row.push(text(&app["easemob"]["client_secret"]));
        }
        row
    });
    print::table(&header, rows);
}

fn show_reports(page: &Value) {
    let now_ms = UNIX_EPOCH.elapsed().map_or(0, |age| i64::try_from(age.as_millis()).unwrap_or(i64::MAX));
    let rows = page["reports"].as_array().into_iter().flatten().map(|report| {
        let mut row = vec![age(now_ms - report["reported"].as_i64().unwrap_or(now_ms))];
        row.extend(["reporter", "sender", "kind", "reason", "message"].map(|field| text(&report[field])));
        row.push(beginning(&text(&report["excerpt"])));
        row
    });
    print::table(&["age", "by", "about", "kind", "reason", "message", "what it said"], rows);
    if let Some(cursor) = page["cursor"].as_str() {
        print::err(&format!("there are more: --cursor {cursor}"));
    }
}

/// In the largest unit that fits.
fn age(ms: i64) -> String {
    match ms / 60_000 {
        minutes @ ..60 => format!("{} min", minutes.max(0)),
        minutes @ 60..1440 => format!("{} h", minutes / 60),
        minutes => format!("{} d", minutes / 1440),
    }
}

/// As much as fits beside other columns; `--json` prints all.
fn beginning(text: &str) -> String {
    let mut short: String = text.chars().take(EXCERPT_CHARS).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// The settings that were given.
fn to_json(settings: &Settings) -> Map<String, Value> {
    let given = [
        ("open_registration", settings.open_registration.map(Value::from)),
        ("profile", settings.profile.clone().map(Value::from)),
        ("user_token_ttl", settings.user_token_ttl.map(Value::from)),
        ("app_token_ttl", settings.app_token_ttl.map(Value::from)),
        ("contacts_max", settings.contacts_max.map(Value::from)),
        ("contacts_only_messaging", settings.contacts_only_messaging.map(Value::from)),
        ("safe_mode", settings.safe_mode.map(Value::from)),
        ("local_room_tokens", settings.local_room_tokens.map(Value::from)),
        ("token_error_code", code(settings.token_error_code.as_ref())),
        ("unknown_login_code", code(settings.unknown_login_code.as_ref())),
        ("expire_unit", settings.expire_unit.clone().map(Value::from)),
        ("token_user_mobile", settings.token_user_mobile.map(Value::from)),
    ];
    given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// A number that the command line takes as one of some words.
fn code(given: Option<&String>) -> Option<Value> {
    given?.parse::<u32>().ok().map(Value::from)
}

fn show(app: &Value) {
    let settings = &app["settings"];
    let mut fields = vec![
        ("AppKey", text(&app["app_key"])),
        ("Application", text(&app["application"])),
        ("Client id", text(&app["easemob"]["client_id"])),
    ];
    if let Some(secret) = app["easemob"].get("client_secret") {
        fields.push(("Client secret", text(secret)));
    }
    fields.push(("NetEase AppKey", text(&app["netease"]["app_key"])));
    for (label, name) in
        [("App secret", "app_secret"), ("Perm secret", "perm_secret"), ("Admission key", "admission_key")]
    {
        fields.extend(app["netease"].get(name).map(|secret| (label, text(secret))));
    }
    fields.push(("Lanying app_id", text(&app["lanying"]["app_id"])));
    fields.extend(app["lanying"].get("admin_token").map(|token| ("Admin token", text(token))));
    fields.extend([
        ("Registration", registration(app).to_owned()),
        ("Profile", text(&settings["profile"])),
        ("User token TTL", seconds(&settings["user_token_ttl"])),
        ("App token TTL", seconds(&settings["app_token_ttl"])),
        ("Contacts", format!("up to {}", text(&settings["contacts_max"]))),
        ("Messages", audience(settings).to_owned()),
        ("Rooms", rooms(settings)),
        ("Lanying", lanying(settings)),
    ]);
    print::fields(&fields);
}

fn registration(app: &Value) -> &'static str {
    if app["settings"]["open_registration"] == true { "open" } else { "by the backend" }
}

fn audience(settings: &Value) -> &'static str {
    if settings["contacts_only_messaging"] == true { "to contacts only" } else { "to everybody" }
}

fn rooms(settings: &Value) -> String {
    match (settings["safe_mode"] == true, settings["local_room_tokens"] == true) {
        (false, _) => "open, without tokens".to_owned(),
        (true, true) => "by tokens, issued here or computed by the backend".to_owned(),
        (true, false) => "by tokens issued here".to_owned(),
    }
}

fn lanying(settings: &Value) -> String {
    let [token, login, unit] =
        ["token_error_code", "unknown_login_code", "expire_unit"].map(|name| text(&settings[name]));
    let mobile = if settings["token_user_mobile"] == true { "mobiles for names" } else { "names only" };
    format!("bad token {token}, unknown login {login}, expire in {unit}, {mobile}")
}

fn seconds(ttl: &Value) -> String {
    if *ttl == 0 { "for ever".to_owned() } else { format!("{} s", text(ttl)) }
}
