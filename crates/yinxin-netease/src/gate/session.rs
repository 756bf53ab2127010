//! A client's conversation in a room: what it and the room say goes in, what is to be done comes out. Knows no socket, no
//! clock and no room; whoever drives it does what it is told and says what came of it.

use serde_json::{Value, json};
use yinxin_core::limits::PERMISSION_NOTICE_MS;
use yinxin_core::rooms::doors::{Permission, Welcome};
use yinxin_core::rooms::live::{Departure, Ending, Member, Notice, Role};
use yinxin_core::rooms::tokens::Privileges;

use super::end::End;
use super::protoo::{self, Frame, Join, Request};
use crate::errors::Wire;

#[cfg(test)]
mod tests;

/// `code` of what this server does not do.
const NOT_OFFERED: u16 = 501;
const NO_MEDIA: &str = "this server admits to rooms and lists who is there; it carries no audio or video";
/// `code` of a stream that the permission key does not allow.
const MAY_NOT_PUBLISH: u16 = 1620;
/// `reason` of `OnKickOff`.
const ROOM_ENDED: u8 = 1;
const KICKED: u8 = 2;
const PERMISSION_ENDED: u8 = 5;

/// What happens to a conversation.
#[derive(Debug)]
pub(super) enum Event<'a> {
    /// The client says something.
    Frame(&'a str),
    /// What came of [`Act::Enter`].
    Entered(Result<&'a Welcome, Wire>),
    /// What came of [`Act::Renew`].
    Renewed(Result<Permission, Wire>),
    /// Something happened in the room.
    Notice(&'a Notice),
    /// The seat is lost.
    Ending(Ending),
    /// The time that [`Session::due_ms`] named has come.
    Due,
}

/// What is to be done.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Act {
    /// Send this.
    Send(String),
    /// Let it in, if it may.
    Enter(Box<Join>),
    /// See what it may do with that key.
    Renew(String),
    /// Let it take part in another way.
    ChangeRole(Role),
    /// End. Nothing comes after it.
    End(End),
}

/// A conversation.
#[derive(Debug)]
pub(super) struct Session {
    phase: Phase,
    /// The number of the last notification.
    told: u64,
}

#[derive(Debug)]
enum Phase {
    /// It has not said anything.
    Fresh,
    /// It has asked to come in.
    Entering {
        id: u64,
        request_id: String,
    },
    /// It is in.
    In(Stay),
    Over,
}

#[derive(Debug)]
struct Stay {
    uid: u64,
    permission: Permission,
    /// Whether it was told that its permission ends soon.
    warned: bool,
    /// The request to go on with another permission, which is being looked at.
    renewing: Option<(u64, String)>,
}

impl Session {
    pub fn new() -> Self {
        Self { phase: Phase::Fresh, told: 0 }
    }

    /// When something is to be done though nobody says anything.
    pub fn due_ms(&self) -> Option<i64> {
        let Phase::In(stay) = &self.phase else { return None };
        let until_ms = stay.permission.until_ms?;
        Some(if stay.warned { until_ms } else { until_ms.saturating_sub(PERMISSION_NOTICE_MS) })
    }

    /// What is to be done about it. After an end nothing ever is.
    pub fn on(&mut self, event: Event<'_>, now_ms: i64) -> Vec<Act> {
        let acts = match event {
            _ if matches!(self.phase, Phase::Over) => Vec::new(),
            Event::Frame(text) => match protoo::decode(text) {
                Ok(frame) => self.on_frame(frame),
                Err(protoo::Malformed) => vec![Act::End(End::Malformed)],
            },
            Event::Entered(Ok(found)) => self.on_entered(found),
            Event::Entered(Err(wire)) => self.on_refused(&wire),
            Event::Renewed(result) => self.on_renewed(result),
            Event::Notice(notice) => self.on_notice(notice),
            Event::Ending(ending) => self.on_ending(ending),
            Event::Due => self.on_due(now_ms),
        };
        if matches!(acts.last(), Some(Act::End(_))) {
            self.phase = Phase::Over;
        }
        acts
    }

    fn on_frame(&mut self, frame: Frame) -> Vec<Act> {
        match (&mut self.phase, frame) {
            (_, Frame::Other) => Vec::new(),
            (_, Frame::Leave) => vec![Act::End(End::Left)],
            (Phase::Fresh, Frame::Request { id, request: Request::Join(join) }) => {
                self.phase = Phase::Entering { id, request_id: join.request_id.clone() };
                vec![Act::Enter(join)]
            }
            (Phase::In(stay), Frame::Request { id, request }) => on_request(stay, &mut self.told, id, request),
            (_, Frame::Request { .. }) => vec![Act::End(End::JoinDue)],
        }
    }

    fn on_entered(&mut self, found: &Welcome) -> Vec<Act> {
        let Phase::Entering { id, request_id } = &self.phase else { return Vec::new() };
        let welcome = protoo::answer(*id, &welcome(found, request_id));
        self.phase =
            Phase::In(Stay { uid: found.uid.get(), permission: found.permission, warned: false, renewing: None });
        vec![Act::Send(welcome)]
    }

    fn on_refused(&mut self, wire: &Wire) -> Vec<Act> {
        let Phase::Entering { id, request_id } = &self.phase else { return Vec::new() };
        let data = json!({
            "code": wire.code,
            "errMsg": wire.desc,
            "requestId": request_id,
            "externData": { "errMsg": wire.desc },
        });
        vec![Act::Send(protoo::answer(*id, &data)), Act::End(End::Refused)]
    }

    fn on_renewed(&mut self, result: Result<Permission, Wire>) -> Vec<Act> {
        let Phase::In(stay) = &mut self.phase else { return Vec::new() };
        let Some((id, request_id)) = stay.renewing.take() else { return Vec::new() };
        let data = match result {
            Ok(permission) => {
                stay.permission = permission;
                stay.warned = false;
                json!({ "code": 200, "requestId": request_id, "PermKey": rights(permission.privileges) })
            }
            Err(wire) => json!({ "code": wire.code, "errMsg": wire.desc, "requestId": request_id }),
        };
        vec![Act::Send(protoo::answer(id, &data))]
    }

    fn on_notice(&mut self, notice: &Notice) -> Vec<Act> {
        if !matches!(self.phase, Phase::In(_)) {
            return Vec::new();
        }
        vec![match notice {
            Notice::Entered(member) => self.tell("OnPeerJoin", &json!({ "externData": peer(member) })),
            Notice::Gone(uid, departure) => {
                let gone = json!({ "uid": uid.get(), "reason": reason(*departure) });
                self.tell("OnPeerLeave", &json!({ "externData": { "userList": [gone] } }))
            }
            Notice::Changed(member) => {
                let data = json!({ "userRole": role_number(member.role) });
                let told = json!({ "type": "UserRole", "uid": member.uid.get(), "data": data });
                self.tell("OnUserData", &json!({ "externData": told }))
            }
        }]
    }

    /// The client is told why, or else it would come back; when it should, it is told nothing.
    fn on_ending(&mut self, ending: Ending) -> Vec<Act> {
        let farewell = match (&self.phase, ending) {
            (Phase::In(stay), Ending::Kicked) => Some(kick_off(&mut self.told, stay.uid, KICKED)),
            (Phase::In(stay), Ending::RoomEnded) => Some(kick_off(&mut self.told, stay.uid, ROOM_ENDED)),
            (Phase::In(_), Ending::Displaced) => Some(self.tell("OnPeerClose", &json!({}))),
            _ => None,
        };
        farewell.into_iter().chain([Act::End(ending.into())]).collect()
    }

    fn on_due(&mut self, now_ms: i64) -> Vec<Act> {
        let Phase::In(stay) = &mut self.phase else { return Vec::new() };
        match stay.permission.until_ms {
            Some(until_ms) if until_ms <= now_ms => {
                vec![kick_off(&mut self.told, stay.uid, PERMISSION_ENDED), Act::End(End::PermissionEnded)]
            }
            Some(until_ms) if until_ms - PERMISSION_NOTICE_MS <= now_ms && !stay.warned => {
                stay.warned = true;
                vec![self.tell("OnPermKeyTimeout", &json!({}))]
            }
            _ => Vec::new(),
        }
    }

    fn tell(&mut self, method: &str, data: &Value) -> Act {
        tell(&mut self.told, method, data)
    }
}

/// What a client that is in asks for.
fn on_request(stay: &mut Stay, told: &mut u64, id: u64, request: Request) -> Vec<Act> {
    let done = || Act::Send(protoo::answer(id, &json!({ "code": 200 })));
    match request {
        Request::Heartbeat | Request::TellOthers => vec![done()],
        Request::ChangeRole(role) => vec![Act::ChangeRole(role), done()],
        Request::RenewPermission { request_id, key } => {
            stay.renewing = Some((id, request_id));
            vec![Act::Renew(key)]
        }
        Request::Produce => {
            let may_publish = [Privileges::SEND_AUDIO, Privileges::SEND_VIDEO];
            if may_publish.iter().any(|right| stay.permission.privileges.include(*right)) {
                // The SDK shows its app an error of its own making, without this text; but it hands warnings on.
                let warning = json!({ "type": "Ability", "data": { "code": NOT_OFFERED, "msg": NO_MEDIA } });
                let warned = tell(told, "OnUserData", &json!({ "externData": warning }));
                vec![warned, Act::Send(protoo::refusal(id, NOT_OFFERED, NO_MEDIA))]
            } else {
                vec![Act::Send(protoo::refusal(id, MAY_NOT_PUBLISH, "the permission key does not allow to publish"))]
            }
        }
        Request::Other(method) => {
            let method: String = method.chars().take(64).collect();
            vec![Act::Send(protoo::refusal(id, NOT_OFFERED, &format!("{method}: {NO_MEDIA}")))]
        }
        Request::Join(_) => vec![Act::End(End::JoinedAlready)],
    }
}

fn tell(told: &mut u64, method: &str, data: &Value) -> Act {
    *told += 1;
    Act::Send(protoo::notification(*told, method, data))
}

fn kick_off(told: &mut u64, uid: u64, reason: u8) -> Act {
    tell(told, "OnKickOff", &json!({ "externData": { "uid": uid, "reason": reason } }))
}

/// What the SDK needs to be connected: one codec, though there is no media, and `roomCapability`.
fn welcome(found: &Welcome, request_id: &str) -> Value {
    let opus = json!({
        "kind": "audio",
        "mimeType": "audio/opus",
        "preferredPayloadType": 100,
        "clockRate": 48_000,
        "channels": 2,
        "parameters": {},
        "rtcpFeedback": [],
    });
    let users: Vec<Value> = found.others.iter().map(peer).collect();
    let mut data = json!({
        "code": 200,
        "errMsg": "ok",
        "requestId": request_id,
        "cid": found.cid,
        "uid": found.uid.get(),
        "cname": found.room.as_str(),
        "edgeRtpCapabilities": { "codecs": [opus], "headerExtensions": [], "fecMechanisms": [] },
        "externData": {
            "userList": users,
            "roomCapability": { "mediaCapabilitySet": "{\"256\":[0]}" },
            "audioRight": 0,
            "videoRight": 0,
            "userPriority": [],
        },
    });
    if found.permission.until_ms.is_some() {
        data["PermKey"] = rights(found.permission.privileges);
    }
    data
}

fn peer(member: &Member) -> Value {
    json!({
        "uid": member.uid.get(),
        "userName": member.about.user_name,
        "userRole": role_number(member.role),
        "platformType": member.about.platform,
        "customData": member.about.custom,
    })
}

/// What a permission key allows; the SDK itself keeps an app from publishing what is `false` here.
fn rights(privileges: Privileges) -> Value {
    json!({
        "pubAudioRight": privileges.include(Privileges::SEND_AUDIO),
        "pubVideoRight": privileges.include(Privileges::SEND_VIDEO),
        "subAudioRight": privileges.include(Privileges::RECEIVE_AUDIO),
        "subVideoRight": privileges.include(Privileges::RECEIVE_VIDEO),
    })
}

/// A role in the SDK's numbers.
pub(crate) fn role_number(role: Role) -> u8 {
    match role {
        Role::Host => 0,
        Role::Audience => 1,
    }
}

/// `reason` of somebody's leaving, in the SDK's numbers.
fn reason(departure: Departure) -> u8 {
    match departure {
        Departure::Left => 0,
        Departure::Dismissed => 2,
        Departure::Lost => 3,
    }
}
