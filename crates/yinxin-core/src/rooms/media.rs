//! Credentials for media servers that check them by themselves, given for a room token: they are for its bearer and its
//! room, allow what the permission key allows, and end with whichever of token, permission key and configured life ends
//! first.
//!
//! What a format cannot say is refused rather than said too widely.

use std::fmt;

use yinxin_token::media::livekit::Grant;
use yinxin_token::media::{janus, livekit, turn};
use zeroize::Zeroizing;

use super::admission;
use super::doors::Request;
use super::tokens::{Admission, Privileges};
use crate::apps::App;
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::names::AppName;

/// A kind of media server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// LiveKit.
    LiveKit,
    /// Janus with its VideoRoom plug-in.
    Janus,
    /// A TURN server with a shared secret, such as coturn.
    Turn,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::LiveKit, Self::Janus, Self::Turn];

    /// Its name in requests and in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LiveKit => "livekit",
            Self::Janus => "janus",
            Self::Turn => "turn",
        }
    }

    /// The kind of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A secret that is shared with a media server. It is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// A secret; `None` when it is empty.
    pub fn new(text: String) -> Option<Self> {
        (!text.is_empty()).then(|| Self(Zeroizing::new(text)))
    }

    /// The secret itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// A LiveKit server.
#[derive(Clone, Debug)]
pub struct LiveKit {
    /// Where clients connect.
    pub url: String,
    /// Which of its keys signs.
    pub api_key: String,
    /// The secret of that key.
    pub api_secret: Secret,
}

/// A Janus server.
#[derive(Clone, Debug)]
pub struct Janus {
    /// Where clients connect.
    pub url: String,
    /// Its `token_auth_secret`.
    pub secret: Secret,
    /// The plug-ins that clients may use.
    pub plugins: Vec<String>,
}

/// A TURN server.
#[derive(Clone, Debug)]
pub struct Turn {
    /// Where clients find it.
    pub urls: Vec<String>,
    /// Its `static-auth-secret`.
    pub secret: Secret,
}

/// The media servers that credentials can be given for.
#[derive(Clone, Debug, Default)]
pub struct MediaServers {
    /// The apps whose users get them. There are no apps on media servers: these share their rooms there.
    pub apps: Vec<AppName>,
    /// Longest life of a credential.
    pub ttl_s: i64,
    /// See [`Kind`].
    pub livekit: Option<LiveKit>,
    /// See [`Kind`].
    pub janus: Option<Janus>,
    /// See [`Kind`].
    pub turn: Option<Turn>,
}

impl MediaServers {
    /// Whether there is one of that kind.
    pub const fn has(&self, kind: Kind) -> bool {
        match kind {
            Kind::LiveKit => self.livekit.is_some(),
            Kind::Janus => self.janus.is_some(),
            Kind::Turn => self.turn.is_some(),
        }
    }
}

/// What a client needs for a LiveKit server.
#[derive(Clone, PartialEq, Eq)]
pub struct LiveKitAccess {
    /// Where it is.
    pub url: String,
    /// Opens the room.
    pub token: String,
}

/// What a client needs for a Janus server.
#[derive(Clone, PartialEq, Eq)]
pub struct JanusAccess {
    /// Where it is.
    pub url: String,
    /// Opens the server; goes with every request.
    pub token: String,
    /// Opens the room; goes with the join.
    pub room_token: String,
}

/// What a client needs for a TURN server.
#[derive(Clone, PartialEq, Eq)]
pub struct TurnAccess {
    /// Where it is.
    pub urls: Vec<String>,
    /// User name.
    pub username: String,
    /// Password.
    pub password: String,
}

/// Credentials for those media servers that were asked for.
pub struct Credentials {
    /// Who was let in.
    pub admission: Admission,
    /// When all of them end, Unix seconds.
    pub until_s: i64,
    /// For LiveKit.
    pub livekit: Option<LiveKitAccess>,
    /// For Janus.
    pub janus: Option<JanusAccess>,
    /// For TURN.
    pub turn: Option<TurnAccess>,
}

