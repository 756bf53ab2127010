//! Addresses, and the typed values of extensions.

use prost::{Enumeration, Message, Oneof};

/// The domain of users' addresses, and of the nameless address of the server itself.
pub const USER_DOMAIN: &str = "easemob.com";
/// The domain of groups' and rooms' addresses.
pub const GROUP_DOMAIN: &str = "conference.easemob.com";

/// An address: a user, one device of a user, a group, or (without name) the server.
#[derive(Clone, PartialEq, Eq, Hash, Message)]
pub struct Jid {
    /// `org#app`.
    #[prost(string, optional, tag = "1")]
    pub app_key: Option<String>,
    /// The user's or group's id.
    #[prost(string, optional, tag = "2")]
    pub name: Option<String>,
    /// [`USER_DOMAIN`] or [`GROUP_DOMAIN`].
    #[prost(string, optional, tag = "3")]
    pub domain: Option<String>,
    /// The device.
    #[prost(string, optional, tag = "4")]
    pub client_resource: Option<String>,
}

impl Jid {
    /// A user, whatever the device; also the name of the queue of messages from that user.
    pub fn user(app_key: &str, name: &str) -> Self {
        Self { name: Some(name.into()), ..Self::server(app_key) }
    }

    /// One device of a user.
    pub fn device(app_key: &str, name: &str, resource: &str) -> Self {
        Self { client_resource: Some(resource.into()), ..Self::user(app_key, name) }
    }

    /// A group or room.
    pub fn group(app_key: &str, id: &str) -> Self {
        Self { domain: Some(GROUP_DOMAIN.into()), ..Self::user(app_key, id) }
    }

    /// The server of an app: the sender of kicks, and the queue of what comes from nobody.
    pub fn server(app_key: &str) -> Self {
        Self { app_key: Some(app_key.into()), name: None, domain: Some(USER_DOMAIN.into()), client_resource: None }
    }

    /// A name alone, as inside a message body.
    pub fn named(name: &str) -> Self {
        Self { name: Some(name.into()), ..Self::default() }
    }
}

/// One entry of an extension, of a command's parameters or of a custom message.
#[derive(Clone, PartialEq, Message)]
pub struct KeyValue {
    /// Its key.
    #[prost(string, optional, tag = "1")]
    pub key: Option<String>,
    /// A [`ValueType`]; says how [`Self::value`] is meant.
    #[prost(int32, optional, tag = "2")]
    pub r#type: Option<i32>,
    /// Its value.
    #[prost(oneof = "key_value::Value", tags = "3, 4, 5, 6")]
    pub value: Option<key_value::Value>,
}

/// The value of a [`KeyValue`].
pub mod key_value {
    use super::Oneof;

    /// The four forms a value has on the wire.
    #[derive(Clone, PartialEq, Oneof)]
    pub enum Value {
        /// BOOL, INT, UINT and LLINT.
        #[prost(int64, tag = "3")]
        Varint(i64),
        /// FLOAT.
        #[prost(float, tag = "4")]
        Float(f32),
        /// DOUBLE.
        #[prost(double, tag = "5")]
        Double(f64),
        /// STRING and JSON_STRING.
        #[prost(string, tag = "6")]
        Text(String),
    }
}

/// How the value of a [`KeyValue`] is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
pub enum ValueType {
    /// 0 or 1.
    Bool = 1,
    /// What JavaScript clients send every integer as.
    Int = 2,
    /// Unsigned.
    Uint = 3,
    /// 64 bits.
    LlInt = 4,
    /// 32-bit floating point.
    Float = 5,
    /// What JavaScript clients send every other number as.
    Double = 6,
    /// Text.
    String = 7,
    /// An object or a list, as JSON text.
    JsonString = 8,
}
