//! `users` and `group_ignores`: one row per person, and the groups whose pushes they do not want.

use super::{attributes, room_bars, room_stays, room_tokens, rooms};
use crate::{AppId, Arg, Result, Row, Sql, Touched, UserId};

/// A row of `users` without the password, and the user's rows of `group_ignores`.
#[derive(Clone, Debug, PartialEq)]
pub struct UserRow {
    /// The user's id.
    pub user: UserId,
    /// The name a backend gave, folded.
    pub username: String,
    /// The name it took since, folded; `None`: it is called as before.
    pub called: Option<String>,
    /// Creation time.
    pub created_ms: i64,
    /// Last change of what a backend sees in this row.
    pub modified_ms: i64,
    /// `false` while banned.
    pub active: bool,
    /// Part of every token's MAC; raising it ends them all.
    pub token_epoch: i64,
    /// Locally computed tokens stamped at or before this second are dead.
    pub tokens_not_before_s: i64,
    /// The number that it is known by where users are numbers; `None` until one was needed.
    pub numeric_id: Option<i64>,
    /// Push settings.
    pub push: PushProfile,
    /// Group id and whether its offline pushes are ignored.
    pub group_ignores: Vec<(String, bool)>,
}

impl UserRow {
    /// What it is called now. Its name, by which everything else knows it, stays as it is.
    pub fn called(&self) -> &str {
        self.called.as_deref().unwrap_or(&self.username)
    }

    /// Whether that folded name is one of its names.
    pub fn goes_by(&self, name: &str) -> bool {
        self.username == name || self.called.as_deref() == Some(name)
    }
}

/// The push settings of a user row; `None` = never set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PushProfile {
    /// Name shown in a push.
    pub nickname: Option<String>,
    /// 0 = notice only, 1 = with content.
    pub style: Option<i64>,
    /// Do-not-disturb switched on.
    pub quiet: Option<bool>,
    /// Its first hour, 0-23.
    pub quiet_start_h: Option<i64>,
    /// Its last hour, 0-23.
    pub quiet_end_h: Option<i64>,
    /// Push certificate name.
    pub notifier_name: Option<String>,
    /// Push device token.
    pub device_token: Option<String>,
}

/// A user to add.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// Its id.
    pub user: UserId,
    /// Its folded name.
    pub username: String,
    /// A PHC string; `None`: cannot log in by password.
    pub password_hash: Option<String>,
    /// Creation time.
    pub created_ms: i64,
    /// Locally computed tokens stamped at or before this second are dead: they were a namesake's.
    pub tokens_not_before_s: i64,
    /// Name shown in a push.
    pub push_nickname: Option<String>,
}

macro_rules! columns {
    () => {
        "u.user_id, u.username, u.created_ms, u.modified_ms, u.active, u.token_epoch, u.tokens_not_before_s, \
         u.push_nickname, u.push_style, u.quiet, u.quiet_start_h, u.quiet_end_h, u.notifier_name, u.device_token, \
         u.numeric_id, u.called, i.group_id, i.ignored"
    };
}

macro_rules! with_ignores {
    () => {
        " LEFT JOIN group_ignores i ON i.app_id = u.app_id AND i.user_id = u.user_id"
    };
}

fn read(row: &mut Row) -> Result<UserRow> {
    Ok(UserRow {
        user: row.take(0)?,
        username: row.take(1)?,
        created_ms: row.take(2)?,
        modified_ms: row.take(3)?,
        active: row.take(4)?,
        token_epoch: row.take(5)?,
        tokens_not_before_s: row.take(6)?,
        push: PushProfile {
            nickname: row.take(7)?,
            style: row.take(8)?,
            quiet: row.take(9)?,
            quiet_start_h: row.take(10)?,
            quiet_end_h: row.take(11)?,
            notifier_name: row.take(12)?,
            device_token: row.take(13)?,
        },
        numeric_id: row.take(14)?,
        called: row.take(15)?,
        group_ignores: Vec::new(),
    })
}

