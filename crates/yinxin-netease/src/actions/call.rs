//! [`Call`]: one signed call, as its handler sees it.

use std::sync::Arc;

use yinxin_core::{App, Ctx};

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
}
