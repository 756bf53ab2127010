use std::collections::BTreeSet;

use axum::http::StatusCode;
use serde_json::Value;
use yinxin_admin::{DOCUMENT, OPERATIONS};

use crate::harness::Api;

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

fn document() -> Value {
    serde_json::from_str(DOCUMENT).unwrap()
}

/// Every operation of the document: method, path, id.
fn documented() -> BTreeSet<(String, String, String)> {
    let document = document();
    let paths = document["paths"].as_object().unwrap();
    let of_path = |(path, item): (&String, &Value)| {
        let operations = item.as_object().unwrap().iter().filter(|(method, _)| METHODS.contains(&method.as_str()));
        let told = |(method, operation): (&String, &Value)| {
            (method.clone(), path.clone(), operation["operationId"].as_str().unwrap().to_owned())
        };
        operations.map(told).collect::<Vec<_>>()
    };
    paths.iter().flat_map(of_path).collect()
}

#[test]
fn the_document_and_the_router_have_the_same_operations() {
    let mut routed: BTreeSet<_> =
        OPERATIONS.iter().map(|op| (op.method.to_owned(), op.path.to_owned(), op.id.to_owned())).collect();
    routed.insert(("get".to_owned(), "/openapi.json".to_owned(), "show_openapi".to_owned()));
    assert_eq!(documented(), routed);
}

#[tokio::test]
async fn the_served_document_is_the_committed_one() {
    let api = Api::start().await;
    let served = api.send("GET", "/admin/v1/openapi.json", None, vec![]).await.expect(StatusCode::OK);
    assert_eq!(served, document());
    assert_eq!(served["openapi"], "3.1.0");
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(!references.is_empty());
    for reference in references {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
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

/// The schemas name the fields that the server sends: what is required is there, and nothing else is.
#[tokio::test]
async fn answers_have_the_documented_fields() {
    let api = Api::start().await;
    api.post("/apps/acme/chat/users", r#"{"name":"ann"}"#).await.expect(StatusCode::CREATED);
    let hook = api.post("/apps/acme/chat/hooks", r#"{"url":"http://h"}"#).await.expect(StatusCode::CREATED);
    let hook = format!("/apps/acme/chat/hooks/{}", hook["id"].as_str().unwrap());
    for (path, schema) in [
        ("/apps", "Apps"),
        ("/apps/acme/chat?secrets=true", "App"),
        ("/apps/acme/chat/admin-tokens", "AdminTokens"),
        ("/apps/acme/chat/users", "Users"),
        ("/apps/acme/chat/users/ann", "User"),
        ("/apps/acme/chat/hooks", "Hooks"),
        (&format!("{hook}?secrets=true"), "Hook"),
        (&format!("{hook}/log"), "HookLog"),
        ("/apps/acme/chat/reports", "Reports"),
        ("/server", "Server"),
        ("/apps/acme/none", "Problem"),
    ] {
        let answer = api.get(path).await.json;
        let schema = &document()["components"]["schemas"][schema];
        let known = schema["properties"].as_object().unwrap();
        let sent = answer.as_object().unwrap();
        assert!(sent.keys().all(|field| known.contains_key(field)), "{path}: {answer}");
        for required in schema["required"].as_array().unwrap() {
            assert!(sent.contains_key(required.as_str().unwrap()), "{path}: {required}");
        }
    }
}
