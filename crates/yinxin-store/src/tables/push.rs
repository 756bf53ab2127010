//! `push_devices`, `push_rules`, `push_preferences`, `push_templates`, `notifiers`: everything about offline pushes but
//! the settings that stand in the user's own row.

use crate::{AppId, Result, Row, Sql, UserId};

/// A device that can be pushed to.
#[derive(Clone, Debug)]
pub struct DeviceRow {
    /// The device.
    pub device_id: String,
    /// Push certificate name.
    pub notifier_name: String,
    /// Push device token.
    pub device_token: String,
}

/// Binds a device, replacing an older binding.
pub async fn bind(sql: &mut dyn Sql, app: AppId, user: UserId, device: &DeviceRow, since_seq: i64) -> Result<()> {
    const SQL: &str = "INSERT INTO push_devices (app_id, user_id, device_id, notifier_name, device_token, since_seq) \
                       VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (app_id, user_id, device_id) DO UPDATE SET \
                       notifier_name = excluded.notifier_name, device_token = excluded.device_token, \
                       since_seq = excluded.since_seq";
    let args = [
        app.arg(),
        user.arg(),
        (&device.device_id).into(),
        (&device.notifier_name).into(),
        (&device.device_token).into(),
        since_seq.into(),
    ];
    sql.exec(SQL, &args).await?;
    Ok(())
}

/// Keeps the `keep` newest bindings of the user.
pub async fn trim_devices(sql: &mut dyn Sql, app: AppId, user: UserId, keep: i64) -> Result<()> {
    const SQL: &str = "DELETE FROM push_devices WHERE app_id = $1 AND user_id = $2 AND device_id NOT IN \
                       (SELECT device_id FROM push_devices WHERE app_id = $1 AND user_id = $2 \
                       ORDER BY since_seq DESC LIMIT $3)";
    sql.exec(SQL, &[app.arg(), user.arg(), keep.into()]).await?;
    Ok(())
}

/// Unbinds a device.
pub async fn unbind(sql: &mut dyn Sql, app: AppId, user: UserId, device: &str) -> Result<()> {
    const SQL: &str = "DELETE FROM push_devices WHERE app_id = $1 AND user_id = $2 AND device_id = $3";
    sql.exec(SQL, &[app.arg(), user.arg(), device.into()]).await?;
    Ok(())
}

/// The user's devices, oldest binding first.
pub async fn devices(sql: &mut dyn Sql, app: AppId, user: UserId) -> Result<Vec<DeviceRow>> {
    const SQL: &str = "SELECT device_id, notifier_name, device_token FROM push_devices \
                       WHERE app_id = $1 AND user_id = $2 ORDER BY since_seq";
    let read = |mut row: Row| {
        Ok(DeviceRow { device_id: row.take(0)?, notifier_name: row.take(1)?, device_token: row.take(2)? })
    };
    sql.rows(SQL, &[app.arg(), user.arg()]).await?.into_iter().map(read).collect()
}

/// Up to `limit` users with devices, behind that user.
pub async fn users(sql: &mut dyn Sql, app: AppId, after: UserId, limit: i64) -> Result<Vec<UserId>> {
    const SQL: &str =
        "SELECT DISTINCT user_id FROM push_devices WHERE app_id = $1 AND user_id > $2 ORDER BY user_id LIMIT $3";
    let rows = sql.rows(SQL, &[app.arg(), after.arg(), limit.into()]).await?;
    rows.into_iter().map(|mut row| row.take(0)).collect()
}

/// When a conversation, or all of them, may push. `None` = never set.
#[derive(Clone, Debug, Default)]
pub struct RuleRow {
    /// Which messages push.
    pub mode: Option<String>,
    /// A daily interval without pushes.
    pub ignore_interval: Option<String>,
    /// No pushes until then.
    pub ignore_until_ms: Option<i64>,
}

/// The kind of rule whose target is a user's folded name; such rules go when that user is deleted.
pub const ABOUT_USER: &str = "user";

/// Sets those parts of a rule that are given.
pub async fn put_rule(
    sql: &mut dyn Sql,
    app: AppId,
    user: UserId,
    kind: &str,
    target: &str,
    rule: &RuleRow,
) -> Result<()> {
    const SQL: &str = "INSERT INTO push_rules (app_id, user_id, kind, target, mode, ignore_interval, ignore_until_ms) \
                       VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (app_id, user_id, kind, target) DO UPDATE SET \
                       mode = COALESCE(excluded.mode, push_rules.mode), \
                       ignore_interval = COALESCE(excluded.ignore_interval, push_rules.ignore_interval), \
                       ignore_until_ms = COALESCE(excluded.ignore_until_ms, push_rules.ignore_until_ms)";
    let args = [
        app.arg(),
        user.arg(),
        kind.into(),
        target.into(),
        rule.mode.as_ref().into(),
        rule.ignore_interval.as_ref().into(),
        rule.ignore_until_ms.into(),
    ];
    sql.exec(SQL, &args).await?;
    Ok(())
}

