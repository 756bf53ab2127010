//! Profiles and connections.

use std::sync::Arc;

use serde_json::json;
use yinxin_core::presence::News;
use yinxin_core::sessions::Device;
use yinxin_core::{attributes, users};
use yinxin_realtime::{Ending, Line};

use crate::asking::Answer as _;
use crate::world::{START_MS, World};

#[tokio::test]
async fn a_profile_is_set_field_by_field_and_seen_by_every_dialect() {
    let w = World::new().await;
    let form = [
        ("accid", "T1"),
        ("name", "abc"),
        ("icon", "http://x/y.png"),
        ("sign", "hi"),
        ("email", "t1@163.com"),
        ("birth", "1990-01-01"),
        ("mobile", "18645454545"),
        ("gender", "1"),
        ("ex", r#"{"a":1}"#),
        ("bid", "x"),
    ];
    w.post("user/create.action", &form).await.await.ok();
    w.create("t2").await;
    let ask = || async { w.post("user/getUinfos.action", &[("accids", r#"["T1","t2","nobody","a b"]"#)]).await.await };
    let t2 = json!({ "accid": "t2", "gender": 0, "valid": true });
    assert_eq!(
        ask().await.ok()["uinfos"],
        json!([
            { "accid": "t1", "name": "abc", "icon": "http://x/y.png", "sign": "hi", "email": "t1@163.com",
              "birth": "1990-01-01", "mobile": "18645454545", "gender": 1, "ex": r#"{"a":1}"#, "valid": true },
            t2
        ])
    );
    w.post("user/updateUinfo.action", &[("accid", "t1"), ("name", ""), ("sign", "bye"), ("gender", "2")])
        .await
        .await
        .ok();
    let app = w.app().await;
    let seen = attributes::all(&w.ctx, &app, "t1").await.unwrap();
    let value = |name: &str| seen.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    assert_eq!((value("nickname"), value("sign"), value("gender")), (None, Some("bye"), Some("2")));
    let theirs = vec![("nickname".into(), "named elsewhere".into()), ("gender".into(), "none".into())];
    attributes::put(&w.ctx, &app, "t2", theirs).await.unwrap();
    let t2 = json!({ "accid": "t2", "name": "named elsewhere", "gender": 0, "valid": true });
    assert_eq!(ask().await.ok()["uinfos"][1], t2);
}

#[tokio::test]
async fn fields_are_bounded_under_their_names_here() {
    let w = World::new().await;
    w.create("ann").await;
    let stored = w.dump().await;
    for (field, max) in
        [("name", 64), ("icon", 1024), ("sign", 256), ("email", 64), ("birth", 16), ("mobile", 32), ("ex", 1024)]
    {
        let long = "长".repeat(max + 1);
        for action in ["user/updateUinfo.action", "user/create.action"] {
            let accid = if action == "user/create.action" { "new" } else { "ann" };
            let reply = w.post(action, &[("accid", accid), (field, &long)]).await.await;
            reply.refused(414, &format!("{field} is longer than {max}"));
        }
    }
    for bad in ["3", "-1", "x", "1.0", "male"] {
        let reply = w.post("user/updateUinfo.action", &[("accid", "ann"), ("gender", bad)]).await.await;
        reply.refused(414, &format!("a field is not of the expected form: 'gender={bad}'"));
    }
    assert_eq!(w.dump().await, stored);
    let full = "长".repeat(1024);
    w.post("user/updateUinfo.action", &[("accid", "ann"), ("ex", &full), ("icon", &full)]).await.await.ok();
}

#[tokio::test]
async fn lists_of_accids_are_json_of_at_most_200() {
    let w = World::new().await;
    w.create("ann").await;
    for action in ["user/getUinfos.action", "user/userOnlineStatus.action"] {
        w.post(action, &[]).await.await.refused(414, "accids is empty");
        w.post(action, &[("accids", "[]")]).await.await.refused(414, "accids is empty");
        for bad in ["ann", "[ann]", "{}", "\"ann\"", "[1]", "[null]", "[[\"ann\"]]", "[\"ann\""] {
            let reply = w.post(action, &[("accids", bad)]).await.await;
            reply.refused(414, "a field is not of the expected form: 'accids is no array of texts'");
        }
        let names = |count: usize| json!(vec!["ann"; count]).to_string();
        w.post(action, &[("accids", &names(200))]).await.await.ok();
        w.post(action, &[("accids", &names(201))]).await.await.refused(414, "more than 200 accids");
    }
    let nobody = w.post("user/getUinfos.action", &[("accids", r#"["x","y"]"#)]).await.await;
    nobody.refused(414, "x not register");
}

struct Silent;

impl Line for Silent {
    fn end(&self, _: Ending) {}
    fn wake(&self, _: &str) {}
    fn announce(&self, _: &Arc<News>) {}
    fn renew(&self, _: std::net::IpAddr, _: i64) {}
}

#[tokio::test]
async fn who_is_connected_is_told_with_what_and_since_when() {
    let w = World::new().await;
    let app = w.app().await;
    for name in ["ann", "ben"] {
        w.create(name).await;
    }
    let ann = users::find(&w.ctx, &app, "ann").await.unwrap();
    let device = |resource: &str, since_ms: i64| Device {
        resource: resource.to_owned(),
        device_uuid: String::new(),
        device_name: String::new(),
        note: String::new(),
        since_ms,
    };
    let connect =
        |device: Device, platform| w.registry.register((app.id, ann.user), device, platform, Arc::new(Silent)).unwrap();
    let _web = connect(device("web", START_MS), "web");
    let _phone = connect(device("phone", START_MS + 5), "ios");
    let found = w.post("user/userOnlineStatus.action", &[("accids", r#"["ANN","ben","nobody","a b"]"#)]).await.await;
    let ann = json!([{ "clientType": 2, "loginTime": START_MS + 5 }, { "clientType": 16, "loginTime": START_MS }]);
    assert_eq!(found.ok()["data"], json!({ "invalidAccids": ["nobody", "a b"], "status": { "ann": ann } }));
    let theirs = w.post_as_other("user/userOnlineStatus.action", &[("accids", r#"["ann"]"#)]).await.await;
    assert_eq!(theirs.ok()["data"], json!({ "invalidAccids": ["ann"], "status": {} }));
}
