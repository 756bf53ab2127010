//! The table of routes: path, method, operation, handler. It makes the router, and it can be read, so that a test finds
//! every operation.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::routing::{MethodFilter, MethodRouter, on};
use yinxin_core::Ctx;

use super::Options;
use super::calls::{
    account, apps, attributes, blocks, contacts, conversations, files, history, messages, mutes, online, presence,
    push, reactions, token, users,
};
use super::dispatch::{Dialect, Handler, dispatch, handler};
use super::op::Op;

/// One way into the API.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Route {
    /// `GET`, `POST`, `PUT` or `DELETE`.
    pub method: &'static str,
    /// With `{org}` and `{app}` in front.
    pub path: &'static str,
    /// The operation's name in metrics and logs.
    pub operation: &'static str,
}

/// A part of the table.
#[derive(Default)]
struct Routes {
    router: Router<Arc<Dialect>>,
    list: Vec<Route>,
}

impl Routes {
    fn new() -> Self {
        Self::default()
    }

    fn route(mut self, path: &'static str, methods: Methods) -> Self {
        self.list.extend(methods.list.iter().map(|&(method, op)| Route { method, path, operation: op.label() }));
        Self { router: self.router.route(path, methods.router), ..self }
    }

    fn merge(mut self, other: Self) -> Self {
        self.list.extend(other.list);
        Self { router: self.router.merge(other.router), ..self }
    }
}