/// Up to `limit` rules of the user that say which messages push, with kind and target, after that kind and target; not the
/// one for `whole`, which is about all conversations.
pub async fn modes(
    sql: &mut dyn Sql,
    app: AppId,
    user: UserId,
    whole: &str,
    after: (&str, &str),
    limit: i64,
) -> Result<Vec<(String, String, String)>> {
    const SQL: &str = "SELECT kind, target, mode FROM push_rules WHERE app_id = $1 AND user_id = $2 \
                       AND mode IS NOT NULL AND mode <> 'DEFAULT' AND NOT (kind = $3 AND target = $4) \
                       AND (kind, target) > ($5, $6) ORDER BY kind, target LIMIT $7";
    let args = [app.arg(), user.arg(), ABOUT_USER.into(), whole.into(), after.0.into(), after.1.into(), limit.into()];
    let rows = sql.rows(SQL, &args).await?;
    rows.into_iter().map(|mut row| Ok((row.take(0)?, row.take(1)?, row.take(2)?))).collect()
}

/// How many rules the user has.
pub async fn rules(sql: &mut dyn Sql, app: AppId, user: UserId) -> Result<i64> {
    const SQL: &str = "SELECT COUNT(*) FROM push_rules WHERE app_id = $1 AND user_id = $2";
    sql.rows(SQL, &[app.arg(), user.arg()]).await?.pop().map_or(Ok(0), |mut row| row.take(0))
}

/// One rule.
pub async fn rule(sql: &mut dyn Sql, app: AppId, user: UserId, kind: &str, target: &str) -> Result<Option<RuleRow>> {
    const SQL: &str = "SELECT mode, ignore_interval, ignore_until_ms FROM push_rules \
                       WHERE app_id = $1 AND user_id = $2 AND kind = $3 AND target = $4";
    let read =
        |mut row: Row| Ok(RuleRow { mode: row.take(0)?, ignore_interval: row.take(1)?, ignore_until_ms: row.take(2)? });
    sql.rows(SQL, &[app.arg(), user.arg(), kind.into(), target.into()]).await?.pop().map(read).transpose()
}

/// Sets a preference (`language`, `template`).
pub async fn prefer(sql: &mut dyn Sql, app: AppId, user: UserId, name: &str, value: &str) -> Result<()> {
    const SQL: &str = "INSERT INTO push_preferences (app_id, user_id, name, value) VALUES ($1, $2, $3, $4) \
                       ON CONFLICT (app_id, user_id, name) DO UPDATE SET value = excluded.value";
    sql.exec(SQL, &[app.arg(), user.arg(), name.into(), value.into()]).await?;
    Ok(())
}

/// A preference.
pub async fn preference(sql: &mut dyn Sql, app: AppId, user: UserId, name: &str) -> Result<Option<String>> {
    const SQL: &str = "SELECT value FROM push_preferences WHERE app_id = $1 AND user_id = $2 AND name = $3";
    sql.rows(SQL, &[app.arg(), user.arg(), name.into()]).await?.pop().map(|mut row| row.take(0)).transpose()
}

/// A push text with placeholders.
#[derive(Clone, Debug)]
pub struct TemplateRow {
    /// Its name within the app.
    pub name: String,
    /// Text of the title.
    pub title_pattern: String,
    /// Text of the body.
    pub content_pattern: String,
    /// Creation time.
    pub created_ms: i64,
    /// Last change.
    pub modified_ms: i64,
}

/// Adds a template unless the app has `max`; `false` when nothing was added, because of that or because the name is
/// taken.
pub async fn add_template(sql: &mut dyn Sql, app: AppId, template: &TemplateRow, max: i64) -> Result<bool> {
    const SQL: &str = "INSERT INTO push_templates (app_id, name, title_pattern, content_pattern, created_ms, \
                       modified_ms) SELECT $1, $2, $3, $4, $5, $6 \
                       WHERE (SELECT COUNT(*) FROM push_templates WHERE app_id = $1) < $7 \
                       ON CONFLICT (app_id, name) DO NOTHING";
    let args = [
        app.arg(),
        (&template.name).into(),
        (&template.title_pattern).into(),
        (&template.content_pattern).into(),
        template.created_ms.into(),
        template.modified_ms.into(),
        max.into(),
    ];
    Ok(sql.exec(SQL, &args).await? == 1)
}