/// Folds joined rows into users; rows of one user stand together.
fn fold(rows: Vec<Row>) -> Result<Vec<UserRow>> {
    let mut users: Vec<UserRow> = Vec::with_capacity(rows.len());
    for mut row in rows {
        let ignore = row.take::<Option<String>>(16)?.zip(row.take::<Option<bool>>(17)?);
        let user = read(&mut row)?;
        if users.last().is_none_or(|last| last.user != user.user) {
            users.push(user);
        }
        if let (Some(last), Some(ignore)) = (users.last_mut(), ignore) {
            last.group_ignores.push(ignore);
        }
    }
    Ok(users)
}

/// Adds a user. The name must have been claimed in the same transaction.
pub async fn insert(sql: &mut dyn Sql, app: AppId, new: &NewUser) -> Result<()> {
    const SQL: &str = "INSERT INTO users (app_id, user_id, username, password_hash, created_ms, modified_ms, active, \
                       token_epoch, tokens_not_before_s, push_nickname) VALUES ($1, $2, $3, $4, $5, $5, $6, 0, $7, $8)";
    let args = [
        app.arg(),
        new.user.arg(),
        (&new.username).into(),
        new.password_hash.as_ref().into(),
        new.created_ms.into(),
        true.into(),
        new.tokens_not_before_s.into(),
        new.push_nickname.as_ref().into(),
    ];
    sql.touch(Touched::User(app, new.user));
    sql.exec(SQL, &args).await?;
    Ok(())
}

/// The user with that id.
pub async fn by_id(sql: &mut dyn Sql, app: AppId, user: UserId) -> Result<Option<UserRow>> {
    const SQL: &str =
        concat!("SELECT ", columns!(), " FROM users u", with_ignores!(), " WHERE u.app_id = $1 AND u.user_id = $2");
    Ok(fold(sql.rows(SQL, &[app.arg(), user.arg()]).await?)?.pop())
}

/// The user with that name of that kind.
pub async fn by_handle(sql: &mut dyn Sql, app: AppId, kind: &str, handle: &str) -> Result<Option<UserRow>> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM handles h JOIN users u ON u.app_id = h.app_id AND u.user_id = h.user_id",
        with_ignores!(),
        " WHERE h.app_id = $1 AND h.kind = $2 AND h.handle = $3"
    );
    Ok(fold(sql.rows(SQL, &[app.arg(), kind.into(), handle.into()]).await?)?.pop())
}

/// Where a page of users begins: at this user or, if it is gone, at the next.
#[derive(Clone, Copy, Debug)]
pub struct PageStart {
    /// Creation time of the first user.
    pub created_ms: i64,
    /// Its id.
    pub user: UserId,
}

impl PageStart {
    /// Before everybody.
    pub const FIRST: Self = Self { created_ms: i64::MIN, user: UserId([0; 16]) };
}

/// Up to `limit` users, oldest first. `active`: only those banned or not banned.
pub async fn page(
    sql: &mut dyn Sql,
    app: AppId,
    from: PageStart,
    active: Option<bool>,
    limit: i64,
) -> Result<Vec<UserRow>> {
    // An index holds those who are banned, and one the others, in this order: each statement reads what it gives.
    const ACTIVE: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM (SELECT * FROM users WHERE app_id = $1 AND active AND (created_ms, user_id) >= ($2, $3) \
         ORDER BY created_ms, user_id LIMIT $4) u",
        with_ignores!(),
        " ORDER BY u.created_ms, u.user_id, i.group_id"
    );
    const BANNED: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM (SELECT * FROM users WHERE app_id = $1 AND NOT active AND (created_ms, user_id) >= ($2, $3) \
         ORDER BY created_ms, user_id LIMIT $4) u",
        with_ignores!(),
        " ORDER BY u.created_ms, u.user_id, i.group_id"
    );
    // Up to twice as many as asked for, the right ones first.
    const ALL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM (SELECT * FROM (SELECT * FROM users WHERE app_id = $1 AND active AND (created_ms, user_id) >= ($2, $3) \
         ORDER BY created_ms, user_id LIMIT $4) a UNION ALL SELECT * FROM (SELECT * FROM users WHERE app_id = $1 \
         AND NOT active AND (created_ms, user_id) >= ($2, $3) ORDER BY created_ms, user_id LIMIT $4) b) u",
        with_ignores!(),
        " ORDER BY u.created_ms, u.user_id, i.group_id"
    );
    let statement = active.map_or(ALL, |active| if active { ACTIVE } else { BANNED });
    let args = [app.arg(), from.created_ms.into(), from.user.arg(), limit.into()];
    let mut users = fold(sql.rows(statement, &args).await?)?;
    users.truncate(usize::try_from(limit).unwrap_or_default());
    Ok(users)
}

