//! The table of all errors: every code as both profiles answer it, for a reviewer's eyes.

use std::fmt::Write as _;

use http_body_util::BodyExt;
use serde_json::Value;

use super::*;

/// The calls of which a code's answer is shown: one where all answer alike, else one of each kind.
fn calls(code: Code) -> &'static [Op] {
    match code {
        Code::TokenMissing => &[Op::UserGet, Op::ContactAdd, Op::Deactivate, Op::Token, Op::AttributesGet],
        Code::Forbidden => &[Op::UserGet, Op::ContactAdd, Op::Deactivate, Op::Token, Op::AttributesPut],
        Code::TokenUnknown => &[Op::UserGet, Op::Token, Op::AttributesGet],
        Code::UserNotFound => &[
            Op::UserGet,
            Op::UserPut,
            Op::PasswordSet,
            Op::Deactivate,
            Op::Activate,
            Op::MuteSet,
            Op::PushNicknames,
            Op::PushRuleSet,
            Op::AttributesPut,
        ],
        Code::UsernameMissing => &[Op::UserRegister, Op::Token, Op::MuteSet, Op::ContactCheck],
        Code::PasswordMissing => &[Op::UserRegister, Op::Token],
        Code::NicknameTooLong => &[Op::UserRegister, Op::PushNicknames],
        Code::ContactsFull => &[Op::ContactAdd, Op::ContactImport],
        Code::NamesEmpty => &[Op::PresenceSubscribe, Op::PushNicknames],
        Code::TooManyNames => &[Op::StatusBatch, Op::ContactCheck, Op::PresenceGet, Op::PushNicknames],
        Code::MediaTypeUnsupported => &[Op::UserGet, Op::AttributesPut],
        Code::RouteNotFound => &[Op::Unknown, Op::PushRuleGet],
        Code::ClientIdMissing
        | Code::ClientSecretMissing
        | Code::ClientIdMismatch
        | Code::ClientSecretMismatch
        | Code::GrantUnknown
        | Code::TtlIllegal
        | Code::WrongPassword
        | Code::LoginUnknownUser
        | Code::UserInactive => &[Op::Token],
        Code::BlockTargetNotFound => &[Op::BlockAdd],
        Code::FileNotFound
        | Code::FileSecretWrong
        | Code::FileTooLarge
        | Code::FileMissing
        | Code::FilesFull
        | Code::TooManyUploads
        | Code::PartsMissing
        | Code::RangeIllegal
        | Code::FormMalformed
        | Code::FileStore => &[Op::FileUpload],
        _ => &[Op::UserGet],
    }
}

/// What stands in the place of the value an error is about.
fn subject(code: Code) -> &'static str {
    match code {
        Code::TokenMissing | Code::Forbidden => "applications:get:<app>:/users/<user>",
        Code::AppNotFound => "org/app/users",
        Code::BlockTargetNotFound => "<blocked>/<owner>",
        _ => "<value>",
    }
}

async fn answered(op: Op, profile: Profile, code: Code) -> String {
    let error = Error::about(code, subject(code)).with_limit(77);
    let response = render(op, profile, &error, 1_700_000_000_000);
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    if body.is_empty() {
        return format!("{status} with an empty body");
    }
    let body: Value = serde_json::from_slice(&body).unwrap();
    let text = |key: &str| body[key].as_str().unwrap_or("-").to_owned();
    match body.get("desc") {
        Some(desc) => format!("{status} desc: {desc}"),
        None => format!("{status} {} | {} | {}", text("error"), text("exception"), text("error_description")),
    }
}

#[tokio::test]
async fn every_code_has_an_answer_in_both_profiles() {
    let mut table = String::new();
    for &code in Code::ALL {
        writeln!(table, "{}", code.name()).unwrap();
        for &op in calls(code) {
            let [seed, current] = [answered(op, Profile::Seed, code).await, answered(op, Profile::Current, code).await];
            if seed == current {
                writeln!(table, "  {:<20} {seed}", op.label()).unwrap();
            } else {
                writeln!(table, "  {:<20} seed     {seed}\n  {:<20} current  {current}", op.label(), "").unwrap();
            }
        }
    }
    insta::assert_snapshot!(table);
}

/// What a caller did is never our failure, and the other way round.
#[test]
fn only_our_own_failures_are_5xx() {
    for &code in Code::ALL {
        let ours = code.is_our_failure();
        for &op in Op::ALL {
            for profile in [Profile::Seed, Profile::Current] {
                let wire = wire(op, profile, &Error::from(code));
                assert_eq!(wire.status >= 500, ours, "{code:?} {op:?}");
                assert!((400..600).contains(&wire.status) && !wire.error.is_empty(), "{code:?} {op:?}");
                assert_eq!(wire.exception.is_none(), wire.error.contains("grant"), "{code:?} {op:?}");
            }
        }
    }
}
