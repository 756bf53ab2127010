//! What a user sets for itself and only itself reads, beside its pushes: how it may be asked to become a contact, and what
//! its clients want to find again on another device.

use yinxin_store::tables::{settings, users};
use yinxin_store::{AppId, Sql, UserId};

use crate::apps::App;
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::limits::{PUSH_BADGE_MAX, SETTING_CHARS_MAX};
use crate::profiles::{self, Profile};
use crate::users::{PushChanges, PushProfile, User, must_exist};

/// A setting.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Setting {
    /// How it is asked: see [`Admission`].
    Admission,
    /// What it asks back.
    Question,
    /// What it wants to hear.
    Answer,
    /// Clients download pictures unasked.
    AutoDownload,
    /// Being taken into a group needs its consent.
    GroupConfirm,
    /// Clients make no sound.
    NoSounds,
    /// Clients vibrate.
    Vibratory,
    /// Begin of silence, minutes of the day.
    SilenceStart,
    /// End of silence, minutes of the day.
    SilenceEnd,
    /// A text that only the user sees.
    PrivateInfo,
    /// The number on the app's icon.
    Badge,
}

/// How a user may be asked to become a contact.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Admission {
    /// Whoever asks is a contact.
    Open,
    /// The user decides. So it is for whoever never said otherwise.
    #[default]
    Consent,
    /// Whoever gives the right answer is a contact.
    Question,
    /// Nobody is.
    Closed,
}

impl Admission {
    /// All, by the numbers they have on the wire and in storage.
    pub const ALL: [Self; 4] = [Self::Open, Self::Consent, Self::Question, Self::Closed];

    /// Its number.
    pub fn number(self) -> usize {
        Self::ALL.iter().position(|known| *known == self).unwrap_or_default()
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.get(text.parse::<usize>().ok()?).copied()
    }
}

/// What may be set.
enum Shape {
    Switch,
    /// Up to that number.
    Number(u64),
    Text,
}

impl Setting {
    /// Every setting.
    pub const ALL: [Self; 11] = [
        Self::Admission,
        Self::Question,
        Self::Answer,
        Self::AutoDownload,
        Self::GroupConfirm,
        Self::NoSounds,
        Self::Vibratory,
        Self::SilenceStart,
        Self::SilenceEnd,
        Self::PrivateInfo,
        Self::Badge,
    ];

    /// Its name in storage.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Admission => "admission",
            Self::Question => "question",
            Self::Answer => "answer",
            Self::AutoDownload => "auto_download",
            Self::GroupConfirm => "group_confirm",
            Self::NoSounds => "no_sounds",
            Self::Vibratory => "vibratory",
            Self::SilenceStart => "silence_start",
            Self::SilenceEnd => "silence_end",
            Self::PrivateInfo => "private_info",
            Self::Badge => "badge",
        }
    }

    const fn shape(self) -> Shape {
        match self {
            Self::Admission => Shape::Number(3),
            Self::Badge => Shape::Number(PUSH_BADGE_MAX.cast_unsigned()),
            Self::SilenceStart | Self::SilenceEnd => Shape::Number(24 * 60),
            Self::AutoDownload | Self::GroupConfirm | Self::NoSounds | Self::Vibratory => Shape::Switch,
            Self::Question | Self::Answer | Self::PrivateInfo => Shape::Text,
        }
    }

    fn check(self, value: &str) -> Result<()> {
        let illegal = Error::about(Code::FieldIllegal, self.name());
        match self.shape() {
            Shape::Switch if !matches!(value, "true" | "false") => Err(illegal),
            Shape::Number(most) if !value.parse().is_ok_and(|number: u64| number <= most) => {
                Err(illegal.with_limit(most))
            }
            Shape::Text if value.chars().count() > SETTING_CHARS_MAX => Err(illegal.with_limit(SETTING_CHARS_MAX)),
            Shape::Switch | Shape::Number(_) | Shape::Text => Ok(()),
        }
    }
}

/// Settings of a user that were ever set.
#[derive(Clone, Debug, Default)]
pub struct Settings(Vec<(Setting, String)>);

impl Settings {
    /// A text or a number; `None`: never set.
    pub fn get(&self, setting: Setting) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == setting).map(|(_, value)| value.as_str())
    }

    /// Whether a switch is on.
    pub fn is_on(&self, setting: Setting) -> bool {
        self.get(setting) == Some("true")
    }

    /// How the user may be asked.
    pub fn admission(&self) -> Admission {
        self.get(Setting::Admission).and_then(Admission::parse).unwrap_or_default()
    }
}

/// The settings of a user.
pub async fn of_user(ctx: &Ctx, app: &App, user: &User) -> Result<Settings> {
    let rows = ctx
        .db
        .read((app.id, user.user), |sql, (app, user)| {
            Box::pin(async move { Ok::<_, Error>(settings::all(sql, *app, *user).await?) })
        })
        .await?;
    let named = |name: &str| Setting::ALL.into_iter().find(|setting| setting.name() == name);
    Ok(Settings(rows.into_iter().filter_map(|(name, value)| Some((named(&name)?, value))).collect()))
}

/// What a user changes of its own by one call.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// Settings.
    pub settings: Vec<(Setting, String)>,
    /// What it shows.
    pub profile: Profile,
    /// How it wants pushes.
    pub push: PushProfile,
}

impl From<(Setting, String)> for Changes {
    fn from(setting: (Setting, String)) -> Self {
        Self { settings: vec![setting], ..Self::default() }
    }
}

/// The rule for settings that are given.
pub(crate) fn check(given: &[(Setting, String)]) -> Result<()> {
    given.iter().try_for_each(|(setting, value)| setting.check(value))
}

/// Sets them in a write that has seen the user.
pub(crate) async fn set(sql: &mut dyn Sql, app: AppId, user: UserId, given: &[(Setting, String)]) -> Result<()> {
    for (setting, value) in given {
        settings::put(sql, app, user, setting.name(), value).await?;
    }
    Ok(())
}

/// Changes what is given, all or none.
pub async fn change(ctx: &Ctx, app: &App, user: &User, changes: impl Into<Changes>) -> Result<()> {
    let Changes { settings, profile, push } = changes.into();
    check(&settings)?;
    profiles::check(&profile)?;
    let push = PushChanges { profile: push, ..PushChanges::default() };
    push.check()?;
    let input = (app.id, user.user, settings, profile, push.profile, ctx.clock.now_ms());
    ctx.db
        .write(input, |sql, (app, user, settings, profile, push, now_ms)| {
            Box::pin(async move {
                must_exist(sql, *app, *user).await?;
                set(sql, *app, *user, settings).await?;
                if !profile.is_empty() {
                    profiles::set(sql, *app, *user, profile).await?;
                }
                if *push != PushProfile::default() {
                    users::update_push(sql, *app, *user, push, *now_ms).await?;
                }
                Ok(())
            })
        })
        .await
}
