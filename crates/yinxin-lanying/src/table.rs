//! The table of the calls: methods, paths, the name in metrics and logs, handler; in groups by what they are counted with.
//! Who may call is the type of the handler's second argument.

use std::pin::Pin;
use std::sync::Mutex;

use axum::body::Body;
use yinxin_core::rates::Bucket;

use crate::answer::Answer;
use crate::call::Call;
use crate::calls::{accounts, app, devices, files, groups, profiles, push, register, roster, settings, token, uploads};
use crate::errors::At;
use crate::frame;
use crate::rights::Right;

type Handling = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// A call of the dialect.
pub(crate) struct Action {
    pub methods: &'static [&'static str],
    pub paths: &'static [&'static str],
    /// Its name in metrics and logs.
    pub label: &'static str,
    /// The calls it is counted with.
    pub bucket: Bucket,
    pub at: At,
    pub handler: fn(Call, Body) -> Handling,
}

impl Action {
    /// It may change something: it is run to its end even if the caller goes away.
    pub fn may_write(&self) -> bool {
        !matches!(self.methods, ["GET"]) && self.at != At::Login
    }
}

/// Takes what a handler needs, in order: whoever has not the right is refused before the body is read.
async fn handle<R: Right>(mut call: Call, body: Body, at: At, handler: impl AsyncFnOnce(&Call, R) -> Answer) -> Answer {
    let right = R::of(&call).await?;
    if at == At::Upload {
        call.unread = Mutex::new(Some(body));
    } else {
        call.body = frame::body(&call.arrival, body).await?;
    }
    handler(&call, right).await
}

macro_rules! actions {
    ($($bucket:ident $at:ident {$(
        $($method:ident)|+ $($path:literal)|+ => $label:literal, $handler:path;
    )*})*) => {
        pub(crate) const ACTIONS: &[Action] = &[$($(Action {
            methods: &[$(stringify!($method)),+],
            paths: &[$($path),+],
            label: $label,
            bucket: Bucket::$bucket,
            at: At::$at,
            handler: |call, body| Box::pin(handle(call, body, At::$at, $handler)),
        },)*)*];
    };
}

/// Every call: its methods and its path.
pub fn calls() -> impl Iterator<Item = (&'static [&'static str], &'static str)> {
    ACTIONS.iter().flat_map(|action| action.paths.iter().map(|path| (action.methods, *path)))
}

