//! `/chatfiles`: uploads and downloads, at once and in parts, and what is refused.

use axum::http::HeaderMap;
use serde_json::Value;
use yinxin_core::apps::Profile;
use yinxin_core::limits::Limits;
use yinxin_testkit::ground::Setup;

use crate::asking::{Answer as _, Ask, Bearer as _, Reply};
use crate::world::World;

const PARTS: &str = "/sdk/chatfiles/part-upload";
const PNG: &[u8] = b"\x89PNG\r\n\x1A\nno more than its beginning";

/// A form of fields, each with its head's parameters and its bytes.
fn form(fields: &[(&str, &[u8])]) -> Vec<u8> {
    let mut form = Vec::new();
    for (parameters, bytes) in fields {
        form.extend_from_slice(format!("--XX\r\nContent-Disposition: form-data; {parameters}\r\n\r\n").as_bytes());
        form.extend_from_slice(bytes);
        form.extend_from_slice(b"\r\n");
    }
    form.extend_from_slice(b"--XX--\r\n");
    form
}

fn file(bytes: &[u8]) -> Vec<u8> {
    form(&[("name=\"file\"; filename=\"a.txt\"\r\nContent-Type: text/plain", bytes)])
}

trait Asked {
    fn form(self, form: Vec<u8>) -> Self;
}

impl Asked for Ask<'_> {
    fn form(self, form: Vec<u8>) -> Self {
        self.header("content-type", "multipart/form-data; boundary=XX").raw(form)
    }
}

/// The id and the secret of an upload.
fn stored(reply: &Reply) -> (String, String) {
    let entity = reply.ok()["entities"][0].clone();
    let text = |key: &str| entity[key].as_str().unwrap().to_owned();
    assert_eq!(entity["type"], "chatfile");
    (text("uuid"), text("share-secret"))
}

impl World {
    fn upload(&self, form: Vec<u8>) -> Ask<'_> {
        self.call("POST", "/chatfiles").form(form)
    }

    fn download(&self, (file, secret): &(String, String)) -> Ask<'_> {
        self.get(&format!("/chatfiles/{file}")).header("share-secret", secret)
    }
}

fn header<'a>(reply: &'a Reply, name: &str) -> &'a str {
    reply.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

async fn small() -> World {
    World::on(Setup { limits: Limits { file_bytes: 1000, ..Limits::default() }, ..Setup::default() }).await
}

#[tokio::test]
async fn the_answer_is_the_documented_one() {
    let w = World::new().await;
    let reply = w.upload(file(b"text")).header("restrict-access", "true").await;
    let body = reply.ok();
    let keys: Vec<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
    let documented = [
        "action",
        "application",
        "path",
        "uri",
        "entities",
        "timestamp",
        "duration",
        "organization",
        "applicationName",
    ];
    assert!(documented.iter().all(|key| keys.contains(key)) && keys.len() == documented.len(), "{keys:?}");
    assert_eq!((&body["action"], &body["path"]), (&Value::from("post"), &Value::from("/chatfiles")));
    assert_eq!(body["uri"], "http://im.test/acme/chat/chatfiles");
    let (_, secret) = stored(&reply);
    assert_eq!(secret.len(), 48);
}

