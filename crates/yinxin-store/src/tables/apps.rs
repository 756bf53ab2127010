//! `apps` and `app_secrets`: the directory of tenants.

use super::{conversations, files};
use crate::{AppId, Result, Row, Sql, Touched};

/// A row of `apps`.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct AppRow {
    /// The tenant's id.
    pub app: AppId,
    /// Organisation name, the first half of an app key.
    pub org: String,
    /// App name, the second half.
    pub name: String,
    /// Creation time.
    pub created_ms: i64,
    /// Last change of a setting.
    pub modified_ms: i64,
    /// Part of every app token's MAC; raising it ends them all.
    pub token_epoch: i64,
    /// Anybody may register.
    pub open_registration: bool,
    /// Name of the compatibility profile.
    pub profile: String,
    /// Default life of a user token; 0 = for ever.
    pub user_token_ttl_s: i64,
    /// Default life of an app token; 0 = for ever.
    pub app_token_ttl_s: i64,
    /// Contacts one user may have.
    pub contacts_max: i64,
    /// Users hear from contacts only.
    pub contacts_only: bool,
    /// The app's name in signed calls; `None` for an app that was made before there were any.
    pub signing_key: Option<String>,
    /// Nobody joins a room without a token.
    pub safe_mode: bool,
    /// Room tokens that the app's backend computes by itself are good.
    pub local_room_tokens: bool,
    /// The word that clients name the app by; `None` for an app that was made before there were any.
    pub short_id: Option<String>,
    /// What a token that is not good is answered by, where answers are numbers.
    pub token_error_code: i64,
    /// What a login of nobody is answered by, where answers are numbers.
    pub unknown_login_code: i64,
    /// Name of the unit in which ends of tokens are told.
    pub expire_unit: String,
    /// A mobile may stand where a login asks for a name.
    pub token_user_mobile: bool,
}

macro_rules! columns {
    () => {
        "app_id, org, name, created_ms, modified_ms, token_epoch, open_registration, profile, user_token_ttl_s, \
         app_token_ttl_s, contacts_max, contacts_only, signing_key, safe_mode, local_room_tokens, short_id, \
         token_error_code, unknown_login_code, expire_unit, token_user_mobile"
    };
}

fn read(mut row: Row) -> Result<AppRow> {
    Ok(AppRow {
        app: row.take(0)?,
        org: row.take(1)?,
        name: row.take(2)?,
        created_ms: row.take(3)?,
        modified_ms: row.take(4)?,
        token_epoch: row.take(5)?,
        open_registration: row.take(6)?,
        profile: row.take(7)?,
        user_token_ttl_s: row.take(8)?,
        app_token_ttl_s: row.take(9)?,
        contacts_max: row.take(10)?,
        contacts_only: row.take(11)?,
        signing_key: row.take(12)?,
        safe_mode: row.take(13)?,
        local_room_tokens: row.take(14)?,
        short_id: row.take(15)?,
        token_error_code: row.take(16)?,
        unknown_login_code: row.take(17)?,
        expire_unit: row.take(18)?,
        token_user_mobile: row.take(19)?,
    })
}

/// Adds an app; `false` when `org/name`, the signing key or the short id is taken.
pub async fn insert(sql: &mut dyn Sql, app: &AppRow) -> Result<bool> {
    const SQL: &str = concat!(
        "INSERT INTO apps (",
        columns!(),
        ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20) \
         ON CONFLICT DO NOTHING"
    );
    let args = [
        app.app.arg(),
        (&app.org).into(),
        (&app.name).into(),
        app.created_ms.into(),
        app.modified_ms.into(),
        app.token_epoch.into(),
        app.open_registration.into(),
        (&app.profile).into(),
        app.user_token_ttl_s.into(),
        app.app_token_ttl_s.into(),
        app.contacts_max.into(),
        app.contacts_only.into(),
        app.signing_key.as_ref().into(),
        app.safe_mode.into(),
        app.local_room_tokens.into(),
        app.short_id.as_ref().into(),
        app.token_error_code.into(),
        app.unknown_login_code.into(),
        (&app.expire_unit).into(),
        app.token_user_mobile.into(),
    ];
    sql.touch(Touched::App(app.app));
    Ok(sql.exec(SQL, &args).await? == 1)
}

