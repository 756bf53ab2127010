//! The events, and the form in which one travels.

use serde::Serialize;
use serde_json::Value;

/// What a backend can be told of, or asked about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// A message was stored, or given to a receiver who is there.
    MessageSent,
    /// A message got another content.
    MessageEdited,
    /// A message was taken back by its sender.
    MessageRecalled,
    /// A receiver's device says that it has a message.
    MessageDelivered,
    /// A receiver's device says that a message was read.
    MessageRead,
    /// A device has logged in.
    SessionStarted,
    /// A device is gone.
    SessionEnded,
    /// A user wants to send a message: the question to a hook that may veto.
    MessageSending,
    /// An operator tries a hook.
    Test,
}

impl Event {
    /// What a hook can be told of.
    pub const ALL: [Self; 7] = [
        Self::MessageSent,
        Self::MessageEdited,
        Self::MessageRecalled,
        Self::MessageDelivered,
        Self::MessageRead,
        Self::SessionStarted,
        Self::SessionEnded,
    ];

    /// What a hook is told of when nobody says. Receipts, of which there may be two a message, are not among it.
    pub const DEFAULT: [Self; 5] =
        [Self::MessageSent, Self::MessageEdited, Self::MessageRecalled, Self::SessionStarted, Self::SessionEnded];

    /// The name on the wire, in storage and in our own API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MessageSent => "message.sent",
            Self::MessageEdited => "message.edited",
            Self::MessageRecalled => "message.recalled",
            Self::MessageDelivered => "message.delivered",
            Self::MessageRead => "message.read",
            Self::SessionStarted => "session.started",
            Self::SessionEnded => "session.ended",
            Self::MessageSending => "message.sending",
            Self::Test => "hook.test",
        }
    }

    /// Reads the name of one a hook can be told of; `None` for any other.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.name() == text)
    }
}

/// The body of a call.
pub(super) fn payload(event: Event, at_ms: i64, data: &Value) -> String {
    #[derive(Serialize)]
    struct Payload<'a> {
        r#type: &'a str,
        timestamp: String,
        data: &'a Value,
    }
    let payload = Payload { r#type: event.name(), timestamp: rfc3339(at_ms), data };
    // Texts and values always serialize.
    serde_json::to_string(&payload).unwrap_or_default()
}

/// A time as `2026-11-21T22:12:00.123Z`.
fn rfc3339(ms: i64) -> String {
    let (days, ms_of_day) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000));
    // The civil calendar, counted from 0000-03-01 so that a leap day ends its year, in eras of 400 years.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    let (s, ms) = (ms_of_day / 1000, ms_of_day % 1000);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{ms:03}Z", s / 3600, s / 60 % 60, s % 60)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (951_868_800_000, "2000-03-01T00:00:00.000Z"),
            (1_795_299_126_123, "2026-11-21T22:12:06.123Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(rfc3339(ms), text);
        }
    }

    #[test]
    fn names_are_read_back() {
        for event in Event::ALL {
            assert_eq!(Event::parse(event.name()), Some(event));
        }
        assert_eq!(Event::parse("message.sending"), None, "a question is not subscribed to");
        assert_eq!(Event::parse("hook.test"), None);
    }

    #[test]
    fn a_payload_says_what_when_and_the_rest() {
        let payload = payload(Event::MessageSent, 0, &json!({ "app": "o#a" }));
        assert_eq!(payload, r#"{"type":"message.sent","timestamp":"1970-01-01T00:00:00.000Z","data":{"app":"o#a"}}"#);
    }
}
