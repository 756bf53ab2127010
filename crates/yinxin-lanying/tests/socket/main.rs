//! The gateway over real sockets, against peers that do not play by the rules: each ends as it should, with the websocket's
//! word for why, and nobody is shown what is not so.

mod chatting;
mod deeds;
mod endings;
mod logins;
mod peer;
mod world;
