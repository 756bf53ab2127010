//! The demo app of a new server, and the one block that a first start prints.

use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use yinxin_core::apps::{self, App, AppChanges};
use yinxin_core::names::AppName;
use yinxin_core::{Ctx, Error};

use crate::data::{self, DataDir};
use crate::exit::{Failure, Outcome};
use crate::print;

const ORG: &str = "yinxin-demo";
const APP: &str = "demo";

/// Makes the demo app, open for registration, and prints how to use it. A first start that died may have made it
/// already; a database that holds other apps, brought from elsewhere, gets none.
pub(super) async fn make(ctx: &Ctx, dir: &DataDir, url: &str) -> Outcome {
    let fault = |error: Error| Failure::failed(format!("the demo app could not be made: {error}"));
    let name = AppName { org: ORG.to_owned(), name: APP.to_owned() };
    let app = match &apps::list(ctx).await.map_err(fault)?[..] {
        [] => {
            let changes = AppChanges { open_registration: Some(true), ..AppChanges::default() };
            apps::create(ctx, name, changes).await.map_err(fault)?
        }
        [only] if only.name.org == ORG && only.name.name == APP => Arc::clone(only),
        _ => return Ok(()),
    };
    print::out(&block(&app, dir, url));
    Ok(())
}

fn block(app: &App, dir: &DataDir, url: &str) -> String {
    let rule = "-".repeat(72);
    let data = if dir.root() == Path::new(data::DEFAULT) {
        String::new()
    } else {
        format!(" --data {}", shell_word(&dir.root().display().to_string()))
    };
    let grant = json!({
        "grant_type": "client_credentials",
        "client_id": app.client_id,
        "client_secret": app.reveal_client_secret(),
    });
    format!(
        "{rule}\n\
         A demo app was made. Its secret is printed this once;\n\
         `yinxin app show {ORG}/{APP} --secrets{data}` shows it again.\n\
         \n\
         REST API       {url}/{ORG}/{APP}\n\
         Admin API      {url}/admin/v1 (key in {key})\n\
         AppKey         {app_key}\n\
         Client id      {id}\n\
         Client secret  {secret}\n\
         \n\
         Get an app token:\n\
         \n\
         curl -X POST {url}/{ORG}/{APP}/token -H 'Content-Type: application/json' -d '{grant}'\n\
         {rule}",
        key = dir.admin_key_file().display(),
        app_key = app.name.app_key(),
        id = app.client_id,
        secret = app.reveal_client_secret(),
    )
}

/// A word as a shell reads it back.
fn shell_word(text: &str) -> String {
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b));
    if plain { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_the_shell() {
        assert_eq!(shell_word("/var/lib/yinxin"), "/var/lib/yinxin");
        assert_eq!(shell_word("my data"), "'my data'");
        assert_eq!(shell_word("it's"), r"'it'\''s'");
    }
}
