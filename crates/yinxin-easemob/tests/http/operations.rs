//! The table of operations: every call of the dialect with a body that works, who may make it, and how often.

/// Whom a call is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum For {
    /// The app's backend.
    Backend,
    /// The backend and the user in the path.
    Owner,
    /// Whoever may register: the backend or, in an open app, everybody.
    Newcomer,
    /// Readers of attributes: everybody of the app; of today's servers, everybody.
    Reader,
    /// Everybody of the app.
    Member,
    /// Those who bring their credentials in the body.
    Everybody,
}

/// What the text of a refusal names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Names {
    /// `/users/<uuid>`.
    User,
    /// `/users`.
    Users,
    /// `/chatfiles`.
    Files,
}

/// One call.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    pub method: &'static str,
    /// Behind the app; `{u}` is a user, `{v}` another one.
    pub path: &'static str,
    pub body: &'static str,
    pub who: For,
    pub names: Names,
    /// What the vendor documents, per second and app.
    pub per_s: u32,
}

impl Operation {
    pub fn path(&self, user: &str, other: &str) -> String {
        self.path.replace("{u}", user).replace("{v}", other)
    }

    pub fn body(&self, user: &str, other: &str) -> String {
        self.body.replace("{u}", user).replace("{v}", other)
    }

    /// The attribute calls refuse in a form of their own.
    pub fn is_attributes(&self) -> bool {
        self.path.starts_with("/metadata/user")
    }

    /// The only calls that insist on a content type; any will do.
    pub fn needs_label(&self) -> bool {
        self.is_attributes() && !self.body.is_empty()
    }

    pub fn is_token(&self) -> bool {
        self.path == "/token"
    }

    /// Names the operation in tables and failures.
    pub fn title(&self) -> String {
        let variants = ["client_credentials", "\"password\",", "inherit", "two-", "allow_open"];
        let variant = variants.into_iter().find(|variant| self.body.contains(variant));
        let note = match variant {
            Some("\"password\",") => " (password)".to_owned(),
            Some("two-") => " (many)".to_owned(),
            Some("allow_open") => "(the app)".to_owned(),
            Some(grant) => format!(" ({grant})"),
            None => String::new(),
        };
        format!("{} {}{note}", self.method, self.path)
    }
}

const fn op(
    method: &'static str,
    path: &'static str,
    body: &'static str,
    who: For,
    names: Names,
    per_s: u32,
) -> Operation {
    Operation { method, path, body, who, names, per_s }
}

const GET: &str = "GET";
const POST: &str = "POST";
const PUT: &str = "PUT";
const DELETE: &str = "DELETE";

const NAMES: &str = r#"{"usernames":["{v}"]}"#;
const CHECK: &str = r#"{"username":"{u}","check_list":["{v}"]}"#;
const MESSAGE: &str = r#"{"from":"{u}","to":["{v}"],"type":"txt","body":{"msg":"hello"}}"#;
const OLD_MESSAGE: &str = r#"{"target_type":"users","target":["{v}"],"msg":{"type":"txt","msg":"hello"},"from":"{u}"}"#;
const TEMPLATE: &str = r#"{"name":"greeting","title_pattern":"t","content_pattern":"c"}"#;
const RULE: &str = r#"{"type":"NONE","ignoreInterval":"21:30-08:00","ignoreDuration":60000}"#;
const NOTIFIER: &str = r#"{"name":"apns","provider":"APNS","environment":"PRODUCTION","certificate":"pem"}"#;
const REACTION: &str = r#"{"msgId":"7","message":"+1"}"#;
const PIN: &str = r#"{"to":"{v}","type":"chat","pin_msg_id":"7"}"#;
const MARK: &str = r#"{"mark":"mark_1","targets":[{"to":"{v}","type":"chat"}]}"#;
const CHANNEL: &str = r#"{"channel":"{v}","type":"chat","delete_roam":true}"#;
const REPORT: &str = r#"{"reportType":"spam","reportReason":"r"}"#;
const BINDING: &str = r#"{"device_id":"d","notifier_name":"n","device_token":"t"}"#;

