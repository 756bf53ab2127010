//! What a client asks before it logs in: where the servers are, and how the app is set up.

use std::future::{Ready, ready};

use serde_json::json;

use crate::answer::{self, Answer};
use crate::call::Call;
use crate::rights::Anybody;

/// `GET /v2/app_dns`: where to find what. Everything is here. Quirk(lanying): `rtc` must be named although there is none.
/// Source: docs/dialects/lanying.md.
pub(crate) fn dns(call: &Call, _: Anybody) -> Ready<Answer> {
    let (protocol, host) = call.place();
    let here = json!([{ "protocol": protocol, "host": host, "ip_list": [] }]);
    let cluster = json!({ "ratel": here, "webim": here, "ws": here, "rtc": here });
    ready(answer::ok(json!({
        "version": 1,
        "app_status": "normal",
        "dns_list": [{ "group_level": 0, "clusters": [cluster] }],
        "dns_server_list": [],
        "link_server_list": [],
    })))
}

/// `GET /app/config`: whether anybody may register.
pub(crate) fn config(call: &Call, _: Anybody) -> Ready<Answer> {
    ready(answer::ok(json!({ "open_registration": call.app.settings.open_registration })))
}
