//! A user's own settings. Those about pushes are the ones that every dialect knows.

use serde::Deserialize;
use serde_json::{Map, Value};
use yinxin_core::settings::{self, Changes, Setting};
use yinxin_core::users::{self, PushProfile, User};
use yinxin_core::{Code, Error, Result};

use crate::answer::{self, Answer};
use crate::call::Call;
use crate::rights::Myself;

const SWITCHES: [(&str, Setting); 4] = [
    ("auto_download", Setting::AutoDownload),
    ("group_confirm", Setting::GroupConfirm),
    ("no_sounds", Setting::NoSounds),
    ("vibratory", Setting::Vibratory),
];
const TEXTS: [(&str, Setting); 2] = [("auth_question", Setting::Question), ("auth_answer", Setting::Answer)];
const MINUTES: [(&str, Setting); 2] =
    [("silence_start_time", Setting::SilenceStart), ("silence_end_time", Setting::SilenceEnd)];

/// The settings as the wire has them; to the user itself also what it wants to hear.
pub(crate) async fn of(call: &Call, user: &User, to_itself: bool) -> Result<Map<String, Value>> {
    let known = settings::of_user(&call.ctx, &call.app, user).await?;
    let push = &user.push;
    let mut shown = Map::new();
    let number = users::number_of(&call.ctx, &call.app, user).await?;
    shown.insert("user_id".to_owned(), number.into());
    shown.extend(SWITCHES.map(|(wire, setting)| (wire.to_owned(), known.is_on(setting).into())));
    let texts = TEXTS.into_iter().filter(|(_, setting)| to_itself || *setting != Setting::Answer);
    shown.extend(texts.filter_map(|(wire, setting)| Some((wire.to_owned(), known.get(setting)?.into()))));
    let minutes =
        |(wire, setting): (&str, Setting)| Some((wire.to_owned(), known.get(setting)?.parse::<u32>().ok()?.into()));
    shown.extend(MINUTES.into_iter().filter_map(minutes));
    shown.extend(push.nickname.clone().map(|nickname| ("push_nick_name".to_owned(), nickname.into())));
    shown.extend([
        ("auth_mode".to_owned(), known.admission().number().into()),
        ("no_push".to_owned(), push.quiet.unwrap_or_default().into()),
        // Style 0 is a notice only. Where nothing was set, contents are shown.
        ("no_push_detail".to_owned(), (push.style == Some(0)).into()),
        ("no_push_start_hour".to_owned(), push.quiet_start_h.unwrap_or_default().into()),
        ("no_push_end_hour".to_owned(), push.quiet_end_h.unwrap_or_default().into()),
    ]);
    Ok(shown)
}

/// `GET /user/settings`.
pub(crate) async fn get(call: &Call, me: Myself) -> Answer {
    answer::ok(of(call, &me.user, true).await?)
}

#[derive(Deserialize)]
struct Given {
    auth_mode: Option<i64>,
    auth_question: Option<String>,
    auth_answer: Option<String>,
    auto_download: Option<bool>,
    group_confirm: Option<bool>,
    no_sounds: Option<bool>,
    vibratory: Option<bool>,
    silence_start_time: Option<i64>,
    silence_end_time: Option<i64>,
    no_push: Option<bool>,
    no_push_detail: Option<bool>,
    no_push_start_hour: Option<i64>,
    no_push_end_hour: Option<i64>,
    push_nick_name: Option<String>,
}

impl Given {
    fn settings(&self) -> Vec<(Setting, String)> {
        let switch = |value: Option<bool>| value.map(|value| value.to_string());
        let number = |value: Option<i64>| value.map(|value| value.to_string());
        let given = [
            (Setting::Admission, number(self.auth_mode)),
            (Setting::Question, self.auth_question.clone()),
            (Setting::Answer, self.auth_answer.clone()),
            (Setting::AutoDownload, switch(self.auto_download)),
            (Setting::GroupConfirm, switch(self.group_confirm)),
            (Setting::NoSounds, switch(self.no_sounds)),
            (Setting::Vibratory, switch(self.vibratory)),
            (Setting::SilenceStart, number(self.silence_start_time)),
            (Setting::SilenceEnd, number(self.silence_end_time)),
        ];
        given.into_iter().filter_map(|(setting, value)| Some((setting, value?))).collect()
    }

    fn push(self) -> PushProfile {
        PushProfile {
            nickname: self.push_nick_name,
            style: self.no_push_detail.map(|hidden| i64::from(!hidden)),
            quiet: self.no_push,
            quiet_start_h: self.no_push_start_hour,
            quiet_end_h: self.no_push_end_hour,
            ..PushProfile::default()
        }
    }
}

/// `POST /user/settings`: sets what is given.
pub(crate) async fn set(call: &Call, me: Myself) -> Answer {
    let given: Given = call.json()?;
    let settings = given.settings();
    change(call, &me.user, Changes { settings, push: given.push(), ..Changes::default() }).await
}

/// `POST /user/authmode?value=`: how the user may be asked to become a contact.
pub(crate) async fn set_auth_mode(call: &Call, me: Myself) -> Answer {
    let value = call.query.number("value")?.ok_or_else(|| Error::about(Code::FieldIllegal, "value"))?;
    change(call, &me.user, (Setting::Admission, value.to_string()).into()).await
}

/// Changes what is given; what is refused is told by its name here.
pub(super) async fn change(call: &Call, user: &User, changes: Changes) -> Answer {
    let numbers = [("auth_mode", Setting::Admission), ("badge", Setting::Badge)].into_iter().chain(MINUTES);
    let known = numbers.chain(SWITCHES).chain(TEXTS).map(|(wire, setting)| (setting.name(), wire));
    let hours = [
        ("notification_no_disturbing_start", "no_push_start_hour"),
        ("notification_no_disturbing_end", "no_push_end_hour"),
    ];
    settings::change(&call.ctx, &call.app, user, changes).await.map_err(|error| {
        match known.chain(hours).find(|(name, _)| error.code == Code::FieldIllegal && *name == error.subject) {
            Some((_, wire)) => Error::about(error.code, wire).with_limit(error.limit),
            None => error,
        }
    })?;
    answer::done()
}