/// Changes a template's texts; `false` when there is none of that name.
pub async fn set_template(sql: &mut dyn Sql, app: AppId, template: &TemplateRow) -> Result<bool> {
    const SQL: &str = "UPDATE push_templates SET title_pattern = $3, content_pattern = $4, modified_ms = $5 \
                       WHERE app_id = $1 AND name = $2";
    let args = [
        app.arg(),
        (&template.name).into(),
        (&template.title_pattern).into(),
        (&template.content_pattern).into(),
        template.modified_ms.into(),
    ];
    Ok(sql.exec(SQL, &args).await? == 1)
}

/// The template of that name.
pub async fn template(sql: &mut dyn Sql, app: AppId, name: &str) -> Result<Option<TemplateRow>> {
    const SQL: &str = "SELECT name, title_pattern, content_pattern, created_ms, modified_ms FROM push_templates \
                       WHERE app_id = $1 AND name = $2";
    let read = |mut row: Row| {
        Ok(TemplateRow {
            name: row.take(0)?,
            title_pattern: row.take(1)?,
            content_pattern: row.take(2)?,
            created_ms: row.take(3)?,
            modified_ms: row.take(4)?,
        })
    };
    sql.rows(SQL, &[app.arg(), name.into()]).await?.pop().map(read).transpose()
}

/// Removes a template; `false` when there is none of that name.
pub async fn remove_template(sql: &mut dyn Sql, app: AppId, name: &str) -> Result<bool> {
    const SQL: &str = "DELETE FROM push_templates WHERE app_id = $1 AND name = $2";
    Ok(sql.exec(SQL, &[app.arg(), name.into()]).await? == 1)
}

/// A push certificate: how to reach one vendor's devices.
#[derive(Clone, Debug)]
pub struct NotifierRow {
    /// Its id.
    pub notifier_id: Box<[u8]>,
    /// Its name within the app.
    pub name: String,
    /// The push vendor.
    pub provider: String,
    /// Development or production.
    pub environment: String,
    /// The phone app it is for.
    pub package_name: Option<String>,
    /// The certificate or secret, sealed.
    pub sealed_certificate: Option<Box<[u8]>>,
    /// Creation time.
    pub created_ms: i64,
    /// Last change.
    pub modified_ms: i64,
}

/// Adds a notifier unless the app has `max`; `false` when nothing was added, because of that or because the name is
/// taken.
pub async fn add_notifier(sql: &mut dyn Sql, app: AppId, notifier: &NotifierRow, max: i64) -> Result<bool> {
    const SQL: &str = "INSERT INTO notifiers (app_id, notifier_id, name, provider, environment, package_name, \
                       sealed_certificate, created_ms, modified_ms) SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9 \
                       WHERE (SELECT COUNT(*) FROM notifiers WHERE app_id = $1) < $10 ON CONFLICT DO NOTHING";
    let args = [
        app.arg(),
        (&*notifier.notifier_id).into(),
        (&notifier.name).into(),
        (&notifier.provider).into(),
        (&notifier.environment).into(),
        notifier.package_name.as_ref().into(),
        notifier.sealed_certificate.as_deref().into(),
        notifier.created_ms.into(),
        notifier.modified_ms.into(),
        max.into(),
    ];
    Ok(sql.exec(SQL, &args).await? == 1)
}

/// All notifiers of the app, by name.
pub async fn notifiers(sql: &mut dyn Sql, app: AppId) -> Result<Vec<NotifierRow>> {
    const SQL: &str = "SELECT notifier_id, name, provider, environment, package_name, sealed_certificate, created_ms, \
                       modified_ms FROM notifiers WHERE app_id = $1 ORDER BY name";
    let read = |mut row: Row| {
        Ok(NotifierRow {
            notifier_id: row.take(0)?,
            name: row.take(1)?,
            provider: row.take(2)?,
            environment: row.take(3)?,
            package_name: row.take(4)?,
            sealed_certificate: row.take(5)?,
            created_ms: row.take(6)?,
            modified_ms: row.take(7)?,
        })
    };
    sql.rows(SQL, &[app.arg()]).await?.into_iter().map(read).collect()
}

/// Removes a notifier; `false` when there is none.
pub async fn remove_notifier(sql: &mut dyn Sql, app: AppId, notifier: &[u8]) -> Result<bool> {
    const SQL: &str = "DELETE FROM notifiers WHERE app_id = $1 AND notifier_id = $2";
    Ok(sql.exec(SQL, &[app.arg(), notifier.into()]).await? == 1)
}
