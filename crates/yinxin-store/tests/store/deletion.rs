//! Deleting a user, or an app, takes exactly the rows that carry it: in every table, read from the schema, so that a
//! table added later cannot be forgotten here.

use yinxin_store::tables::admin_tokens::{self, AdminTokenRow};
use yinxin_store::tables::apps::{self, AppRow};
use yinxin_store::tables::conversations;
use yinxin_store::tables::files::{self, FileRow, PartRow};
use yinxin_store::tables::handles::{self, USERNAME};
use yinxin_store::tables::hook_log::{self, AttemptRow};
use yinxin_store::tables::hook_outbox::{self, NewEvent};
use yinxin_store::tables::hook_sessions::{self, SessionRow};
use yinxin_store::tables::hooks::{self, HookRow};
use yinxin_store::tables::inbox::{self, InboxRow};
use yinxin_store::tables::message_pins::{self, PinRow};
use yinxin_store::tables::presence::{self, StatusRow};
use yinxin_store::tables::push::{self, DeviceRow, NotifierRow, RuleRow, TemplateRow};
use yinxin_store::tables::push_tasks::{self, NewTask};
use yinxin_store::tables::reactions::{self, ReactionRow};
use yinxin_store::tables::reports::{self, ReportRow};
use yinxin_store::tables::room_tokens::{self, RoomTokenGrant};
use yinxin_store::tables::rooms::{self, RoomRow};
use yinxin_store::tables::users::{self, NewUser, PushProfile};
use yinxin_store::tables::{
    attributes, blocks, contacts, garbage, made_calls, mutes, password_failures, push_marks, room_bars, room_stays,
    sessions, settings,
};
use yinxin_store::{AppId, Db, FileId, HookId, NodeId, ObjectId, Result, Sql, TokenId, UserId, Value};

use yinxin_testkit::storage;

use crate::kit::{Place, query, text, texts};
use crate::schemas::{Column, columns, tables};

const APP: AppId = AppId([0xA1; 16]);
const OTHER_APP: AppId = AppId([0xA2; 16]);
const ANN: UserId = UserId([0xB1; 16]);
const BEN: UserId = UserId([0xB2; 16]);
const CARL: UserId = UserId([0xB3; 16]);
/// A number: it is also who she is in rooms.
const ANN_NAME: &str = "8125463709";

/// An app with a row in every table of those that belong to one.
pub async fn add_app(tx: &mut dyn Sql, app: AppId, name: &str) -> Result<()> {
    let row = AppRow {
        app,
        org: "org".to_owned(),
        name: name.to_owned(),
        created_ms: 1,
        modified_ms: 1,
        token_epoch: 0,
        open_registration: false,
        profile: "seed".to_owned(),
        user_token_ttl_s: 1,
        app_token_ttl_s: 1,
        contacts_max: 10,
        contacts_only: false,
        signing_key: Some(format!("key of {name}")),
        safe_mode: true,
        local_room_tokens: true,
        short_id: Some(format!("short {name}")),
        token_error_code: 402,
        unknown_login_code: 402,
        expire_unit: "ms".to_owned(),
        token_user_mobile: true,
    };
    assert!(apps::insert(tx, &row).await?);
    apps::put_secret(tx, app, "client", b"sealed", 1).await?;
    let token =
        AdminTokenRow { token: TokenId(app.0), hash: [1, 2, 3].into(), label: "first".to_owned(), created_ms: 1 };
    assert!(admin_tokens::insert(tx, app, &token, 1).await?);
    let template = TemplateRow {
        name: "template".to_owned(),
        title_pattern: String::new(),
        content_pattern: String::new(),
        created_ms: 1,
        modified_ms: 1,
    };
    assert!(push::add_template(tx, app, &template, 10).await?);
    let task = NewTask {
        task_id: 1,
        request_id: Some("request".to_owned()),
        made_ms: 1,
        asked: "{}".to_owned(),
        progress: "{}".to_owned(),
    };
    assert!(push_tasks::insert(tx, app, &task).await?);
    let notifier = NotifierRow {
        notifier_id: Box::new(app.0),
        name: "notifier".to_owned(),
        provider: "FCM".to_owned(),
        environment: "PRODUCTION".to_owned(),
        package_name: None,
        sealed_certificate: None,
        created_ms: 1,
        modified_ms: 1,
    };
    assert!(push::add_notifier(tx, app, &notifier, 10).await?);
    add_file(tx, app, ANN).await?;
    add_hook(tx, app).await?;
    password_failures::put(tx, app, b"whose", 1).await?;
    assert!(made_calls::note(tx, app, b"call", 1, 2).await?);
    for (user, name) in [(ANN, ANN_NAME), (BEN, "ben"), (CARL, "carl")] {
        add_user(tx, app, user, name).await?;
    }
    for (owner, other) in [(ANN, BEN), (BEN, ANN), (BEN, CARL), (CARL, BEN)] {
        relate(tx, app, owner, other).await?;
    }
    Ok(())
}

