//! What only the adapter can count. The names are listed in the crate's documentation.

use metrics::counter;

/// Counts a request that was turned away before the server was asked.
pub(super) fn refused(outcome: &'static str) {
    counter!("transports_connects_total", "transport" => "ws", "outcome" => outcome).increment(1);
}
