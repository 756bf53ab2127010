//! Offline pushes: which devices, when not, with which texts, through which certificates. Sending them is not this
//! server's: it keeps what a sender needs.

use uuid::Uuid;
use yinxin_store::tables::push::{self, NotifierRow};
pub use yinxin_store::tables::push::{DeviceRow, RuleRow, TemplateRow};
use yinxin_store::{AppId, Sql, UserId};

use crate::apps::{self, App};
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::limits::{
    CONVERSATION_BATCH_MAX, HISTORY_PAGE_MAX, NICKNAME_CHARS_MAX, PUSH_CERTIFICATE_BYTES_MAX, PUSH_DEVICES_MAX,
    PUSH_IGNORE_MAX_MS, PUSH_NICKNAME_BATCH_MAX, PUSH_PATTERN_BYTES_MAX, PUSH_RULES_MAX, PUSH_TEMPLATES_MAX,
    PUSH_TEXT_BYTES_MAX,
};
use crate::users::{self, PushChanges, PushProfile, must_exist};

/// Preference: the language pushes are translated to.
pub const LANGUAGE: &str = "language";
/// Preference: the template pushes are written by.
pub const TEMPLATE: &str = "template";

fn check_text(field: &str, text: &str) -> Result<()> {
    if text.is_empty() || text.len() > PUSH_TEXT_BYTES_MAX {
        return Err(Error::about(Code::PushSettingIllegal, field).with_limit(PUSH_TEXT_BYTES_MAX));
    }
    Ok(())
}

/// Binds a device for pushes, or unbinds it when its token is empty. Gives the devices of the user.
pub async fn bind(ctx: &Ctx, app: &App, reference: &str, device: DeviceRow) -> Result<Vec<DeviceRow>> {
    let user = users::find(ctx, app, reference).await?;
    check_text("device_id", &device.device_id)?;
    if device.device_token.is_empty() {
        ctx.db
            .write((app.id, user.user, device.device_id), |sql, (app, user, device)| {
                Box::pin(async move { Ok::<_, Error>(push::unbind(sql, *app, *user, device).await?) })
            })
            .await?;
        return devices(ctx, app, reference).await;
    }
    check_text("notifier_name", &device.notifier_name)?;
    check_text("device_token", &device.device_token)?;
    ctx.db
        .write((app.id, user.user, device, ctx.mint.order()), |sql, (app, user, device, order)| {
            Box::pin(async move {
                must_exist(sql, *app, *user).await?;
                push::bind(sql, *app, *user, device, *order).await?;
                push::trim_devices(sql, *app, *user, PUSH_DEVICES_MAX).await?;
                Ok::<_, Error>(())
            })
        })
        .await?;
    devices(ctx, app, reference).await
}

/// The devices of a user.
pub async fn devices(ctx: &Ctx, app: &App, reference: &str) -> Result<Vec<DeviceRow>> {
    let user = users::find(ctx, app, reference).await?;
    ctx.db
        .read((app.id, user.user), |sql, (app, user)| {
            Box::pin(async move { Ok::<_, Error>(push::devices(sql, *app, *user).await?) })
        })
        .await
}

/// Sets the push nicknames of up to 50 users, in order; none, when one of them is not possible.
pub async fn set_nicknames(ctx: &Ctx, app: &App, nicknames: Vec<(String, String)>) -> Result<Vec<(String, String)>> {
    if nicknames.is_empty() {
        return Err(Code::NamesEmpty.into());
    }
    if nicknames.len() > PUSH_NICKNAME_BATCH_MAX {
        return Err(Error::over(Code::TooManyNames, PUSH_NICKNAME_BATCH_MAX));
    }
    for (name, nickname) in &nicknames {
        users::find(ctx, app, name).await?;
        if nickname.chars().count() > NICKNAME_CHARS_MAX {
            return Err(Error::about(Code::NicknameTooLong, name).with_limit(NICKNAME_CHARS_MAX));
        }
    }
    let mut done = Vec::with_capacity(nicknames.len());
    for (name, nickname) in nicknames {
        let profile = PushProfile { nickname: Some(nickname.clone()), ..PushProfile::default() };
        let user = users::change_push(ctx, app, &name, PushChanges { profile, ..PushChanges::default() }).await?;
        done.push((user.username.clone(), nickname));
    }
    Ok(done)
}

