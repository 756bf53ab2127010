//! No bytes panic as a body, and what passes says who it is from, however it was written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yinxin_msync::body::{EditFacts, clean_meta, describe, digest, edit, inspect, rewrite_identity};
use yinxin_msync::read;
use yinxin_msync::wire::{Jid, MessageBody};

fuzz_target!(|bytes: &[u8]| {
    assert_eq!(describe(bytes).is_ok(), inspect(bytes).is_ok());
    let _ = clean_meta(bytes);
    let _ = digest(bytes);
    let facts = EditFacts { sender: "alice", sent_ms: 1, edited_ms: 2, count: 1 };
    if let Ok(Some(edited)) = edit(bytes, bytes, &facts) {
        assert!(inspect(&edited.message).is_ok() && inspect(&edited.news).is_ok());
    }
    if let Ok(body) = rewrite_identity(bytes, "alice", "bob") {
        assert_eq!(rewrite_identity(&body, "alice", "bob").as_ref(), Ok(&body));
        if let Ok(body) = read::<MessageBody>(&body) {
            assert_eq!((body.from, body.to), (Some(Jid::named("alice")), Some(Jid::named("bob"))));
        }
    }
});
