//! [`Call`]: one signed call, as its handler sees it.

use std::sync::Arc;

use yinxin_core::limits::PROFILE_BATCH_MAX;
use yinxin_core::names::{NameRule, Username};
use yinxin_core::{App, Code, Ctx, Error, Result};

use super::form::Form;

/// A call whose signature was good.
pub(super) struct Call {
    ctx: Arc<Ctx>,
    /// The app whose backend calls.
    pub app: Arc<App>,
    /// Its parameters.
    pub form: Form,
}

impl Call {
    pub fn new(ctx: Arc<Ctx>, app: Arc<App>, form: Form) -> Self {
        Self { ctx, app, form }
    }

    /// The context of the use cases.
    pub fn ctx(&self) -> &Ctx {
        &self.ctx
    }

    /// The accid of a user that should exist. One that cannot be anybody's is nobody's.
    pub fn accid(&self) -> Result<Username> {
        let spelled = self.form.filled("accid").ok_or(Code::UsernameMissing)?;
        Username::parse_by(NameRule::SHORT, spelled).map_err(|_| Error::about(Code::UserNotFound, spelled))
    }

    /// Accids as they were spelled: a JSON array in a text.
    pub fn accids(&self) -> Result<Vec<String>> {
        let text = self.form.filled("accids").ok_or(Code::NamesMissing)?;
        let names: Vec<String> =
            serde_json::from_str(text).map_err(|_| Error::about(Code::FieldIllegal, "accids is no array of texts"))?;
        match names.len() {
            0 => Err(Code::NamesEmpty.into()),
            1..=PROFILE_BATCH_MAX => Ok(names),
            _ => Err(Error::over(Code::TooManyNames, PROFILE_BATCH_MAX)),
        }
    }
}