#[tokio::test]
async fn a_file_comes_back_as_it_was_sent() {
    let w = World::new().await;
    w.register(&["anna", "bert"]).await;
    let (anna, bert) = (w.login("anna").await, w.login("bert").await);
    // As the web SDK sends an image: the file before the texts, and where it goes in the query.
    let sent = form(&[
        ("name=\"file\"; filename=\"小 \\\"1\\\".png\"\r\nContent-Type: image/png", PNG),
        ("name=\"thumbnail-width\"", b"180"),
        ("name=\"thumbnail-height\"", b"180"),
    ]);
    let path = "/chatfiles?chat-type=CHAT&chat-target=bert";
    let sent = w.call("POST", path).by(&anna).header("restrict-access", "true").form(sent).await;
    let stored = stored(&sent);
    assert_eq!(sent.ok()["uri"], "http://im.test/acme/chat/chatfiles");
    let got = w.download(&stored).by(&bert).await;
    assert_eq!((got.status, &got.body[..]), (200, PNG));
    assert_eq!(header(&got, "content-type"), "image/png");
    assert_eq!(header(&got, "content-length"), PNG.len().to_string());
    let disposition = "inline; filename=\"_ _1_.png\"; filename*=UTF-8''%E5%B0%8F%20%221%22%2Epng";
    assert_eq!(header(&got, "content-disposition"), disposition);
    let head = Ask::new(&w, "HEAD", &format!("/acme/chat/chatfiles/{}", stored.0)).by(&bert);
    let head = head.header("share-secret", &stored.1).header("range", "bytes=0-0").await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(header(&head, "content-length"), PNG.len().to_string());
    let by_link = w.get(&format!("/chatfiles/{}?em-redirect=true&share-secret={}", stored.0, stored.1)).by(&bert).await;
    assert_eq!(&by_link.body[..], PNG);
}

#[tokio::test]
async fn parts_of_a_file_and_files_one_has() {
    let w = World::new().await;
    let stored = stored(&w.upload(file(b"0123456789")).await);
    let ask = || w.download(&stored);
    let tag = header(&ask().await, "etag").to_owned();
    for (range, status, body, content_range) in [
        ("bytes=2-4", 206, "234", "bytes 2-4/10"),
        ("bytes=-3", 206, "789", "bytes 7-9/10"),
        ("bytes=8-99", 206, "89", "bytes 8-9/10"),
        ("bytes=0-1,3-4", 200, "0123456789", ""),
        ("nonsense", 200, "0123456789", ""),
    ] {
        let got = ask().header("range", range).await;
        assert_eq!((got.status, &*got.text(), header(&got, "content-range")), (status, body, content_range), "{range}");
        assert_eq!(header(&got, "content-length"), body.len().to_string());
    }
    let beyond = ask().header("range", "bytes=10-").await;
    beyond.refused(416, "web_application", "Requested Range Not Satisfiable");
    assert_eq!(header(&beyond, "content-range"), "bytes */10");
    let same = ask().header("range", "bytes=2-4").header("if-range", &tag).await;
    let other = ask().header("range", "bytes=2-4").header("if-range", "\"other\"").await;
    assert_eq!((same.status, other.status), (206, 200));
    let known = ask().header("if-none-match", &tag).await;
    assert_eq!((known.status, known.body.len(), header(&known, "etag")), (304, 0, &*tag));
    assert_eq!(ask().header("if-none-match", "\"other\"").await.status, 200);
}