/// Changes to the settings of an app; `None` leaves one as it is.
#[derive(Clone, Debug, Default)]
pub struct AppUpdate {
    /// See [`AppRow`].
    pub open_registration: Option<bool>,
    /// See [`AppRow`].
    pub profile: Option<&'static str>,
    /// See [`AppRow`].
    pub user_token_ttl_s: Option<i64>,
    /// See [`AppRow`].
    pub app_token_ttl_s: Option<i64>,
    /// See [`AppRow`].
    pub contacts_max: Option<i64>,
    /// See [`AppRow`].
    pub contacts_only: Option<bool>,
    /// See [`AppRow`].
    pub safe_mode: Option<bool>,
    /// See [`AppRow`].
    pub local_room_tokens: Option<bool>,
    /// See [`AppRow`].
    pub token_error_code: Option<i64>,
    /// See [`AppRow`].
    pub unknown_login_code: Option<i64>,
    /// See [`AppRow`].
    pub expire_unit: Option<&'static str>,
    /// See [`AppRow`].
    pub token_user_mobile: Option<bool>,
}

/// Sets those settings that are given; `false` when there is no such app.
pub async fn update(sql: &mut dyn Sql, app: AppId, changes: &AppUpdate, now_ms: i64) -> Result<bool> {
    const SQL: &str = "UPDATE apps SET modified_ms = $2, open_registration = COALESCE($3, open_registration), \
                       profile = COALESCE($4, profile), user_token_ttl_s = COALESCE($5, user_token_ttl_s), \
                       app_token_ttl_s = COALESCE($6, app_token_ttl_s), contacts_max = COALESCE($7, contacts_max), \
                       contacts_only = COALESCE($8, contacts_only), safe_mode = COALESCE($9, safe_mode), \
                       local_room_tokens = COALESCE($10, local_room_tokens), \
                       token_error_code = COALESCE($11, token_error_code), \
                       unknown_login_code = COALESCE($12, unknown_login_code), \
                       expire_unit = COALESCE($13, expire_unit), \
                       token_user_mobile = COALESCE($14, token_user_mobile) WHERE app_id = $1";
    let args = [
        app.arg(),
        now_ms.into(),
        changes.open_registration.into(),
        changes.profile.into(),
        changes.user_token_ttl_s.into(),
        changes.app_token_ttl_s.into(),
        changes.contacts_max.into(),
        changes.contacts_only.into(),
        changes.safe_mode.into(),
        changes.local_room_tokens.into(),
        changes.token_error_code.into(),
        changes.unknown_login_code.into(),
        changes.expire_unit.into(),
        changes.token_user_mobile.into(),
    ];
    sql.touch(Touched::App(app));
    Ok(sql.exec(SQL, &args).await? == 1)
}

/// Ends all app tokens of the app; `false` when there is no such app.
pub async fn raise_epoch(sql: &mut dyn Sql, app: AppId) -> Result<bool> {
    sql.touch(Touched::App(app));
    Ok(sql.exec("UPDATE apps SET token_epoch = token_epoch + 1 WHERE app_id = $1", &[app.arg()]).await? == 1)
}

/// Names an app in signed calls that has no such name yet; `false` when it has, or is gone.
pub async fn set_first_signing_key(sql: &mut dyn Sql, app: AppId, key: &str) -> Result<bool> {
    sql.touch(Touched::App(app));
    let args = [app.arg(), key.into()];
    Ok(sql.exec("UPDATE apps SET signing_key = $2 WHERE app_id = $1 AND signing_key IS NULL", &args).await? == 1)
}

/// Gives an app another name in signed calls, which must be free; `false` when there is no such app.
pub async fn set_signing_key(sql: &mut dyn Sql, app: AppId, key: &str) -> Result<bool> {
    sql.touch(Touched::App(app));
    Ok(sql.exec("UPDATE apps SET signing_key = $2 WHERE app_id = $1", &[app.arg(), key.into()]).await? == 1)
}