/// Gives credentials for each kind that is wanted, for one admission: a token that admits once is used up, unless this is
/// refused.
pub async fn issue(
    ctx: &Ctx,
    app: &App,
    servers: &MediaServers,
    request: &Request<'_>,
    wanted: &[Kind],
) -> Result<Credentials> {
    check_servers(app, servers, wanted)?;
    // Without a token nothing says who asks: anybody who knows the app's name could.
    if !app.settings.safe_mode {
        return Err(Code::MediaNeedsTokens.into());
    }
    if wanted.contains(&Kind::Janus) {
        check_janus(request, admission::permitted(ctx, app, request)?)?;
    }
    let admission = admission::admit(ctx, app, request).await?;
    let now_ms = ctx.clock.now_ms();
    let ends = [admission.until_ms, admission.token_until_ms].into_iter().flatten();
    let until_ms = ends.fold(now_ms + servers.ttl_s * 1000, i64::min);
    let is_wanted = |kind| wanted.contains(&kind);
    let life = Life { from_s: now_ms.div_euclid(1000), until_s: until_ms.div_euclid(1000) };
    Ok(Credentials {
        until_s: life.until_s,
        livekit: servers
            .livekit
            .as_ref()
            .filter(|_| is_wanted(Kind::LiveKit))
            .map(|at| for_livekit(at, &admission, life)),
        janus: servers.janus.as_ref().filter(|_| is_wanted(Kind::Janus)).and_then(|at| for_janus(at, &admission, life)),
        turn: servers.turn.as_ref().filter(|_| is_wanted(Kind::Turn)).map(|at| for_turn(at, &admission, life)),
        admission,
    })
}

fn check_servers(app: &App, servers: &MediaServers, wanted: &[Kind]) -> Result<()> {
    let is_for_app = servers.apps.contains(&app.name);
    match wanted.iter().find(|kind| !is_for_app || !servers.has(**kind)) {
        Some(kind) => Err(Error::about(Code::MediaServerUnset, kind.name())),
        None => Ok(()),
    }
}

/// A token of Janus cannot tell those who send from those who receive, and has no way to write a comma or a colon.
fn check_janus(request: &Request<'_>, privileges: Privileges) -> Result<()> {
    if !janus::can_say(request.room.as_str()) {
        return Err(Error::about(Code::MediaServerUnfit, "janus: a room with a comma or a colon in its name"));
    }
    if !privileges.include(Privileges::MEDIA) {
        return Err(Error::about(
            Code::MediaServerUnfit,
            "janus: fewer privileges than to send and receive everything",
        ));
    }
    Ok(())
}

/// From when until when.
#[derive(Clone, Copy)]
struct Life {
    from_s: i64,
    until_s: i64,
}

fn for_livekit(server: &LiveKit, admission: &Admission, life: Life) -> LiveKitAccess {
    let may = |privileges| admission.privileges.include(privileges);
    let identity = admission.uid.to_string();
    let grant = Grant {
        identity: &identity,
        room: admission.room.as_str(),
        sends_audio: may(Privileges::SEND_AUDIO),
        sends_video: may(Privileges::SEND_VIDEO),
        // The format has one permission for both, so whoever may receive only one of them receives none.
        receives: may(Privileges::RECEIVE),
        from_s: life.from_s,
        until_s: life.until_s,
    };
    LiveKitAccess { url: server.url.clone(), token: livekit::seal(&grant, &server.api_key, &server.api_secret.0) }
}

/// `None` for what was refused before.
fn for_janus(server: &Janus, admission: &Admission, life: Life) -> Option<JanusAccess> {
    Some(JanusAccess {
        url: server.url.clone(),
        token: janus::seal_server(&server.plugins, life.until_s, &server.secret.0)?,
        room_token: janus::seal_room(admission.room.as_str(), life.until_s, &server.secret.0)?,
    })
}

fn for_turn(server: &Turn, admission: &Admission, life: Life) -> TurnAccess {
    let turn::Credential { username, password } =
        turn::seal(&admission.uid.to_string(), life.until_s, &server.secret.0);
    TurnAccess { urls: server.urls.clone(), username, password }
}
