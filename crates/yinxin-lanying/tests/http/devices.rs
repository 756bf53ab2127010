//! Devices: who is connected, and kicked; what is pushed to.

use std::sync::{Arc, Mutex};

use serde_json::json;
use yinxin_core::presence::News;
use yinxin_core::sessions::{CloseReason, Device, device_number};
use yinxin_core::users;
use yinxin_realtime::{Ending, Line, Registration};

use crate::asking::{Answer as _, Ask, Bearer as _};
use crate::world::{Somebody, World};

/// How a connection was told to end.
#[derive(Default)]
struct Told(Mutex<Vec<Ending>>);

impl Line for Told {
    fn end(&self, ending: Ending) {
        self.0.lock().unwrap().push(ending);
    }
    fn wake(&self, _queue: &str) {}
    fn announce(&self, _news: &Arc<News>) {}
}

async fn connect(w: &World, who: &Somebody, resource: &str) -> (Registration, Arc<Told>) {
    let app = w.core_app().await;
    let user = users::find(&w.ctx, &app, &who.name).await.unwrap();
    let device = Device {
        resource: resource.to_owned(),
        device_uuid: String::new(),
        device_name: "Chrome".to_owned(),
        note: String::new(),
        since_ms: 1,
    };
    let line = Arc::new(Told::default());
    (w.registry.register((app.id, user.user), device, "web", line.clone()).unwrap(), line)
}

#[tokio::test]
async fn devices_are_listed_and_kicked_by_number() {
    let w = World::new().await;
    let ann = w.user("ann").await;
    assert_eq!(w.get("/user/online_status").by(&ann.token).await.ok(), json!({ "online": false }));
    let (_one, first) = connect(&w, &ann, "web_1").await;
    let (_two, second) = connect(&w, &ann, "web_2").await;
    let kicks = || [&first, &second].map(|line| line.0.lock().unwrap().len());
    assert_eq!(w.get("/user/online_status").by(&ann.token).await.ok(), json!({ "online": true }));
    let shown = |resource: &str| json!({ "device_sn": device_number(resource), "platform": 6, "user_agent": "Chrome", "user_id": ann.id });
    let list = || w.get("/user/device/list").by(&ann.token);
    assert_eq!(list().await.ok(), json!([shown("web_2"), shown("web_1")]));
    w.tell(&format!("/user/kick?device_sn={}", device_number("web_1"))).by(&ann.token).await.ok();
    assert_eq!(kicks(), [1, 0]);
    // Quirk(lanying): the web SDK has the number in the body. Source: docs/dialects/lanying.md.
    w.post("/user/kick", &json!({ "device_sn": device_number("web_2") })).by(&ann.token).await.ok();
    assert_eq!(kicks(), [1, 1]);
    assert_eq!(second.0.lock().unwrap()[..], [Ending::Asked(CloseReason::Kicked)]);
    w.tell("/user/kick").by(&ann.token).await.refused(10002);
    w.tell("/user/kick?device_sn=99999999999").by(&ann.token).await.refused(10002);
}

#[tokio::test]
async fn a_device_is_bound_for_pushes_by_its_number() {
    let w = World::new().await;
    let ann = w.user("ann").await;
    let bind = json!({ "device_sn": 7, "device_token": "t", "notifier_name": "n" });
    w.post("/user/token/bind", &bind).by(&ann.token).await.ok();
    let app = w.core_app().await;
    let devices = || async { yinxin_core::push::devices(&w.ctx, &app, "ann").await.unwrap() };
    assert_eq!(devices().await[0].device_id, "7");
    for missing in ["device_token", "notifier_name", "device_sn"] {
        let mut body = bind.clone();
        body.as_object_mut().unwrap().remove(missing);
        w.post("/user/token/bind", &body).by(&ann.token).await.refused(10002);
    }
    w.tell("/user/token/unbind?deviceSn=7").by(&ann.token).await.ok();
    assert!(devices().await.is_empty());
}

#[tokio::test]
async fn a_device_that_is_removed_goes_offline_and_is_not_pushed_to() {
    let w = World::new().await;
    let (ann, ben) = (w.user("ann").await, w.user("ben").await);
    let (_one, first) = connect(&w, &ann, "web_1").await;
    let (_two, second) = connect(&w, &ann, "web_2").await;
    let (_other, bens) = connect(&w, &ben, "web_1").await;
    let [one, two] = ["web_1", "web_2"].map(device_number);
    for (who, number) in [(&ann, one), (&ann, two), (&ben, one)] {
        let bind = json!({ "device_sn": number, "device_token": "t", "notifier_name": "n" });
        w.post("/user/token/bind", &bind).by(&who.token).await.ok();
    }
    let app = w.core_app().await;
    let bound = async |name: &str| -> Vec<String> {
        let devices = yinxin_core::push::devices(&w.ctx, &app, name).await.unwrap();
        devices.into_iter().map(|device| device.device_id).collect()
    };
    let endings = || [&first, &second, &bens].map(|line| line.0.lock().unwrap().clone());
    let kicked = vec![Ending::Asked(CloseReason::Kicked)];
    w.tell(&format!("/user/device/remove?device_sn={one}")).by(&ann.token).await.ok();
    assert_eq!(endings(), [kicked.clone(), vec![], vec![]]);
    assert_eq!(bound("ann").await, [two.to_string()]);
    let delete = || Ask::new(&w, "DELETE", "/user/device/remove").header("app_id", &w.app.app_id).by(&ann.token);
    delete().json(&json!({ "device_sn": two })).await.ok();
    assert_eq!(endings(), [kicked.clone(), kicked, vec![]]);
    assert_eq!((bound("ann").await, bound("ben").await), (vec![], vec![one.to_string()]));
    // One that is not there need not be removed.
    delete().json(&json!({ "device_sn": 7 })).await.ok();
    delete().await.refused(10002);
}

#[tokio::test]
async fn a_backend_binds_the_device_that_a_push_token_names() {
    let w = World::new().await;
    let (ann, ben) = (w.user("ann").await, w.user("ben").await);
    let login = json!({ "name": "ann", "password": "pw-ann", "device_guid": "phone-1" });
    let token = w.post("/token/user", &login).await.ok()["push_token"].as_str().unwrap().to_owned();
    assert_eq!(w.post("/token/user", &login).await.ok()["push_token"], token.as_str());
    let bind = json!({ "push_token": token, "device_token": "t", "notifier_name": "n" });
    let forged = json!({ "push_token": format!("{token}A"), "device_token": "t", "notifier_name": "n" });
    w.post("/user/token/bind", &forged).by(&w.app.admin).await.refused(10002);
    w.post("/user/token/bind", &bind).by(&ben.token).await.refused(10010);
    w.post("/user/token/bind", &bind).by(&w.app.admin).await.ok();
    let app = w.core_app().await;
    let devices = || async { yinxin_core::push::devices(&w.ctx, &app, "ann").await.unwrap() };
    // By its number it is the same device.
    assert_eq!(devices().await[0].device_id, yinxin_core::sessions::device_number("phone-1").to_string());
    // A token of one app names nobody in another.
    let foreign = crate::asking::Ask::new(&w, "POST", "/user/token/bind").header("app_id", &w.other.app_id);
    foreign.by(&w.other.admin).raw(bind.to_string()).await.refused(10002);
    w.tell(&format!("/user/token/unbind?push_token={token}")).by(&ann.token).await.ok();
    assert!(devices().await.is_empty());
}
