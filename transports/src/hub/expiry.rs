//! What ends with time, or as somebody was asked again.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::{Hub, Tenant, Viewer};
use crate::server::Ended;
use crate::server::offer::Change;
use crate::server::registry::Entry;
use crate::session::Session;

impl Hub {
    /// Asks the [`Authorizer`](super::Authorizer) again about all connections of whom `which` says so. Those that may not connect any more
    /// are closed; the others see from now on what they may see now.
    pub fn reauthorize(&self, which: impl Fn(&Viewer<'_>) -> bool) {
        let _asking = self.inner.asking.lock();
        let viewers = self.inner.state.lock().viewers();
        for (key, entry) in viewers {
            if which(&Viewer::new(&key, &entry.peer)) {
                self.reconsider(&key, &entry, None);
            }
        }
    }

    /// Ends what has run out: connections whose rights [expired](super::Authorizer::connect) by `now` and are not renewed, and
    /// tenants that had no connection, and that nobody asked for, for as long as `idle`, as far as can be told from the
    /// times of these calls. Returns the keys of the tenants that are gone.
    ///
    /// A tenant goes with its models and its subscriptions. Whoever connects later finds it new; no revision is used
    /// twice.
    pub fn expire(&self, now: SystemTime, idle: Duration) -> Vec<Tenant> {
        let asking = self.inner.asking.lock();
        let viewers = self.inner.state.lock().viewers();
        for (key, entry) in viewers {
            self.reconsider(&key, &entry, Some(now));
        }
        drop(asking);
        let idle_ones: Vec<_> = {
            let mut state = self.inner.state.lock();
            let tenants = state.tenants.iter_mut();
            let idle = tenants.filter_map(|(key, tenancy)| {
                let session = tenancy.session.clone();
                tenancy.is_idle(now, idle).then(|| (key.clone(), session))
            });
            idle.collect()
        };
        let may_go = |(key, session): &(Tenant, Session)| {
            let hook = self.inner.settings.on_idle.as_ref();
            hook.is_none_or(|hook| hook(key, session))
        };
        let may_go: Vec<_> = idle_ones.into_iter().filter(may_go).collect();
        let mut gone = Vec::new();
        {
            let mut state = self.inner.state.lock();
            for (key, _) in may_go {
                // Somebody may have come in between.
                let tenancy = state.tenants.get_mut(&key);
                if tenancy.is_some_and(|tenancy| tenancy.is_idle(now, idle))
                    && let Some(tenancy) = state.tenants.remove(&key)
                {
                    state.numbers.remove(&tenancy.number);
                    state.outlive(&tenancy.session);
                    gone.push((key, tenancy.session));
                }
            }
        }
        let tell = |(key, session): (Tenant, Session)| {
            if let Some(hook) = &self.inner.settings.on_evict {
                hook(&key, &session);
            }
            key
        };
        gone.into_iter().map(tell).collect()
    }

    /// Asks again whether a connection may be there, if its rights have run out by `now` or in any case, and what it may
    /// see. The caller has `asking`.
    pub(super) fn reconsider(&self, key: &Tenant, entry: &Arc<Entry>, now: Option<SystemTime>) {
        let expiry = entry.expiry();
        if now.is_some_and(|now| expiry.is_none_or(|expiry| expiry > now)) {
            return;
        }
        let Some(authorizer) = &self.inner.settings.authorizer else {
            return;
        };
        let answer = authorizer.connect(&Viewer::new(key, &entry.peer));
        let is_over = |expiry: SystemTime| now.is_some_and(|now| expiry <= now);
        match answer {
            Err(refusal) => {
                let reason = refusal.reason;
                entry.close(Ended::Unauthorized { reason });
            }
            Ok(Some(expiry)) if is_over(expiry) => {
                let reason = "the right to be connected has run out".to_owned();
                entry.close(Ended::Unauthorized { reason });
            }
            Ok(expiry) => {
                entry.expire(expiry);
                entry.change(Change::Views(self.views(key, &entry.peer, None)));
                let ids: Vec<_> = self.inner.state.lock().boards.keys().copied().collect();
                for id in ids {
                    let line = self.line(key, &entry.peer, id);
                    entry.change(line.map_or(Change::Remove(id), Change::Add));
                }
            }
        }
    }
}
