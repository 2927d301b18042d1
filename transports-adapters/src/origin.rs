//! Who may come in, by what the request says of where it comes from and goes to.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};

use crate::Refusal;

/// The rules at the door. Browsers let any page open a WebSocket to any server and send cookies along, and only the
/// header `Origin` tells the server; and a page whose name was made to resolve to this machine is of the same origin as
/// what this machine serves, and only `Host` tells.
#[derive(Clone, Debug, Default)]
pub(crate) struct Door {
    pub(crate) any_origin: bool,
    pub(crate) origins: Vec<Origin>,
    pub(crate) any_host: bool,
    pub(crate) hosts: Vec<Authority>,
    pub(crate) forwarded_host: Option<HeaderName>,
}

/// Marks requests that came to a socket which only this machine can reach.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OnLoopback;

impl Door {
    /// Pages of this origin may come in, too; panics if it is none.
    #[cfg(any(feature = "ws", feature = "sse"))]
    pub(crate) fn allow_origin(&mut self, origin: &str) {
        match Origin::parse(origin) {
            Some(origin) => self.origins.push(origin),
            None => panic!("`{origin}` is no origin like `https://app.example`"),
        }
    }

    /// Requests for this host are answered, too; panics if it is none.
    pub(crate) fn allow_host(&mut self, host: &str) {
        match Authority::parse(host) {
            Some(host) => self.hosts.push(host),
            None => panic!("`{host}` is no host like `app.example`"),
        }
    }

    /// Turns away requests that a page of somebody else made, or that were meant for somebody else.
    pub(crate) fn check(&self, request: &Parts) -> Result<(), Refusal> {
        let host = self.host(request)?;
        self.check_host(host.as_ref(), request)?;
        self.check_origin(host.as_ref(), &request.headers)
    }

    /// What the client thinks this server is called.
    fn host(&self, request: &Parts) -> Result<Option<Authority>, Refusal> {
        if let Some(name) = &self.forwarded_host
            && request.headers.contains_key(name)
        {
            let host = single(&request.headers, name).and_then(Authority::parse);
            return match host {
                Some(host) => Ok(Some(host)),
                None => Err(bad_host(format!("`{name}` has to be one host"))),
            };
        }
        // HTTP/2 has it in the URI.
        if let Some(authority) = request.uri.authority() {
            return match Authority::parse(authority.as_str()) {
                Some(host) => Ok(Some(host)),
                None => Err(bad_host(
                    "the request's authority has to be one host".to_owned(),
                )),
            };
        }
        if !request.headers.contains_key(header::HOST) {
            return Ok(None);
        }
        match single(&request.headers, &header::HOST).and_then(Authority::parse) {
            Some(host) => Ok(Some(host)),
            None => Err(bad_host("`Host` has to be one host".to_owned())),
        }
    }

    fn check_host(&self, host: Option<&Authority>, request: &Parts) -> Result<(), Refusal> {
        let on_loopback = request.extensions.get::<OnLoopback>().is_some();
        if self.any_host || (self.hosts.is_empty() && !on_loopback) {
            return Ok(());
        }
        let is_known = host.is_some_and(|host| {
            host.host.is_loopback()
                || self.hosts.iter().any(|allowed| allowed.covers(host))
                || self.origins.iter().any(|origin| origin.host == host.host)
        });
        if is_known {
            return Ok(());
        }
        let host = host.map_or_else(|| "none".to_owned(), |host| format!("`{host}`"));
        Err(Refusal::new(
            StatusCode::MISDIRECTED_REQUEST,
            "host",
            format!("this server does not answer for the host {host}: see `allow_host`"),
        ))
    }

    fn check_origin(&self, host: Option<&Authority>, headers: &HeaderMap) -> Result<(), Refusal> {
        // Programs other than browsers do not send it, and could send anything.
        if self.any_origin || !headers.contains_key(header::ORIGIN) {
            return Ok(());
        }
        let origin = single(headers, &header::ORIGIN).and_then(Origin::parse);
        let is_allowed = origin.as_ref().is_some_and(|origin| {
            self.origins.contains(origin) || host.is_some_and(|host| origin.is_of(host))
        });
        if is_allowed {
            return Ok(());
        }
        let origin = origin.map_or_else(String::new, |origin| format!(" {origin}"));
        Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "origin",
            format!("pages of the origin{origin} may not connect: see `allow_origin`"),
        ))
    }
}

fn bad_host(text: String) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, "host", text)
}

/// The value of a header that is given once.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// Where a page comes from: `https://example.com:8443`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    scheme: String,
    host: Host,
    /// The default of the scheme if none is given.
    port: Option<u16>,
}

impl Origin {
    /// Reads an origin strictly: nothing may follow the port, and nothing may stand before the host.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (scheme, authority) = text.split_once("://")?;
        let scheme = scheme.to_ascii_lowercase();
        let is_scheme = scheme.starts_with(|c: char| c.is_ascii_lowercase())
            && scheme
                .bytes()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, b'+' | b'-' | b'.'));
        let Authority { host, port } = Authority::parse(authority)?;
        let port = port.or_else(|| default_port(&scheme));
        is_scheme.then_some(Self { scheme, host, port })
    }

    /// Whether pages of this origin were served by that host, whatever speaks TLS for it.
    fn is_of(&self, host: &Authority) -> bool {
        let Some(default) = default_port(&self.scheme) else {
            return false;
        };
        self.host == host.host && self.port == Some(host.port.unwrap_or(default))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        match self.port {
            Some(port) if default_port(&self.scheme) != Some(port) => write!(f, ":{port}"),
            _ => Ok(()),
        }
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

/// A host and perhaps a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Authority {
    host: Host,
    port: Option<u16>,
}

impl Authority {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (host, port) = match text.strip_prefix('[') {
            Some(text) => {
                let (address, rest) = text.split_once(']')?;
                let address: Ipv6Addr = address.parse().ok()?;
                let port = match rest {
                    "" => None,
                    rest => Some(rest.strip_prefix(':')?),
                };
                (Host::Address(address.into()), port)
            }
            None => match text.split_once(':') {
                Some((host, port)) => (Host::parse(host)?, Some(port)),
                None => (Host::parse(text)?, None),
            },
        };
        let port = match port {
            None => None,
            Some(port) if port.bytes().all(|c| c.is_ascii_digit()) => Some(port.parse().ok()?),
            Some(_) => return None,
        };
        Some(Self { host, port })
    }

    /// Without a port, any will do.
    fn covers(&self, other: &Self) -> bool {
        self.host == other.host && (self.port.is_none() || self.port == other.port)
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.host)?;
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    /// In lower case. A dot at the end makes it another name, as it does for browsers.
    Name(String),
    Address(IpAddr),
}

impl Host {
    fn parse(text: &str) -> Option<Self> {
        let is_name = !text.is_empty()
            && text
                .bytes()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'.' | b'_'));
        if !is_name {
            return None;
        }
        Some(match text.parse() {
            Ok(address) => Self::Address(address),
            Err(_) => Self::Name(text.to_ascii_lowercase()),
        })
    }

    /// Whether it can only mean this machine.
    fn is_loopback(&self) -> bool {
        match self {
            Self::Name(name) => name == "localhost" || name.ends_with(".localhost"),
            Self::Address(address) => address.to_canonical().is_loopback(),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}