/// Which conversation a rule is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RuleKind {
    /// With a user; with oneself: all of the app.
    User,
    /// In a group.
    Group,
}

impl RuleKind {
    /// The name in storage and on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => push::ABOUT_USER,
            Self::Group => "chatgroup",
        }
    }

    /// Reads the name; `None` for an unknown one.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::User, Self::Group].into_iter().find(|kind| kind.name() == name)
    }

    /// The target as it is stored: a user's name folded, so that one conversation has one rule.
    fn target(self, spelled: &str) -> String {
        match self {
            Self::User => spelled.to_ascii_lowercase(),
            Self::Group => spelled.to_owned(),
        }
    }
}

/// Changes to a rule; `None` leaves a part as it is.
#[derive(Clone, Debug, Default)]
pub struct RuleChanges {
    /// `DEFAULT`, `ALL`, `AT` or `NONE`.
    pub mode: Option<String>,
    /// A daily interval without pushes, `21:30-08:00`; empty: none.
    pub ignore_interval: Option<String>,
    /// No pushes for the next so many milliseconds, at most a week.
    pub ignore_for_ms: Option<i64>,
}

impl RuleChanges {
    fn check(&self) -> Result<()> {
        let illegal = |what: &str| Err(Error::about(Code::PushSettingIllegal, what));
        if self.mode.as_deref().is_some_and(|mode| !["DEFAULT", "ALL", "AT", "NONE"].contains(&mode)) {
            return illegal("type");
        }
        if self.ignore_interval.as_deref().is_some_and(|text| !text.is_empty() && !is_interval(text)) {
            return illegal("ignoreInterval");
        }
        if self.ignore_for_ms.is_some_and(|ms| !(0..=PUSH_IGNORE_MAX_MS).contains(&ms)) {
            return illegal("ignoreDuration");
        }
        Ok(())
    }

    /// The same as it is kept.
    pub(crate) fn checked(self, ctx: &Ctx) -> Result<RuleRow> {
        self.check()?;
        let ignore_until_ms = self.ignore_for_ms.map(|ms| if ms == 0 { 0 } else { ctx.clock.now_ms() + ms });
        Ok(RuleRow { mode: self.mode, ignore_interval: self.ignore_interval, ignore_until_ms })
    }
}

/// `HH:MM-HH:MM`; a day ends at `24:00` or begins at `00:00`.
fn is_interval(text: &str) -> bool {
    let is_time = |time: &str| {
        time.split_once(':').is_some_and(|(hours, minutes)| {
            let two = |part: &str| {
                let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
                digits.then(|| part.parse::<u8>().ok()).flatten()
            };
            two(hours).is_some_and(|h| h < 24) && two(minutes).is_some_and(|m| m < 60)
        })
    };
    text.split_once('-').is_some_and(|(from, to)| is_time(from) && (is_time(to) || to == "24:00"))
}

/// Changes a rule and gives it as it is then.
pub async fn set_rule(
    ctx: &Ctx,
    app: &App,
    reference: &str,
    kind: RuleKind,
    target: &str,
    changes: RuleChanges,
) -> Result<RuleRow> {
    let user = users::find(ctx, app, reference).await?;
    check_text("key", target)?;
    let input = (app.id, user.user, kind, target.to_owned(), changes.checked(ctx)?);
    ctx.db
        .write(input, |sql, (app, user, kind, target, rule)| {
            Box::pin(async move {
                must_exist(sql, *app, *user).await?;
                put_rule(sql, (*app, *user), *kind, target, rule).await
            })
        })
        .await?;
    rule_of(ctx, app, reference, kind, target).await
}

