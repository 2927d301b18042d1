//! What a client has to say about a shared model in passing: how often, and for how long it counts.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::outbox::Outbox;
use crate::message::Json;
use crate::server::awareness::{Rule, Statuses};
use crate::server::stats::Limit;

/// Somebody of whom it is known who they are.
struct Known {
    rule: Arc<dyn Rule>,
    /// None: somebody who has no part in it.
    who: Option<Arc<str>>,
}

/// A client's part in the passing states of a model.
#[derive(Default)]
pub(super) struct Passing {
    known: Option<Known>,
    /// What the others know the client by, once there is something to know.
    pub(super) name: Option<Arc<str>>,
    pace: Pace,
    /// The last state that came too soon: it goes out as soon as it may.
    held: Option<Json>,
    /// Until when the state counts.
    until: Option<SystemTime>,
}

/// How often somebody may say something: so many times at once, and as many in each second.
#[derive(Default)]
struct Pace {
    /// When all of these are free again.
    full_at: Option<SystemTime>,
}

impl Pace {
    /// Counts something that is said now. If it is too soon, tells when it is not.
    fn allows(&mut self, now: SystemTime, per_second: u32) -> Result<(), SystemTime> {
        let second = Duration::from_secs(1);
        let each = second / per_second.max(1);
        let busy = self
            .full_at
            .and_then(|full| full.duration_since(now).ok())
            // The clock was set back.
            .filter(|busy| *busy <= 2 * second)
            .unwrap_or_default();
        match (busy + each).checked_sub(second) {
            Some(wait) if !wait.is_zero() => Err(now + wait),
            _ => {
                self.full_at = Some(now + busy + each);
                Ok(())
            }
        }
    }
}

impl Passing {
    /// The part that a client has from the start. Returns whether anybody has to hear of it.
    pub(super) fn begin(&mut self, statuses: &Statuses, out: &Outbox) -> bool {
        let Some(rule) = statuses.rule() else {
            return false;
        };
        let who = rule.who(&out.entry.peer);
        self.name = who.as_ref().map(|who| statuses.join(who));
        self.known = Some(Known { rule, who });
        self.fall_back(statuses, out)
    }

    /// The client says that it has another state. Returns whether anybody has to hear of it.
    pub(super) fn say(&mut self, state: Json, statuses: &Statuses, out: &mut Outbox) -> bool {
        let rule = self.known.as_ref().map(|known| &known.rule);
        let state = match rule {
            Some(rule) if !state.is_null() => {
                let Some(state) = rule.read(state) else {
                    out.server.inner.totals.state_refused();
                    return false;
                };
                state
            }
            _ => state,
        };
        // Without a time of day nothing is too soon, and nothing runs out.
        let Some(now) = out.entry.last_active() else {
            return self.set(state, statuses, out);
        };
        self.until = rule.and_then(|rule| now.checked_add(rule.time_to_live()?));
        let most = rule.and_then(|rule| rule.states_per_second());
        let limit = out.server.limits().awareness_per_second;
        let per_second = most.map_or(limit, |most| most.min(limit));
        if self.pace.allows(now, per_second).is_err() {
            out.server.inner.totals.hit(Limit::AwarenessPerSecond);
            self.held = Some(state);
            return false;
        }
        self.held = None;
        self.set(state, statuses, out)
    }

    /// When something is to be done.
    pub(super) fn deadline(&self, out: &Outbox) -> Option<SystemTime> {
        let free = self.held.as_ref().and(self.pace.full_at).map(|full| {
            let each = Duration::from_secs(1) / self.per_second(out).max(1);
            full + each - Duration::from_secs(1)
        });
        [free, self.until].into_iter().flatten().min()
    }

    /// Does what it is time for. Returns whether anybody has to hear of it.
    pub(super) fn wake(&mut self, now: SystemTime, statuses: &Statuses, out: &mut Outbox) -> bool {
        let mut is_news = false;
        let per_second = self.per_second(out);
        if self.held.is_some()
            && self.pace.allows(now, per_second).is_ok()
            && let Some(state) = self.held.take()
        {
            is_news |= self.set(state, statuses, out);
        }
        if self.until.is_some_and(|until| until <= now) {
            self.until = None;
            self.held = None;
            is_news |= self.fall_back(statuses, out);
        }
        is_news
    }

    /// The client is gone. Returns whether anybody has to hear of it.
    pub(super) fn end(self, statuses: &Statuses, number: u64) -> bool {
        match (self.known, self.name) {
            (Some(Known { rule, who }), _) => {
                let Some(who) = who else {
                    return false;
                };
                let is_news = statuses.tell(&who, number, None);
                statuses.part(&who);
                if is_news {
                    rule.changed();
                }
                is_news
            }
            (None, Some(name)) => statuses.leave(&name),
            (None, None) => false,
        }
    }

    fn per_second(&self, out: &Outbox) -> u32 {
        let rule = self.known.as_ref().map(|known| &known.rule);
        let limit = out.server.limits().awareness_per_second;
        let most = rule.and_then(|rule| rule.states_per_second());
        most.map_or(limit, |most| most.min(limit))
    }

    fn fall_back(&self, statuses: &Statuses, out: &Outbox) -> bool {
        let Some(Known {
            rule,
            who: Some(who),
        }) = &self.known
        else {
            return false;
        };
        let is_news = statuses.tell(who, out.entry.number, rule.at_first());
        if is_news {
            rule.changed();
        }
        is_news
    }

    fn set(&mut self, state: Json, statuses: &Statuses, out: &mut Outbox) -> bool {
        match &self.known {
            None => {
                let name = self.name.get_or_insert_with(|| out.name());
                statuses.set(Arc::clone(name), state);
                true
            }
            Some(Known { who: None, .. }) => false,
            Some(Known {
                rule,
                who: Some(who),
            }) => {
                let state = Some(state).filter(|state| !state.is_null());
                let is_news = statuses.tell(who, out.entry.number, state);
                if is_news {
                    rule.changed();
                }
                is_news
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_s_worth_at_once_and_then_at_a_steady_pace() {
        let at = |millis: u64| SystemTime::UNIX_EPOCH + Duration::from_millis(1_000_000 + millis);
        let mut pace = Pace::default();
        for _ in 0..4 {
            assert_eq!(pace.allows(at(0), 4), Ok(()));
        }
        assert_eq!(pace.allows(at(0), 4), Err(at(250)));
        assert_eq!(pace.allows(at(249), 4), Err(at(250)));
        assert_eq!(pace.allows(at(250), 4), Ok(()));
        assert_eq!(pace.allows(at(250), 4), Err(at(500)));
        assert_eq!(pace.allows(at(5000), 4), Ok(()), "all of it is free again");
        let earlier = SystemTime::UNIX_EPOCH;
        assert_eq!(pace.allows(earlier, 4), Ok(()), "the clock was set back");
    }
}
