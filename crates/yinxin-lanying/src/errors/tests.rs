use std::fmt::Write as _;

use yinxin_core::{Code, Error};

use super::{At, Manner, Wire};

fn wire(at: At, error: &Error) -> Wire {
    super::wire(Manner::of(at, None), error)
}

const KINDS: [At; 4] = [At::Call, At::Login, At::Dns, At::Upload];

#[test]
fn every_code_has_an_answer_in_every_kind_of_call() {
    let mut table = String::new();
    for &code in Code::ALL {
        let error = Error::about(code, "<value>").with_limit(77);
        let [call, others @ ..] = KINDS.map(|at| {
            let wire = wire(at, &error);
            format!("{} {} {}", wire.code, wire.status, wire.message)
        });
        writeln!(table, "{}\n  {call}", code.name()).unwrap();
        for (other, at) in others.iter().zip(&KINDS[1..]) {
            if *other != call {
                writeln!(table, "  {at:?}: {other}").unwrap();
            }
        }
    }
    insta::assert_snapshot!(table);
}

/// What a caller did is never our failure, and the other way round; a refusal is never taken for a success.
#[test]
fn only_our_own_failures_say_so() {
    for &code in Code::ALL {
        for at in KINDS {
            let wire = wire(at, &Error::from(code));
            let ours = code.is_our_failure() && code != Code::StorageAway;
            assert_eq!(wire.status == 500, ours, "{code:?}");
            let unavailable = matches!(code, Code::Busy | Code::StorageAway | Code::NotOffered);
            assert_eq!(wire.status >= 500, ours || unavailable, "{code:?}");
            assert!(wire.code != 200 && !wire.message.is_empty(), "{code:?}");
        }
    }
}

/// Whoever guesses learns from a refused login neither whether there is such a user nor what was wrong.
#[test]
fn a_refused_login_is_known_by_its_text() {
    let wire = wire(At::Login, &Error::about(Code::WrongPassword, "ann"));
    assert_eq!((wire.code, wire.status, &*wire.message), (402, 200, "Operation rejected"));
}
