//! The part of a user's attributes that every vendor knows under a name of its own: what a user shows of itself.

use yinxin_store::{AppId, Sql, UserId};

use crate::apps::App;
use crate::attributes;
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::users::{self, must_exist};

/// A field of a profile.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Field {
    /// The name people see.
    Name,
    /// The address of a picture.
    Icon,
    /// A line about oneself.
    Sign,
    /// Electronic mail.
    Email,
    /// Day of birth.
    Birth,
    /// Telephone number.
    Mobile,
    /// 0 unknown, 1 male, 2 female.
    Gender,
    /// Whatever the app keeps here.
    Ext,
}

impl Field {
    /// Every field.
    pub const ALL: [Self; 8] =
        [Self::Name, Self::Icon, Self::Sign, Self::Email, Self::Birth, Self::Mobile, Self::Gender, Self::Ext];

    /// The attribute it is kept as; those who read attributes by name know it by this one.
    pub const fn attribute(self) -> &'static str {
        match self {
            Self::Name => "nickname",
            Self::Icon => "avatarurl",
            Self::Sign => "sign",
            Self::Email => "mail",
            Self::Birth => "birth",
            Self::Mobile => "phone",
            Self::Gender => "gender",
            Self::Ext => "ext",
        }
    }

    /// Characters it may have where it is set by field.
    pub const fn chars_max(self) -> usize {
        match self {
            Self::Name | Self::Email => 64,
            Self::Icon | Self::Ext => 1024,
            Self::Sign => 256,
            Self::Birth => 16,
            Self::Mobile => 32,
            Self::Gender => 1,
        }
    }
}

/// Values of some fields; an empty one is none.
pub type Profile = Vec<(Field, String)>;

/// The rule for what is set by field.
pub(crate) fn check(profile: &Profile) -> Result<()> {
    for (field, value) in profile {
        if *field == Field::Gender && !["", "0", "1", "2"].contains(&value.as_str()) {
            return Err(Error::about(Code::FieldIllegal, format!("gender={value}")));
        }
        if value.chars().count() > field.chars_max() {
            return Err(Error::about(Code::ProfileFieldTooLong, field.attribute()).with_limit(field.chars_max()));
        }
    }
    Ok(())
}

/// Sets fields in a write that has seen the user.
pub(crate) async fn set(sql: &mut dyn Sql, app: AppId, user: UserId, profile: &Profile) -> Result<()> {
    let pairs = profile.iter().map(|(field, value)| (field.attribute(), value.as_str()));
    attributes::set(sql, app, user, pairs).await.map(drop)
}

/// Sets those fields that are given.
pub async fn change(ctx: &Ctx, app: &App, reference: &str, changes: Profile) -> Result<()> {
    let user = users::find(ctx, app, reference).await?;
    check(&changes)?;
    ctx.db
        .write((app.id, user.user, changes), |sql, (app, user, changes)| {
            Box::pin(async move {
                must_exist(sql, *app, *user).await?;
                set(sql, *app, *user, changes).await
            })
        })
        .await
}

/// The fields of a user that are set; an unknown user has none.
pub async fn of_user(ctx: &Ctx, app: &App, reference: &str) -> Result<Profile> {
    let pairs = attributes::all(ctx, app, reference).await?;
    let field = |name: &str| Field::ALL.into_iter().find(|field| field.attribute() == name);
    Ok(pairs.into_iter().filter_map(|(name, value)| Some((field(&name)?, value))).collect())
}
