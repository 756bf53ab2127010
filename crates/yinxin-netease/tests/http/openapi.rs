//! `docs/openapi/rtc.json` against the routes and against what is sent.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use yinxin_netease::{DOCUMENT, OPERATIONS, Options};

use crate::admit::{refusal, success};
use crate::asking::{Ask, Signed as _};
use crate::media::servers;
use crate::world::World;

fn document() -> Value {
    serde_json::from_str(DOCUMENT).unwrap()
}

#[test]
fn the_document_and_the_router_have_the_same_operations() {
    let document = document();
    let of_path = |(path, item): (&String, &Value)| {
        let told = |(method, operation): (&String, &Value)| {
            (method.clone(), path.clone(), operation["operationId"].as_str().unwrap().to_owned())
        };
        item.as_object().unwrap().iter().map(told).collect::<Vec<_>>()
    };
    let documented: BTreeSet<_> = document["paths"].as_object().unwrap().iter().flat_map(of_path).collect();
    let mut routed: BTreeSet<_> =
        OPERATIONS.iter().map(|op| ("post".to_owned(), op.path.to_owned(), op.id.to_owned())).collect();
    routed.insert(("get".to_owned(), "/nrtc/openapi.json".to_owned(), "show_rtc_openapi".to_owned()));
    assert_eq!(documented, routed);
}

#[tokio::test]
async fn the_served_document_is_the_committed_one() {
    let w = World::new().await;
    let served = Ask::new(&w, "GET", "/nrtc/openapi.json").await;
    assert_eq!((served.status, serde_json::from_slice::<Value>(&served.body).unwrap()), (200, document()));
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let mut references = Vec::new();
    collect(&document, &mut references);
    for reference in &references {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
    }
    for kind in ["schemas", "responses"] {
        for name in document["components"][kind].as_object().unwrap().keys() {
            assert!(references.contains(&format!("#/components/{kind}/{name}")), "{name} is of no use");
        }
    }
}

fn collect(value: &Value, references: &mut Vec<String>) {
    if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
        references.push(reference.to_owned());
    }
    match value {
        Value::Object(fields) => fields.values().for_each(|value| collect(value, references)),
        Value::Array(items) => items.iter().for_each(|value| collect(value, references)),
        _ => {}
    }
}

/// Holds a value against a schema: every field that is there is known, every one that must be is there, all the way down.
fn fits(value: &Value, schema: &Value, place: &str) {
    if let Some(reference) = schema["$ref"].as_str() {
        return fits(value, document().pointer(reference.trim_start_matches('#')).unwrap(), place);
    }
    if let (Some(fields), Some(known)) = (value.as_object(), schema["properties"].as_object()) {
        for required in schema["required"].as_array().unwrap() {
            assert!(fields.contains_key(required.as_str().unwrap()), "{place}: {required} in {value}");
        }
        for (name, value) in fields {
            fits(value, known.get(name).unwrap_or_else(|| panic!("{place}: {name}")), &format!("{place}.{name}"));
        }
    }
}

#[tokio::test]
async fn questions_and_answers_have_the_documented_fields() {
    let mut w = World::new().await;
    w.router = yinxin_netease::router(w.ctx.clone(), Options { media: servers(), ..Options::default() });
    let app = w.app().await;
    let schemas = &document()["components"]["schemas"];
    let token = w.token(&[("uid", "7"), ("channelName", "abc")]).await;

    let asked = json!({ "appkey": app.signing.key, "uid": 7, "channelName": "abc", "token": token, "permKey": null,
                        "for": ["livekit", "janus", "turn"] });
    fits(&asked, &schemas["CredentialsRequest"], "asked");
    let given = success(&Ask::new(&w, "POST", "/nrtc/credentials").raw(asked.to_string()).await);
    fits(&given, &schemas["Credentials"], "credentials");

    let asked = json!({ "app_key": app.signing.key, "uid": 7, "room": "abc", "token": token, "perm_key": null });
    fits(&asked, &schemas["AdmissionRequest"], "asked");
    let admitted = success(&Ask::new(&w, "POST", "/nrtc/admit").signed_by(&app).raw(asked.to_string()).await);
    fits(&admitted, &schemas["Admission"], "admission");

    let refused = Ask::new(&w, "POST", "/nrtc/admit").raw(asked.to_string()).await;
    refusal(&refused);
    fits(&serde_json::from_slice(&refused.body).unwrap(), &schemas["Refusal"], "refusal");
}