/// Changes a rule in a write that has seen the user.
pub(crate) async fn put_rule(
    sql: &mut dyn Sql,
    (app, user): (AppId, UserId),
    kind: RuleKind,
    target: &str,
    rule: &RuleRow,
) -> Result<()> {
    push::put_rule(sql, app, user, kind.name(), &kind.target(target), rule).await?;
    if push::rules(sql, app, user).await? > PUSH_RULES_MAX {
        return Err(Error::about(Code::PushSettingIllegal, "key").with_limit(PUSH_RULES_MAX));
    }
    Ok(())
}

/// A rule; one that was never set is empty.
pub async fn rule_of(ctx: &Ctx, app: &App, reference: &str, kind: RuleKind, target: &str) -> Result<RuleRow> {
    let user = users::find(ctx, app, reference).await?;
    let found = ctx
        .db
        .read((app.id, user.user, kind, kind.target(target)), |sql, (app, user, kind, target)| {
            Box::pin(async move { Ok::<_, Error>(push::rule(sql, *app, *user, kind.name(), target).await?) })
        })
        .await?;
    Ok(found.unwrap_or_default())
}

/// The rules for up to 50 conversations, in order.
pub async fn rules_of(
    ctx: &Ctx,
    app: &App,
    reference: &str,
    conversations: Vec<(RuleKind, String)>,
) -> Result<Vec<(RuleKind, String, RuleRow)>> {
    if conversations.len() > CONVERSATION_BATCH_MAX {
        return Err(Error::over(Code::TooManyNames, CONVERSATION_BATCH_MAX));
    }
    let mut rules = Vec::with_capacity(conversations.len());
    for (kind, target) in conversations {
        let rule = rule_of(ctx, app, reference, kind, &target).await?;
        rules.push((kind, target, rule));
    }
    Ok(rules)
}

/// A conversation for which the user has said which messages push.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mode {
    /// With a user, or in a group.
    pub kind: RuleKind,
    /// Which.
    pub target: String,
    /// `ALL`, `AT` or `NONE`.
    pub mode: String,
}

/// Up to `limit` (at most 50) of those conversations behind that one, and whether there are more.
pub async fn modes(
    ctx: &Ctx,
    app: &App,
    reference: &str,
    after: Option<(RuleKind, String)>,
    limit: i64,
) -> Result<(Vec<Mode>, bool)> {
    let user = users::find(ctx, app, reference).await?;
    let limit = limit.clamp(1, HISTORY_PAGE_MAX);
    let after = after.map_or((String::new(), String::new()), |(kind, target)| (kind.name().to_owned(), target));
    let rows = ctx
        .db
        .read((app.id, user, after, limit + 1), |sql, (app, user, (kind, target), limit)| {
            Box::pin(async move {
                Ok::<_, Error>(push::modes(sql, *app, user.user, &user.username, (kind, target), *limit).await?)
            })
        })
        .await?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let is_more = rows.len() > limit;
    let read =
        |(kind, target, mode): (String, String, String)| Some(Mode { kind: RuleKind::parse(&kind)?, target, mode });
    Ok((rows.into_iter().take(limit).filter_map(read).collect(), is_more))
}

/// Sets a preference.
pub async fn prefer(ctx: &Ctx, app: &App, reference: &str, name: &'static str, value: String) -> Result<String> {
    let user = users::find(ctx, app, reference).await?;
    check_text(name, &value)?;
    if name == TEMPLATE {
        template(ctx, app, &value).await?;
    }
    ctx.db
        .write((app.id, user.user, name, value.clone()), |sql, (app, user, name, value)| {
            Box::pin(async move {
                must_exist(sql, *app, *user).await?;
                push::prefer(sql, *app, *user, name, value).await?;
                Ok::<_, Error>(())
            })
        })
        .await?;
    Ok(value)
}

