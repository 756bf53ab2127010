use std::fmt::Write as _;

use yinxin_core::{Code, Error};

use super::{At, wire};

#[test]
fn every_code_has_an_answer_in_a_call_and_at_a_join() {
    let mut table = String::new();
    for &code in Code::ALL {
        let error = Error::about(code, "<value>").with_limit(77);
        let [call, join] = [At::Call, At::Join].map(|at| {
            let wire = wire(at, &error);
            format!("{} {} {}", wire.code, wire.status, wire.desc)
        });
        writeln!(table, "{}\n  {call}", code.name()).unwrap();
        if join != call {
            writeln!(table, "  join: {join}").unwrap();
        }
    }
    insta::assert_snapshot!(table);
}

/// What a caller did is never our failure, and the other way round; a refusal is never taken for a success.
#[test]
fn only_our_own_failures_say_so() {
    for &code in Code::ALL {
        for at in [At::Call, At::Join] {
            let wire = wire(at, &Error::from(code));
            let ours = code.is_our_failure() && code != Code::StorageAway;
            assert_eq!(wire.code == 500, ours, "{code:?}");
            assert!(wire.code >= 300 && (400..600).contains(&wire.status), "{code:?}");
            assert!(!wire.desc.is_empty(), "{code:?}");
            let unavailable = matches!(code, Code::Busy | Code::StorageAway | Code::NotOffered);
            assert_eq!(wire.status >= 500, ours || unavailable, "{code:?}");
        }
    }
}
