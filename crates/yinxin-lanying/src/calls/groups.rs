//! Groups, of which there are none: what clients ask about them at a login, and the vendor's answer about one that does
//! not exist.

use std::future::{Ready, ready};

use serde::Deserialize;
use yinxin_core::{Code, Error};

use crate::answer::{self, Answer};
use crate::body::Number;
use crate::call::Call;
use crate::rights::Myself;

/// `GET /group/user_joined`: the groups that a user is in.
pub(crate) fn joined(_call: &Call, _: Myself) -> Ready<Answer> {
    ready(answer::ok([(); 0]))
}

/// `POST /group/info/batch`: those of some groups that there are.
pub(crate) fn some(call: &Call, _: Myself) -> Ready<Answer> {
    #[derive(Deserialize)]
    struct Wanted {
        group_list: Option<Vec<Number>>,
    }
    let wanted = call.json::<Wanted>().map(|wanted| wanted.group_list);
    ready(match wanted {
        Ok(Some(_)) => answer::ok([(); 0]),
        Ok(None) => Err(Error::about(Code::FieldIllegal, "group_list")),
        Err(error) => Err(error),
    })
}

/// Any call about one group.
pub(crate) fn unknown(call: &Call, _: Myself) -> Ready<Answer> {
    ready(Err(Error::about(Code::GroupNotFound, call.query.get("group_id").unwrap_or_default())))
}

/// Making one.
pub(crate) fn create(_call: &Call, _: Myself) -> Ready<Answer> {
    ready(Err(Code::NotOffered.into()))
}