/// A preference; `None` = never set.
pub async fn preference(ctx: &Ctx, app: &App, reference: &str, name: &'static str) -> Result<Option<String>> {
    let user = users::find(ctx, app, reference).await?;
    ctx.db
        .read((app.id, user.user, name), |sql, (app, user, name)| {
            Box::pin(async move { Ok::<_, Error>(push::preference(sql, *app, *user, name).await?) })
        })
        .await
}

fn new_template(ctx: &Ctx, name: String, title_pattern: String, content_pattern: String) -> Result<TemplateRow> {
    check_text("name", &name)?;
    if title_pattern.len().max(content_pattern.len()) > PUSH_PATTERN_BYTES_MAX {
        return Err(
            Error::about(Code::PushSettingIllegal, "title_pattern, content_pattern").with_limit(PUSH_PATTERN_BYTES_MAX)
        );
    }
    let now_ms = ctx.clock.now_ms();
    Ok(TemplateRow { name, title_pattern, content_pattern, created_ms: now_ms, modified_ms: now_ms })
}

/// Adds a template to the app.
pub async fn add_template(ctx: &Ctx, app: &App, name: String, title: String, content: String) -> Result<TemplateRow> {
    let row = new_template(ctx, name, title, content)?;
    let added = ctx
        .db
        .write((app.id, row.clone()), |sql, (app, row)| {
            Box::pin(async move {
                apps::must_exist(sql, *app).await?;
                Ok::<_, Error>(push::add_template(sql, *app, row, PUSH_TEMPLATES_MAX).await?)
            })
        })
        .await?;
    if added { Ok(row) } else { Err(Error::about(Code::TemplateExists, row.name).with_limit(PUSH_TEMPLATES_MAX)) }
}

/// Changes a template.
pub async fn set_template(ctx: &Ctx, app: &App, name: String, title: String, content: String) -> Result<TemplateRow> {
    let row = new_template(ctx, name, title, content)?;
    let known = ctx
        .db
        .write((app.id, row.clone()), |sql, (app, row)| {
            Box::pin(async move { Ok::<_, Error>(push::set_template(sql, *app, row).await?) })
        })
        .await?;
    if known { template(ctx, app, &row.name).await } else { Err(Error::about(Code::TemplateNotFound, row.name)) }
}

/// A template of the app.
pub async fn template(ctx: &Ctx, app: &App, name: &str) -> Result<TemplateRow> {
    ctx.db
        .read((app.id, name.to_owned()), |sql, (app, name)| {
            Box::pin(async move { Ok::<_, Error>(push::template(sql, *app, name).await?) })
        })
        .await?
        .ok_or_else(|| Error::about(Code::TemplateNotFound, name))
}

/// Removes a template and gives it as it was.
pub async fn remove_template(ctx: &Ctx, app: &App, name: &str) -> Result<TemplateRow> {
    let row = template(ctx, app, name).await?;
    ctx.db
        .write((app.id, name.to_owned()), |sql, (app, name)| {
            Box::pin(async move { Ok::<_, Error>(push::remove_template(sql, *app, name).await?) })
        })
        .await?;
    Ok(row)
}

/// A push certificate without its secret.
#[derive(Clone, Debug)]
pub struct Notifier {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// The push vendor.
    pub provider: String,
    /// Development or production.
    pub environment: String,
    /// The phone app it is for.
    pub package_name: Option<String>,
    /// Creation time.
    pub created_ms: i64,
    /// Last change.
    pub modified_ms: i64,
}

/// A push certificate to add.
#[derive(Clone, Debug)]
pub struct NewNotifier {
    /// Its name.
    pub name: String,
    /// The push vendor.
    pub provider: String,
    /// Development or production.
    pub environment: String,
    /// The phone app it is for.
    pub package_name: Option<String>,
    /// The certificate or secret; stored sealed.
    pub certificate: Option<String>,
}

