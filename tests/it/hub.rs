//! What a hub promises beyond the published protocol.

mod gone;
mod presence;
mod rights;
mod tenants;
mod world;

use transports::hub::Tenant;
use transports::server::{Connection, Opening, Peer};
use transports::session::Frame;
use transports::{Hub, Server, Value};

fn hub() -> Hub {
    Hub::new(key)
}

pub(crate) fn key(peer: &Peer) -> Result<Tenant, transports::server::Refusal> {
    Ok(peer.get::<Tenant>().expect("it was given").clone())
}

fn open(server: &Server, tenant: &str, query: &str) -> Connection {
    let opening = Opening::parse(query).unwrap();
    let peer = Peer::default().with(Tenant::from(tenant));
    server.open_for(&opening, peer).unwrap()
}

/// All frames that are ready, as text.
fn texts(connection: &mut Connection) -> Vec<String> {
    std::iter::from_fn(|| connection.try_next())
        .map(|frame| String::from_utf8(frame.bytes.to_vec()).unwrap())
        .collect()
}

fn set(id: u64, key: &str, value: &str, rev: u64) -> Frame {
    Frame::text(format!(
        r#"{{"t":"patch","id":{id},"patch":{{"rev":{rev},"ops":[{{"Set":{{"path":[{{"Key":"{key}"}}],"value":{{"Str":"{value}"}}}}}}]}},"proposal":"p"}}"#,
    ))
}

fn doc(text: &str) -> Value {
    Value::from_iter([("text", Value::from(text))])
}