/// How many users the app has.
pub async fn count(sql: &mut dyn Sql, app: AppId) -> Result<i64> {
    let mut rows = sql.rows("SELECT COUNT(*) FROM users WHERE app_id = $1", &[app.arg()]).await?;
    rows.pop().map_or(Ok(0), |mut row| row.take(0))
}

/// The password hash; `None` for no such user, `Some(None)` for one without a password.
pub async fn password_hash(sql: &mut dyn Sql, app: AppId, user: UserId) -> Result<Option<Option<String>>> {
    const SQL: &str = "SELECT password_hash FROM users WHERE app_id = $1 AND user_id = $2";
    sql.rows(SQL, &[app.arg(), user.arg()]).await?.pop().map(|mut row| row.take(0)).transpose()
}

/// Sets the password and ends all tokens of the user, locally computed ones up to a second; `false` when there is no such
/// user.
pub async fn set_password(sql: &mut dyn Sql, app: AppId, user: UserId, hash: &str, ended_s: i64) -> Result<bool> {
    const SQL: &str = "UPDATE users SET password_hash = $3, token_epoch = token_epoch + 1, tokens_not_before_s = $4 \
                       WHERE app_id = $1 AND user_id = $2";
    sql.touch(Touched::User(app, user));
    Ok(sql.exec(SQL, &[app.arg(), user.arg(), hash.into(), ended_s.into()]).await? == 1)
}

/// Replaces a hash by a better one of the same password, unless the password has changed meanwhile.
pub async fn upgrade_hash(sql: &mut dyn Sql, app: AppId, user: UserId, old: &str, new: &str) -> Result<bool> {
    const SQL: &str = "UPDATE users SET password_hash = $4 WHERE app_id = $1 AND user_id = $2 AND password_hash = $3";
    Ok(sql.exec(SQL, &[app.arg(), user.arg(), old.into(), new.into()]).await? == 1)
}

/// Bans the user and ends all tokens, locally computed ones up to a second; `false` when there is no such user.
pub async fn deactivate(sql: &mut dyn Sql, app: AppId, user: UserId, ended_s: i64) -> Result<bool> {
    const SQL: &str = "UPDATE users SET active = $3, token_epoch = token_epoch + 1, tokens_not_before_s = $4 \
                       WHERE app_id = $1 AND user_id = $2";
    sql.touch(Touched::User(app, user));
    Ok(sql.exec(SQL, &[app.arg(), user.arg(), false.into(), ended_s.into()]).await? == 1)
}

/// Lifts a ban; `false` when there is no such user.
pub async fn activate(sql: &mut dyn Sql, app: AppId, user: UserId) -> Result<bool> {
    sql.touch(Touched::User(app, user));
    let args = [app.arg(), user.arg(), true.into()];
    Ok(sql.exec("UPDATE users SET active = $3 WHERE app_id = $1 AND user_id = $2", &args).await? == 1)
}

/// Sets those push settings that are given; `false` when there is no such user.
pub async fn update_push(sql: &mut dyn Sql, app: AppId, user: UserId, push: &PushProfile, now_ms: i64) -> Result<bool> {
    const SQL: &str = "UPDATE users SET modified_ms = $3, push_nickname = COALESCE($4, push_nickname), \
                       push_style = COALESCE($5, push_style), quiet = COALESCE($6, quiet), \
                       quiet_start_h = COALESCE($7, quiet_start_h), quiet_end_h = COALESCE($8, quiet_end_h), \
                       notifier_name = COALESCE($9, notifier_name), device_token = COALESCE($10, device_token) \
                       WHERE app_id = $1 AND user_id = $2";
    let args = [
        app.arg(),
        user.arg(),
        now_ms.into(),
        push.nickname.as_ref().into(),
        push.style.into(),
        push.quiet.into(),
        push.quiet_start_h.into(),
        push.quiet_end_h.into(),
        push.notifier_name.as_ref().into(),
        push.device_token.as_ref().into(),
    ];
    sql.touch(Touched::User(app, user));
    Ok(sql.exec(SQL, &args).await? == 1)
}