async fn add_hook(tx: &mut dyn Sql, app: AppId) -> Result<()> {
    let row = HookRow {
        hook: HookId(app.0),
        url: "http://hook".to_owned(),
        kind: "events".to_owned(),
        events: "message.sent".to_owned(),
        timeout_ms: 1,
        on_failure: "open".to_owned(),
        enabled: true,
        disabled_why: None,
        failing_since_ms: None,
        dropped: 0,
        sealed_secret: b"sealed".as_slice().into(),
        sealed_before: None,
        before_until_ms: None,
        created_ms: 1,
        modified_ms: 1,
    };
    assert!(hooks::insert(tx, app, &row, 1, 1).await?);
    let event = NewEvent { seq: 1, event: "message.sent", lane: "lane", payload: "{}" };
    assert!(hook_outbox::put(tx, app, row.hook, &event).await?);
    let attempt = AttemptRow {
        attempt_seq: 1,
        event_seq: 1,
        event: "message.sent".to_owned(),
        attempt: 1,
        status: None,
        error: None,
        duration_ms: 1,
        at_ms: 1,
    };
    hook_log::add(tx, app, row.hook, &attempt).await?;
    hook_sessions::begin(tx, app, &SessionRow { session_seq: 1, lane: "lane".to_owned(), data: "{}".to_owned() }, None)
        .await
}

/// A file of one part; the object's id is told by the app's.
async fn add_file(tx: &mut dyn Sql, app: AppId, owner: UserId) -> Result<()> {
    let row = FileRow {
        file: FileId([0xF1; 16]),
        owner,
        complete: true,
        restricted: true,
        secret_hash: [1, 2, 3].into(),
        name: "a.png".to_owned(),
        content_type: "image/png".to_owned(),
        bytes: 7,
        thumb_width: None,
        thumb_height: None,
        created_ms: 1,
    };
    files::put(tx, app, &row).await?;
    files::put_part(tx, app, row.file, PartRow { part: 1, object: object_of(app), bytes: 7 }).await?;
    assert!(files::add_bytes(tx, app, 7, 10).await?);
    Ok(())
}

fn object_of(app: AppId) -> ObjectId {
    ObjectId(app.0.map(|byte| !byte))
}

/// Of a device that is connected.
fn session() -> sessions::SessionRow {
    sessions::SessionRow {
        resource: "web".to_owned(),
        node: NodeId([0xD1; 16]),
        number: 1,
        platform: "web".to_owned(),
        device_uuid: String::new(),
        device_name: String::new(),
        note: String::new(),
        since_ms: 1,
    }
}

