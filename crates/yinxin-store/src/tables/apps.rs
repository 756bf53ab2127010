//! `apps` and `app_secrets`: the directory of tenants.

use crate::{AppId, Result, Row, Sql, Touched};

/// A row of `apps`.
#[derive(Clone, Debug)]
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
}

macro_rules! columns {
    () => {
        "app_id, org, name, created_ms, modified_ms, token_epoch, open_registration, profile, user_token_ttl_s, \
         app_token_ttl_s, contacts_max"
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
    })
}

/// Adds an app; `false` when `org/name` is taken.
pub async fn insert(sql: &mut dyn Sql, app: &AppRow) -> Result<bool> {
    const SQL: &str = concat!(
        "INSERT INTO apps (",
        columns!(),
        ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING"
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
}

/// Sets those settings that are given; `false` when there is no such app.
pub async fn update(sql: &mut dyn Sql, app: AppId, changes: &AppUpdate, now_ms: i64) -> Result<bool> {
    const SQL: &str = "UPDATE apps SET modified_ms = $2, open_registration = COALESCE($3, open_registration), \
                       profile = COALESCE($4, profile), user_token_ttl_s = COALESCE($5, user_token_ttl_s), \
                       app_token_ttl_s = COALESCE($6, app_token_ttl_s), contacts_max = COALESCE($7, contacts_max) \
                       WHERE app_id = $1";
    let args = [
        app.arg(),
        now_ms.into(),
        changes.open_registration.into(),
        changes.profile.into(),
        changes.user_token_ttl_s.into(),
        changes.app_token_ttl_s.into(),
        changes.contacts_max.into(),
    ];
    sql.touch(Touched::App(app));
    Ok(sql.exec(SQL, &args).await? == 1)
}

/// Ends all app tokens of the app; `false` when there is no such app.
pub async fn raise_epoch(sql: &mut dyn Sql, app: AppId) -> Result<bool> {
    sql.touch(Touched::App(app));
    Ok(sql.exec("UPDATE apps SET token_epoch = token_epoch + 1 WHERE app_id = $1", &[app.arg()]).await? == 1)
}

/// Whether there is such an app: asked first by every write that adds a row for one, so that no row outlives its app.
pub async fn exists(sql: &mut dyn Sql, app: AppId) -> Result<bool> {
    Ok(!sql.rows("SELECT 1 FROM apps WHERE app_id = $1", &[app.arg()]).await?.is_empty())
}

/// The app of that name.
pub async fn by_name(sql: &mut dyn Sql, org: &str, name: &str) -> Result<Option<AppRow>> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM apps WHERE org = $1 AND name = $2");
    sql.rows(SQL, &[org.into(), name.into()]).await?.pop().map(read).transpose()
}

/// All apps, by name.
pub async fn all(sql: &mut dyn Sql) -> Result<Vec<AppRow>> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM apps ORDER BY org, name");
    sql.rows(SQL, &[]).await?.into_iter().map(read).collect()
}

/// Removes the app and every row that carries its id.
pub async fn delete(sql: &mut dyn Sql, app: AppId) -> Result<bool> {
    const REST: [&str; 24] = [
        "DELETE FROM app_secrets WHERE app_id = $1",
        "DELETE FROM users WHERE app_id = $1",
        "DELETE FROM handles WHERE app_id = $1",
        "DELETE FROM group_ignores WHERE app_id = $1",
        "DELETE FROM contacts WHERE app_id = $1",
        "DELETE FROM invitations WHERE app_id = $1",
        "DELETE FROM blocks WHERE app_id = $1",
        "DELETE FROM inbox WHERE app_id = $1",
        "DELETE FROM conversations WHERE app_id = $1",
        "DELETE FROM inbox_cursors WHERE app_id = $1",
        "DELETE FROM devices WHERE app_id = $1",
        "DELETE FROM attributes WHERE app_id = $1",
        "DELETE FROM mutes WHERE app_id = $1",
        "DELETE FROM presence_status WHERE app_id = $1",
        "DELETE FROM presence_subscriptions WHERE app_id = $1",
        "DELETE FROM push_devices WHERE app_id = $1",
        "DELETE FROM push_rules WHERE app_id = $1",
        "DELETE FROM push_preferences WHERE app_id = $1",
        "DELETE FROM push_templates WHERE app_id = $1",
        "DELETE FROM notifiers WHERE app_id = $1",
        "DELETE FROM hooks WHERE app_id = $1",
        "DELETE FROM hook_outbox WHERE app_id = $1",
        "DELETE FROM hook_log WHERE app_id = $1",
        "DELETE FROM hook_sessions WHERE app_id = $1",
    ];
    sql.touch(Touched::App(app));
    for statement in REST {
        sql.exec(statement, &[app.arg()]).await?;
    }
    Ok(sql.exec("DELETE FROM apps WHERE app_id = $1", &[app.arg()]).await? == 1)
}

/// Stores a sealed secret of the app under its kind, replacing an older one.
pub async fn put_secret(sql: &mut dyn Sql, app: AppId, kind: &str, sealed: &[u8], now_ms: i64) -> Result<()> {
    const SQL: &str = "INSERT INTO app_secrets (app_id, kind, sealed, created_ms) VALUES ($1, $2, $3, $4) \
                       ON CONFLICT (app_id, kind) DO UPDATE SET sealed = excluded.sealed, created_ms = excluded.created_ms";
    sql.touch(Touched::App(app));
    sql.exec(SQL, &[app.arg(), kind.into(), sealed.into(), now_ms.into()]).await?;
    Ok(())
}

/// The sealed secret of that kind.
pub async fn secret(sql: &mut dyn Sql, app: AppId, kind: &str) -> Result<Option<Box<[u8]>>> {
    const SQL: &str = "SELECT sealed FROM app_secrets WHERE app_id = $1 AND kind = $2";
    sql.rows(SQL, &[app.arg(), kind.into()]).await?.pop().map(|mut row| row.take(0)).transpose()
}
