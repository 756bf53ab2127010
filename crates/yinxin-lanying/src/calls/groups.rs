//! Groups, of which there are none: what clients ask about them at a login, and the vendor's answer about one that does
//! not exist.

use std::future::{Ready, ready};

use yinxin_core::{Code, Error};

use crate::answer::{self, Answer};
use crate::call::Call;
use crate::rights::Myself;

/// `GET /group/user_joined`: the groups that a user is in.
pub(crate) fn joined(_call: &Call, _: Myself) -> Ready<Answer> {
    ready(answer::ok([(); 0]))
}

/// Any call about one group.
pub(crate) fn unknown(call: &Call, _: Myself) -> Ready<Answer> {
    ready(Err(Error::about(Code::GroupNotFound, call.query.get("group_id").unwrap_or_default())))
}

/// Making one.
pub(crate) fn create(_call: &Call, _: Myself) -> Ready<Answer> {
    ready(Err(Code::NotOffered.into()))
}