/// A user with a row in every table of things it owns alone.
async fn add_user(tx: &mut dyn Sql, app: AppId, user: UserId, name: &str) -> Result<()> {
    assert!(handles::claim(tx, app, USERNAME, name, user).await?);
    let new = NewUser {
        user,
        username: name.to_owned(),
        password_hash: None,
        created_ms: 1,
        tokens_not_before_s: 0,
        push_nickname: None,
    };
    users::insert(tx, app, &new).await?;
    users::set_password(tx, app, user, "hash", 1).await?;
    let profile = PushProfile { device_token: Some("token".to_owned()), ..PushProfile::default() };
    users::update_push(tx, app, user, &profile, 1).await?;
    users::ignore_group(tx, app, user, "group", true).await?;
    attributes::put(tx, app, user, "avatar", "url").await?;
    let bytes = attributes::bytes_of_user(tx, app, user).await?;
    attributes::add_to_total(tx, app, bytes).await?;
    mutes::put(tx, app, user, "chat", None, 1).await?;
    let status = StatusRow { resource: "web".to_owned(), status: 1, ext: String::new(), published_s: 1 };
    presence::publish(tx, app, user, &status).await?;
    let device =
        DeviceRow { device_id: "phone".to_owned(), notifier_name: "FCM".to_owned(), device_token: "t".to_owned() };
    push::bind(tx, app, user, &device, 1).await?;
    push::put_rule(tx, app, user, "chatgroup", "group", &RuleRow::default()).await?;
    push::prefer(tx, app, user, "language", "zh").await?;
    settings::put(tx, app, user, "no_sounds", "true").await?;
    push_marks::set_alias(tx, app, user, ("device", "alias"), 1).await?;
    push_marks::add_tag(tx, app, user, "tag").await?;
    let message = InboxRow {
        message_id: 1,
        sender: "peer".to_owned(),
        origin: String::new(),
        kind: 1,
        counted: true,
        payload: [1, 2, 3].into(),
        sent_ms: 1,
    };
    conversations::advance(tx, app, user, "peer", 1, true).await?;
    let grant =
        RoomTokenGrant { uid: name.to_owned(), room: "room".to_owned(), salt: 1, until_ms: 1, repeat_use: None };
    room_tokens::grant(tx, app, &grant, 0).await?;
    if let Ok(uid) = name.parse() {
        let room = RoomRow {
            cid: 1,
            name: "room".to_owned(),
            creator_uid: uid,
            created_ms: 1,
            entered_ms: None,
            open_until_ms: Some(2),
            closed: false,
            abandoned: false,
            node: None,
        };
        assert!(rooms::insert(tx, app, &room).await?);
        assert!(room_stays::begin(tx, app, 1, 1, uid, false, 1).await?);
        room_bars::put(tx, app, "room", uid, 2).await?;
    }
    inbox::put(tx, app, user, "peer", &message).await?;
    let reaction = ReactionRow { reaction: "+1".to_owned(), reactor: "peer".to_owned() };
    reactions::add(tx, app, user, 1, &reaction, 1).await?;
    let pin = PinRow { message_id: 1, operator: "peer".to_owned(), pinned_seq: 1 };
    message_pins::put(tx, app, user, "peer", &pin).await?;
    let report = ReportRow {
        message_id: 1,
        sender: "peer".to_owned(),
        kind: "spam".to_owned(),
        reason: String::new(),
        excerpt: String::new(),
        reported_seq: 1,
    };
    reports::put(tx, app, user, &report).await?;
    inbox::see_device(tx, app, user, "web", 1).await?;
    sessions::insert(tx, app, user, &session()).await?;
    inbox::confirm(tx, app, user, "web", "peer", 1).await
}

/// Everything that one user may have about another.
async fn relate(tx: &mut dyn Sql, app: AppId, owner: UserId, other: UserId) -> Result<()> {
    contacts::add(tx, app, owner, other, 1, 10).await?;
    contacts::set_remark(tx, app, owner, other, "remark").await?;
    contacts::invite(tx, app, owner, other, 1, "why").await?;
    blocks::add(tx, app, owner, other, 1, 10).await?;
    presence::subscribe(tx, app, owner, other, 1, 1).await?;
    let name = users::by_id(tx, app, other).await?.expect("the user was added").username;
    push::put_rule(tx, app, owner, push::ABOUT_USER, &name, &RuleRow::default()).await
}

async fn filled() -> (Place, Db) {
    let place = Place::new();
    let db = place.open().await;
    db.write((), |tx, ()| {
        Box::pin(async move {
            add_app(tx, APP, "first").await?;
            add_app(tx, OTHER_APP, "second").await
        })
    })
    .await
    .unwrap();
    (place, db)
}

/// Every row of every table, each as a text that spells bytes in hexadecimal.
async fn all_rows(db: &Db) -> Vec<String> {
    let mut rows = Vec::new();
    for table in tables(db).await {
        let spelled = |column: &Column| match (column.kind.as_str(), storage::on_postgres()) {
            ("BYTEA", true) => format!("COALESCE(upper(encode({}, 'hex')), 'NULL')", column.name),
            (_, true) => format!("quote_nullable({})", column.name),
            (_, false) => format!("quote({})", column.name),
        };
        let values = columns(db, &table).await.iter().map(spelled).collect::<Vec<_>>();
        let sql = format!("SELECT '{table}: ' || {} FROM {table} ORDER BY 1", values.join(" || ', ' || "));
        rows.extend(texts(db, text(sql)).await);
    }
    rows
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02X}"))
}

/// Rows in which that column holds the id.
async fn count(db: &Db, table: &str, column: &str, id: &[u8]) -> usize {
    let sql = text(format!("SELECT 1 FROM {table} WHERE {column} = $1"));
    query(db, sql, vec![Value::Bytes(id.into())], 1).await.len()
}

/// Fails unless exactly those rows that carry something are gone.
fn assert_only_gone(before: &[String], after: &[String], carries: impl Fn(&String) -> bool) {
    let left: Vec<_> = after.iter().filter(|row| carries(row)).collect();
    assert!(left.is_empty(), "rows were forgotten: {left:#?}");
    let lost: Vec<_> = before.iter().filter(|row| !carries(row) && !after.contains(row)).collect();
    assert!(lost.is_empty(), "rows of others are gone or changed: {lost:#?}");
    assert!(before.iter().any(carries));
}

