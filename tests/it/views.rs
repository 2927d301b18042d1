//! Fields that only some see: `#[synced(view = "...")]`.

mod edits;
mod patches;
mod plan;
mod resume;
mod rights;
mod world;

use transports::server::{Connection, Opening, Peer};
use transports::session::{Frame, Hosted};
use transports::{Server, Session, Views};

use self::plan::Plan;

/// A session with a plan, which stands on the page of everybody and of the staff.
struct House {
    session: Session,
    server: Server,
    plan: Hosted<Plan>,
}

impl House {
    fn new(plan: Plan) -> Self {
        let session = Session::new();
        let plan = session.host(plan);
        let server = Server::new(session.clone());
        Self {
            session,
            server,
            plan,
        }
    }

    fn open(&self, query: &str, views: &[&str]) -> Connection {
        let mut peer = Peer::default();
        peer.views = views.iter().copied().collect();
        self.server
            .open_for(&Opening::parse(query).unwrap(), peer)
            .unwrap()
    }

    fn change(&self, change: impl FnOnce(&mut Plan)) {
        change(&mut self.plan.write());
        let report = self.session.sync();
        assert!(report.faults.is_empty(), "{report:?}");
    }
}

/// All frames that are ready, as text.
fn texts(connection: &mut Connection) -> Vec<String> {
    std::iter::from_fn(|| connection.try_next())
        .map(|frame| String::from_utf8(frame.bytes.to_vec()).unwrap())
        .collect()
}

/// What a client does to the plan.
fn edit(ops: &str) -> Frame {
    Frame::text(format!(
        r#"{{"t":"patch","id":1,"patch":{{"rev":0,"ops":[{ops}]}},"proposal":"p"}}"#
    ))
}

fn set(field: &str, value: &str) -> Frame {
    edit(&format!(
        r#"{{"Set":{{"path":[{{"Key":"{field}"}}],"value":{value}}}}}"#
    ))
}

fn views(names: &[&str]) -> Views {
    names.iter().copied().collect()
}
