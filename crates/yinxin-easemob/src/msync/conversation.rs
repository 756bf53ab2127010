//! One connection from its first frame to its end.

use std::net::IpAddr;
use std::sync::Arc;

use tokio::time::timeout;
use yinxin_msync::{Frame, LoginRefusal, encode, frame};
use yinxin_realtime::{End, Pipe as _, Place, serve};

use super::Gateway;
use super::login::{self, Identity, Refused};
use super::pipe::Pipe;
use super::session::Session;

const PLATFORM: &str = "web";

/// Holds the conversation, and says why it ended.
pub(super) async fn converse(gateway: Arc<Gateway>, mut pipe: Pipe, from: IpAddr) {
    // Boxed are the parts that need much room for a short time: a connection is idle nearly always.
    let end = match Box::pin(enter(&gateway, &mut pipe, from)).await {
        Ok((who, place)) => {
            let welcome = encode::provision_ok(&who.device.resource, env!("CARGO_PKG_VERSION"), who.ends_ms);
            let session = Box::new(Session::new(Arc::clone(&gateway.ctx), who, gateway.limits.frame_bytes));
            Box::pin(serve(&gateway.ctx, &gateway.limits, &mut pipe, session, place, welcome)).await
        }
        Err(end) => end,
    };
    pipe.close(end).await;
}

/// Lets a client in.
async fn enter(gateway: &Gateway, pipe: &mut Pipe, from: IpAddr) -> Result<(Identity, Place), End> {
    let hello = timeout(gateway.limits.hello, first_frame(gateway, pipe));
    let login = hello.await.map_err(|_| End::NoLogin)??;
    let refusal = match admit(gateway, &login, from).await {
        Ok(admitted) => return Ok(admitted),
        Err(Refused::As(refusal)) => refusal,
        Err(Refused::Broken(error)) => {
            tracing::error!(%error, "a login failed");
            LoginRefusal::Other("server error")
        }
    };
    pipe.send(encode::provision_refused(refusal)).await?;
    pipe.linger().await;
    Err(End::Refused)
}

async fn first_frame(gateway: &Gateway, pipe: &mut Pipe) -> Result<frame::Login, End> {
    pipe.open().await?;
    let bytes = pipe.frame().await?;
    match frame::decode_within(&bytes, gateway.limits.frame_bytes).map_err(|_| End::Malformed)? {
        Frame::Provision(login) => Ok(*login),
        _ => Err(End::LoginDue),
    }
}

async fn admit(gateway: &Gateway, login: &frame::Login, from: IpAddr) -> Result<(Identity, Place), Refused> {
    let who = login::identify(&gateway.ctx, login).await?;
    let token = (login::token(login), who.ends_ms);
    let place = Place::enter::<Refused>(&gateway.ctx, &gateway.registry, who.known(), PLATFORM, from, token).await?;
    Ok((who, place))
}