/// What one path does, by method.
struct Methods {
    router: MethodRouter<Arc<Dialect>>,
    list: Vec<(&'static str, Op)>,
}

impl Methods {
    fn merge(mut self, other: Self) -> Self {
        self.list.extend(other.list);
        Self { router: self.router.merge(other.router), ..self }
    }
}

fn to(method: MethodFilter, op: Op, handler: Handler) -> Methods {
    let named = [("GET", GET), ("POST", POST), ("PUT", PUT), ("DELETE", DELETE)];
    let list = named.into_iter().filter(|(_, one)| method.or(*one) == method).map(|(name, _)| (name, op)).collect();
    let call = move |State(dialect): State<Arc<Dialect>>, request: Request| dispatch(dialect, op, handler, request);
    Methods { router: on(method, call), list }
}

const GET: MethodFilter = MethodFilter::GET;
const POST: MethodFilter = MethodFilter::POST;
const PUT: MethodFilter = MethodFilter::PUT;
const DELETE: MethodFilter = MethodFilter::DELETE;
const ANY: MethodFilter = GET.or(POST).or(PUT).or(DELETE);

/// The dialect's router. It answers every path, unknown ones too, in the vendor's shape.
pub fn router(ctx: Arc<Ctx>, options: Options) -> Router {
    let dialect = Arc::new(Dialect::new(ctx, options));
    let miss = |handler: Handler| {
        move |State(dialect): State<Arc<Dialect>>, request: Request| dispatch(dialect, Op::Unknown, handler, request)
    };
    table()
        .router
        .fallback(miss(handler!(apps::no_route)))
        .method_not_allowed_fallback(miss(handler!(apps::no_method)))
        .with_state(dialect)
}

/// Every route.
pub fn routes() -> Vec<Route> {
    table().list
}

fn table() -> Routes {
    Routes::new()
        .merge(accounts())
        .merge(people())
        .merge(states())
        .merge(pushes())
        .merge(message_routes())
        .merge(file_routes())
        .merge(conversation_routes())
        .merge(not_there())
        .route("/{org}/{app}", to(PUT, Op::AppSet, handler!(apps::set, 2)))
        .route("/{org}/{app}/push/{*rest}", to(ANY, Op::NotOffered, handler!(apps::not_offered, 1)))
        .route("/{org}/{app}/presence/online/{id}/type/{kind}", to(ANY, Op::NotOffered, handler!(apps::not_offered, 1)))
}

fn accounts() -> Routes {
    Routes::new()
        .route("/{org}/{app}/token", to(POST, Op::Token, handler!(token::issue, 1)))
        .route("/{org}/{app}/sdk/users/{username}/token/expires", to(GET, Op::TokenExpiry, handler!(token::expiry, 1)))
        .route(
            "/{org}/{app}/users",
            to(POST, Op::UserRegister, handler!(users::register, 2))
                .merge(to(GET, Op::UserList, handler!(users::list, 2)))
                .merge(to(DELETE, Op::UserDeleteMany, handler!(users::delete_many, 2))),
        )
        .route(
            "/{org}/{app}/users/{username}",
            to(GET, Op::UserGet, handler!(users::get, 1))
                .merge(to(PUT, Op::UserPut, handler!(users::put, 2)))
                .merge(to(DELETE, Op::UserDelete, handler!(users::delete, 1))),
        )
        .route("/{org}/{app}/users/{username}/password", to(PUT, Op::PasswordSet, handler!(users::set_password, 2)))
        .route("/{org}/{app}/users/{username}/deactivate", to(POST, Op::Deactivate, handler!(account::deactivate, 1)))
        .route("/{org}/{app}/users/{username}/activate", to(POST, Op::Activate, handler!(account::activate, 1)))
        .route("/{org}/{app}/users/{username}/disconnect", to(GET, Op::Disconnect, handler!(account::disconnect, 1)))
        .route(
            "/{org}/{app}/users/{username}/disconnect/{resource}",
            to(GET.or(DELETE), Op::Disconnect, handler!(account::disconnect_device, 1)),
        )
        .route("/{org}/{app}/mutes", {
            to(POST, Op::MuteSet, handler!(mutes::set, 2)).merge(to(GET, Op::MuteList, handler!(mutes::list, 2)))
        })
        .route("/{org}/{app}/mutes/{username}", to(GET, Op::MuteGet, handler!(mutes::get, 1)))
        .merge(attribute_routes())
}

fn attribute_routes() -> Routes {
    let of_one = || {
        to(PUT, Op::AttributesPut, handler!(attributes::put, 2)).merge(to(
            DELETE,
            Op::AttributesClear,
            handler!(attributes::clear, 1),
        ))
    };
    let get_one = || to(GET, Op::AttributesGet, handler!(attributes::get, 1));
    Routes::new()
        .route("/{org}/{app}/metadata/user/{username}", of_one().merge(get_one()))
        .route(
            "/{org}/{app}/metadata/user/get",
            of_one().merge(get_one()).merge(to(POST, Op::AttributesBatch, handler!(attributes::get_many, 2))),
        )
        .route(
            "/{org}/{app}/metadata/user/capacity",
            of_one().merge(to(GET, Op::AttributesCapacity, handler!(attributes::capacity, 1))),
        )
}

fn people() -> Routes {
    let contact_page = || to(GET, Op::ContactPage, handler!(contacts::page, 2));
    let contact_remark = || to(PUT, Op::ContactRemark, handler!(contacts::set_remark, 2));
    Routes::new()
        .route(
            "/{org}/{app}/users/{username}/contacts/users/{other}",
            to(POST, Op::ContactAdd, handler!(contacts::add, 1))
                .merge(to(DELETE, Op::ContactRemove, handler!(contacts::remove, 1)))
                .merge(contact_remark()),
        )
        .route("/{org}/{app}/user/{username}/contacts/users/{other}", contact_remark())
        .route("/{org}/{app}/users/{username}/contacts/users", to(GET, Op::ContactList, handler!(contacts::list, 2)))
        .route("/{org}/{app}/users/{username}/contacts", contact_page())
        .route("/{org}/{app}/user/{username}/contacts", contact_page())
        .route(
            "/{org}/{app}/users/{username}/contacts/import",
            to(POST, Op::ContactImport, handler!(contacts::import, 2)),
        )
        .route(
            "/{org}/{app}/users/{username}/contacts/apply",
            to(POST, Op::ContactInvite, handler!(contacts::invite, 2)),
        )
        .route(
            "/{org}/{app}/users/{username}/contacts/accept/users/{other}",
            to(POST, Op::ContactAccept, handler!(contacts::accept, 1)),
        )
        .route(
            "/{org}/{app}/users/{username}/contacts/decline/users/{other}",
            to(POST, Op::ContactDecline, handler!(contacts::decline, 1)),
        )
        .route(
            "/{org}/{app}/sdk/user/{username}/blocks",
            to(POST, Op::BlockAdd, handler!(blocks::add, 2)).merge(to(
                DELETE,
                Op::BlockRemove,
                handler!(blocks::remove_many, 2),
            )),
        )
        .route("/{org}/{app}/contacts/users/{username}", to(DELETE, Op::ContactClear, handler!(contacts::clear, 1)))
        .route("/{org}/{app}/contacts/check", to(POST, Op::ContactCheck, handler!(contacts::check, 2)))
        .route(
            "/{org}/{app}/users/{username}/blocks/users",
            to(POST, Op::BlockAdd, handler!(blocks::add, 2)).merge(to(GET, Op::BlockList, handler!(blocks::list, 2))),
        )
        .route(
            "/{org}/{app}/users/{username}/blocks/users/{other}",
            to(DELETE, Op::BlockRemove, handler!(blocks::remove, 1)),
        )
        .route("/{org}/{app}/blocks/check", to(POST, Op::BlockCheck, handler!(blocks::check, 2)))
}

fn message_routes() -> Routes {
    Routes::new()
        .route("/{org}/{app}/messages/users", to(POST, Op::MessageSend, handler!(messages::send, 2)))
        .route("/{org}/{app}/messages", to(POST, Op::MessageSendOld, handler!(messages::send_old, 2)))
        .route("/{org}/{app}/users/{username}/messageroaming", to(POST, Op::MessageHistory, handler!(history::read, 2)))
        .merge(erasing_routes())
        .route(
            "/{org}/{app}/reaction/user/{username}",
            to(POST, Op::ReactionAdd, handler!(reactions::add, 2))
                .merge(to(DELETE, Op::ReactionRemove, handler!(reactions::remove, 2)))
                .merge(to(GET, Op::ReactionList, handler!(reactions::list, 2))),
        )
        .route(
            "/{org}/{app}/reaction/user/{username}/detail",
            to(GET, Op::ReactionDetail, handler!(reactions::detail, 2)),
        )
        .route(
            "/{org}/{app}/sdk/user/{username}/user_channel/pin",
            to(POST, Op::MessagePin, handler!(reactions::pin, 2))
                .merge(to(DELETE, Op::MessageUnpin, handler!(reactions::unpin, 2)))
                .merge(to(GET, Op::MessagePins, handler!(reactions::pinned, 2))),
        )
        .route(
            "/{org}/{app}/user/{username}/moderation/report/message/{message}",
            to(POST, Op::MessageReport, handler!(reactions::report, 2)),
        )
}

/// As the web SDK calls them, and as the vendor's documents tell backends to.
fn erasing_routes() -> Routes {
    let some = || to(DELETE, Op::HistoryErase, handler!(history::erase, 2));
    let until = || to(DELETE, Op::HistoryErase, handler!(history::erase_until, 2));
    let all = || to(POST, Op::HistoryErase, handler!(history::erase_all, 1));
    let of_group = || to(DELETE, Op::Groups, handler!(apps::no_group, 1));
    Routes::new()
        .route("/{org}/{app}/sdk/message/roaming/chat/user/{username}", some())
        .route("/{org}/{app}/rest/message/roaming/chat/user/{username}", some())
        .route("/{org}/{app}/sdk/message/roaming/chat/user/{username}/time", until())
        .route("/{org}/{app}/rest/message/roaming/chat/user/{username}/time", until())
        .route("/{org}/{app}/sdk/message/roaming/user/{username}/delete/all", all())
        .route("/{org}/{app}/rest/message/roaming/user/{username}/delete/all", all())
        .route("/{org}/{app}/sdk/message/roaming/group/user/{*rest}", of_group())
        .route("/{org}/{app}/rest/message/roaming/group/user/{*rest}", of_group())
}

fn conversation_routes() -> Routes {
    let list_old = || to(GET, Op::ConversationList, handler!(conversations::list_old, 2));
    let remove = || to(DELETE, Op::ConversationRemove, handler!(conversations::remove, 2));
    Routes::new()
        .route(
            "/{org}/{app}/sdk/user/{username}/user_channels/list",
            to(GET, Op::ConversationList, handler!(conversations::list, 2)),
        )
        .route("/{org}/{app}/users/{username}/user_channels", list_old())
        .route("/{org}/{app}/users/{username}/user_channels/page", list_old())
        .route(
            "/{org}/{app}/sdk/user/{username}/user_channels/mark/search",
            to(GET, Op::ConversationList, handler!(conversations::marked, 2)),
        )
        .route(
            "/{org}/{app}/sdk/user/{username}/user_channels/mark",
            to(POST, Op::ConversationMark, handler!(conversations::mark, 2)).merge(to(
                DELETE,
                Op::ConversationUnmark,
                handler!(conversations::unmark, 2),
            )),
        )
        .route(
            "/{org}/{app}/sdk/user/{username}/user_channel/top",
            to(POST, Op::ConversationPin, handler!(conversations::pin, 2)).merge(to(
                DELETE,
                Op::ConversationUnpin,
                handler!(conversations::unpin, 2),
            )),
        )
        .route("/{org}/{app}/user/{username}/user_channel", remove())
        .route("/{org}/{app}/users/{username}/user_channel", remove())
}

/// Services that the web SDK knows and this server does not have.
fn not_there() -> Routes {
    let groups = || to(ANY, Op::Groups, handler!(apps::no_service, 1));
    let group = || to(ANY, Op::Groups, handler!(apps::no_group, 1));
    let rooms = || to(ANY, Op::Rooms, handler!(apps::no_service, 1));
    let room = || to(ANY, Op::Rooms, handler!(apps::no_group, 1));
    let threads = || to(ANY, Op::Threads, handler!(apps::no_service, 1));
    let translation = || to(ANY, Op::Translation, handler!(apps::no_service, 1));
    let others = || to(ANY, Op::NoService, handler!(apps::no_service, 1));
    Routes::new()
        .route("/{org}/{app}/chatgroups", groups())
        .route("/{org}/{app}/chatgroups/{*rest}", group())
        .route("/{org}/{app}/sdk/chatgroups/{*rest}", group())
        .route("/{org}/{app}/publicchatgroups", groups())
        .route("/{org}/{app}/users/{username}/joined_chatgroups", groups())
        .route("/{org}/{app}/metadata/chatgroup/{*rest}", group())
        .route("/{org}/{app}/sdk/metadata/chatgroup/{*rest}", group())
        .route("/{org}/{app}/chatrooms", rooms())
        .route("/{org}/{app}/chatrooms/{*rest}", room())
        .route("/{org}/{app}/users/{username}/joined_chatrooms", rooms())
        .route("/{org}/{app}/metadata/chatroom/{*rest}", room())
        .route("/{org}/{app}/thread", threads())
        .route("/{org}/{app}/thread/{*rest}", threads())
        .route("/{org}/{app}/threads/{*rest}", threads())
        .route("/{org}/{app}/circle/{*rest}", to(ANY, Op::Circles, handler!(apps::no_service, 1)))
        .route("/{org}/{app}/users/{username}/translate", translation())
        .route("/{org}/{app}/users/{username}/translate/support/language", translation())
        .route("/{org}/{app}/speech/{*rest}", others())
        .route("/{org}/{app}/rtc_mapper/{*rest}", others())
        .route("/{org}/{app}/users/{username}/token/rtc", others())
        .route("/{org}/{app}/sdk/users/{username}/client/logs", others())
}

fn file_routes() -> Routes {
    Routes::new()
        .route("/{org}/{app}/chatfiles", to(POST, Op::FileUpload, handler!(files::upload, 1)))
        .route("/{org}/{app}/chatfiles/{file}", to(GET, Op::FileGet, handler!(files::download, 2)))
        .route("/{org}/{app}/sdk/chatfiles/part-upload", to(POST, Op::FilePartsBegin, handler!(files::begin_parts, 1)))
        .route(
            "/{org}/{app}/sdk/chatfiles/part-upload/{file}",
            to(PUT, Op::FilePartPut, handler!(files::put_part, 1))
                .merge(to(POST, Op::FilePartsComplete, handler!(files::complete_parts, 2)))
                .merge(to(DELETE, Op::FilePartsAbort, handler!(files::abort_parts, 1))),
        )
}

fn states() -> Routes {
    let status = || to(GET, Op::Status, handler!(online::status, 1));
    Routes::new()
        .route("/{org}/{app}/users/{username}/status", status())
        .route(
            "/{org}/{app}/users/batch/status",
            status().merge(to(POST, Op::StatusBatch, handler!(online::status_batch, 2))),
        )
        .route(
            "/{org}/{app}/users/{username}/offline_msg_count",
            to(GET, Op::OfflineCount, handler!(online::offline_count, 1)),
        )
        .route(
            "/{org}/{app}/users/{username}/offline_msg_status/{message}",
            to(GET, Op::OfflineStatus, handler!(online::offline_status, 1)),
        )
        .route("/{org}/{app}/users/{username}/resources", to(GET, Op::Resources, handler!(online::resources, 1)))
        .route(
            "/{org}/{app}/users/{username}/presence",
            to(POST, Op::PresenceGet, handler!(presence::get, 2)).merge(to(
                DELETE,
                Op::PresenceUnsubscribe,
                handler!(presence::unsubscribe, 2),
            )),
        )
        .route(
            "/{org}/{app}/users/{username}/presence/{expiry}",
            to(POST, Op::PresenceSubscribe, handler!(presence::subscribe, 2)),
        )
        .route(
            "/{org}/{app}/users/{username}/presence/sublist",
            to(GET, Op::PresenceSubscriptions, handler!(presence::subscriptions, 2)),
        )
        .route(
            "/{org}/{app}/users/{username}/presence/{resource}/{status}",
            to(POST, Op::PresencePublish, handler!(presence::publish, 2)),
        )
}

fn pushes() -> Routes {
    Routes::new()
        .route(
            "/{org}/{app}/users/{username}/push/binding",
            to(PUT, Op::PushBind, handler!(push::bind, 2)).merge(to(
                GET,
                Op::PushBindings,
                handler!(push::bindings, 1),
            )),
        )
        .route("/{org}/{app}/push/nickname", to(PUT, Op::PushNicknames, handler!(push::nicknames, 2)))
        .route(
            "/{org}/{app}/users/{username}/notification/{kind}/{key}",
            to(PUT, Op::PushRuleSet, handler!(push::set_rule, 2)).merge(to(
                GET,
                Op::PushRuleGet,
                handler!(push::get_rule, 1),
            )),
        )
        .route("/{org}/{app}/users/{username}/notification", to(GET, Op::PushRulesGet, handler!(push::get_rules, 2)))
        .route(
            "/{org}/{app}/users/{username}/notification/mute/type",
            to(GET, Op::PushRuleList, handler!(push::modes, 2)),
        )
        .route(
            "/{org}/{app}/users/{username}/notification/language",
            to(PUT, Op::PushLanguageSet, handler!(push::set_language, 2)).merge(to(
                GET,
                Op::PushLanguageGet,
                handler!(push::get_language, 1),
            )),
        )
        .route(
            "/{org}/{app}/users/{username}/notification/template",
            to(PUT, Op::PushTemplateChoose, handler!(push::choose_template, 2)).merge(to(
                GET,
                Op::PushTemplateChosen,
                handler!(push::chosen_template, 1),
            )),
        )
        .route("/{org}/{app}/notification/template", to(POST, Op::TemplateAdd, handler!(push::add_template, 2)))
        .route(
            "/{org}/{app}/notification/template/{name}",
            to(GET, Op::TemplateGet, handler!(push::get_template, 1))
                .merge(to(PUT, Op::TemplateSet, handler!(push::set_template, 2)))
                .merge(to(DELETE, Op::TemplateRemove, handler!(push::remove_template, 1))),
        )
        .route(
            "/{org}/{app}/notifiers",
            to(GET, Op::NotifierList, handler!(push::notifiers, 1)).merge(to(
                POST,
                Op::NotifierAdd,
                handler!(push::add_notifier, 2),
            )),
        )
        .route(
            "/{org}/{app}/notifiers/{id}",
            to(GET, Op::NotifierGet, handler!(push::notifier, 1)).merge(to(
                DELETE,
                Op::NotifierRemove,
                handler!(push::remove_notifier, 1),
            )),
        )
}