#[tokio::test]
async fn a_picture_has_a_thumbnail_of_the_size_that_was_asked_for() {
    let w = World::new().await;
    let noise = (0..300 * 300 * 3_u32).map(|at| at.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect();
    let mut png = std::io::Cursor::new(Vec::new());
    let picture = image::RgbImage::from_raw(300, 300, noise).unwrap();
    picture.write_to(&mut png, image::ImageFormat::Png).unwrap();
    let field: (&str, &[u8]) = ("name=file; filename=a.png\r\nContent-Type: image/png", png.get_ref());
    let texts = form(&[field, ("name=thumbnail-width", b"60"), ("name=thumbnail-height", b"50")]);
    for (sent, size) in [
        (w.upload(form(&[field])), 170),
        (w.upload(form(&[field])).header("thumbnail-width", "40").header("thumbnail-height", "80"), 40),
        (w.upload(texts), 50),
    ] {
        let stored = stored(&sent.await);
        let whole = w.download(&stored).await;
        assert_eq!(&whole.body[..], png.get_ref());
        let by_header = w.download(&stored).header("thumbnail", "true").await;
        let by_link = w.get(&format!("/chatfiles/{}?em-redirect=true&thumbnail=true", stored.0)).await;
        assert_eq!(by_header.body, by_link.body);
        assert_eq!(header(&by_link, "content-type"), "image/jpeg");
        assert_ne!(header(&by_link, "etag"), header(&whole, "etag"));
        let thumb = image::load_from_memory(&by_link.body).unwrap();
        assert_eq!((thumb.width(), thumb.height()), (size, size));
        assert_eq!(w.download(&stored).header("thumbnail", "false").await.body, whole.body);
    }
    let text = stored(&w.upload(file(b"text")).await);
    assert_eq!(w.download(&text).header("thumbnail", "true").await.text(), "text");
}

#[tokio::test]
async fn a_file_never_runs_as_a_page_of_this_server() {
    let w = World::new().await;
    for (kind, shown) in [
        ("text/html", false),
        ("image/svg+xml", false),
        ("application/xhtml+xml", false),
        ("text/html; charset=utf-8", false),
        ("application/pdf", false),
        ("image/png", true),
        ("video/mp4", true),
    ] {
        let sent = form(&[(&format!("name=file; filename=x\r\nContent-Type: {kind}"), b"<script>alert(1)</script>")]);
        let got = w.download(&stored(&w.upload(sent).await)).await;
        assert_eq!(header(&got, "content-type"), kind);
        assert_eq!(header(&got, "x-content-type-options"), "nosniff");
        assert!(header(&got, "content-security-policy").contains("sandbox"));
        assert_eq!(header(&got, "content-disposition").starts_with("inline"), shown, "{kind}");
    }
    let odd = form(&[("name=file; filename=x\r\nContent-Type: image/png\u{7f}; x", b"x")]);
    assert_eq!(header(&w.download(&stored(&w.upload(odd).await)).await, "content-type"), "application/octet-stream");
}

#[tokio::test]
async fn who_may_open_a_file() {
    for secret_is_enough in [false, true] {
        let w = World::on(Setup { secret_is_enough, ..Setup::default() }).await;
        w.register(&["anna"]).await;
        let anna = w.login("anna").await;
        let secret = stored(&w.upload(file(b"x")).header("restrict-access", "true").await);
        for unrestricted in ["false", "FALSE"] {
            let public = stored(&w.upload(file(b"x")).header("restrict-access", unrestricted).await);
            assert_eq!(w.get(&format!("/chatfiles/{}", public.0)).by(&anna).await.status, 200);
        }
        let path = format!("/chatfiles/{}", secret.0);
        assert_eq!(w.download(&secret).by(&anna).await.status, 200);
        for asked in [w.get(&path), w.get(&path).by(&anna), w.get(&path).header("share-secret", "wrong")] {
            asked.await.refused(403, "forbidden_op", "chatfile no permission");
        }
        // Nobody without a token, unless the secret is enough.
        let app = w.app().await.uuid();
        let permission = format!("Subject does not have permission [applications:get:{app}:/chatfiles]");
        for asked in [&*path, "/chatfiles/nothing", "/chatfiles/00000000-0000-1000-8000-000000000000"] {
            w.get(asked).anonymous().await.refused(401, "unauthorized", &permission);
            let guessed = w.get(asked).header("share-secret", "wrong").anonymous().await;
            guessed.refused(401, "unauthorized", &permission);
        }
        let by_link = w.get(&format!("{path}?share-secret={}", secret.1)).anonymous().await;
        assert_eq!(by_link.status, if secret_is_enough { 200 } else { 401 });
        // A token that is shown must be good, whatever else is shown.
        assert_eq!(w.download(&secret).by("not-a-token").await.status, 401);
        let foreign = w.download(&secret).by(&w.other.token).await;
        foreign.refused(401, "auth_bad_access_token", "Unable to authenticate");
        let elsewhere = Ask::new(&w, "GET", &format!("/rival/chat/chatfiles/{}", secret.0)).by(&w.other.token);
        elsewhere.header("share-secret", &secret.1).await.refused(404, "entity_not_found", "file may not exists");
    }
}

#[tokio::test]
async fn what_is_not_there_is_said_so() {
    let w = World::new().await;
    for file in ["00000000-0000-1000-8000-000000000000", "exists", "x", "%00"] {
        let reply = w.get(&format!("/chatfiles/{file}")).await;
        assert_eq!(reply.fault().status, 404, "{file}");
    }
    let film = stored(&w.upload(file(b"a film")).await);
    let frame = w.get(&format!("/chatfiles/{}?vframe=true", film.0)).await;
    frame.refused(404, "entity_not_found", "file may not exists");
    for (method, path) in [("GET", "/chatfiles"), ("DELETE", "/chatfiles"), ("POST", "/chatfiles/x"), ("PUT", PARTS)] {
        w.call(method, path).await.refused(405, "unsupported_service_operation", "Service operation not supported");
    }
}

#[tokio::test]
async fn forms_that_are_none_are_refused_and_leave_nothing() {
    let w = small().await;
    let before = w.dump().await;
    let missing = "file must be provided.";
    w.call("POST", "/chatfiles").await.refused(400, "illegal_argument", missing);
    w.post("/chatfiles", serde_json::json!({ "file": "x" })).await.refused(400, "illegal_argument", missing);
    w.upload(form(&[])).await.refused(400, "illegal_argument", missing);
    w.upload(form(&[("name=other; filename=x", b"x")])).await.refused(400, "illegal_argument", missing);
    w.call("POST", "/chatfiles").header("content-type", "multipart/form-data").raw(file(b"x")).await.refused(
        400,
        "illegal_argument",
        missing,
    );
    let whole = file(b"some bytes");
    for end in 0..whole.len() - 4 {
        assert_eq!(w.upload(whole[..end].to_vec()).await.fault().status, 400, "{end}");
    }
    let twice = form(&[("name=file", b"x"), ("name=file", b"y")]);
    w.upload(twice).await.refused(400, "illegal_argument", "illegal value: file stands twice");
    let unnamed = form(&[("filename=x", b"x")]);
    let reply = w.upload(unnamed).await;
    reply.refused(400, "illegal_argument", "malformed multipart/form-data: a field has no name");
    while yinxin_core::files::sweep(&w.ctx).await.unwrap() {}
    assert_eq!(w.dump().await, before);
}

#[tokio::test]
async fn a_file_over_the_limit_is_refused_announced_or_not() {
    let w = small().await;
    let error = (413, "file exceeding maximum limit", "the file size exceeds the maximum limit.");
    assert_eq!(w.upload(file(&[7; 1000])).await.status, 200);
    let over = w.upload(file(&[7; 1001])).await;
    over.refused(error.0, error.1, error.2);
    assert_eq!(header(&over, "connection"), "close");
    w.upload(file(&vec![7; 100_000])).await.refused(error.0, error.1, error.2);
    w.call("PUT", &format!("{PARTS}/x"))
        .form(form(&[("name=part_file", &[7; 1001])]))
        .await
        .refused(error.0, error.1, error.2);
    // The limit of other bodies is not that of files, nor the other way round.
    let large = World::new().await;
    assert_eq!(large.upload(file(&vec![7; 600 * 1024])).await.status, 200);
    let json = large.call("POST", "/users").raw(vec![b' '; 600 * 1024]).await;
    json.refused(413, "web_application", "Request Entity Too Large");
}

#[tokio::test]
async fn an_app_that_is_full_is_told_so() {
    let limits = Limits { app_file_bytes: 10, ..Limits::default() };
    let w = World::on(Setup { limits, ..Setup::default() }).await;
    w.upload(file(b"0123456789")).await.ok();
    w.upload(file(b"x")).await.refused(403, "exceed_limit", "the files of the app exceed limit");
}

#[tokio::test]
async fn names_are_cleaned_and_fields_that_mean_nothing_are_passed_over() {
    let w = World::new().await;
    let sent = form(&[
        ("name=\"long\"", &[b'x'; 5000]),
        ("name=\"file\"; filename=\"../../etc/pass\u{1}wd\"", b"x"),
        ("name=\"thumbnail-width\"", b"many"),
    ]);
    let got = w.download(&stored(&w.upload(sent).await)).await;
    assert_eq!(header(&got, "content-disposition"), "attachment; filename=\"passwd\"; filename*=UTF-8''passwd");
    let unnamed = w.download(&stored(&w.upload(form(&[("name=file", b"x")])).await)).await;
    assert_eq!(header(&unnamed, "content-disposition"), "attachment");
}

#[tokio::test]
async fn large_files_come_in_parts() {
    let w = World::of_profile(Profile::Current).await;
    w.register(&["anna", "bert"]).await;
    let anna = w.login("anna").await;
    let begun = w.call("POST", PARTS).by(&anna).await.ok()["entities"][0].clone();
    assert_eq!((&begun["part_lower_limit"], &begun["file_upper_limit"]), (&5_242_880.into(), &10_485_760.into()));
    let upload = begun["uuid"].as_str().unwrap().to_owned();
    let path = format!("{PARTS}/{upload}");
    let part = |number: &str, bytes: &[u8]| {
        let form = form(&[("name=part_file; filename=blob", bytes), ("name=part_number", number.as_bytes())]);
        w.call("PUT", &path).by(&anna).header("restrict-access", "true").form(form)
    };
    let bytes: Vec<u8> = PNG.iter().copied().cycle().take(6 << 20).collect();
    let put = part("2", &bytes[5 << 20..]).await.ok()["entities"][0].clone();
    assert_eq!((&put["part_number"], &put["part_size"]), (&2.into(), &(1 << 20).into()));
    let missing = "parts of the file are missing or too small";
    w.call("POST", &path).by(&anna).await.refused(400, "illegal_argument", missing);
    for number in ["", "0", "-1", "x", "99", "9999999999999999999999"] {
        assert_eq!(part(number, b"x").await.fault().status, 400, "{number}");
    }
    part("1", &bytes[..5 << 20]).await.ok();
    let absent = (404, "entity_not_found", "file may not exists");
    w.call("POST", &path).await.refused(absent.0, absent.1, absent.2);
    let done = w.call("POST", &format!("{path}?restrict-access=true&chat-type=CHAT&chat-target=bert")).by(&anna).await;
    assert_eq!(done.ok()["uri"], "http://im.test/acme/chat/chatfiles");
    let stored = stored(&done);
    assert_eq!(stored.0, upload);
    let got = w.download(&stored).by(&w.login("bert").await).await;
    assert!(got.body == bytes && header(&got, "content-type") == "image/png");
    w.get(&format!("/chatfiles/{upload}")).by(&anna).await.refused(403, "forbidden_op", "chatfile no permission");
    let across = w.download(&stored).header("range", "bytes=5242870-5242889").await;
    assert_eq!((across.status, &across.body[..]), (206, &bytes[5_242_870..5_242_890]));
    w.call("DELETE", &path).by(&anna).await.refused(absent.0, absent.1, absent.2);
    let other = w.call("POST", PARTS).by(&anna).await.ok()["entities"][0]["uuid"].as_str().unwrap().to_owned();
    w.call("DELETE", &format!("{PARTS}/{other}")).by(&anna).await.ok();
    w.call("DELETE", &format!("{PARTS}/{other}")).by(&anna).await.refused(absent.0, absent.1, absent.2);
}

#[tokio::test]
async fn pages_of_any_origin_may_do_all_this() {
    let w = World::new().await;
    let preflight = Ask::new(&w, "OPTIONS", "/acme/chat/chatfiles/x").await;
    let listed = |headers: &HeaderMap, name: &str| headers[name].to_str().unwrap().to_ascii_lowercase();
    let allowed = listed(&preflight.headers, "access-control-allow-headers");
    for header in ["x-requested-with", "share-secret", "restrict-access", "authorization", "thumbnail", "range"] {
        assert!(allowed.split(", ").any(|one| one == header), "{header}: {allowed}");
    }
    let got = w.download(&stored(&w.upload(file(b"x")).await)).await;
    assert_eq!(listed(&got.headers, "access-control-allow-origin"), "*");
    assert!(listed(&got.headers, "access-control-expose-headers").contains("content-disposition"));
}