/// Adds a push certificate.
pub async fn add_notifier(ctx: &Ctx, app: &App, new: NewNotifier) -> Result<Notifier> {
    check_text("name", &new.name)?;
    check_text("provider", &new.provider)?;
    check_text("environment", &new.environment)?;
    let package_bytes = new.package_name.as_ref().map_or(0, String::len);
    if package_bytes > PUSH_TEXT_BYTES_MAX
        || new.certificate.as_ref().map_or(0, String::len) > PUSH_CERTIFICATE_BYTES_MAX
    {
        return Err(Error::about(Code::PushSettingIllegal, "packageName, certificate"));
    }
    let minted = ctx.mint.uuid();
    let place = format!("notifiers/{}", minted.uuid);
    let certificate = new.certificate.map(|text| ctx.keys.seal(ctx.rng.as_ref(), &place, text.as_bytes()).into());
    let row = NotifierRow {
        notifier_id: minted.uuid.into_bytes().into(),
        name: new.name,
        provider: new.provider,
        environment: new.environment,
        package_name: new.package_name,
        sealed_certificate: certificate,
        created_ms: minted.at_ms,
        modified_ms: minted.at_ms,
    };
    let added = ctx
        .db
        .write((app.id, row.clone()), |sql, (app, row)| {
            Box::pin(async move {
                apps::must_exist(sql, *app).await?;
                Ok::<_, Error>(push::add_notifier(sql, *app, row, PUSH_TEMPLATES_MAX).await?)
            })
        })
        .await?;
    if added { shown(row) } else { Err(Error::about(Code::NotifierExists, row.name).with_limit(PUSH_TEMPLATES_MAX)) }
}

fn shown(row: NotifierRow) -> Result<Notifier> {
    let id = Uuid::from_slice(&row.notifier_id).map_err(|source| Error::from(Code::Internal).caused_by(source))?;
    Ok(Notifier {
        id,
        name: row.name,
        provider: row.provider,
        environment: row.environment,
        package_name: row.package_name,
        created_ms: row.created_ms,
        modified_ms: row.modified_ms,
    })
}

/// All push certificates of the app, by name.
pub async fn notifiers(ctx: &Ctx, app: &App) -> Result<Vec<Notifier>> {
    let rows = ctx
        .db
        .read(app.id, |sql, app| Box::pin(async move { Ok::<_, Error>(push::notifiers(sql, *app).await?) }))
        .await?;
    rows.into_iter().map(shown).collect()
}

/// Removes a push certificate, by id, and gives it as it was.
pub async fn remove_notifier(ctx: &Ctx, app: &App, id: &str) -> Result<Notifier> {
    let unknown = || Error::about(Code::NotifierNotFound, id);
    let uuid = Uuid::try_parse(id).map_err(|_| unknown())?;
    let notifier = notifiers(ctx, app).await?.into_iter().find(|notifier| notifier.id == uuid).ok_or_else(unknown)?;
    ctx.db
        .write((app.id, uuid), |sql, (app, id)| {
            Box::pin(async move { Ok::<_, Error>(push::remove_notifier(sql, *app, id.as_bytes()).await?) })
        })
        .await?;
    Ok(notifier)
}

#[cfg(test)]
mod tests {
    use super::is_interval;

    #[test]
    fn an_interval_is_of_times_of_day() {
        for good in ["21:30-08:00", "00:00-23:59", "00:00-24:00", "09:00-09:00"] {
            assert!(is_interval(good), "{good}");
        }
        for bad in
            ["24:00-08:00", "00:00-24:01", "21:30-24:59", "21:60-08:00", "+1:00-08:00", "1:00-08:00", "21:30", "-"]
        {
            assert!(!is_interval(bad), "{bad}");
        }
    }
}