/// Gives an app its first short id; `false` when it has one, or is gone.
pub async fn set_first_short_id(sql: &mut dyn Sql, app: AppId, id: &str) -> Result<bool> {
    sql.touch(Touched::App(app));
    let args = [app.arg(), id.into()];
    Ok(sql.exec("UPDATE apps SET short_id = $2 WHERE app_id = $1 AND short_id IS NULL", &args).await? == 1)
}

/// Gives an app another short id, which must be free; `false` when there is no such app.
pub async fn set_short_id(sql: &mut dyn Sql, app: AppId, id: &str) -> Result<bool> {
    sql.touch(Touched::App(app));
    let args = [app.arg(), id.into()];
    Ok(sql.exec("UPDATE apps SET short_id = $2 WHERE app_id = $1", &args).await? == 1)
}

/// Whether there is such an app: asked first by every write that adds a row for one, so that no row outlives its app.
pub async fn exists(sql: &mut dyn Sql, app: AppId) -> Result<bool> {
    Ok(!sql.rows("SELECT 1 FROM apps WHERE app_id = $1", &[app.arg()]).await?.is_empty())
}

/// The organisation and the name of an app.
pub async fn name_of(sql: &mut dyn Sql, app: AppId) -> Result<Option<(String, String)>> {
    let row = sql.rows("SELECT org, name FROM apps WHERE app_id = $1", &[app.arg()]).await?.pop();
    row.map(|mut row| Ok((row.take(0)?, row.take(1)?))).transpose()
}

/// The app of that name.
pub async fn by_name(sql: &mut dyn Sql, org: &str, name: &str) -> Result<Option<AppRow>> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM apps WHERE org = $1 AND name = $2");
    sql.rows(SQL, &[org.into(), name.into()]).await?.pop().map(read).transpose()
}

/// The app of that name in signed calls.
pub async fn by_signing_key(sql: &mut dyn Sql, key: &str) -> Result<Option<AppRow>> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM apps WHERE signing_key = $1");
    sql.rows(SQL, &[key.into()]).await?.pop().map(read).transpose()
}

/// The app of that short id.
pub async fn by_short_id(sql: &mut dyn Sql, id: &str) -> Result<Option<AppRow>> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM apps WHERE short_id = $1");
    sql.rows(SQL, &[id.into()]).await?.pop().map(read).transpose()
}

/// All apps, by name.
pub async fn all(sql: &mut dyn Sql) -> Result<Vec<AppRow>> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM apps ORDER BY org, name");
    sql.rows(SQL, &[]).await?.into_iter().map(read).collect()
}

/// Makes the app one that is going: nobody finds it any more, its name is free, its secrets, tokens and hooks are gone. The rest of its
/// rows is for [`clear`]. `false` when there is no such app.
pub async fn depart(sql: &mut dyn Sql, app: AppId, now_ms: i64) -> Result<bool> {
    sql.touch(Touched::App(app));
    if sql.exec("DELETE FROM apps WHERE app_id = $1", &[app.arg()]).await? == 0 {
        return Ok(false);
    }
    sql.exec("DELETE FROM app_secrets WHERE app_id = $1", &[app.arg()]).await?;
    sql.exec("DELETE FROM hooks WHERE app_id = $1", &[app.arg()]).await?;
    sql.exec("DELETE FROM admin_tokens WHERE app_id = $1", &[app.arg()]).await?;
    let going = "INSERT INTO going_apps (app_id, since_ms) VALUES ($1, $2)";
    sql.exec(going, &[app.arg(), now_ms.into()]).await?;
    Ok(true)
}

/// The app that has been going longest.
pub async fn going(sql: &mut dyn Sql) -> Result<Option<AppId>> {
    const SQL: &str = "SELECT app_id FROM going_apps ORDER BY since_ms, app_id LIMIT 1";
    sql.rows(SQL, &[]).await?.pop().map(|mut row| row.take(0)).transpose()
}

/// How many apps are going.
pub async fn going_count(sql: &mut dyn Sql) -> Result<i64> {
    sql.rows("SELECT COUNT(*) FROM going_apps", &[]).await?.pop().map_or(Ok(0), |mut row| row.take(0))
}

