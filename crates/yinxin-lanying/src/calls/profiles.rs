//! What a user shows of itself. Other dialects see the same under their own names.

use serde::{Deserialize, Serialize};
use yinxin_core::limits::PROFILE_BATCH_MAX;
use yinxin_core::profiles::{self, Field, Profile};
use yinxin_core::settings::{self, Setting};
use yinxin_core::users::{self, User};
use yinxin_core::{Code, Error, Result};

use super::register;
use crate::answer::{self, Answer};
use crate::body::Number;
use crate::call::Call;
use crate::rights::{Backend, Myself};

/// The members of the wire and what they are.
const FIELDS: [(&str, Field); 4] =
    [("nick_name", Field::Name), ("avatar", Field::Icon), ("description", Field::Sign), ("public_info", Field::Ext)];

/// What everybody may see of a user.
#[derive(Serialize)]
pub(crate) struct Shown {
    pub user_id: i64,
    pub username: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nick_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avatar: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_info: Option<String>,
}

/// What everybody may see of that user.
pub(crate) async fn shown(call: &Call, user: &User) -> Result<Shown> {
    let mut profile = profiles::of_user(&call.ctx, &call.app, &user.username).await?;
    let mut take = |field| take(&mut profile, field);
    Ok(Shown {
        user_id: users::number_of(&call.ctx, &call.app, user).await?,
        username: user.called().to_owned(),
        nick_name: take(Field::Name),
        avatar: take(Field::Icon),
        description: take(Field::Sign),
        public_info: take(Field::Ext),
    })
}

fn take(profile: &mut Profile, field: Field) -> Option<String> {
    let at = profile.iter().position(|(known, _)| *known == field)?;
    Some(profile.swap_remove(at).1)
}

/// `GET /user/profile`.
pub(crate) async fn get(call: &Call, me: Myself) -> Answer {
    #[derive(Serialize)]
    struct Own {
        #[serde(flatten)]
        shown: Shown,
        #[serde(skip_serializing_if = "Option::is_none")]
        mobile: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        email: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        private_info: Option<String>,
    }
    let names = users::login_names(&call.ctx, &call.app, &me.user).await?;
    let mut profile = profiles::of_user(&call.ctx, &call.app, &me.user.username).await?;
    let known = settings::of_user(&call.ctx, &call.app, &me.user).await?;
    answer::ok(Own {
        shown: shown(call, &me.user).await?,
        // What the user logs in by or else, from another dialect, what it says of itself.
        mobile: names.mobile.or_else(|| take(&mut profile, Field::Mobile)),
        email: names.email.or_else(|| take(&mut profile, Field::Email)),
        private_info: known.get(Setting::PrivateInfo).map(str::to_owned),
    })
}

#[derive(Deserialize)]
struct Changes {
    nick_name: Option<String>,
    avatar: Option<String>,
    description: Option<String>,
    public_info: Option<String>,
    private_info: Option<String>,
}

impl Changes {
    async fn make(self, call: &Call, user: &User) -> Result<()> {
        let given = [
            (Field::Name, self.nick_name),
            (Field::Icon, self.avatar),
            (Field::Sign, self.description),
            (Field::Ext, self.public_info),
        ];
        let profile = given.into_iter().filter_map(|(field, value)| Some((field, value?))).collect();
        let settings = self.private_info.map(|info| (Setting::PrivateInfo, info)).into_iter().collect();
        let changes = settings::Changes { settings, profile, ..settings::Changes::default() };
        settings::change(&call.ctx, &call.app, user, changes).await.map_err(by_its_name)
    }
}

/// A refused field under its name here.
fn by_its_name(error: Error) -> Error {
    let wire = FIELDS.iter().find(|(_, field)| field.attribute() == error.subject).map(|(wire, _)| *wire);
    match (error.code, wire) {
        (Code::ProfileFieldTooLong, Some(wire)) => Error::about(error.code, wire).with_limit(error.limit),
        _ => error,
    }
}

/// `POST /user/profile`: sets what is given.
pub(crate) async fn set(call: &Call, me: Myself) -> Answer {
    call.json::<Changes>()?.make(call, &me.user).await?;
    answer::done()
}

/// `POST /user/profile/batch`, and the same for pictures alone.
pub(crate) async fn set_many(call: &Call, _: Backend) -> Answer {
    #[derive(Deserialize)]
    struct Batch {
        list: Option<Vec<One>>,
    }
    #[derive(Deserialize)]
    struct One {
        #[serde(default)]
        user_id: Number,
        #[serde(flatten)]
        changes: Changes,
    }
    #[derive(Serialize)]
    struct Outcome {
        user_id: i64,
        success: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    }
    let list = call.json::<Batch>()?.list.ok_or_else(|| Error::about(Code::FieldIllegal, "list"))?;
    if list.len() > PROFILE_BATCH_MAX {
        return Err(Error::about(Code::FieldIllegal, "list").with_limit(PROFILE_BATCH_MAX));
    }
    let mut outcomes = Vec::with_capacity(list.len());
    for One { user_id, changes } in list {
        let user_id = user_id.0.unwrap_or_default();
        let made = match call.user(user_id).await {
            Ok(user) => changes.make(call, &user).await,
            Err(error) => Err(error),
        };
        let reason = made.err().map(register::reason).transpose()?;
        outcomes.push(Outcome { user_id, success: reason.is_none(), reason });
    }
    answer::ok(outcomes)
}

/// `POST /user/nickname?nick_name=`.
pub(crate) async fn set_nickname(call: &Call, me: Myself) -> Answer {
    let value = call.query.required("nick_name")?.to_owned();
    set_one(call, &me.user, Field::Name, value).await
}

/// `POST /user/avatar`.
pub(crate) async fn set_avatar(call: &Call, me: Myself) -> Answer {
    #[derive(Deserialize)]
    struct Picture {
        avatar: Option<String>,
    }
    let value = call.json::<Picture>()?.avatar.ok_or_else(|| Error::about(Code::FieldIllegal, "avatar"))?;
    set_one(call, &me.user, Field::Icon, value).await
}

async fn set_one(call: &Call, user: &User, field: Field, value: String) -> Answer {
    profiles::change(&call.ctx, &call.app, &user.username, vec![(field, value)]).await.map_err(by_its_name)?;
    answer::done()
}
