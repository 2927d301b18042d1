//! Who may see and write what.

use std::time::SystemTime;

use super::Tenant;
use crate::message::ModelId;
use crate::path::Path;
use crate::server::{Peer, Refusal};
use crate::views::Views;

/// What a tenant may do with a shared model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// See it.
    Read,
    /// See it and propose edits.
    Write,
}

/// A connection, as an [`Authorizer`] is asked about it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Viewer<'a> {
    /// Whose it is.
    pub tenant: &'a Tenant,
    /// Who it is.
    pub peer: &'a Peer,
}

impl<'a> Viewer<'a> {
    pub(super) const fn new(tenant: &'a Tenant, peer: &'a Peer) -> Self {
        Self { tenant, peer }
    }
}

/// Narrows what single connections may do. Subscriptions say what a tenant may; this says what somebody of that tenant
/// may, by what is known of the connection.
///
/// It must not wait, as nobody else connects meanwhile, and it must not change subscriptions.
///
/// ```
/// use std::time::SystemTime;
/// use transports::hub::{Authorizer, Mode, Viewer};
/// use transports::message::ModelId;
/// use transports::server::{Refusal, RefusalKind};
///
/// #[derive(Clone)]
/// struct Token {
///     until: SystemTime,
///     spectator: bool,
/// }
///
/// struct ByToken;
///
/// impl Authorizer for ByToken {
///     fn connect(&self, viewer: &Viewer<'_>) -> Result<Option<SystemTime>, Refusal> {
///         match viewer.peer.get::<Token>() {
///             Some(token) => Ok(Some(token.until)),
///             None => Err(RefusalKind::Unauthorized.because("no token")),
///         }
///     }
///
///     fn subscribe(&self, viewer: &Viewer<'_>, _: ModelId, mode: Mode) -> Option<Mode> {
///         let spectator = viewer.peer.get::<Token>().is_some_and(|token| token.spectator);
///         Some(if spectator { Mode::Read } else { mode })
///     }
/// }
/// # let _: Box<dyn Authorizer> = Box::new(ByToken);
/// ```
pub trait Authorizer: Send + Sync + 'static {
    /// Whether somebody may be connected, and until when. At that time it is asked again: by the adapter that serves the
    /// connection, within a second, or by the next [`expire`](super::Hub::expire). A time that is over by then is a no.
    /// Without a time it is asked again only if the application [says so](super::Hub::reauthorize).
    ///
    /// # Errors
    /// Why not. An open connection is closed with that reason
    /// ([`Ended::Unauthorized`](crate::server::Ended::Unauthorized)), and clients of ours do not come back by
    /// themselves.
    fn connect(&self, viewer: &Viewer<'_>) -> Result<Option<SystemTime>, Refusal> {
        let _ = viewer;
        Ok(None)
    }

    /// What a connection may do with a shared model that its tenant is subscribed to: `mode` at most. `None`: it is not
    /// to know of it.
    fn subscribe(&self, viewer: &Viewer<'_>, id: ModelId, mode: Mode) -> Option<Mode> {
        let _ = (viewer, id);
        Some(mode)
    }

    /// Whether a connection may edit a place in a model that it may write: one of its tenant's own, or a shared one. It
    /// is asked about the path of each op, before [`on_edit`](crate::server::ServerBuilder::on_edit) is; an op on a list
    /// has the path of the list, and one on a place also changes all within it. Several edits may be asked about at a
    /// time.
    ///
    /// # Errors
    /// Why not. The client is told the path and this, and the edit is refused as a whole.
    fn edit(&self, viewer: &Viewer<'_>, id: ModelId, path: &Path) -> Result<(), String> {
        let _ = (viewer, id, path);
        Ok(())
    }

    /// The views that a connection has of a shared model that it may see, or of its tenant's own models (`None`): those of
    /// its [`Peer`] by default. If they are others than before, the connection is sent all of its models anew.
    fn views(&self, viewer: &Viewer<'_>, id: Option<ModelId>) -> Views {
        let _ = id;
        viewer.peer.views.clone()
    }
}

/// What came out of asking, on the way to the connection.
#[derive(Clone, Copy)]
pub(super) struct Admitted {
    pub(super) expiry: Option<SystemTime>,
}
