//! The handshake: RFC 6455, 4.2, over HTTP/1.1 and RFC 8441 over HTTP/2.

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
use axum::response::{IntoResponse, Response};
use hyper::upgrade::OnUpgrade;
use tungstenite::handshake::derive_accept_key;

use crate::Refusal;

/// A request that is a proper handshake, and its answer.
#[derive(Debug)]
pub(super) struct Handshake {
    /// Gives the connection once the answer is out.
    pub(super) on_upgrade: OnUpgrade,
    pub(super) response: Response,
}

/// Checks a handshake. Of the subprotocols that the client offers, the first of `protocols` is chosen.
pub(super) fn handshake(
    request: &mut Parts,
    protocols: &[HeaderValue],
) -> Result<Handshake, Refusal> {
    let mut response = if request.version <= Version::HTTP_11 {
        http1(request)?
    } else {
        http2(request)?
    };
    if header_is_not(&request.headers, &header::SEC_WEBSOCKET_VERSION, "13") {
        return Err(upgrade_required("`Sec-WebSocket-Version` has to be 13"));
    }
    let Some(on_upgrade) = request.extensions.remove::<OnUpgrade>() else {
        return Err(upgrade_required("this connection cannot be upgraded"));
    };
    if let Some(protocol) = protocols
        .iter()
        .find(|protocol| offers(&request.headers, protocol))
    {
        response
            .headers_mut()
            .insert(header::SEC_WEBSOCKET_PROTOCOL, protocol.clone());
    }
    Ok(Handshake {
        on_upgrade,
        response,
    })
}

fn http1(request: &Parts) -> Result<Response, Refusal> {
    let headers = &request.headers;
    if request.method != Method::GET {
        return Err(wrong_method());
    }
    let upgrades = request.version == Version::HTTP_11
        && has_token(headers, &header::CONNECTION, "upgrade")
        && has_token(headers, &header::UPGRADE, "websocket");
    if !upgrades {
        return Err(upgrade_required("this address is for WebSockets"));
    }
    let Some(key) = headers
        .get(header::SEC_WEBSOCKET_KEY)
        .filter(|key| is_key(key.as_bytes()))
    else {
        return Err(not_a_handshake(
            "`Sec-WebSocket-Key` has to be 16 bytes in base64",
        ));
    };
    let accept = HeaderValue::try_from(derive_accept_key(key.as_bytes()))
        .expect("base64 can stand in a header");
    Ok((
        StatusCode::SWITCHING_PROTOCOLS,
        [
            (header::CONNECTION, HeaderValue::from_static("upgrade")),
            (header::UPGRADE, HeaderValue::from_static("websocket")),
            (header::SEC_WEBSOCKET_ACCEPT, accept),
        ],
    )
        .into_response())
}

#[cfg(feature = "http2")]
fn http2(request: &Parts) -> Result<Response, Refusal> {
    if request.method != Method::CONNECT {
        return Err(wrong_method());
    }
    let protocol = request.extensions.get::<hyper::ext::Protocol>();
    if protocol.is_none_or(|protocol| protocol.as_str() != "websocket") {
        return Err(not_a_handshake("`:protocol` has to be websocket"));
    }
    Ok(StatusCode::OK.into_response())
}

#[cfg(not(feature = "http2"))]
fn http2(_: &Parts) -> Result<Response, Refusal> {
    Err(Refusal::new(
        StatusCode::HTTP_VERSION_NOT_SUPPORTED,
        "handshake",
        "WebSockets over HTTP/2 need the feature `http2` of transports-adapters",
    ))
}

fn upgrade_required(text: &'static str) -> Refusal {
    Refusal::new(StatusCode::UPGRADE_REQUIRED, "handshake", text)
}

fn wrong_method() -> Refusal {
    Refusal::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "handshake",
        "WebSockets open by GET, or by CONNECT over HTTP/2",
    )
}

fn not_a_handshake(text: &'static str) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, "handshake", text)
}

fn header_is_not(headers: &HeaderMap, name: &HeaderName, value: &str) -> bool {
    headers.get(name).is_none_or(|given| given != value)
}

/// 24 digits of base64, of which the last two are padding.
fn is_key(key: &[u8]) -> bool {
    key.strip_suffix(b"==").is_some_and(|digits| {
        digits.len() == 22
            && digits
                .iter()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, b'+' | b'/'))
    })
}

/// The words of a list that may be spread over several headers.
fn tokens<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}

fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    tokens(headers, name).any(|word| word.eq_ignore_ascii_case(token))
}

fn offers(headers: &HeaderMap, protocol: &HeaderValue) -> bool {
    tokens(headers, &header::SEC_WEBSOCKET_PROTOCOL).any(|word| word == protocol)
}
