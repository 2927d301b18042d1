//! `/ctl` and `/stats`: how the load program has a server change its model, and how it learns what it changed to.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::now;

/// Changes a model at a steady rate, and counts.
#[derive(Clone)]
pub struct Control {
    inner: Arc<Inner>,
}

struct Inner {
    change: Box<dyn Fn(i64) + Send + Sync>,
    mutations: AtomicU64,
    last_ts: AtomicI64,
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control").finish_non_exhaustive()
    }
}

/// Timers of tokio are no finer. Above this rate several changes are made at a time.
const TICK: Duration = Duration::from_millis(1);

impl Control {
    /// Changes a model by `change`, which is told the time.
    pub fn new(change: impl Fn(i64) + Send + Sync + 'static) -> Self {
        Self {
            inner: Arc::new(Inner {
                change: Box::new(change),
                mutations: AtomicU64::new(0),
                last_ts: AtomicI64::new(0),
            }),
        }
    }

    /// Begins what the query of `/ctl` asks for, and does not wait for its end.
    ///
    /// # Errors
    /// The query is not `hz=H&secs=S` with numbers above 0.
    pub fn begin(&self, query: &str) -> Result<(), String> {
        let number = |name: &str| {
            query
                .split('&')
                .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
                .and_then(|value| value.parse::<f64>().ok())
                .filter(|value| *value > 0.0 && *value <= 1e6)
                .ok_or_else(|| format!("{name} has to be a number above 0, up to a million"))
        };
        let (hz, secs) = (number("hz")?, number("secs")?);
        tokio::spawn(self.clone().run(hz, secs));
        Ok(())
    }

    /// The body of `/stats`.
    #[must_use]
    pub fn stats(&self) -> String {
        let mutations = self.inner.mutations.load(Ordering::Acquire);
        let last = self.inner.last_ts.load(Ordering::Acquire);
        format!(r#"{{"mutations": {mutations}, "last_ts": {last}}}"#)
    }

    /// `/ctl` and `/stats` for a server that uses axum.
    pub fn routes(self) -> Router {
        let control = self.clone();
        let ctl = move |RawQuery(query): RawQuery| async move {
            match control.begin(query.as_deref().unwrap_or_default()) {
                Ok(()) => (StatusCode::ACCEPTED, String::new()),
                Err(error) => (StatusCode::BAD_REQUEST, error),
            }
        };
        let stats = move || async move { ([(CONTENT_TYPE, "application/json")], self.stats()) };
        Router::new()
            .route("/ctl", get(ctl))
            .route("/stats", get(stats))
    }

    /// A machine that is late makes the run longer, not denser: changes in quick succession would go out as one, and it
    /// is not the pace of this program that is measured.
    async fn run(self, hz: f64, secs: f64) {
        let total = (hz * secs).round() as u64;
        let period = Duration::from_secs_f64(1.0 / hz).max(TICK);
        let mut ticks = interval_at(Instant::now() + period, period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let together = hz * period.as_secs_f64();
        let (mut done, mut due) = (0, 0.0);
        while done < total {
            ticks.tick().await;
            due += together;
            // 0.999... of a change is one.
            while done < total && (done as f64) < due - 0.5 {
                self.change();
                done += 1;
            }
        }
    }

    fn change(&self) {
        let ts = now();
        (self.inner.change)(ts);
        self.inner.last_ts.store(ts, Ordering::Release);
        self.inner.mutations.fetch_add(1, Ordering::AcqRel);
    }
}
