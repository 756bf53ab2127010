//! Profiles ("uinfo"): what an account shows of itself. Other dialects see the same under their own names.
//! Source: docs/dialects/netease.md.

use serde::Serialize;
use serde_json::{Map, Value};
use yinxin_core::names::{NameRule, Username};
use yinxin_core::profiles::{self, Field, Profile};
use yinxin_core::users::{self, User};
use yinxin_core::{Code, Error, Result};

use super::call::Call;
use super::mutes;
use crate::answer::{self, Answer};

/// The parameters and what they are.
const FIELDS: [(&str, Field); 8] = [
    ("name", Field::Name),
    ("icon", Field::Icon),
    ("sign", Field::Sign),
    ("email", Field::Email),
    ("birth", Field::Birth),
    ("mobile", Field::Mobile),
    ("gender", Field::Gender),
    ("ex", Field::Ext),
];

/// The fields that the call gives; one that is given empty is to be emptied.
pub(super) fn given(call: &Call) -> Profile {
    let given = |(wire, field): (&str, Field)| Some((field, call.form.get(wire)?.to_owned()));
    FIELDS.into_iter().filter_map(given).collect()
}

/// A refused field under its name here.
pub(super) fn by_its_name(error: Error) -> Error {
    let wire = FIELDS.iter().find(|(_, field)| field.attribute() == error.subject).map(|(wire, _)| *wire);
    match (error.code, wire) {
        (Code::ProfileFieldTooLong, Some(wire)) => Error::about(error.code, wire).with_limit(error.limit),
        _ => error,
    }
}

/// `user/updateUinfo.action`.
pub(super) async fn update(call: &Call) -> Answer {
    let name = call.accid()?;
    profiles::change(call.ctx(), &call.app, name.as_str(), given(call)).await.map_err(by_its_name)?;
    Ok(answer::done())
}

/// `user/getUinfos.action`. Those who are not registered are left out; when nobody is, that is an error.
pub(super) async fn get_many(call: &Call) -> Answer {
    #[derive(Serialize)]
    struct Uinfos {
        uinfos: Vec<Map<String, Value>>,
    }
    let names = call.accids()?;
    let with_mutes = call.form.switch("muteStatus")?.unwrap_or_default();
    let mut uinfos = Vec::with_capacity(names.len());
    for spelled in &names {
        let Ok(name) = Username::parse_by(NameRule::SHORT, spelled) else { continue };
        let Some(user) = users::look_up(call.ctx(), call.app.id, name.as_str()).await? else { continue };
        let mut uinfo = uinfo(call, &user).await?;
        if with_mutes {
            let held = mutes::held_by(call, &name).await?;
            uinfo.insert("mute".to_owned(), held.iter().all(|(_, held)| *held).into());
            uinfo.extend(held.into_iter().map(|(wire, held)| (wire.to_owned(), held.into())));
        }
        uinfos.push(uinfo);
    }
    match names.first() {
        Some(first) if uinfos.is_empty() => Err(Error::about(Code::UserNotFound, first)),
        _ => answer::ok(Uinfos { uinfos }),
    }
}

async fn uinfo(call: &Call, user: &User) -> Result<Map<String, Value>> {
    let profile = profiles::of_user(call.ctx(), &call.app, &user.username).await?;
    let mut shown = Map::new();
    shown.insert("accid".to_owned(), user.username.clone().into());
    for (wire, field) in FIELDS {
        let value = profile.iter().find(|(known, _)| *known == field).map(|(_, value)| value.as_str());
        let value = match field {
            // Another dialect may have written anything here; what is no number says nothing.
            Field::Gender => Some(Value::from(value.and_then(|value| value.parse::<u8>().ok()).unwrap_or(0))),
            _ => value.map(Value::from),
        };
        shown.extend(value.map(|value| (wire.to_owned(), value)));
    }
    shown.insert("valid".to_owned(), user.active.into());
    Ok(shown)
}
