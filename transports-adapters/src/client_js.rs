//! The browser client, served without npm.

use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};

/// The first 16 hex digits of the SHA-256 of the module that [`client_js`] serves: another one with each version of it.
pub const CLIENT_JS_HASH: &str = include_str!("client_js/client.js.hash");

/// Built from `client/` by its `npm run build`; the test run checks that it is up to date.
const MODULE: &str = include_str!("client_js/client.js");

/// A route to the browser client, one ES module without dependencies:
/// `import { connect } from "/client.js"`.
///
/// Its tag is the hash of the module, so that a browser that has it is answered with 304. Under an address with the hash
/// in its path or query, browsers keep it for a year without asking.
///
/// ```
/// use axum::Router;
/// use transports_adapters::{CLIENT_JS_HASH, client_js};
///
/// let hashed = format!("/client-{CLIENT_JS_HASH}.js"); // for pages that are made by a template
/// let app: Router = Router::new()
///     .route("/client.js", client_js())
///     .route(&hashed, client_js());
/// # drop(app);
/// ```
pub fn client_js<S>() -> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    get(async |request: Request| answer(&request))
}

/// A year, the longest that means anything (RFC 9111).
const FOREVER: &str = "public, max-age=31536000, immutable";

fn answer(request: &Request) -> Response {
    let address = request.uri().path_and_query();
    let is_hashed = address.is_some_and(|address| address.as_str().contains(CLIENT_JS_HASH));
    let tag = format!("\"{CLIENT_JS_HASH}\"");
    let headers = [
        (CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (CACHE_CONTROL, if is_hashed { FOREVER } else { "no-cache" }),
        (ETAG, &tag),
    ];
    if is_known(request.headers(), &tag) {
        // A copy that is up to date keeps its type.
        let [_, cache, tag] = headers;
        return (StatusCode::NOT_MODIFIED, [cache, tag]).into_response();
    }
    (headers, MODULE).into_response()
}

/// Whether the browser says that it has what the tag stands for. Weak tags, as proxies that compress make them, count.
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value: &HeaderValue| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use tower::ServiceExt;

    use super::*;

    async fn get(uri: &str, known: &[&str]) -> (StatusCode, HeaderMap, String) {
        let app = Router::new()
            .route("/client.js", client_js())
            .route(&format!("/{CLIENT_JS_HASH}/client.js"), client_js());
        let mut request = Request::get(uri);
        for tag in known {
            request = request.header(IF_NONE_MATCH, *tag);
        }
        let request = request.body(Body::empty()).unwrap();
        let (parts, body) = app.oneshot(request).await.unwrap().into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        (parts.status, parts.headers, text)
    }

    #[tokio::test]
    async fn the_module_is_asked_for_anew_each_time() {
        let (status, headers, text) = get("/client.js", &[]).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(headers[CONTENT_TYPE], "text/javascript; charset=utf-8");
        assert_eq!(headers[CACHE_CONTROL], "no-cache");
        assert_eq!(headers[ETAG], format!("\"{CLIENT_JS_HASH}\""));
        assert_eq!(text, MODULE);
    }

    #[tokio::test]
    async fn under_its_hash_it_is_kept() {
        let uris = [
            format!("/client.js?v={CLIENT_JS_HASH}"),
            format!("/{CLIENT_JS_HASH}/client.js"),
        ];
        for uri in uris {
            let (_, headers, _) = get(&uri, &[]).await;
            assert_eq!(headers[CACHE_CONTROL], FOREVER);
        }
        let (_, headers, _) = get("/client.js?v=0000000000000000", &[]).await;
        assert_eq!(headers[CACHE_CONTROL], "no-cache");
    }

    #[tokio::test]
    async fn who_has_it_is_told_so() {
        let tag = format!("\"{CLIENT_JS_HASH}\"");
        let weak = format!("\"x\", W/{tag}");
        for known in [&[tag.as_str()][..], &[&weak], &["\"x\"", &tag], &["*"]] {
            let (status, headers, text) = get("/client.js", known).await;
            assert_eq!(status, StatusCode::NOT_MODIFIED);
            assert_eq!(headers[ETAG], tag);
            assert_eq!(text, "");
        }
        for unknown in ["\"x\"", CLIENT_JS_HASH, ""] {
            let (status, ..) = get("/client.js", &[unknown]).await;
            assert_eq!(status, StatusCode::OK);
        }
    }

    #[test]
    fn the_hash_is_one() {
        assert_eq!(CLIENT_JS_HASH.len(), 16);
        assert!(CLIENT_JS_HASH.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
}
