//! The printed meaning of a captured frame as the structs of the schema. A key unknown here fails the test.

use prost::Message;
use serde_json::Value;
use yinxin_msync::wire::{
    CommSyncDl, CommSyncUl, CommUnreadDl, Command, Content, Jid, KeyValue, Logout, MSync, MessageBody, Meta, MetaQueue,
    Provision, RosterBody, RosterStatus, StatisticsBody, Status, key_value,
};

/// Sets each named field of a message from the key of the same meaning, and insists that no key is left over.
macro_rules! message {
    (
        $type:ident, $value:expr,
        { $($key:literal => $field:ident: $convert:expr,)* } $(lists { $($keys:literal => $list:ident: $one:expr,)* })?
    ) => {{
        let value: &Value = $value;
        let object = value.as_object().unwrap();
        for key in object.keys() {
            let known = [$($key,)* $($($keys,)*)?];
            assert!(known.contains(&key.as_str()), "{} has no {key}", stringify!($type));
        }
        let mut message = $type::default();
        $(message.$field = object.get($key).map($convert);)*
        $($(if let Some(list) = object.get($keys) {
            message.$list = list.as_array().unwrap().iter().map($one).collect();
        })*)?
        message
    }};
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// 64-bit numbers are printed as text, smaller ones as numbers.
fn number<T: TryFrom<u64, Error: std::fmt::Debug>>(value: &Value) -> T {
    let number = value.as_u64().unwrap_or_else(|| value.as_str().unwrap().parse().unwrap());
    T::try_from(number).unwrap()
}

fn truth(value: &Value) -> bool {
    value.as_bool().unwrap()
}

/// Every enum's printed names that occur in the captures.
fn name(value: &Value) -> i32 {
    match value.as_str().unwrap() {
        "MSYNC_V1" | "SYNC" | "OK" | "ENCRYPT_NONE" | "COMPRESS_NONE" | "STATISTIC" | "INFORMATION" | "ROUTE_ALL"
        | "TEXT" => 0,
        "UNREAD" | "CHAT" => 1,
        "COMPRESS_LZ4" | "ADD" => 2,
        "PROVISION" | "ROSTER" => 3,
        "LOGOUT" | "USER_KICKED_BY_OTHER_DEVICE" => 4,
        "STRING" => 7,
        "OS_OTHER" => 16,
        other => panic!("{other}"),
    }
}

fn jid(value: &Value) -> Jid {
    message!(Jid, value, {
        "appKey" => app_key: text, "name" => name: text, "domain" => domain: text,
        "clientResource" => client_resource: text,
    })
}

fn status(value: &Value) -> Status {
    message!(Status, value, { "errorCode" => error_code: name, })
}

/// The whole frame.
pub fn msync_of(value: &Value) -> MSync {
    let command = name(&value["command"]);
    let payload = |value: &Value| payload(Command::try_from(command).unwrap(), value);
    message!(MSync, value, {
        "version" => version: name, "guid" => guid: jid, "auth" => auth: text,
        "command" => command: name, "payload" => payload: payload, "deviceId" => device_id: number,
        "traceId" => trace_id: number,
    } lists { "encryptType" => encrypt_type: name, })
}

fn payload(command: Command, value: &Value) -> Vec<u8> {
    match command {
        Command::Provision => provision(value).encode_to_vec(),
        Command::Unread => unread(value).encode_to_vec(),
        Command::Logout => message!(Logout, value, {
            "sessionId" => session_id: text, "reason" => reason: text, "status" => status: status,
        })
        .encode_to_vec(),
        Command::Sync if value.get("status").is_some() => sync_down(value).encode_to_vec(),
        Command::Sync => message!(CommSyncUl, value, {
            "meta" => meta: meta, "key" => key: number, "queue" => queue: jid,
        })
        .encode_to_vec(),
        Command::Notice => panic!("not captured"),
    }
}

fn provision(value: &Value) -> Provision {
    message!(Provision, value, {
        "osType" => os_type: name, "version" => version: text, "status" => status: status,
        "deviceUuid" => device_uuid: text, "deviceName" => device_name: text, "resource" => resource: text,
        "actionVersion" => action_version: text, "authToken" => auth_token: text, "sessionId" => session_id: text,
    } lists {
        "compressType" => compress_type: name, "encryptType" => encrypt_type: name,
        "protocolCompressType" => protocol_compress_type: name,
    })
}

fn unread(value: &Value) -> CommUnreadDl {
    let queue = |value: &Value| message!(MetaQueue, value, { "queue" => queue: jid, "n" => n: number, });
    message!(CommUnreadDl, value, {
        "status" => status: status, "timestamp" => timestamp: number,
    } lists { "unread" => unread: queue, })
}

fn sync_down(value: &Value) -> CommSyncDl {
    message!(CommSyncDl, value, {
        "status" => status: status, "metaId" => meta_id: number, "serverId" => server_id: number,
        "nextKey" => next_key: number, "queue" => queue: jid,
        "isLast" => is_last: truth, "timestamp" => timestamp: number,
    } lists { "metas" => metas: meta, })
}

fn meta(value: &Value) -> Meta {
    message!(Meta, value, {
        "id" => id: number, "from" => from: jid, "to" => to: jid,
        "timestamp" => timestamp: number, "ns" => ns: name, "payload" => payload: body,
        "routetype" => routetype: name, "meta" => meta: |it| text(it).into_bytes(),
    })
}

/// The payload of a meta is printed under the name of its type.
fn body(value: &Value) -> Vec<u8> {
    let (body_type, value) = value.as_object().unwrap().iter().next().unwrap();
    match body_type.as_str() {
        "MessageBody" => message!(MessageBody, value, {
            "type" => r#type: name, "from" => from: jid, "to" => to: jid,
        } lists { "contents" => contents: content, "ext" => ext: key_value, })
        .encode_to_vec(),
        "StatisticsBody" => message!(StatisticsBody, value, { "operation" => operation: name, }).encode_to_vec(),
        "RosterBody" => message!(RosterBody, value, {
            "operation" => operation: name, "status" => status: roster_status,
            "from" => from: jid, "reason" => reason: text,
        } lists { "to" => to: jid, })
        .encode_to_vec(),
        other => panic!("{other}"),
    }
}

fn content(value: &Value) -> Content {
    message!(Content, value, { "type" => r#type: name, "text" => text: text, })
}

fn key_value(value: &Value) -> KeyValue {
    message!(KeyValue, value, {
        "key" => key: text, "type" => r#type: name,
        "stringValue" => value: |it| key_value::Value::Text(text(it)),
    })
}

fn roster_status(value: &Value) -> RosterStatus {
    message!(RosterStatus, value, { "errorCode" => error_code: name, })
}
