//! Limits of the adapters.

/// Counts that a client reached a limit. The names are listed in `docs/operations.md`.
pub(crate) fn hit(limit: &'static str) {
    metrics::counter!("transports_limit_hits_total", "limit" => limit).increment(1);
}
