//! The payload of a hint: a protocol buffer, so that nodes of two releases understand each other while one takes the
//! other's place. Whatever bytes come, reading them gives a hint, nothing, or an error.

use std::net::IpAddr;
use std::sync::Arc;

use prost::{Message, Oneof};
use yinxin_core::bus::Hint;
use yinxin_core::presence::News;
use yinxin_core::{AppId, HookId, NodeId, Touched, UserId};

/// Not a hint.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a payload on the bus is not a hint: {0}")]
pub struct Malformed(&'static str);

#[derive(Clone, PartialEq, Message)]
struct Envelope {
    #[prost(bytes = "vec", tag = "1")]
    from: Vec<u8>,
    #[prost(oneof = "Body", tags = "2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12")]
    body: Option<Body>,
}

#[derive(Clone, PartialEq, Oneof)]
enum Body {
    #[prost(message, tag = "2")]
    Wake(Wake),
    #[prost(message, tag = "3")]
    News(NewsFor),
    #[prost(message, tag = "4")]
    Renew(Renew),
    #[prost(message, tag = "5")]
    Endings(Empty),
    #[prost(message, tag = "6")]
    Touches(Touches),
    #[prost(uint64, tag = "7")]
    Heard(u64),
    #[prost(message, tag = "8")]
    Outbox(Outbox),
    #[prost(uint64, tag = "9")]
    Resync(u64),
    #[prost(uint64, tag = "10")]
    LastTouches(u64),
    #[prost(uint64, tag = "11")]
    Told(u64),
    #[prost(message, tag = "12")]
    Hurry(Touch),
}

#[derive(Clone, Copy, PartialEq, Message)]
struct Empty {}

#[derive(Clone, PartialEq, Message)]
struct Wake {
    #[prost(bytes = "vec", tag = "1")]
    app: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    user: Vec<u8>,
    #[prost(string, tag = "3")]
    queue: String,
    #[prost(string, optional, tag = "4")]
    but: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
struct NewsFor {
    #[prost(bytes = "vec", tag = "1")]
    app: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    user: Vec<u8>,
    #[prost(string, tag = "3")]
    username: String,
    #[prost(int64, tag = "4")]
    last_s: i64,
    #[prost(int64, tag = "5")]
    expires_in_s: i64,
    #[prost(string, tag = "6")]
    ext: String,
    #[prost(message, repeated, tag = "7")]
    devices: Vec<Status>,
}

#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(string, tag = "1")]
    resource: String,
    #[prost(int64, tag = "2")]
    status: i64,
}

#[derive(Clone, PartialEq, Message)]
struct Renew {
    #[prost(bytes = "vec", tag = "1")]
    app: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    user: Vec<u8>,
    /// 4 or 16 bytes.
    #[prost(bytes = "vec", tag = "3")]
    from: Vec<u8>,
    #[prost(int64, tag = "4")]
    token_ends_ms: i64,
}

#[derive(Clone, PartialEq, Message)]
struct Touches {
    #[prost(uint64, tag = "1")]
    number: u64,
    #[prost(message, repeated, tag = "2")]
    touched: Vec<Touch>,
}

/// The app alone, or with a user or a number in rooms.
#[derive(Clone, PartialEq, Message)]
struct Touch {
    #[prost(bytes = "vec", tag = "1")]
    app: Vec<u8>,
    #[prost(bytes = "vec", optional, tag = "2")]
    user: Option<Vec<u8>>,
    #[prost(int64, optional, tag = "3")]
    uid: Option<i64>,
    #[prost(bytes = "vec", optional, tag = "4")]
    hook: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
struct Outbox {
    #[prost(message, repeated, tag = "1")]
    hooks: Vec<Touch>,
}

/// A hint as bytes.
pub fn encode(from: NodeId, hint: &Hint) -> Vec<u8> {
    let id = |id: [u8; 16]| id.to_vec();
    let body = match hint {
        Hint::Wake { app, user, queue, but } => {
            Body::Wake(Wake { app: id(app.0), user: id(user.0), queue: queue.clone(), but: but.clone() })
        }
        Hint::News { app, user, news } => Body::News(NewsFor {
            app: id(app.0),
            user: id(user.0),
            username: news.username.clone(),
            last_s: news.last_s,
            expires_in_s: news.expires_in_s,
            ext: news.ext.clone(),
            devices: news
                .devices
                .iter()
                .map(|(resource, status)| Status { resource: resource.clone(), status: *status })
                .collect(),
        }),
        Hint::Renew { app, user, from, token_ends_ms } => Body::Renew(Renew {
            app: id(app.0),
            user: id(user.0),
            from: match from {
                IpAddr::V4(v4) => v4.octets().to_vec(),
                IpAddr::V6(v6) => v6.octets().to_vec(),
            },
            token_ends_ms: *token_ends_ms,
        }),
        Hint::Endings => Body::Endings(Empty {}),
        Hint::Touches { number, touched } => {
            Body::Touches(Touches { number: *number, touched: touched.iter().map(touch).collect() })
        }
        Hint::LastTouches { number } => Body::LastTouches(*number),
        Hint::Told { number } => Body::Told(*number),
        Hint::Heard { number } => Body::Heard(*number),
        Hint::Outbox(hooks) => Body::Outbox(Outbox {
            hooks: hooks.iter().map(|(app, hook)| touch(&Touched::Outbox(*app, *hook))).collect(),
        }),
        Hint::Resync { number } => Body::Resync(*number),
        Hint::Hurry { app, hook } => Body::Hurry(touch(&Touched::Outbox(*app, *hook))),
    };
    Envelope { from: id(from.0), body: Some(body) }.encode_to_vec()
}

fn touch(touched: &Touched) -> Touch {
    let (app, mut touch) = match touched {
        Touched::App(app) => (app, Touch::default()),
        Touched::User(app, user) => (app, Touch { user: Some(user.0.to_vec()), ..Touch::default() }),
        Touched::RoomTokens(app, uid) => (app, Touch { uid: Some(*uid), ..Touch::default() }),
        Touched::Outbox(app, hook) => (app, Touch { hook: Some(hook.0.to_vec()), ..Touch::default() }),
    };
    touch.app = app.0.to_vec();
    touch
}

/// A hint and its sender. `None`: a newer node has said something that this one does not know.
pub fn decode(bytes: &[u8]) -> Result<(NodeId, Option<Hint>), Malformed> {
    let envelope = Envelope::decode(bytes).map_err(|_| Malformed("not a protocol buffer"))?;
    let from = NodeId(id(&envelope.from)?);
    Ok((from, envelope.body.map(read).transpose()?))
}

fn read(body: Body) -> Result<Hint, Malformed> {
    Ok(match body {
        Body::Wake(Wake { app, user, queue, but }) => {
            Hint::Wake { app: AppId(id(&app)?), user: UserId(id(&user)?), queue, but }
        }
        Body::News(news) => Hint::News {
            app: AppId(id(&news.app)?),
            user: UserId(id(&news.user)?),
            news: Arc::new(News {
                username: news.username,
                last_s: news.last_s,
                expires_in_s: news.expires_in_s,
                ext: news.ext,
                devices: news.devices.into_iter().map(|device| (device.resource, device.status)).collect(),
            }),
        },
        Body::Renew(Renew { app, user, from, token_ends_ms }) => {
            Hint::Renew { app: AppId(id(&app)?), user: UserId(id(&user)?), from: address(&from)?, token_ends_ms }
        }
        Body::Endings(Empty {}) => Hint::Endings,
        Body::Touches(Touches { number, touched }) => {
            Hint::Touches { number, touched: touched.iter().map(touched_by).collect::<Result<_, _>>()? }
        }
        Body::LastTouches(number) => Hint::LastTouches { number },
        Body::Told(number) => Hint::Told { number },
        Body::Heard(number) => Hint::Heard { number },
        Body::Outbox(Outbox { hooks }) => Hint::Outbox(hooks.iter().map(hook_of).collect::<Result<_, _>>()?),
        Body::Hurry(touch) => {
            let (app, hook) = hook_of(&touch)?;
            Hint::Hurry { app, hook }
        }
        Body::Resync(number) => Hint::Resync { number },
    })
}

fn touched_by(touch: &Touch) -> Result<Touched, Malformed> {
    let app = AppId(id(&touch.app)?);
    Ok(match touch {
        Touch { user: Some(user), .. } => Touched::User(app, UserId(id(user)?)),
        Touch { uid: Some(uid), .. } => Touched::RoomTokens(app, *uid),
        Touch { hook: Some(hook), .. } => Touched::Outbox(app, HookId(id(hook)?)),
        // Of what a newer node tells apart, this one forgets more.
        Touch { .. } => Touched::App(app),
    })
}

fn hook_of(touch: &Touch) -> Result<(AppId, HookId), Malformed> {
    Ok((AppId(id(&touch.app)?), HookId(id(touch.hook.as_deref().unwrap_or_default())?)))
}

fn id(bytes: &[u8]) -> Result<[u8; 16], Malformed> {
    bytes.try_into().map_err(|_| Malformed("an id does not have 16 bytes"))
}

fn address(bytes: &[u8]) -> Result<IpAddr, Malformed> {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        return Ok(IpAddr::from(v4));
    }
    <[u8; 16]>::try_from(bytes).map(IpAddr::from).map_err(|_| Malformed("an address does not have 4 or 16 bytes"))
}
