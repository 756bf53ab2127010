//! Apps: two changes at once are both kept, nothing is added to an app that is gone, and one from before there were
//! signed calls gets what they need.

use std::collections::HashSet;
use std::sync::Arc;

use yinxin_core::apps::{self, AppChanges, Brought, Profile};
use yinxin_core::names::{NameRule, Username};
use yinxin_core::push::{self, NewNotifier};
use yinxin_core::rooms::RoomUid;
use yinxin_core::rooms::tokens as room_tokens;
use yinxin_core::users::{self, Enrollment, Import, Registration};
use yinxin_core::{Code, Error};

use crate::kit::{Site, secret};

#[tokio::test]
async fn changes_of_two_callers_are_both_kept() {
    let site = Site::new().await;
    // Both have seen the app as it was at first.
    let open = AppChanges { open_registration: Some(true), ..AppChanges::default() };
    apps::change(&site.ctx, &site.app, open).await.unwrap();
    let current = AppChanges { profile: Some(Profile::Current), user_token_ttl_s: Some(7), ..AppChanges::default() };
    let app = apps::change(&site.ctx, &site.app, current).await.unwrap();
    assert!(app.settings.open_registration);
    assert_eq!((app.settings.profile, app.settings.user_token_ttl_s), (Profile::Current, 7));
    assert_eq!(app.settings.contacts_max, site.app.settings.contacts_max);
}

#[tokio::test]
async fn a_change_that_is_not_legal_changes_nothing() {
    let site = Site::new().await;
    for illegal in [
        AppChanges { user_token_ttl_s: Some(-1), ..AppChanges::default() },
        AppChanges { app_token_ttl_s: Some(i64::MAX), ..AppChanges::default() },
        AppChanges { contacts_max: Some(-1), ..AppChanges::default() },
    ] {
        let changes = AppChanges { open_registration: Some(true), ..illegal };
        assert!(apps::change(&site.ctx, &site.app, changes).await.is_err(), "{changes:?}");
    }
    assert_eq!(apps::find(&site.ctx, "org", "app").await.unwrap().settings, site.app.settings);
}

#[tokio::test]
async fn nothing_is_added_to_an_app_that_is_gone() {
    let site = Site::new().await;
    let (ctx, app) = (&site.ctx, &site.app);
    apps::delete(ctx, app).await.unwrap();
    let registration =
        Registration { username: Some("ann".to_owned()), password: Some(secret("word")), ..Default::default() };
    let text = String::new;
    let notifier = NewNotifier {
        name: "n".to_owned(),
        provider: "FCM".to_owned(),
        environment: "PRODUCTION".to_owned(),
        package_name: None,
        certificate: Some("certificate".to_owned()),
    };
    let request = room_tokens::Request { uid: RoomUid::new(7).unwrap(), room: None, ttl_s: None, repeat_use: None };
    let dora = Username::parse_by(NameRule::SHORT, "dora").unwrap();
    let enrollment = Enrollment { name: dora, login_token: None, profile: Vec::new() };
    let brought = Brought { key: "key".to_owned(), secret: secret("secret"), permission_secret: None };
    let answers = [
        room_tokens::issue(ctx, app, &request).await.map(drop),
        users::enroll(ctx, app, enrollment).await.map(drop),
        apps::adopt(ctx, app, brought).await.map(drop),
        apps::rotate_signing_secrets(ctx, app).await.map(drop),
        users::register(ctx, app, registration).await.map(drop),
        users::register_without_password(ctx, app, "ben").await.map(drop),
        users::import(ctx, app, vec![Import::parse("carl", None, None).unwrap()]).await.map(drop),
        push::add_template(ctx, app, "t".to_owned(), text(), text()).await.map(drop),
        push::add_notifier(ctx, app, notifier).await.map(drop),
        apps::rotate_secret(ctx, app).await.map(drop),
        apps::change(ctx, app, AppChanges::default()).await.map(drop),
        apps::delete(ctx, app).await,
    ];
    for answer in answers {
        assert_eq!(answer.map_err(|error| error.code), Err(Code::AppNotFound));
    }
    for sql in [
        "SELECT 1 FROM app_secrets",
        "SELECT 1 FROM users",
        "SELECT 1 FROM handles",
        "SELECT 1 FROM push_templates",
        "SELECT 1 FROM notifiers",
        "SELECT 1 FROM room_tokens",
    ] {
        let rows = ctx
            .db
            .read(sql, |tx, sql| Box::pin(async move { Ok::<_, Error>(tx.rows(sql, &[]).await?) }))
            .await
            .unwrap();
        assert!(rows.is_empty(), "{sql}");
    }
}

/// Makes the app what it was before signed calls were known.
async fn forget_signing(site: &Site) {
    let changed = site.ctx.db.write((), |tx, ()| {
        Box::pin(async move {
            tx.exec("UPDATE apps SET signing_key = NULL", &[]).await?;
            tx.exec("DELETE FROM app_secrets WHERE kind <> 'client'", &[]).await
        })
    });
    assert_eq!(changed.await.unwrap_or_else(|error: yinxin_store::Error| panic!("{error}")), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_app_from_before_signed_calls_gets_one_set_of_keys() {
    let site = Site::new().await;
    forget_signing(&site).await;
    // As after an update: nothing is in memory.
    let ctx = site.setup.open().await;
    let looking: Vec<_> = (0..8)
        .map(|_| {
            let ctx = Arc::clone(&ctx);
            tokio::spawn(async move {
                let app = apps::find(&ctx, "org", "app").await.unwrap();
                let signing = &app.signing;
                [&*signing.key, signing.reveal_secret(), signing.reveal_permission_secret()].join(" ")
            })
        })
        .collect();
    let mut seen = HashSet::new();
    for look in looking {
        seen.insert(look.await.unwrap());
    }
    assert_eq!(seen.len(), 1, "{seen:?}");
    let app = apps::find(&ctx, "org", "app").await.unwrap();
    assert_eq!(app.signing.key.len(), 32);
    assert_eq!(app.reveal_client_secret(), site.app.reveal_client_secret());
    assert!(Arc::ptr_eq(&app, &apps::find_by_signing_key(&ctx, &app.signing.key).await.unwrap()));
}

#[tokio::test]
async fn an_app_is_found_by_its_present_key_only() {
    let site = Site::new().await;
    let (ctx, app) = (&site.ctx, &site.app);
    let old = app.signing.key.clone();
    let other = apps::create(ctx, yinxin_core::names::AppName::parse("org/other").unwrap(), AppChanges::default());
    let other = other.await.unwrap();
    let brought = |key: &str| Brought { key: key.to_owned(), secret: secret("s"), permission_secret: None };
    assert_eq!(apps::adopt(ctx, &other, brought(&old)).await.err().map(|e| e.code), Some(Code::SigningKeyTaken));
    apps::adopt(ctx, app, brought("new")).await.unwrap();
    assert_eq!(apps::find_by_signing_key(ctx, "new").await.unwrap().id, app.id);
    assert_eq!(apps::find_by_signing_key(ctx, &old).await.err().map(|e| e.code), Some(Code::AppNotFound));
    apps::adopt(ctx, &other, brought(&old)).await.unwrap();
    assert_eq!(apps::find_by_signing_key(ctx, &old).await.unwrap().id, other.id);
}
