//! Answers to requests that come to nothing.

use std::borrow::Cow;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use transports::server::OpeningError;

/// Why a request is turned away, before anything else happens.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    /// The value of the label `outcome` in metrics and logs, of what the server does not count itself.
    pub(crate) outcome: &'static str,
    pub(crate) text: Cow<'static, str>,
}

impl Refusal {
    pub(crate) fn new(
        status: StatusCode,
        outcome: &'static str,
        text: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            outcome,
            text: text.into(),
        }
    }
}

impl From<OpeningError> for Refusal {
    fn from(error: OpeningError) -> Self {
        let status = match error {
            OpeningError::Codec(_) => StatusCode::INTERNAL_SERVER_ERROR,
            OpeningError::Refused(ref refusal) => {
                StatusCode::from_u16(refusal.kind.status()).unwrap_or(StatusCode::FORBIDDEN)
            }
            _ => StatusCode::BAD_REQUEST,
        };
        Self::new(status, "query", error.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        tracing::debug!(outcome = self.outcome, reason = %self.text, "refusing a connection");
        let mut response = (self.status, self.text).into_response();
        if self.status == StatusCode::UPGRADE_REQUIRED {
            let headers = response.headers_mut();
            headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
            headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
            headers.insert(
                header::SEC_WEBSOCKET_VERSION,
                HeaderValue::from_static("13"),
            );
        }
        response
    }
}
