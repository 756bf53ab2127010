//! `yinxin hook …`.

use serde_json::{Map, Value, json};
use yinxin_core::clock::rfc3339;

use super::{Answer, Client, app_path, confirm, segment, text};
use crate::args::{HookCommand, HookSettings, OneHook, Target};
use crate::exit::{Failure, Outcome};
use crate::print;

pub(crate) fn run(command: HookCommand, target: &Target) -> Outcome {
    match command {
        HookCommand::Add { app, url, pre_send, settings } => {
            let mut body = to_json(&settings);
            body.insert("url".to_owned(), url.into());
            body.insert("kind".to_owned(), if pre_send { "pre_send" } else { "events" }.into());
            let made = Client::find(target)?.call("POST", &hooks(&app)?, Some(&body.into()))?;
            made.print(target, show);
        }
        HookCommand::List { app, secrets } => {
            let found = Client::find(target)?.call("GET", &format!("{}?secrets={secrets}", hooks(&app)?), None)?;
            found.print(target, |found| show_all(found, secrets));
        }
        HookCommand::Show { hook, secrets } => {
            call("GET", &hook, &format!("?secrets={secrets}"), None, target)?.print(target, show);
        }
        HookCommand::Change { hook, url, settings } => {
            let mut body = to_json(&settings);
            body.extend(url.map(|url| ("url".to_owned(), url.into())));
            if body.is_empty() {
                return Err(Failure::usage("nothing to change: `yinxin hook change --help` lists the settings"));
            }
            call("PATCH", &hook, "", Some(&body.into()), target)?.print(target, show);
        }
        HookCommand::Remove(hook) => {
            path(&hook)?;
            confirm(target, &format!("remove the hook {} of {} with all that waits for it", hook.hook, hook.app))?;
            let removed = call("DELETE", &hook, "", None, target)?;
            removed.print(target, |_| print::out(&format!("removed the hook {}", hook.hook)));
        }
        HookCommand::RotateSecret(hook) => {
            call("POST", &hook, "/rotate-secret", None, target)?.print(target, show);
        }
        HookCommand::Log { hook, limit, cursor } => {
            let cursor = cursor.map(|cursor| format!("&cursor={}", segment(&cursor))).unwrap_or_default();
            call("GET", &hook, &format!("/log?limit={limit}{cursor}"), None, target)?.print(target, show_log);
        }
        HookCommand::Redeliver { hook, event } => {
            let body = event.map(|event| json!({ "event": event }));
            let done = call("POST", &hook, "/redeliver", body.as_ref(), target)?;
            done.print(target, |done| print::out(&format!("events that are told again: {}", text(&done["events"]))));
        }
        HookCommand::Test(hook) => {
            let tried = call("POST", &hook, "/test", None, target)?;
            tried.print(target, show_test);
            if let Some(error) = tried.value["error"].as_str() {
                return Err(Failure::failed(format!("the hook {} did not take the test: {error}", hook.hook)));
            }
        }
    }
    Ok(())
}

fn hooks(app: &str) -> Outcome<String> {
    Ok(format!("{}/hooks", app_path(app)?))
}

fn path(hook: &OneHook) -> Outcome<String> {
    if hook.hook.is_empty() {
        return Err(Failure::usage("the id of the hook is empty"));
    }
    Ok(format!("{}/{}", hooks(&hook.app)?, segment(&hook.hook)))
}

fn call(method: &str, hook: &OneHook, action: &str, body: Option<&Value>, target: &Target) -> Outcome<Answer> {
    let path = format!("{}{action}", path(hook)?);
    Client::find(target)?.call(method, &path, body)
}

/// The settings that were given.
fn to_json(settings: &HookSettings) -> Map<String, Value> {
    let given = [
        ("events", settings.events.clone().map(Value::from)),
        ("timeout_ms", settings.timeout_ms.map(Value::from)),
        ("on_failure", settings.on_failure.map(|on_failure| on_failure.name().into())),
        ("enabled", settings.enabled.map(Value::from)),
    ];
    given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

fn show(hook: &Value) {
    let mut fields = vec![("Id", text(&hook["id"])), ("URL", text(&hook["url"]))];
    if let Some(secret) = hook.get("secret") {
        fields.push(("Secret", text(secret)));
    }
    fields.push(("Timeout", format!("{} ms", text(&hook["timeout_ms"]))));
    if hook["kind"] == "pre_send" {
        fields.push(("Asked", "before a user's message is sent".to_owned()));
        fields.push(("Without answer", if hook["on_failure"] == "open" { "sent" } else { "refused" }.to_owned()));
    } else {
        fields.push(("Told of", events(hook)));
        fields.push(("Waiting", text(&hook["waiting"])));
        fields.push(("Failed", text(&hook["failed"])));
        fields.push(("Dropped", text(&hook["dropped"])));
    }
    fields.push(("State", state(hook)));
    print::fields(&fields);
}

fn show_all(found: &Value, secrets: bool) {
    let mut header = vec!["id", "url", "told of", "waiting", "failed", "state"];
    if secrets {
        header.push("secret");
    }
    let rows = found["hooks"].as_array().into_iter().flatten().map(|hook| {
        let told = if hook["kind"] == "pre_send" { "(asked)".to_owned() } else { events(hook) };
        let [id, url, waiting, failed] = [&hook["id"], &hook["url"], &hook["waiting"], &hook["failed"]].map(text);
        let mut row = vec![id, url, told, waiting, failed, state(hook)];
        if secrets {
            row.push(text(&hook["secret"]));
        }
        row
    });
    print::table(&header, rows);
}

fn events(hook: &Value) -> String {
    let names = hook["events"].as_array().into_iter().flatten().map(text);
    names.collect::<Vec<_>>().join(", ")
}

fn state(hook: &Value) -> String {
    match (&hook["enabled"], hook["disabled_why"].as_str(), &hook["failing_since"]) {
        (Value::Bool(true), _, Value::Null) => "on".to_owned(),
        (Value::Bool(true), _, since) => format!("on, failing since {}", time(since)),
        (_, Some(why), _) => format!("off: {why}"),
        _ => "off".to_owned(),
    }
}

fn time(value: &Value) -> String {
    value.as_i64().map_or_else(|| text(value), rfc3339)
}

fn show_log(log: &Value) {
    let rows = log["attempts"].as_array().into_iter().flatten().map(|attempt| {
        let mut row = vec![time(&attempt["at"])];
        let rest = ["event", "id", "attempt", "status", "duration_ms", "error"];
        row.extend(rest.map(|field| text(&attempt[field])));
        row
    });
    print::table(&["at", "event", "id", "attempt", "status", "ms", "error"], rows);
    if let Some(cursor) = log["cursor"].as_str() {
        print::err(&format!("there are more: --cursor {cursor}"));
    }
}

fn show_test(tried: &Value) {
    let mut fields = vec![("Status", text(&tried["status"])), ("Took", format!("{} ms", text(&tried["duration_ms"])))];
    match tried["allow"].as_bool() {
        Some(true) => fields.push(("Verdict", "allowed".to_owned())),
        Some(false) => fields.push(("Verdict", format!("vetoed: {}", text(&tried["reason"])))),
        None => {}
    }
    if !tried["error"].is_null() {
        fields.push(("Error", text(&tried["error"])));
    }
    print::fields(&fields);
}
