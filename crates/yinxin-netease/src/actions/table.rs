//! The table of the calls: path, name, handler.

use std::pin::Pin;

use yinxin_core::rates::Bucket;

use super::call::Call;
use super::{accounts, mutes, online, profiles, token};
use crate::answer::Answer;

type Handling<'a> = Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;
type Handler = for<'a> fn(&'a Call) -> Handling<'a>;

/// A call of the dialect.
pub(super) struct Action {
    /// Its path below the prefix.
    pub path: &'static str,
    /// Its name in metrics and logs.
    pub label: &'static str,
    /// The calls it is counted with.
    pub bucket: Bucket,
    /// It changes users: it is run to its end even if the caller goes away.
    pub to_its_end: bool,
    pub handler: Handler,
}

macro_rules! actions {
    ($($path:literal = $label:literal, $bucket:ident, $to_its_end:literal => $handler:path;)*) => {
        pub(super) const ACTIONS: &[Action] = &[$(Action {
            path: $path,
            label: $label,
            bucket: Bucket::$bucket,
            to_its_end: $to_its_end,
            handler: |call| Box::pin($handler(call)),
        },)*];
    };
}

actions! {
    "user/getToken.action" = "room_token.get", Tokens, false => token::get;
    "user/create.action" = "user.create", Users, true => accounts::create;
    "user/update.action" = "user.update", Users, true => accounts::update;
    "user/refreshToken.action" = "user.refresh_token", Users, true => accounts::refresh_token;
    "user/block.action" = "user.block", Users, true => accounts::block;
    "user/unblock.action" = "user.unblock", Users, true => accounts::unblock;
    "user/mute.action" = "mute.set", Users, true => mutes::mute;
    "user/muteModule.action" = "mute.set_module", Users, true => mutes::mute_module;
    "user/getUinfos.action" = "profile.get", Users, false => profiles::get_many;
    "user/updateUinfo.action" = "profile.set", Users, true => profiles::update;
    "user/userOnlineStatus.action" = "status.batch", StatusBatch, false => online::status;
}
