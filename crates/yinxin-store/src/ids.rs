//! The keys rows are found by. 16 bytes each, stored as `BYTEA`.

use crate::value::{Arg, FromValue, Value};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name(pub [u8; 16]);

        impl $name {
            /// This id as a statement's argument.
            pub fn arg(&self) -> Arg<'_> {
                Arg::Bytes(&self.0)
            }
        }

        impl FromValue for $name {
            const EXPECTED: &'static str = "16 bytes";

            fn from_value(value: Value) -> Result<Self, Value> {
                match value {
                    Value::Bytes(bytes) => <[u8; 16]>::try_from(&*bytes).map(Self).map_err(|_| Value::Bytes(bytes)),
                    other => Err(other),
                }
            }
        }
    };
}

id!(
    /// An app: the tenant. Every statement about users names it.
    AppId
);
id!(
    /// A user of one app, whichever dialect made it.
    UserId
);
id!(
    /// A node of a cluster: one life of a process.
    NodeId
);
id!(
    /// A hook of an app.
    HookId
);
id!(
    /// A standing token of an app's backend.
    TokenId
);
id!(
    /// A file of an app.
    FileId
);
id!(
    /// An object in the file store: the bytes of one part of a file.
    ObjectId
);
