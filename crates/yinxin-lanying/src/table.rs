//! The table of the calls: methods, path, name, what it is counted with, who may make it, handler.

use std::pin::Pin;

use yinxin_core::rates::Bucket;

use crate::answer::Answer;
use crate::call::Call;
use crate::calls::{accounts, app, devices, files, groups, profiles, register, roster, settings, token, uploads};
use crate::errors::At;
use crate::rights::{Anybody, Backend, Myself, Registrar, Right, Viewer};

type Handling<'a> = Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;
type Handler = for<'a> fn(&'a Call) -> Handling<'a>;

/// A call of the dialect.
pub(crate) struct Action {
    pub methods: &'static [&'static str],
    pub path: &'static str,
    /// Its name in metrics and logs.
    pub label: &'static str,
    /// The calls it is counted with.
    pub bucket: Bucket,
    pub at: At,
    pub handler: Handler,
}

impl Action {
    /// It may change something: it is run to its end even if the caller goes away.
    pub fn may_write(&self) -> bool {
        !matches!(self.methods, ["GET"]) && self.at != At::Login
    }
}

macro_rules! actions {
    ($([$($method:ident)+] $path:literal = $label:literal, $bucket:ident $at:ident => $right:ty, $handler:path;)*) => {
        pub(crate) const ACTIONS: &[Action] = &[$(Action {
            methods: &[$(stringify!($method)),+],
            path: $path,
            label: $label,
            bucket: Bucket::$bucket,
            at: At::$at,
            handler: |call| Box::pin(async move {
                let right = <$right as Right>::of(call).await?;
                $handler(call, right).await
            }),
        },)*];

        /// Every call: its methods and its path.
        pub const CALLS: &[(&[&str], &str)] = &[$((&[$(stringify!($method)),+], $path),)*];
    };
}

