//! Uploads as the SDK makes them: two addresses, a form, and the file is there for whoever of the app is told of it.

use serde_json::Value;
use yinxin_core::limits::UNFINISHED_UPLOADS_MAX;

use crate::asking::{Answer as _, Ask, Bearer as _};
use crate::world::{Somebody, World};

const FORM: &str = "multipart/form-data; boundary=x";

fn form(name: &str, bytes: &[u8]) -> Vec<u8> {
    let head = format!(
        "--x\r\ncontent-disposition: form-data; name=\"key\"\r\n\r\n1\r\n--x\r\ncontent-disposition: form-data; \
         name=\"{name}\"; filename=\"a b.txt\"\r\ncontent-type: text/plain\r\n\r\n"
    );
    [head.as_bytes(), bytes, b"\r\n--x--\r\n"].concat()
}

/// The path of an address on this server.
fn path(url: &Value) -> String {
    url.as_str().unwrap().strip_prefix("http://im.test").unwrap().to_owned()
}

/// Where to put a file, and where it will be.
async fn begin(w: &World, who: &Somebody) -> (String, String) {
    let begun = w.get("/file/upload/chat?file_type=102&to_type=1&to_id=16").by(&who.token).await.ok();
    (path(&begun["upload_url"]), path(&begun["download_url"]))
}

fn put<'w>(w: &'w World, url: &str, who: &Somebody, form: Vec<u8>) -> Ask<'w> {
    w.tell(url).by(&who.token).header("content-type", FORM).raw(form)
}

#[tokio::test]
async fn what_one_uploads_another_of_the_app_opens_by_the_address_in_the_message() {
    let w = World::new().await;
    let (ann, ben) = (w.user("ann").await, w.user("ben").await);
    let (upload, download) = begin(&w, &ann).await;
    w.get(&download).by(&ben.token).await.refused(10009);
    assert_eq!(put(&w, &upload, &ann, form("file", b"hello")).await.ok(), true);
    // As the SDK makes the address: what it knows of itself is behind it.
    let whole = format!("{download}&access-token={}&app_id={}", ben.token, w.app.app_id);
    let opened = Ask::new(&w, "GET", &whole).await;
    assert_eq!((opened.status, &opened.body[..], opened.header("content-type")), (200, &b"hello"[..], "text/plain"));
    assert!(opened.header("content-disposition").contains("a%20b%2Etxt"));
    // A message with it is passed on.
    let (_, sign) = download.split_once("sign=").unwrap();
    let forwarded = w.get(&format!("/file/upload/forward?file_sign={sign}&to_id=16&to_type=1")).by(&ben.token).await;
    assert_eq!(path(&forwarded.ok()), download);
    w.get("/file/upload/forward?file_sign=nothing").by(&ben.token).await.refused(10009);
    w.get(&download).await.refused(10003);
    w.get(&download).by(&w.other.admin).await.refused(402);
}

#[tokio::test]
async fn a_picture_is_uploaded_and_then_shown() {
    let w = World::new().await;
    let ann = w.user("ann").await;
    let begun = w.get("/file/upload/avatar/user").by(&ann.token).await.ok();
    put(&w, &path(&begun["upload_url"]), &ann, form("file", b"\x89PNG\r\n\x1a\nrest")).await.ok();
    let avatar = serde_json::json!({ "avatar": begun["download_url"] });
    w.post("/user/avatar", &avatar).by(&ann.token).await.ok();
    let shown = w.get("/user/profile").by(&ann.token).await.ok();
    assert!(path(&shown["avatar"]).starts_with("/file/download/avatar?sign="));
    assert_eq!(w.get(&path(&shown["avatar"])).by(&ann.token).await.status, 200);
    w.get("/file/upload/avatar/group?group_id=1").by(&ann.token).await.refused(20001);
}

#[tokio::test]
async fn an_upload_is_its_owners_ends_once_and_a_bad_form_is_none() {
    let w = World::new().await;
    let (ann, ben) = (w.user("ann").await, w.user("ben").await);
    let (upload, download) = begin(&w, &ann).await;
    put(&w, &upload, &ben, form("file", b"not yours")).await.refused(10009);
    put(&w, &upload, &ann, form("other", b"x")).await.refused(10002);
    put(&w, &upload, &ann, b"--x\r\nnonsense".to_vec()).await.refused(10002);
    let twice = [&form("file", b"1")[..form("file", b"1").len() - 6], &form("file", b"2")].concat();
    put(&w, &upload, &ann, twice).await.refused(10002);
    w.tell(&upload).by(&ann.token).raw("no form").await.refused(10002);
    w.tell("/file/upload/content").by(&ann.token).header("content-type", FORM).await.refused(10002);
    put(&w, "/file/upload/content?file_id=x", &ann, form("file", b"x")).await.refused(10009);
    w.get(&download).by(&ann.token).await.refused(10009);
    put(&w, &upload, &ann, form("file", b"")).await.ok();
    put(&w, &upload, &ann, form("file", b"again")).await.refused(10009);
    assert_eq!(w.get(&download).by(&ann.token).await.body.len(), 0);
    let mut refused = 0;
    for _ in 0..=UNFINISHED_UPLOADS_MAX {
        refused += usize::from(w.get("/file/upload/chat").by(&ben.token).await.json()["code"] != 200);
    }
    assert_eq!(refused, 1);
}
