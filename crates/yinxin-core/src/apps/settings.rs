//! What an operator may set of an app.

use yinxin_store::tables::apps::AppUpdate;

use crate::error::{Code, Error, Result};
use crate::limits;

/// How the server answers where the vendors' documents and their present servers differ.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Profile {
    /// As the seed documents print.
    #[default]
    Seed,
    /// As the vendors' servers of today do.
    Current,
}

impl Profile {
    /// The name in settings and storage.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Seed => "seed",
            Self::Current => "current",
        }
    }

    /// Reads the name; `None` for an unknown one.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Seed, Self::Current].into_iter().find(|profile| profile.name() == text)
    }
}

/// The unit in which clients are told when tokens end.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TimeUnit {
    /// Milliseconds.
    #[default]
    Ms,
    /// Seconds.
    S,
}

impl TimeUnit {
    /// The name in settings and storage.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ms => "ms",
            Self::S => "s",
        }
    }

    /// Reads the name; `None` for an unknown one.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Ms, Self::S].into_iter().find(|unit| unit.name() == text)
    }

    /// A time in that unit.
    pub const fn of_ms(self, ms: i64) -> i64 {
        match self {
            Self::Ms => ms,
            Self::S => ms / 1000,
        }
    }
}

/// The codes that a token which is not good may be answered by, where answers are numbers.
pub const TOKEN_ERROR_CODES: [i64; 2] = [402, 10008];
/// The codes that a login of nobody may be answered by: as one with a wrong password, or by saying so.
pub const UNKNOWN_LOGIN_CODES: [i64; 2] = [402, 10000];

/// Settings of an app that an operator may change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct AppSettings {
    /// Anybody may register.
    pub open_registration: bool,
    /// How the server answers.
    pub profile: Profile,
    /// Life of a user token when the caller does not say; 0 = for ever.
    pub user_token_ttl_s: i64,
    /// Life of an app token when the caller does not say; 0 = for ever.
    pub app_token_ttl_s: i64,
    /// Contacts one user may have.
    pub contacts_max: i64,
    /// A user's devices may write to contacts only; the app's backend to everybody.
    pub contacts_only_messaging: bool,
    /// Nobody joins a room without a token; otherwise nobody joins with one.
    pub safe_mode: bool,
    /// Room tokens that the app's backend computes by itself are good. They cannot be taken back.
    pub local_room_tokens: bool,
    /// One of [`TOKEN_ERROR_CODES`].
    pub token_error_code: i64,
    /// One of [`UNKNOWN_LOGIN_CODES`].
    pub unknown_login_code: i64,
    /// The unit in which clients are told when tokens end.
    pub expire_unit: TimeUnit,
    /// A mobile may stand where a login asks for a name.
    pub token_user_mobile: bool,
}

impl Default for AppSettings {
    fn default() -> Self {
        Self {
            open_registration: false,
            profile: Profile::Seed,
            user_token_ttl_s: limits::TOKEN_TTL_DEFAULT_S,
            app_token_ttl_s: limits::TOKEN_TTL_DEFAULT_S,
            contacts_max: limits::CONTACTS_DEFAULT,
            contacts_only_messaging: false,
            safe_mode: true,
            local_room_tokens: true,
            token_error_code: TOKEN_ERROR_CODES[0],
            unknown_login_code: UNKNOWN_LOGIN_CODES[0],
            expire_unit: TimeUnit::Ms,
            token_user_mobile: true,
        }
    }
}

/// Changes to settings; `None` leaves one as it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct AppChanges {
    /// See [`AppSettings`].
    pub open_registration: Option<bool>,
    /// See [`AppSettings`].
    pub profile: Option<Profile>,
    /// See [`AppSettings`].
    pub user_token_ttl_s: Option<i64>,
    /// See [`AppSettings`].
    pub app_token_ttl_s: Option<i64>,
    /// See [`AppSettings`].
    pub contacts_max: Option<i64>,
    /// See [`AppSettings`].
    pub contacts_only_messaging: Option<bool>,
    /// See [`AppSettings`].
    pub safe_mode: Option<bool>,
    /// See [`AppSettings`].
    pub local_room_tokens: Option<bool>,
    /// See [`AppSettings`].
    pub token_error_code: Option<i64>,
    /// See [`AppSettings`].
    pub unknown_login_code: Option<i64>,
    /// See [`AppSettings`].
    pub expire_unit: Option<TimeUnit>,
    /// See [`AppSettings`].
    pub token_user_mobile: Option<bool>,
}

impl AppChanges {
    pub(super) fn check(&self) -> Result<()> {
        for ttl in [self.user_token_ttl_s, self.app_token_ttl_s].into_iter().flatten() {
            if !(0..=limits::TOKEN_TTL_MAX_S).contains(&ttl) {
                return Err(Error::about(Code::TtlIllegal, ttl.to_string()).with_limit(limits::TOKEN_TTL_MAX_S));
            }
        }
        if self.contacts_max.is_some_and(|max| !(0..=limits::CONTACTS_MAX).contains(&max)) {
            return Err(Error::about(Code::FieldIllegal, "contacts_max").with_limit(limits::CONTACTS_MAX));
        }
        for (name, code, known) in [
            ("token_error_code", self.token_error_code, TOKEN_ERROR_CODES),
            ("unknown_login_code", self.unknown_login_code, UNKNOWN_LOGIN_CODES),
        ] {
            if code.is_some_and(|code| !known.contains(&code)) {
                return Err(Error::about(Code::FieldIllegal, format!("{name}, which is {} or {}", known[0], known[1])));
            }
        }
        Ok(())
    }

    /// The settings of a new app.
    pub(super) fn over_defaults(self) -> AppSettings {
        let defaults = AppSettings::default();
        AppSettings {
            open_registration: self.open_registration.unwrap_or(defaults.open_registration),
            profile: self.profile.unwrap_or(defaults.profile),
            user_token_ttl_s: self.user_token_ttl_s.unwrap_or(defaults.user_token_ttl_s),
            app_token_ttl_s: self.app_token_ttl_s.unwrap_or(defaults.app_token_ttl_s),
            contacts_max: self.contacts_max.unwrap_or(defaults.contacts_max),
            contacts_only_messaging: self.contacts_only_messaging.unwrap_or(defaults.contacts_only_messaging),
            safe_mode: self.safe_mode.unwrap_or(defaults.safe_mode),
            local_room_tokens: self.local_room_tokens.unwrap_or(defaults.local_room_tokens),
            token_error_code: self.token_error_code.unwrap_or(defaults.token_error_code),
            unknown_login_code: self.unknown_login_code.unwrap_or(defaults.unknown_login_code),
            expire_unit: self.expire_unit.unwrap_or(defaults.expire_unit),
            token_user_mobile: self.token_user_mobile.unwrap_or(defaults.token_user_mobile),
        }
    }

    pub(super) fn update(self) -> AppUpdate {
        AppUpdate {
            open_registration: self.open_registration,
            profile: self.profile.map(Profile::name),
            user_token_ttl_s: self.user_token_ttl_s,
            app_token_ttl_s: self.app_token_ttl_s,
            contacts_max: self.contacts_max,
            contacts_only: self.contacts_only_messaging,
            safe_mode: self.safe_mode,
            local_room_tokens: self.local_room_tokens,
            token_error_code: self.token_error_code,
            unknown_login_code: self.unknown_login_code,
            expire_unit: self.expire_unit.map(TimeUnit::name),
            token_user_mobile: self.token_user_mobile,
        }
    }
}
