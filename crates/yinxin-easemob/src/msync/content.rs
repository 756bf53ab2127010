//! A payload as backends see it.

use yinxin_core::hooks::Content;
use yinxin_msync::body;

/// What a payload says. One that cannot be read was refused before it came here.
pub(crate) fn of(payload: &[u8]) -> Content {
    let body::Description { bodies, ext } = body::describe(payload).unwrap_or_default();
    Content { bodies, ext }
}