/// Sets whether a group's offline pushes are ignored.
pub async fn ignore_group(sql: &mut dyn Sql, app: AppId, user: UserId, group: &str, ignored: bool) -> Result<()> {
    const SQL: &str = "INSERT INTO group_ignores (app_id, user_id, group_id, ignored) VALUES ($1, $2, $3, $4) \
                       ON CONFLICT (app_id, user_id, group_id) DO UPDATE SET ignored = excluded.ignored";
    sql.touch(Touched::User(app, user));
    sql.exec(SQL, &[app.arg(), user.arg(), group.into(), ignored.into()]).await?;
    Ok(())
}

/// How many groups the user has a setting for.
pub async fn group_ignores(sql: &mut dyn Sql, app: AppId, user: UserId) -> Result<i64> {
    const SQL: &str = "SELECT COUNT(*) FROM group_ignores WHERE app_id = $1 AND user_id = $2";
    sql.rows(SQL, &[app.arg(), user.arg()]).await?.pop().map_or(Ok(0), |mut row| row.take(0))
}

/// The number that a user is known by in rooms: its name, if that is one.
async fn number_of(sql: &mut dyn Sql, app: AppId, user: UserId) -> Result<Option<i64>> {
    const SQL: &str = "SELECT username FROM users WHERE app_id = $1 AND user_id = $2";
    let name: Option<String> =
        sql.rows(SQL, &[app.arg(), user.arg()]).await?.pop().map(|mut row| row.take(0)).transpose()?;
    Ok(name.and_then(|name| name.parse().ok()))
}

