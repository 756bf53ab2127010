//! Mutes: of an account in all kinds of conversation, or in some. Source: docs/dialects/netease.md.

use serde::Serialize;
use serde_json::{Map, Value};
use yinxin_core::mutes::{self, Scope};
use yinxin_core::names::Username;
use yinxin_core::{Code, Error, Result};

use super::call::Call;
use crate::answer::{self, Answer};

/// What a mute is called here, by the kind of conversation.
const MUTES: [(&str, Scope); 3] = [("muteP2P", Scope::Chat), ("muteTeam", Scope::Group), ("muteRoom", Scope::Room)];

/// Seconds of a mute: it only ends when it is lifted, or is lifted.
const fn seconds(mute: bool) -> i64 {
    if mute { -1 } else { 0 }
}

/// `user/mute.action`: in every kind of conversation.
pub(super) async fn mute(call: &Call) -> Answer {
    let name = call.accid()?;
    let mute = call.form.switch("mute")?.ok_or_else(|| Error::about(Code::FieldIllegal, "mute is empty"))?;
    let changes = Scope::ALL.into_iter().map(|scope| (scope, seconds(mute))).collect();
    mutes::set(call.ctx(), &call.app, name.as_str(), changes).await?;
    Ok(answer::done())
}

/// `user/muteModule.action`: by the kind of conversation; gives what holds then.
pub(super) async fn mute_module(call: &Call) -> Answer {
    #[derive(Serialize)]
    struct Held {
        data: Map<String, Value>,
    }
    let name = call.accid()?;
    // Circles ("QChat") are not served here: nobody speaks in one.
    if call.form.switch("muteQChat")? == Some(true) {
        return Err(Code::NotOffered.into());
    }
    let mut changes = Vec::new();
    for (wire, scope) in MUTES {
        changes.extend(call.form.switch(wire)?.map(|mute| (scope, seconds(mute))));
    }
    mutes::set(call.ctx(), &call.app, name.as_str(), changes).await?;
    let held = held_by(call, &name).await?;
    answer::ok(Held { data: held.into_iter().map(|(wire, held)| (wire.to_owned(), held.into())).collect() })
}

/// Which mutes hold, by their names here.
pub(super) async fn held_by(call: &Call, name: &Username) -> Result<Vec<(&'static str, bool)>> {
    let (_, held) = mutes::of_user(call.ctx(), &call.app, name.as_str()).await?;
    let holds = |scope: Scope| held.iter().any(|mute| mute.scope == scope.name());
    Ok(MUTES.into_iter().map(|(wire, scope)| (wire, holds(scope))).collect())
}
