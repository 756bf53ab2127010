//! Uploads. The SDK asks for two addresses first: one that it puts the file to, and the one that the message will name.
//!
//! Quirk(lanying): the SDK finds the file in such an address by what follows `sign=` when it passes a message on. Source:
//! npm qnweb-im 1.0.5.

use bytes::Bytes;
use serde::Serialize;
use yinxin_core::files::{self, Details, Source, Written};
use yinxin_core::tokens::Caller;
use yinxin_core::{Code, Error, Result};
use yinxin_http::{BodyFault, Form, FormFault};

use crate::answer::{self, Answer};
use crate::call::Call;
use crate::frame;
use crate::rights::Myself;

/// The field that is the file.
const FILE: &str = "file";

#[derive(Serialize)]
struct Begun {
    upload_url: String,
    download_url: String,
}

/// `GET /file/upload/chat`. What kind of file it is, and for whom, makes no difference here.
pub(crate) async fn begin_for_chat(call: &Call, me: Myself) -> Answer {
    begin(call, me, "chat").await
}

/// `GET /file/upload/avatar/user`. The picture is the user's once the SDK has said so by `/user/avatar`.
pub(crate) async fn begin_for_avatar(call: &Call, me: Myself) -> Answer {
    begin(call, me, "avatar").await
}

async fn begin(call: &Call, me: Myself, kind: &str) -> Answer {
    let file = files::begin(&call.ctx, &call.app, &Caller::User(me.user)).await?.to_string();
    let (scheme, host) = call.place();
    let upload_url = format!("{scheme}://{host}/file/upload/content?file_id={file}");
    answer::ok(Begun { upload_url, download_url: download_url(call, kind, &file) })
}

fn download_url(call: &Call, kind: &str, file: &str) -> String {
    let (scheme, host) = call.place();
    format!("{scheme}://{host}/file/download/{kind}?sign={file}")
}

/// `GET /file/upload/forward`: the address under which another may have the file. It is the same: whoever of the app is
/// told of a file may open it.
pub(crate) async fn forward(call: &Call, me: Myself) -> Answer {
    let file = call.query.required("file_sign")?;
    files::open(&call.ctx, &call.app, file, Some(&Caller::User(me.user)), None).await?;
    answer::ok(download_url(call, "chat", file))
}

/// `POST /file/upload/content?file_id=`, a form with the field `file`.
pub(crate) async fn put(call: &Call, me: Myself) -> Answer {
    let caller = Caller::User(me.user);
    let file = call.query.required("file_id")?;
    let (written, details) = read(call, &caller).await?;
    files::keep_part(&call.ctx, &call.app, &caller, file, 1, written).await?;
    files::complete(&call.ctx, &call.app, &caller, file, details).await?;
    answer::done()
}

/// Reads the form to its end; fields other than the file mean nothing here.
async fn read(call: &Call, caller: &Caller) -> Result<(Written, Details)> {
    let file_bytes_max = call.ctx.files.file_bytes_max();
    let fault = |fault| refused(fault, file_bytes_max);
    let mut form = call.take_form(call.ctx.files.form_bytes_max()).map_err(fault)?;
    let mut found = None;
    while let Some(field) = form.field().await.map_err(fault)? {
        if field.name != FILE {
            continue;
        }
        if found.is_some() {
            return Err(Error::about(Code::FieldIllegal, format!("{FILE} stands twice")));
        }
        let mut data = Data { form: &mut form, file_bytes_max };
        let written = files::write(&call.ctx, &call.app, caller, &mut data).await?;
        let name = field.file_name.unwrap_or_default();
        found = Some((written, Details { name, content_type: field.content_type, ..Details::default() }));
    }
    found.ok_or_else(|| Code::FileMissing.into())
}

fn refused(fault: FormFault, file_bytes_max: u64) -> Error {
    match fault {
        FormFault::NotAForm => Code::FileMissing.into(),
        FormFault::Malformed(what) => Error::about(Code::FormMalformed, what),
        FormFault::Body(BodyFault::TooLarge { .. }) => Error::over(Code::FileTooLarge, file_bytes_max),
        FormFault::Body(fault) => frame::unread(fault),
    }
}

/// The bytes of a form's field.
struct Data<'a> {
    form: &'a mut Form,
    file_bytes_max: u64,
}

impl Source for Data<'_> {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        self.form.data().await.map_err(|fault| refused(fault, self.file_bytes_max))
    }
}