/// Removes the user and every row that carries its id, its own and others'; `false` when there is no such user.
/// A test reads the schema and fails when a table is missing here.
pub async fn delete(sql: &mut dyn Sql, app: AppId, user: UserId) -> Result<bool> {
    const REST: [&str; 27] = [
        // What a user sent stays with those who got it, files as well as messages; the app owns them from now on.
        "UPDATE files SET owner_id = app_id WHERE app_id = $1 AND owner_id = $2",
        "DELETE FROM handles WHERE app_id = $1 AND user_id = $2",
        "DELETE FROM group_ignores WHERE app_id = $1 AND user_id = $2",
        // Contacts are mutual: whoever has this user is among those this user has.
        "DELETE FROM contacts WHERE app_id = $1 AND contact_id = $2 AND user_id IN \
         (SELECT contact_id FROM contacts WHERE app_id = $1 AND user_id = $2)",
        "DELETE FROM contacts WHERE app_id = $1 AND user_id = $2",
        "DELETE FROM invitations WHERE app_id = $1 AND (user_id = $2 OR inviter_id = $2)",
        "DELETE FROM blocks WHERE app_id = $1 AND user_id = $2",
        "DELETE FROM blocks WHERE app_id = $1 AND blocked_id = $2",
        "DELETE FROM inbox WHERE app_id = $1 AND user_id = $2",
        "DELETE FROM conversations WHERE app_id = $1 AND user_id = $2",
        "DELETE FROM inbox_cursors WHERE app_id = $1 AND user_id = $2",
        "DELETE FROM devices WHERE app_id = $1 AND user_id = $2",
        "DELETE FROM reactions WHERE app_id = $1 AND user_id = $2",
        "DELETE FROM message_pins WHERE app_id = $1 AND user_id = $2",
        "DELETE FROM reports WHERE app_id = $1 AND user_id = $2",
        "DELETE FROM attributes WHERE app_id = $1 AND user_id = $2",
        "DELETE FROM mutes WHERE app_id = $1 AND user_id = $2",
        "DELETE FROM presence_status WHERE app_id = $1 AND user_id = $2",
        "DELETE FROM presence_subscriptions WHERE app_id = $1 AND (user_id = $2 OR target_id = $2)",
        "DELETE FROM push_devices WHERE app_id = $1 AND user_id = $2",
        "DELETE FROM push_rules WHERE app_id = $1 AND user_id = $2",
        // Others' rules for conversations with this user know it by name; the next owner of the name is somebody else.
        "DELETE FROM push_rules WHERE app_id = $1 AND kind = 'user' AND target IN \
         (SELECT username FROM users WHERE app_id = $1 AND user_id = $2)",
        "DELETE FROM push_preferences WHERE app_id = $1 AND user_id = $2",
        "DELETE FROM push_aliases WHERE app_id = $1 AND user_id = $2",
        "DELETE FROM push_tags WHERE app_id = $1 AND user_id = $2",
        "DELETE FROM user_settings WHERE app_id = $1 AND user_id = $2",
        "DELETE FROM sessions WHERE app_id = $1 AND user_id = $2",
    ];
    sql.touch(Touched::User(app, user));
    room_tokens::remove_of_user(sql, app, user).await?;
    if let Some(uid) = number_of(sql, app, user).await? {
        room_stays::remove_of_uid(sql, app, uid).await?;
        room_bars::remove_of_uid(sql, app, uid).await?;
        rooms::forget_creator(sql, app, uid).await?;
    }
    let args: [Arg<'_>; 2] = [app.arg(), user.arg()];
    let attributed = attributes::bytes_of_user(sql, app, user).await?;
    attributes::add_to_total(sql, app, -attributed).await?;
    for statement in REST {
        sql.exec(statement, &args).await?;
    }
    Ok(sql.exec("DELETE FROM users WHERE app_id = $1 AND user_id = $2", &args).await? == 1)
}

/// Has a user called by a name that has been claimed for it; `None`: by its own.
pub async fn set_called(sql: &mut dyn Sql, app: AppId, user: UserId, name: Option<&str>) -> Result<()> {
    sql.touch(Touched::User(app, user));
    let args = [app.arg(), user.arg(), name.into()];
    sql.exec("UPDATE users SET called = $3 WHERE app_id = $1 AND user_id = $2", &args).await?;
    Ok(())
}

/// Gives the user its number; `false` when it has one, or is gone. The number must then be claimed.
pub async fn set_numeric_id(sql: &mut dyn Sql, app: AppId, user: UserId, number: i64) -> Result<bool> {
    const SQL: &str = "UPDATE users SET numeric_id = $3 WHERE app_id = $1 AND user_id = $2 AND numeric_id IS NULL";
    sql.touch(Touched::User(app, user));
    Ok(sql.exec(SQL, &[app.arg(), user.arg(), number.into()]).await? == 1)
}

/// Takes the number back that could not be claimed.
pub async fn unset_numeric_id(sql: &mut dyn Sql, app: AppId, user: UserId) -> Result<()> {
    const SQL: &str = "UPDATE users SET numeric_id = NULL WHERE app_id = $1 AND user_id = $2";
    sql.touch(Touched::User(app, user));
    sql.exec(SQL, &[app.arg(), user.arg()]).await?;
    Ok(())
}

/// The user's number; `None` for no such user, `Some(None)` for one without.
pub async fn numeric_id(sql: &mut dyn Sql, app: AppId, user: UserId) -> Result<Option<Option<i64>>> {
    const SQL: &str = "SELECT numeric_id FROM users WHERE app_id = $1 AND user_id = $2";
    sql.rows(SQL, &[app.arg(), user.arg()]).await?.pop().map(|mut row| row.take(0)).transpose()
}

/// Whether there is such a user: asked first by every write that adds a row for one, so that no row outlives its user.
pub async fn exists(sql: &mut dyn Sql, app: AppId, user: UserId) -> Result<bool> {
    const SQL: &str = "SELECT 1 FROM users WHERE app_id = $1 AND user_id = $2";
    Ok(!sql.rows(SQL, &[app.arg(), user.arg()]).await?.is_empty())
}