/// Holds a row only while an app is being cleared away.
const GOING: &str = "going_apps";
/// Columns of 16-byte ids that are neither an app's nor a user's.
const OTHER_IDS: [(&str, &str); 14] = [
    ("admin_tokens", "token_id"),
    ("notifiers", "notifier_id"),
    ("files", "file_id"),
    ("file_parts", "file_id"),
    ("file_parts", "object_id"),
    ("file_garbage", "object_id"),
    ("hooks", "hook_id"),
    ("hook_outbox", "hook_id"),
    ("hook_log", "hook_id"),
    ("nodes", "node_id"),
    ("leases", "node_id"),
    ("sessions", "node_id"),
    ("session_endings", "node_id"),
    ("room_endings", "node_id"),
];

#[tokio::test]
async fn deleting_a_user_takes_exactly_the_rows_that_carry_it() {
    let (_place, db) = filled().await;
    for table in tables(&db).await {
        for Column { name, kind, .. } in columns(&db, &table).await {
            let is_id = kind == "BYTEA" && name.ends_with("_id") && name != "app_id";
            if is_id && !OTHER_IDS.contains(&(table.as_str(), name.as_str())) {
                assert!(count(&db, &table, &name, &ANN.0).await > 0, "this test adds no row to {table} by {name}");
            }
        }
    }
    let before = all_rows(&db).await;
    let total = |db: &Db| {
        let db = db.clone();
        async move { db.read((), |tx, ()| Box::pin(attributes::bytes_of_app(tx, APP))).await.unwrap() }
    };
    let total_before = total(&db).await;
    let known = db.write((), |tx, ()| Box::pin(users::delete(tx, APP, ANN))).await.unwrap();
    assert!(known);
    let (app, id) = (hex(&APP.0), hex(&ANN.0));
    let carries = |row: &String| row.contains(&app) && (row.contains(&id) || row.contains(ANN_NAME));
    // Of three users with the same attributes one is gone.
    assert_eq!(total(&db).await * 3, total_before * 2);
    let no_total = |rows: Vec<String>| rows.into_iter().filter(|row| !row.starts_with("attribute_totals")).collect();
    let (before, after): (Vec<_>, Vec<_>) = (no_total(before), no_total(all_rows(&db).await));
    assert_only_gone(&before, &after, carries);
    let file = db.read((), |sql, ()| Box::pin(files::by_id(sql, APP, FileId([0xF1; 16])))).await.unwrap();
    assert_eq!(file.unwrap().owner, UserId(APP.0), "what was sent stays with those who got it");
    let known = db.write((), |tx, ()| Box::pin(users::delete(tx, APP, ANN))).await.unwrap();
    assert!(!known, "a user can be deleted once");
}

#[tokio::test]
async fn deleting_an_app_takes_exactly_the_rows_that_carry_it_a_few_at_a_time() {
    let (_place, db) = filled().await;
    for table in tables(&db).await {
        if table != GOING && columns(&db, &table).await.iter().any(|column| column.name == "app_id") {
            assert!(count(&db, &table, "app_id", &APP.0).await > 0, "this test adds no row to {table}");
        }
    }
    let before = all_rows(&db).await;
    let known = db.write((), |tx, ()| Box::pin(apps::depart(tx, APP, 7))).await.unwrap();
    assert!(known);
    let known = db.write((), |tx, ()| Box::pin(apps::depart(tx, APP, 8))).await.unwrap();
    assert!(!known, "an app can be deleted once");
    assert_eq!(count(&db, "app_secrets", "app_id", &APP.0).await, 0, "its secrets are the first to go");
    let rows = async || all_rows(&db).await.into_iter().filter(|row| !row.starts_with("file_garbage")).count();
    let mut left = rows().await;
    loop {
        let going = db.read((), |tx, ()| Box::pin(apps::going(tx))).await.unwrap();
        assert_eq!(going, Some(APP));
        let done = db.write((), |tx, ()| Box::pin(apps::clear(tx, APP, 5))).await.unwrap();
        let now = rows().await;
        assert!(now < left && left - now <= 5, "{left} rows, then {now}");
        left = now;
        if done {
            break;
        }
    }
    assert_only_gone(&before, &all_rows(&db).await, |row| row.contains(&hex(&APP.0)));
    let objects = db.read((), |sql, ()| Box::pin(garbage::some(sql, 10))).await.unwrap();
    assert_eq!(objects, [object_of(APP)], "its objects wait for being deleted");
    assert_eq!(db.read((), |tx, ()| Box::pin(apps::going(tx))).await.unwrap(), None);
}