/// Every call, in the order of the documents.
pub const OPERATIONS: &[Operation] = &[
    op(
        POST,
        "/token",
        r#"{"grant_type":"client_credentials","client_id":"x","client_secret":"y"}"#,
        For::Everybody,
        Names::Users,
        300,
    ),
    op(
        POST,
        "/token",
        r#"{"grant_type":"password","username":"{u}","password":"pw-{u}"}"#,
        For::Everybody,
        Names::Users,
        300,
    ),
    op(
        POST,
        "/token",
        r#"{"grant_type":"inherit","username":"{u}","autoCreateUser":true}"#,
        For::Backend,
        Names::Users,
        300,
    ),
    op(GET, "/sdk/users/{u}/token/expires", "", For::Owner, Names::User, 300),
    op(POST, "/users", r#"{"username":"new-{u}","password":"1"}"#, For::Newcomer, Names::Users, 100),
    op(
        POST,
        "/users",
        r#"[{"username":"one-{u}","password":"1"},{"username":"two-{u}","password":"1"}]"#,
        For::Newcomer,
        Names::Users,
        100,
    ),
    op(GET, "/users/{u}", "", For::Owner, Names::User, 100),
    op(GET, "/users", "", For::Backend, Names::Users, 100),
    op(PUT, "/users/{u}", r#"{"nickname":"n","notification_display_style":"1"}"#, For::Owner, Names::Users, 100),
    op(PUT, "/users/{u}/password", r#"{"newpassword":"2"}"#, For::Owner, Names::User, 100),
    op(DELETE, "/users/{u}", "", For::Owner, Names::User, 100),
    op(DELETE, "/users?limit=1", "", For::Backend, Names::Users, 30),
    op(POST, "/users/{u}/contacts/users/{v}", "", For::Owner, Names::User, 100),
    op(DELETE, "/users/{u}/contacts/users/{v}", "", For::Owner, Names::User, 100),
    op(GET, "/users/{u}/contacts/users", "", For::Owner, Names::User, 100),
    op(GET, "/users/{u}/contacts?limit=2", "", For::Owner, Names::User, 100),
    op(GET, "/user/{u}/contacts?limit=2", "", For::Owner, Names::User, 100),
    op(PUT, "/users/{u}/contacts/users/{v}", r#"{"remark":"r"}"#, For::Owner, Names::User, 100),
    op(PUT, "/user/{u}/contacts/users/{v}", r#"{"remark":"r"}"#, For::Owner, Names::User, 100),
    op(POST, "/users/{u}/contacts/import", NAMES, For::Backend, Names::User, 100),
    op(POST, "/users/{u}/contacts/apply", NAMES, For::Owner, Names::User, 100),
    op(POST, "/users/{u}/contacts/accept/users/{v}", "", For::Owner, Names::User, 100),
    op(POST, "/users/{u}/contacts/decline/users/{v}", "", For::Owner, Names::User, 100),
    op(POST, "/contacts/check", CHECK, For::Backend, Names::Users, 100),
    op(DELETE, "/contacts/users/{u}", "", For::Owner, Names::User, 100),
    op(POST, "/users/{u}/blocks/users", NAMES, For::Owner, Names::User, 50),
    op(GET, "/users/{u}/blocks/users", "", For::Owner, Names::User, 50),
    op(DELETE, "/users/{u}/blocks/users/{v}", "", For::Owner, Names::User, 50),
    op(POST, "/sdk/user/{u}/blocks", NAMES, For::Owner, Names::User, 50),
    op(DELETE, "/sdk/user/{u}/blocks", NAMES, For::Owner, Names::User, 50),
    op(POST, "/blocks/check", CHECK, For::Backend, Names::Users, 50),
    op(POST, "/messages/users", MESSAGE, For::Backend, Names::Users, 100),
    op(POST, "/messages", OLD_MESSAGE, For::Backend, Names::Users, 100),
    op(POST, "/users/{u}/messageroaming", r#"{"queue":"{v}@easemob.com","start":-1}"#, For::Owner, Names::User, 100),
    op(DELETE, "/sdk/message/roaming/chat/user/{u}?userId={v}&msgIdList=7", "", For::Owner, Names::User, 100),
    op(DELETE, "/rest/message/roaming/chat/user/{u}?userId={v}&msgIdList=7", "", For::Owner, Names::User, 100),
    op(DELETE, "/sdk/message/roaming/chat/user/{u}/time?userId={v}&delTime=7", "", For::Owner, Names::User, 100),
    op(DELETE, "/rest/message/roaming/chat/user/{u}/time?userId={v}&delTime=7", "", For::Owner, Names::User, 100),
    op(POST, "/sdk/message/roaming/user/{u}/delete/all", "", For::Owner, Names::User, 100),
    op(POST, "/rest/message/roaming/user/{u}/delete/all", "", For::Owner, Names::User, 100),
    op(POST, "/reaction/user/{u}", REACTION, For::Owner, Names::User, 100),
    op(DELETE, "/reaction/user/{u}?msgId=7&message=1", "", For::Owner, Names::User, 100),
    op(GET, "/reaction/user/{u}?msgIdList=7&msgType=chat", "", For::Owner, Names::User, 100),
    op(GET, "/reaction/user/{u}/detail?msgId=7&message=1", "", For::Owner, Names::User, 100),
    op(POST, "/sdk/user/{u}/user_channel/pin", PIN, For::Owner, Names::User, 100),
    op(DELETE, "/sdk/user/{u}/user_channel/pin", PIN, For::Owner, Names::User, 100),
    op(GET, "/sdk/user/{u}/user_channel/pin?to={v}&type=chat", "", For::Owner, Names::User, 100),
    op(POST, "/user/{u}/moderation/report/message/7", REPORT, For::Owner, Names::User, 100),
    op(GET, "/sdk/user/{u}/user_channels/list?limit=2", "", For::Owner, Names::User, 100),
    op(GET, "/users/{u}/user_channels", "", For::Owner, Names::User, 100),
    op(GET, "/users/{u}/user_channels/page?pageNum=1", "", For::Owner, Names::User, 100),
    op(GET, "/sdk/user/{u}/user_channels/mark/search?mark=mark_1", "", For::Owner, Names::User, 100),
    op(POST, "/sdk/user/{u}/user_channels/mark", MARK, For::Owner, Names::User, 100),
    op(DELETE, "/sdk/user/{u}/user_channels/mark", MARK, For::Owner, Names::User, 100),
    op(POST, "/sdk/user/{u}/user_channel/top", r#"{"to":"{v}","type":"chat"}"#, For::Owner, Names::User, 100),
    op(DELETE, "/sdk/user/{u}/user_channel/top?to={v}&type=chat", "", For::Owner, Names::User, 100),
    op(DELETE, "/user/{u}/user_channel", CHANNEL, For::Owner, Names::User, 100),
    op(DELETE, "/users/{u}/user_channel", CHANNEL, For::Owner, Names::User, 100),
    op(GET, "/users/{u}/status", "", For::Owner, Names::User, 100),
    op(POST, "/users/batch/status", NAMES, For::Backend, Names::User, 50),
    op(GET, "/users/{u}/offline_msg_count", "", For::Owner, Names::User, 100),
    op(GET, "/users/{u}/offline_msg_status/123", "", For::Owner, Names::User, 100),
    op(GET, "/users/{u}/resources", "", For::Owner, Names::User, 100),
    op(POST, "/users/{u}/deactivate", "", For::Backend, Names::User, 100),
    op(POST, "/users/{u}/activate", "", For::Backend, Names::User, 100),
    op(GET, "/users/{u}/disconnect", "", For::Backend, Names::User, 100),
    op(GET, "/users/{u}/disconnect/phone", "", For::Backend, Names::User, 100),
    op(DELETE, "/users/{u}/disconnect/phone", "", For::Backend, Names::User, 100),
    op(PUT, "/metadata/user/{u}", "nickname=n", For::Owner, Names::User, 100),
    op(GET, "/metadata/user/{u}", "", For::Reader, Names::User, 100),
    op(POST, "/metadata/user/get", r#"{"targets":["{u}"],"properties":["nickname"]}"#, For::Reader, Names::User, 100),
    op(DELETE, "/metadata/user/{u}", "", For::Owner, Names::User, 100),
    op(GET, "/metadata/user/capacity", "", For::Backend, Names::User, 100),
    // Without a form; what a form does is told in `files`.
    op(POST, "/chatfiles", "", For::Member, Names::Files, 100),
    op(GET, "/chatfiles/none", "", For::Member, Names::Files, 100),
    op(POST, "/sdk/chatfiles/part-upload", "", For::Member, Names::Files, 100),
    op(PUT, "/sdk/chatfiles/part-upload/none", "", For::Member, Names::Files, 100),
    op(POST, "/sdk/chatfiles/part-upload/none", "", For::Member, Names::Files, 100),
    op(DELETE, "/sdk/chatfiles/part-upload/none", "", For::Member, Names::Files, 100),
    op(POST, "/mutes", r#"{"username":"{u}","chat":60}"#, For::Backend, Names::Users, 100),
    op(GET, "/mutes/{u}", "", For::Backend, Names::User, 100),
    op(GET, "/mutes", "", For::Backend, Names::Users, 100),
    op(POST, "/users/{u}/presence/phone/1", r#"{"ext":"busy"}"#, For::Owner, Names::User, 50),
    op(POST, "/users/{u}/presence/3600", NAMES, For::Owner, Names::User, 50),
    op(POST, "/users/{u}/presence", NAMES, For::Owner, Names::User, 50),
    op(DELETE, "/users/{u}/presence", r#"["{v}"]"#, For::Owner, Names::User, 50),
    op(GET, "/users/{u}/presence/sublist?pageNum=1&pageSize=10", "", For::Owner, Names::User, 50),
    op(PUT, "/users/{u}/push/binding", BINDING, For::Owner, Names::User, 100),
    op(GET, "/users/{u}/push/binding", "", For::Owner, Names::User, 100),
    op(PUT, "/push/nickname", r#"[{"username":"{u}","push_nickname":"n"}]"#, For::Backend, Names::Users, 100),
    op(PUT, "/users/{u}/notification/user/{v}", RULE, For::Owner, Names::User, 100),
    op(GET, "/users/{u}/notification/user/{v}", "", For::Owner, Names::User, 100),
    op(GET, "/users/{u}/notification?user={v}", "", For::Owner, Names::User, 100),
    op(GET, "/users/{u}/notification/mute/type", "", For::Owner, Names::User, 100),
    op(PUT, "/users/{u}/notification/language", r#"{"translationLanguage":"en"}"#, For::Owner, Names::User, 100),
    op(GET, "/users/{u}/notification/language", "", For::Owner, Names::User, 100),
    op(POST, "/notification/template", TEMPLATE, For::Backend, Names::Users, 10),
    op(GET, "/notification/template/greeting", "", For::Backend, Names::Users, 10),
    op(PUT, "/notification/template/greeting", TEMPLATE, For::Backend, Names::Users, 10),
    op(PUT, "/users/{u}/notification/template", r#"{"templateName":"greeting"}"#, For::Owner, Names::User, 10),
    op(GET, "/users/{u}/notification/template", "", For::Owner, Names::User, 10),
    op(DELETE, "/notification/template/greeting", "", For::Backend, Names::Users, 10),
    op(POST, "/notifiers", NOTIFIER, For::Backend, Names::Users, 100),
    op(GET, "/notifiers", "", For::Backend, Names::Users, 100),
    op(GET, "/notifiers/00000000-0000-1000-8000-000000000000", "", For::Backend, Names::Users, 100),
    op(DELETE, "/notifiers/00000000-0000-1000-8000-000000000000", "", For::Backend, Names::Users, 100),
    op(PUT, "", r#"{"allow_open_registration":false}"#, For::Backend, Names::Users, 100),
    op(POST, "/push/single", "{}", For::Backend, Names::Users, 100),
    op(GET, "/presence/online/1001/type/1", "", For::Backend, Names::Users, 100),
    op(POST, "/chatgroups", "", For::Member, Names::Users, 100),
    op(GET, "/chatgroups/1001/users", "", For::Member, Names::Users, 100),
    op(PUT, "/sdk/chatgroups/1001", "", For::Member, Names::Users, 100),
    op(GET, "/publicchatgroups", "", For::Member, Names::Users, 100),
    op(GET, "/users/{u}/joined_chatgroups", "", For::Member, Names::User, 100),
    op(PUT, "/metadata/chatgroup/1001/user/{u}", "", For::Member, Names::User, 100),
    op(GET, "/sdk/metadata/chatgroup/1001/user/{u}", "", For::Member, Names::User, 100),
    op(DELETE, "/sdk/message/roaming/group/user/{u}?groupId=1001", "", For::Member, Names::User, 100),
    op(DELETE, "/rest/message/roaming/group/user/{u}?groupId=1001", "", For::Member, Names::User, 100),
    op(GET, "/chatrooms", "", For::Member, Names::Users, 100),
    op(POST, "/chatrooms/1001/users/{u}", "", For::Member, Names::User, 100),
    op(GET, "/users/{u}/joined_chatrooms", "", For::Member, Names::User, 100),
    op(POST, "/metadata/chatroom/1001", "", For::Member, Names::Users, 100),
    op(POST, "/thread", "", For::Member, Names::Users, 100),
    op(PUT, "/thread/1001", "", For::Member, Names::Users, 100),
    op(GET, "/threads/chatgroups/1001", "", For::Member, Names::Users, 100),
    op(GET, "/circle/server/1001", "", For::Member, Names::Users, 100),
    op(POST, "/users/{u}/translate", "", For::Member, Names::User, 100),
    op(GET, "/users/{u}/translate/support/language", "", For::Member, Names::User, 100),
    op(POST, "/speech/1001", "", For::Member, Names::Users, 100),
    op(GET, "/rtc_mapper/1001", "", For::Member, Names::Users, 100),
    op(GET, "/users/{u}/token/rtc", "", For::Member, Names::User, 100),
    op(POST, "/sdk/users/{u}/client/logs", "", For::Member, Names::User, 100),
];

/// A name or a word of the API in a path's place for a name, each with the method: those users are served, too.
const NAMESAKES: [(&str, &str); 6] = [
    (GET, "/users/batch/status"),
    (PUT, "/metadata/user/get"),
    (GET, "/metadata/user/get"),
    (DELETE, "/metadata/user/get"),
    (PUT, "/metadata/user/capacity"),
    (DELETE, "/metadata/user/capacity"),
];

/// How much of a path a route spells out, or `None` when it is not the path's: the more, the better it fits.
fn fit(route: &str, path: &str) -> Option<usize> {
    let (mut literals, mut route, mut path) = (0, route.split('/'), path.split('/'));
    loop {
        match (route.next(), path.next()) {
            (None, None) => return Some(literals),
            (Some(word), Some(_)) if word.starts_with("{*") => return Some(literals),
            (Some(word), Some(_)) if word.starts_with('{') => {}
            (Some(word), Some(part)) if word == part => literals += 1,
            _ => return None,
        }
    }
}

#[test]
fn the_table_has_every_route_and_nothing_else() {
    let routes = yinxin_easemob::routes();
    let mut covered = vec![false; routes.len()];
    let paths = OPERATIONS.iter().map(|op| (op.method, op.path.split('?').next().unwrap_or_default()));
    for (method, path) in paths.chain(NAMESAKES) {
        let found = routes.iter().enumerate().filter(|(_, route)| route.method == method);
        let fitting = found.filter_map(|(at, route)| {
            let behind_app = route.path.strip_prefix("/{org}/{app}").unwrap();
            fit(behind_app, path).map(|literals| (literals, at))
        });
        let (_, best) = fitting.max().unwrap_or_else(|| panic!("no route for {method} {path}"));
        covered[best] = true;
    }
    // A path that does the same by any method is one operation.
    let is_done = |route: &yinxin_easemob::Route| {
        let same = |other: &yinxin_easemob::Route| (other.path, other.operation) == (route.path, route.operation);
        let beside = || routes.iter().zip(&covered).filter(|(other, _)| same(other));
        beside().count() == 4 && beside().any(|(_, covered)| *covered)
    };
    let uncovered = routes.iter().zip(&covered).filter(|(_, covered)| !**covered);
    let forgotten: Vec<_> = uncovered.map(|(route, _)| route).filter(|route| !is_done(route)).collect();
    assert!(forgotten.is_empty(), "not in the table: {forgotten:#?}");
}