/// Per table and its key behind the app, the statement that removes up to `$2` rows of the app.
macro_rules! clearing {
    ($($table:literal $key:literal,)*) => {
        &[$(concat!(
            "DELETE FROM ", $table, " WHERE app_id = $1 AND (", $key, ") IN (SELECT ", $key, " FROM ", $table,
            " WHERE app_id = $1 ORDER BY ", $key, " LIMIT $2)"
        ),)*]
    };
}

/// Every table whose rows carry an app. What adds a row for a user, or for an app, sees it in the same transaction: once
/// all users are gone nothing comes into the tables behind. A test reads the schema and fails when a table is missing.
const CLEARING: &[&str] = clearing! {
    "users" "user_id",
    "handles" "kind, handle",
    "group_ignores" "user_id, group_id",
    "contacts" "user_id, contact_id",
    "invitations" "user_id, inviter_id",
    "blocks" "user_id, blocked_id",
    "inbox" "user_id, queue, message_id",
    "conversations" "user_id, queue",
    "inbox_cursors" "user_id, resource, queue",
    "devices" "user_id, resource",
    "files" "file_id",
    "file_totals" "app_id",
    "reactions" "user_id, message_id, reaction, reactor",
    "message_pins" "user_id, queue, message_id",
    "reports" "user_id, message_id",
    "attributes" "user_id, name",
    "attribute_totals" "app_id",
    "mutes" "user_id, scope",
    "presence_status" "user_id, resource",
    "presence_subscriptions" "user_id, target_id",
    "push_devices" "user_id, device_id",
    "push_rules" "user_id, kind, target",
    "push_preferences" "user_id, name",
    "push_aliases" "user_id, device_id",
    "push_tags" "user_id, tag",
    "user_settings" "user_id, name",
    "push_templates" "name",
    "push_tasks" "task_id",
    "notifiers" "notifier_id",
    "room_tokens" "uid, room",
    "rooms" "cid",
    "room_stays" "cid, pass_id",
    "room_bars" "name, uid",
    "hook_outbox" "hook_id, event_seq",
    "hook_log" "hook_id, attempt_seq",
    "hook_sessions" "session_seq",
    "sessions" "user_id, resource",
    "password_failures" "whose",
};

/// Removes up to `limit` rows of an app that is going; `true` when one transaction has found none left, and it is gone.
pub async fn clear(sql: &mut dyn Sql, app: AppId, limit: i64) -> Result<bool> {
    // Of all that a user has only the inbox can be large: one statement for all users would read much of it each time.
    let mut room = limit - conversations::clear(sql, app, limit).await?;
    if room > 0 {
        room -= files::give_up(sql, app, room).await?;
    }
    if room <= 0 {
        return Ok(false);
    }
    for statement in CLEARING {
        room -= sql.exec(statement, &[app.arg(), room.into()]).await?.cast_signed();
        if room <= 0 {
            return Ok(false);
        }
    }
    sql.exec("DELETE FROM going_apps WHERE app_id = $1", &[app.arg()]).await?;
    Ok(true)
}

/// Stores a sealed secret of the app under its kind, replacing an older one.
pub async fn put_secret(sql: &mut dyn Sql, app: AppId, kind: &str, sealed: &[u8], now_ms: i64) -> Result<()> {
    const SQL: &str = "INSERT INTO app_secrets (app_id, kind, sealed, created_ms) VALUES ($1, $2, $3, $4) \
                       ON CONFLICT (app_id, kind) DO UPDATE SET sealed = excluded.sealed, created_ms = excluded.created_ms";
    sql.touch(Touched::App(app));
    sql.exec(SQL, &[app.arg(), kind.into(), sealed.into(), now_ms.into()]).await?;
    Ok(())
}

/// The sealed secrets of the app, each under its kind.
pub async fn secrets(sql: &mut dyn Sql, app: AppId) -> Result<Vec<(String, Box<[u8]>)>> {
    const SQL: &str = "SELECT kind, sealed FROM app_secrets WHERE app_id = $1";
    let rows = sql.rows(SQL, &[app.arg()]).await?;
    rows.into_iter().map(|mut row| Ok((row.take(0)?, row.take(1)?))).collect()
}
