//! A user as replies show it.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use uuid::Uuid;
use yinxin_core::users::User;

/// The user entity. Settings that were never set do not appear.
pub(crate) struct Entity<'a>(pub &'a User);

impl Serialize for Entity<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let user = self.0;
        let push = &user.push;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("uuid", &Uuid::from_bytes(user.user.0))?;
        map.serialize_entry("type", "user")?;
        map.serialize_entry("created", &user.created_ms)?;
        map.serialize_entry("modified", &user.modified_ms)?;
        map.serialize_entry("username", &user.username)?;
        map.serialize_entry("activated", &user.active)?;
        put(&mut map, "notification_no_disturbing", push.quiet.as_ref())?;
        put(&mut map, "notification_no_disturbing_start", push.quiet_start_h.as_ref())?;
        put(&mut map, "notification_no_disturbing_end", push.quiet_end_h.as_ref())?;
        put(&mut map, "notification_display_style", push.style.as_ref())?;
        for (group, ignored) in &user.group_ignores {
            map.serialize_entry(&format_args!("notification_ignore_{group}"), ignored)?;
        }
        put(&mut map, "nickname", push.nickname.as_ref())?;
        put(&mut map, "notifier_name", push.notifier_name.as_ref())?;
        put(&mut map, "device_token", push.device_token.as_ref())?;
        if let (Some(device_token), Some(notifier_name)) = (&push.device_token, &push.notifier_name) {
            map.serialize_entry("pushInfo", &[PushInfo { device_id: device_token, device_token, notifier_name }])?;
        }
        map.end()
    }
}

fn put<M: SerializeMap>(map: &mut M, name: &str, value: Option<&impl Serialize>) -> Result<(), M::Error> {
    value.map_or(Ok(()), |value| map.serialize_entry(name, value))
}

/// The push binding in the form of newer replies.
#[derive(Serialize)]
struct PushInfo<'a> {
    // Quirk(easemob): spelled with a capital I. The old binding call has no device id; the token stands for it.
    #[serde(rename = "device_Id")]
    device_id: &'a str,
    device_token: &'a str,
    notifier_name: &'a str,
}
