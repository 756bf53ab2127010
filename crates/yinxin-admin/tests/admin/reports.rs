use axum::http::StatusCode;
use serde_json::json;
use yinxin_core::hooks::Content;
use yinxin_core::messages::{self, Act, Entry, Kind, Outgoing, Sender};
use yinxin_core::{apps, reports, users};
use yinxin_testkit::ground::START_MS;

use crate::harness::Api;

const REPORTS: &str = "/apps/acme/chat/reports";

#[tokio::test]
async fn complaints_are_listed_in_pages_the_last_first() {
    let api = Api::start().await;
    for user in [r#"{"name":"ann"}"#, r#"{"name":"ben"}"#] {
        api.post("/apps/acme/chat/users", user).await.expect(StatusCode::CREATED);
    }
    let app = apps::find(&api.ctx, "acme", "chat").await.unwrap();
    let ann = users::find(&api.ctx, &app, "ann").await.unwrap();
    let mut ids = Vec::new();
    for text in ["buy one", "buy two", "buy three"] {
        let (origin, payload) = ("web".to_owned(), text.into());
        let (kind, act, read) = (Kind::Chat, Act::Says, |_: &[u8]| Content::default());
        let outgoing = Outgoing { kind, origin, payload, act, online_only: false, read };
        let sent = messages::send(&api.ctx, &app, Sender::User(&ann), "ben", outgoing).await.unwrap();
        let excerpt = |entry: &Entry| String::from_utf8_lossy(&entry.payload).into_owned();
        let said = ("spam".to_owned(), "it sells".to_owned());
        reports::add(&api.ctx, &app, "ben", sent.id, said, excerpt).await.unwrap();
        ids.push(sent.id.to_string());
    }
    let page = api.get(&format!("{REPORTS}?limit=2")).await.expect(StatusCode::OK);
    let last = json!({
        "message": ids[2],
        "sender": "ann",
        "reporter": "ben",
        "kind": "spam",
        "reason": "it sells",
        "excerpt": "buy three",
        "reported": START_MS,
    });
    assert_eq!(page["reports"][0], last);
    assert_eq!(page["reports"][1]["excerpt"], "buy two");
    let next = page["cursor"].as_str().unwrap();
    let page = api.get(&format!("{REPORTS}?limit=2&cursor={next}")).await.expect(StatusCode::OK);
    assert_eq!((page["reports"].as_array().unwrap().len(), &page["cursor"]), (1, &json!(null)));
    assert_eq!(page["reports"][0]["message"], ids[0]);
}

#[tokio::test]
async fn pages_of_complaints_have_bounds() {
    let api = Api::start().await;
    for query in ["limit=0", "limit=101", "limit=x", "cursor=x", "cursor=99999999999999999999", "colour=red"] {
        api.get(&format!("{REPORTS}?{query}")).await.refused(StatusCode::BAD_REQUEST, "FieldIllegal");
    }
    api.get("/apps/acme/none/reports").await.refused(StatusCode::NOT_FOUND, "AppNotFound");
}
