//! Files: opened by an access token, or by a token for files and a signature of the one request.

use bytes::Bytes;
use yinxin_core::files::{self, Details, Source};
use yinxin_core::tokens::Caller;
use yinxin_core::{Result, users};
use yinxin_token::file_signature;

use crate::asking::{Answer as _, Bearer as _};
use crate::world::{DAY, World};

struct Once(Option<Bytes>);

impl Source for Once {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        Ok(self.0.take())
    }
}

pub async fn upload(w: &World, name: &str) -> String {
    let app = w.core_app().await;
    let caller = Caller::User(users::find(&w.ctx, &app, name).await.unwrap());
    let mut source = Once(Some(Bytes::from_static(b"0123456789")));
    let written = files::write(&w.ctx, &app, &caller, &mut source).await.unwrap();
    let details =
        Details { content_type: Some("text/plain".to_owned()), name: "a.txt".to_owned(), ..Details::default() };
    files::keep(&w.ctx, &app, &caller, written, details).await.unwrap().file.to_string()
}

#[tokio::test]
async fn a_signed_address_opens_its_file_only_and_as_long_as_the_login() {
    let w = World::new().await;
    let ann = w.user("ann").await;
    let (file, other) = (upload(&w, "ann").await, upload(&w, "ann").await);
    let granted = w.log_in("ann").await.ok();
    let text = |name: &str| granted[name].as_str().unwrap().to_owned();
    let (store, secret) = (text("store_token"), text("access_key_secret"));
    let address = |file: &str, signature: &str| {
        format!("/file/download/chat?file_id={file}&app_id={}&store_token={store}&sdk_sign={signature}", w.app.app_id)
    };
    let signature = file_signature::make(&secret, &w.app.app_id, &file, &store);
    let answer = crate::asking::Ask::new(&w, "GET", &address(&file, &signature)).await;
    assert_eq!((answer.status, &answer.body[..]), (200, &b"0123456789"[..]));
    assert_eq!(answer.headers["content-type"], "text/plain");
    let part = w.get(&address(&file, &signature)).header("range", "bytes=2-4").await;
    assert_eq!((part.status, &part.body[..]), (206, &b"234"[..]));
    w.get(&address(&other, &signature)).await.refused(10010);
    w.get(&address(&file, "")).await.refused(10010);
    w.get(&format!("/file/download/chat?file_id={file}")).await.refused(10003);
    // By an access token, in the header or in the address.
    assert_eq!(w.get(&format!("/file/download/chat?file_id={file}")).by(&ann.token).await.status, 200);
    let by_address = w.get(&format!("/file/download/avatar?file_id={file}&access-token={}", ann.token)).await;
    assert_eq!(by_address.body, &b"0123456789"[..]);
    // A token for files is no access token, nor the other way round.
    w.get(&format!("/file/download/chat?file_id={file}")).by(&store).await.refused(402);
    let swapped = file_signature::make(&secret, &w.app.app_id, &file, &ann.token);
    w.get(&format!("/file/download/chat?file_id={file}&store_token={}&sdk_sign={swapped}", ann.token))
        .await
        .refused(402);
    w.clock.move_by(60 * DAY);
    w.get(&address(&file, &signature)).await.refused(402);
}

#[tokio::test]
async fn a_ban_ends_a_token_for_files() {
    let w = World::new().await;
    let ann = w.user("ann").await;
    let file = upload(&w, "ann").await;
    let granted = w.log_in("ann").await.ok();
    let (store, secret) = (granted["store_token"].as_str().unwrap(), granted["access_key_secret"].as_str().unwrap());
    let signature = file_signature::make(secret, &w.app.app_id, &file, store);
    let address = format!("/file/download/chat?file_id={file}&store_token={store}&sdk_sign={signature}");
    assert_eq!(w.get(&address).await.body, &b"0123456789"[..]);
    w.post("/user/disable", &serde_json::json!({ "list": [ann.id] })).by(&w.app.admin).await.ok();
    w.get(&address).await.refused(402);
    // A file of one app is none of another's.
    let foreign = crate::asking::Ask::new(&w, "GET", &address).header("app_id", &w.other.app_id);
    foreign.await.refused(402);
}

/// Other texts than that one, without end: one sign replaced by another, left out, or put in.
fn forgeries(text: &str) -> impl Iterator<Item = String> {
    let signs = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let forge = move |number: usize| {
        let (before, after) = text.split_at(number / 8 % text.len());
        let sign = char::from(signs[number % 61]);
        match number % 8 {
            0 => format!("{before}{sign}{after}"),
            1 => format!("{before}{}", &after[1..]),
            _ => format!("{before}{sign}{}", &after[1..]),
        }
    };
    (0..).map(forge).filter(move |forged| forged != text)
}

#[tokio::test]
async fn no_forged_address_opens_a_file() {
    let w = World::new().await;
    w.user("ann").await;
    let file = upload(&w, "ann").await;
    let granted = w.log_in("ann").await.ok();
    let (store, secret) = (granted["store_token"].as_str().unwrap(), granted["access_key_secret"].as_str().unwrap());
    let signature = file_signature::make(secret, &w.app.app_id, &file, store);
    let address =
        |store: &str, sign: &str| format!("/file/download/chat?file_id={file}&store_token={store}&sdk_sign={sign}");
    let code = async |path: String| w.get(&path).await.json()["code"].as_i64().unwrap();
    // Hexadecimal digits are the same in any case.
    let is_forged = |forged: &String| !forged.eq_ignore_ascii_case(&signature);
    for forged in forgeries(&signature).filter(is_forged).take(4000) {
        assert_eq!(code(address(store, &forged)).await, 10010, "{forged}");
    }
    for forged in forgeries(store).take(3000) {
        assert_eq!(code(address(&forged, &signature)).await, 402, "{forged}");
        // Signed anew, by whoever has the secret of another token.
        let signed = file_signature::make(secret, &w.app.app_id, &file, &forged);
        assert_eq!(code(address(&forged, &signed)).await, 402, "{forged}");
    }
    assert_eq!(w.get(&address(store, &signature)).await.body, &b"0123456789"[..]);
}