actions! {
    Users Dns {
        GET "/v2/app_dns" => "app.dns", app::dns;
    }
    Users Call {
        GET "/app/config" => "app.config", app::config;

        POST "/user/register" | "/user/register/v2" => "user.register", register::one;
        POST "/user/register/batch" => "user.register_batch", register::batch;
        POST "/user/register/anonymous" => "user.register_anonymous", register::anonymous;
        POST "/user/register/push" => "user.register_push", register::push;
        GET "/app/user/name_check" => "user.name_check", register::name_check;

        GET "/user/profile" => "profile.get", profiles::get;
        POST | PUT "/user/profile" => "profile.set", profiles::set;
        POST | PUT "/user/profile/batch" => "profile.set_many", profiles::set_many;
        POST | PUT "/user/nickname" => "profile.set_nickname", profiles::set_nickname;
        POST | PUT "/user/avatar" => "profile.set_avatar", profiles::set_avatar;
        POST | PUT "/user/avatar/batch" => "profile.set_avatars", profiles::set_many;

        GET "/user/settings" => "settings.get", settings::get;
        POST | PUT "/user/settings" => "settings.set", settings::set;
        POST | PUT "/user/authmode" => "settings.set_auth_mode", settings::set_auth_mode;

        POST | PUT "/user/mobile" => "user.bind_mobile", accounts::bind_mobile;
        POST | PUT "/user/email" => "user.bind_email", accounts::bind_email;
        POST | PUT "/user/username" => "user.rename", accounts::rename;
        POST "/user/change_password" => "user.change_password", accounts::change_password;
        POST "/user/change_password_admin" => "user.set_password", accounts::change_password_admin;
        POST | DELETE "/user/delete" => "user.delete", accounts::delete;
        POST | PUT "/user/disable" => "user.ban", accounts::disable;
        POST | PUT "/user/enable" => "user.lift_ban", accounts::enable;
        GET "/user/list" => "user.list", accounts::list;

        GET "/user/online_status" => "status.get", devices::online_status;
        GET "/user/device/list" => "device.list", devices::list;
        POST | DELETE "/user/device/remove" => "device.remove", devices::remove;
        POST | PUT "/user/kick" => "device.kick", devices::kick;
        POST | PUT "/user/token/bind" => "push.bind", devices::bind_push;
        POST | DELETE "/user/token/unbind" => "push.unbind", devices::unbind_push;
        POST | PUT "/user/push" => "push.set_quiet", push::set_quiet;
        POST | PUT "/user/push/detail" => "push.set_detail", push::set_detail;
        POST | PUT "/user/push/limit" => "push.set_hours", push::set_hours;
        POST | PUT "/user/push/nickname" => "push.set_nickname", push::set_nickname;
        POST "/user/push/badge" => "push.set_badge", push::set_badge;
        POST "/user/push/alias" => "push.set_alias", push::set_alias;
        GET "/user/push/tag" => "push.tags", push::tags;
        POST "/user/push/tag" => "push.add_tags", push::add_tags;
        DELETE "/user/push/tag" => "push.remove_tags", push::remove_tags;
        DELETE "/user/push/tag/all" => "push.clear_tags", push::clear_tags;
        GET "/push/certificate" => "push.certificate", push::certificate;
        POST "/push/notify" => "push.request", push::notify;
        POST "/push/task/detail" => "push.details", push::task_detail;

        GET "/roster/list" => "contact.list", roster::list;
        POST "/roster/list" => "contact.get_many", roster::items;
        GET "/roster/id" => "contact.get_by_id", roster::by_id;
        GET "/roster/name" => "contact.get_by_name", roster::by_name;
        GET "/roster/mobile" => "contact.get_by_mobile", roster::by_mobile;
        POST "/roster/apply" => "contact.apply", roster::apply;
        POST "/roster/apply/batch" => "contact.apply_batch", roster::apply_to_many;
        GET "/roster/apply/list" => "contact.applications", roster::applications;
        POST | PUT "/roster/accept" => "contact.accept", roster::accept;
        POST | PUT "/roster/decline" => "contact.decline", roster::decline;
        POST | DELETE "/roster/delete" => "contact.remove", roster::delete;
        POST | PUT "/roster/ext" => "contact.note", roster::note;
        GET "/roster/may_message" => "contact.may_message", roster::may_message;

        GET "/group/user_joined" => "group.joined", groups::joined;
        POST "/group/create" => "group.create", groups::create;
        GET "/group/info" | "/group/settings" | "/group/member_list" => "group.get", groups::unknown;
        POST | PUT "/group/info/name" | "/group/info/avatar" | "/group/info/description" | "/group/info/ext"
            | "/group/settings/require_admin_approval" => "group.set", groups::unknown;
        POST "/group/info/batch" => "group.get_many", groups::some;
        POST "/group/invite" | "/group/apply" => "group.join", groups::unknown;
        POST | DELETE "/group/kick" | "/group/leave" | "/group/destroy" => "group.leave", groups::unknown;
    }
    Tokens Login {
        POST "/token/user" | "/app/token" => "user_token.by_name", token::by_name;
        POST "/token/id" | "/app/token_id" => "user_token.by_id", token::by_id;
        POST "/token/login" => "user_token.by_login_name", token::by_login_name;
    }
    Blocks Call {
        GET "/roster/blocked_list" => "block.list", roster::blocked;
        POST | PUT "/roster/block" => "block.add", roster::block;
        POST | DELETE "/roster/unblock" => "block.remove", roster::unblock;
    }
    Files Call {
        GET "/file/download/chat" | "/file/download/avatar" => "file.download", files::download;
        GET "/file/upload/chat" => "file.begin", uploads::begin_for_chat;
        GET "/file/upload/avatar/user" => "file.begin", uploads::begin_for_avatar;
        GET "/file/upload/avatar/group" => "group.set", groups::unknown;
        GET "/file/upload/forward" => "file.forward", uploads::forward;
    }
    Files Upload {
        POST "/file/upload/content" => "file.upload", uploads::put;
    }
}
