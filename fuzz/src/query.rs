//! What stands in the URL of a client that connects.

use transports::server::Opening;
use transports::{Server, Session, Value};

/// Any query opens a connection or is refused with words, and none is told of what it does not name.
pub fn query(data: &[u8]) {
    let query = String::from_utf8_lossy(data);
    let opening = match Opening::parse(&query) {
        Ok(opening) => opening,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let session = Session::new();
    session.host_named("Any", Value::Int(7));
    let server = Server::new(session);
    match server.open(&opening) {
        Ok(mut connection) => {
            // Revision 0 is the one there is; whoever has it of this life lacks nothing.
            let frames = std::iter::from_fn(|| connection.try_next()).count();
            let has_it =
                opening.since.get(&1) == Some(&0) && !matches!(opening.epoch, Some(Some(_)));
            assert!(frames > 0 || has_it, "{opening:?}");
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    let stats = server.stats();
    assert_eq!(stats.opened + stats.refused, 1);
    assert_eq!(stats.connections, 0);
}
