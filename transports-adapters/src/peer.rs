//! Who is at the other end of a request.

use std::net::SocketAddr;
use std::time::SystemTime;

use axum::extract::{ConnectInfo, OriginalUri};
use axum::http::request::Parts;
use transports::server::Peer;

use crate::origin::OnLoopback;
use crate::shutdown::{Cut, Shutdown};

/// Describes whoever made a request. What layers left in its extensions is there for hooks and the registry.
pub(crate) fn peer(transport: &'static str, mut request: Parts) -> Peer {
    let extensions = &mut request.extensions;
    let address = extensions.get::<ConnectInfo<SocketAddr>>().copied();
    extensions.remove::<Shutdown>();
    extensions.remove::<Cut>();
    extensions.remove::<OnLoopback>();
    // Would keep the buffer that the head of the request was read into.
    extensions.remove::<OriginalUri>();
    let peer = Peer::by(transport)
        .since(SystemTime::now())
        .request(request);
    match address {
        Some(ConnectInfo(address)) => peer.address(address),
        None => peer,
    }
}