actions! {
    [GET] "/v2/app_dns" = "app.dns", Users Dns => Anybody, app::dns;
    [GET] "/app/config" = "app.config", Users Call => Anybody, app::config;

    [POST] "/token/user" = "user_token.by_name", Tokens Login => Anybody, token::by_name;
    [POST] "/token/id" = "user_token.by_id", Tokens Login => Anybody, token::by_id;
    [POST] "/token/login" = "user_token.by_login_name", Tokens Login => Anybody, token::by_login_name;
    [POST] "/app/token" = "user_token.by_name", Tokens Login => Anybody, token::by_name;
    [POST] "/app/token_id" = "user_token.by_id", Tokens Login => Anybody, token::by_id;

    [POST] "/user/register" = "user.register", Users Call => Registrar, register::one;
    [POST] "/user/register/v2" = "user.register", Users Call => Registrar, register::one;
    [POST] "/user/register/batch" = "user.register_batch", Users Call => Backend, register::batch;
    [POST] "/user/register/anonymous" = "user.register_anonymous", Users Call => Registrar, register::anonymous;
    [GET] "/app/user/name_check" = "user.name_check", Users Call => Registrar, register::name_check;

    [GET] "/user/profile" = "profile.get", Users Call => Myself, profiles::get;
    [POST PUT] "/user/profile" = "profile.set", Users Call => Myself, profiles::set;
    [POST PUT] "/user/profile/batch" = "profile.set_many", Users Call => Backend, profiles::set_many;
    [POST PUT] "/user/nickname" = "profile.set_nickname", Users Call => Myself, profiles::set_nickname;
    [POST PUT] "/user/avatar" = "profile.set_avatar", Users Call => Myself, profiles::set_avatar;
    [POST PUT] "/user/avatar/batch" = "profile.set_avatars", Users Call => Backend, profiles::set_many;

    [GET] "/user/settings" = "settings.get", Users Call => Myself, settings::get;
    [POST PUT] "/user/settings" = "settings.set", Users Call => Myself, settings::set;
    [POST PUT] "/user/authmode" = "settings.set_auth_mode", Users Call => Myself, settings::set_auth_mode;

    [POST PUT] "/user/mobile" = "user.bind_mobile", Users Call => Myself, accounts::bind_mobile;
    [POST PUT] "/user/email" = "user.bind_email", Users Call => Myself, accounts::bind_email;
    [POST PUT] "/user/username" = "user.bind_name", Users Call => Myself, accounts::bind_name;
    [POST] "/user/change_password" = "user.change_password", Users Call => Myself, accounts::change_password;
    [POST] "/user/change_password_admin" = "user.set_password", Users Call => Myself, accounts::change_password_admin;
    [POST DELETE] "/user/delete" = "user.delete", Users Call => Myself, accounts::delete;
    [POST PUT] "/user/disable" = "user.ban", Users Call => Backend, accounts::disable;
    [POST PUT] "/user/enable" = "user.lift_ban", Users Call => Backend, accounts::enable;
    [GET] "/user/list" = "user.list", Users Call => Backend, accounts::list;

    [GET] "/user/online_status" = "status.get", Users Call => Myself, devices::online_status;
    [GET] "/user/device/list" = "device.list", Users Call => Myself, devices::list;
    [POST DELETE] "/user/device/remove" = "device.remove", Users Call => Myself, devices::remove;
    [POST PUT] "/user/kick" = "device.kick", Users Call => Myself, devices::kick;
    [POST PUT] "/user/token/bind" = "push.bind", Users Call => Viewer, devices::bind_push;
    [POST DELETE] "/user/token/unbind" = "push.unbind", Users Call => Viewer, devices::unbind_push;

    [GET] "/roster/list" = "contact.list", Users Call => Myself, roster::list;
    [POST] "/roster/list" = "contact.get_many", Users Call => Viewer, roster::items;
    [GET] "/roster/id" = "contact.get_by_id", Users Call => Viewer, roster::by_id;
    [GET] "/roster/name" = "contact.get_by_name", Users Call => Viewer, roster::by_name;
    [GET] "/roster/mobile" = "contact.get_by_mobile", Users Call => Viewer, roster::by_mobile;
    [POST] "/roster/apply" = "contact.apply", Users Call => Myself, roster::apply;
    [POST] "/roster/apply/batch" = "contact.apply_batch", Users Call => Myself, roster::apply_to_many;
    [GET] "/roster/apply/list" = "contact.applications", Users Call => Myself, roster::applications;
    [POST PUT] "/roster/accept" = "contact.accept", Users Call => Myself, roster::accept;
    [POST PUT] "/roster/decline" = "contact.decline", Users Call => Myself, roster::decline;
    [POST DELETE] "/roster/delete" = "contact.remove", Users Call => Myself, roster::delete;
    [POST PUT] "/roster/ext" = "contact.note", Users Call => Myself, roster::note;
    [GET] "/roster/blocked_list" = "block.list", Blocks Call => Myself, roster::blocked;
    [POST PUT] "/roster/block" = "block.add", Blocks Call => Myself, roster::block;
    [POST DELETE] "/roster/unblock" = "block.remove", Blocks Call => Myself, roster::unblock;
    [GET] "/roster/may_message" = "contact.may_message", Users Call => Viewer, roster::may_message;

    [GET] "/group/user_joined" = "group.joined", Users Call => Myself, groups::joined;
    [POST] "/group/create" = "group.create", Users Call => Myself, groups::create;
    [GET] "/group/info" = "group.get", Users Call => Myself, groups::unknown;
    [GET] "/group/settings" = "group.get", Users Call => Myself, groups::unknown;
    [GET] "/group/member_list" = "group.members", Users Call => Myself, groups::unknown;
    [POST PUT] "/group/info/name" = "group.set", Users Call => Myself, groups::unknown;
    [POST PUT] "/group/info/avatar" = "group.set", Users Call => Myself, groups::unknown;
    [POST PUT] "/group/info/description" = "group.set", Users Call => Myself, groups::unknown;
    [POST PUT] "/group/info/ext" = "group.set", Users Call => Myself, groups::unknown;
    [POST] "/group/invite" = "group.invite", Users Call => Myself, groups::unknown;
    [POST DELETE] "/group/kick" = "group.kick", Users Call => Myself, groups::unknown;
    [POST] "/group/apply" = "group.apply", Users Call => Myself, groups::unknown;
    [POST DELETE] "/group/leave" = "group.leave", Users Call => Myself, groups::unknown;
    [POST DELETE] "/group/destroy" = "group.destroy", Users Call => Myself, groups::unknown;

    [GET] "/file/download/chat" = "file.download", Files Call => Anybody, files::download;
    [GET] "/file/download/avatar" = "file.download", Files Call => Anybody, files::download;
    [GET] "/file/upload/chat" = "file.begin", Files Call => Myself, uploads::begin_for_chat;
    [GET] "/file/upload/avatar/user" = "file.begin", Files Call => Myself, uploads::begin_for_avatar;
    [GET] "/file/upload/avatar/group" = "group.set", Users Call => Myself, groups::unknown;
    [GET] "/file/upload/forward" = "file.forward", Files Call => Myself, uploads::forward;
    [POST] "/file/upload/content" = "file.upload", Files Upload => Myself, uploads::put;
}
