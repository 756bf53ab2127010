//! Apps: two changes at once are both kept, and nothing is added to an app that is gone.

use yinxin_core::apps::{self, AppChanges, Profile};
use yinxin_core::push::{self, NewNotifier};
use yinxin_core::users::{self, Import, Registration};
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
    let answers = [
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
    ] {
        let rows = ctx
            .db
            .read(sql, |tx, sql| Box::pin(async move { Ok::<_, Error>(tx.rows(sql, &[]).await?) }))
            .await
            .unwrap();
        assert!(rows.is_empty(), "{sql}");
    }
}
