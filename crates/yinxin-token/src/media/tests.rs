//! Known answers, computed with Python's `hmac` and `json`; and that no argument makes a credential say more.

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::livekit::Grant;
use super::*;

const UNTIL_S: i64 = 1_700_003_600;
const API_SECRET: &str = "secretsecretsecretsecretsecretse";

fn grant() -> Grant<'static> {
    Grant {
        identity: "10000",
        room: "room 1",
        sends_audio: true,
        sends_video: true,
        receives: true,
        from_s: 1_700_000_000,
        until_s: UNTIL_S,
    }
}

/// The claims of a token.
fn claims(token: &str) -> Value {
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[test]
fn janus_reads_who_may_use_which_plugin_and_which_room() {
    let plugins = ["janus.plugin.videoroom".to_owned(), "janus.plugin.echotest".to_owned()];
    assert_eq!(
        janus::seal_server(&plugins, UNTIL_S, "janus secret").unwrap(),
        "1700003600,janus,janus.plugin.videoroom,janus.plugin.echotest:m5I7cJpdam2VA2B5Aph2W8f5tww="
    );
    assert_eq!(
        janus::seal_room("1234", UNTIL_S, "janus secret").unwrap(),
        "1700003600,janus.plugin.videoroom,room=1234:nl8Zfam9hTXvpOBs9M1ogP+KRq4="
    );
}

#[test]
fn a_turn_server_reads_until_when_and_for_whom() {
    let credential = turn::seal("10000", UNTIL_S, "turn secret");
    assert_eq!(credential.username, "1700003600:10000");
    assert_eq!(credential.password, "pUD0G+R7pPNyUmJR6MND87oLnkc=");
}

#[test]
fn livekit_reads_a_jwt() {
    assert_eq!(
        livekit::seal(&grant(), "APIkey", API_SECRET),
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjE3MDAwMDM2MDAsImlzcyI6IkFQSWtleSIsIm5iZiI6MTcwMDAwMDAwMCwic3Vi\
         IjoiMTAwMDAiLCJ2aWRlbyI6eyJjYW5QdWJsaXNoIjp0cnVlLCJjYW5QdWJsaXNoRGF0YSI6dHJ1ZSwiY2FuU3Vic2NyaWJlIjp0cnVlLCJyb29t\
         Ijoicm9vbSAxIiwicm9vbUpvaW4iOnRydWV9fQ.ptWDUgOzTlCQEWYwKSlgMr5NfD7hfpAJLQzjIKKFWls"
    );
    let listener = Grant { sends_audio: false, sends_video: false, ..grant() };
    assert_eq!(
        livekit::seal(&listener, "APIkey", API_SECRET),
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjE3MDAwMDM2MDAsImlzcyI6IkFQSWtleSIsIm5iZiI6MTcwMDAwMDAwMCwic3Vi\
         IjoiMTAwMDAiLCJ2aWRlbyI6eyJjYW5QdWJsaXNoIjpmYWxzZSwiY2FuUHVibGlzaERhdGEiOmZhbHNlLCJjYW5TdWJzY3JpYmUiOnRydWUsInJv\
         b20iOiJyb29tIDEiLCJyb29tSm9pbiI6dHJ1ZX19.r_PLvyOgDrDQaF7Em0mP2MYVa5HKYH2nf0afMYYv8MI"
    );
}

#[test]
fn livekit_is_told_each_denial() {
    let video = |grant: Grant<'_>| claims(&livekit::seal(&grant, "APIkey", API_SECRET))["video"].take();
    let told = video(Grant { sends_video: false, receives: false, ..grant() });
    assert_eq!(told["canPublishSources"], json!(["microphone", "screen_share_audio"]));
    assert_eq!((&told["canPublish"], &told["canSubscribe"]), (&json!(true), &json!(false)));
    let told = video(Grant { sends_audio: false, ..grant() });
    assert_eq!(told["canPublishSources"], json!(["camera", "screen_share"]));
    assert_eq!(video(grant()).get("canPublishSources"), None);
}

#[test]
fn the_admission_key_is_made_of_app_secret_and_server() {
    let key = admission::key(&[1; 16], "c00000000000", &[7; 32]);
    assert_eq!(key, "bedafcdc11389549c814cb7148c2e75046c45b280ce4074412735db1690d9096");
    assert!(admission::is(&key, &key));
    for other in [
        admission::key(&[2; 16], "c00000000000", &[7; 32]),
        admission::key(&[1; 16], "c00000000001", &[7; 32]),
        admission::key(&[1; 16], "c00000000000", &[8; 32]),
        key[1..].to_owned(),
        format!("{key}0"),
        String::new(),
    ] {
        assert!(!admission::is(&other, &key), "{other}");
    }
}

/// Reads a token as Janus does: at the first colon, then at the commas.
fn read_as_janus(token: &str, secret: &str) -> Vec<String> {
    let (signed, signature) = token.split_once(':').unwrap();
    assert_eq!(signature, sign(secret, signed));
    signed.split(',').map(str::to_owned).collect()
}

proptest! {
    #[test]
    fn a_room_of_janus_is_one_room_or_none(room in "[ -~≤]{0,20}", until_s in 0..i64::MAX, secret in ".*") {
        match janus::seal_room(&room, until_s, &secret) {
            Some(token) => prop_assert_eq!(
                read_as_janus(&token, &secret),
                [until_s.to_string(), janus::VIDEO_ROOM.to_owned(), format!("room={room}")]
            ),
            None => prop_assert!(room.contains([',', ':'])),
        }
    }

    #[test]
    fn plugins_of_janus_are_those(plugins in prop::collection::vec("[ -~]{0,8}", 0..4)) {
        match janus::seal_server(&plugins, UNTIL_S, "s") {
            Some(token) => prop_assert_eq!(
                read_as_janus(&token, "s").split_off(2),
                if plugins.is_empty() { vec![String::new()] } else { plugins.clone() }
            ),
            None => prop_assert!(!plugins.iter().all(|plugin| janus::can_say(plugin))),
        }
    }

    #[test]
    fn livekit_reads_what_was_granted(
        identity in ".*", room in ".*", bits in 0_u8..8, until_s: i64, key in ".*", secret in ".*",
    ) {
        let (sends_audio, sends_video, receives) = (bits & 1 != 0, bits & 2 != 0, bits & 4 != 0);
        let grant = Grant { identity: &identity, room: &room, sends_audio, sends_video, receives, from_s: 0, until_s };
        let token = livekit::seal(&grant, &key, &secret);
        prop_assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)));
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let expected = crate::netease::hmac_sha256(secret.as_bytes(), &[signed.as_bytes()]);
        prop_assert_eq!(URL_SAFE_NO_PAD.decode(signature).unwrap(), expected);
        let claims = claims(&token);
        prop_assert_eq!(&claims["sub"], &json!(identity));
        prop_assert_eq!(&claims["iss"], &json!(key));
        prop_assert_eq!(&claims["exp"], &json!(until_s));
        let video = &claims["video"];
        prop_assert_eq!(&video["room"], &json!(room));
        prop_assert_eq!(&video["canPublish"], &json!(sends_audio || sends_video));
        prop_assert_eq!(&video["canSubscribe"], &json!(receives));
        for admin in ["roomAdmin", "roomCreate", "roomList", "roomRecord", "ingressAdmin", "hidden"] {
            prop_assert_eq!(video.get(admin), None);
        }
    }

    #[test]
    fn a_turn_user_name_begins_with_its_end(user in "[0-9]{1,19}", until_s in 0..i64::MAX, secret in ".*") {
        let credential = turn::seal(&user, until_s, &secret);
        prop_assert_eq!(credential.username.split_once(':'), Some((&*until_s.to_string(), &*user)));
        prop_assert_eq!(credential.password, sign(&secret, &credential.username));
    }
}
