//! Tenants come and go.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;
use transports::hub::Mode;
use transports::{Hub, Server};

use super::{doc, key, open, texts};

#[test]
fn a_tenant_is_made_on_demand_and_goes_when_nobody_comes() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let note = |what: &'static str| {
        let log = Arc::clone(&log);
        move |tenant: &transports::hub::Tenant, _: &transports::Session| {
            log.lock().push(format!("{what} {tenant}"));
        }
    };
    let hub = Hub::builder(key)
        .on_tenant(|hub, tenant, session| {
            let first = transports::hub::FIRST_SHARED;
            session.host_named("Own", doc(tenant.as_str()));
            hub.subscribe(tenant, first, Mode::Read);
        })
        .on_first_viewer(note("first"))
        .on_last_viewer(note("last"))
        .on_idle({
            let log = Arc::clone(&log);
            let busy = std::sync::atomic::AtomicBool::new(true);
            move |tenant, _| {
                log.lock().push(format!("idle {tenant}"));
                !busy.swap(false, std::sync::atomic::Ordering::SeqCst)
            }
        })
        .on_evict(note("evict"))
        .build();
    let board = hub.share(transports::collections::Text::from("all"));
    let server = Server::new(hub.clone());
    let mut first = open(&server, "ann", "");
    let second = open(&server, "ann", "");
    assert_eq!(texts(&mut first).len(), 2);
    assert_eq!(hub.viewers("ann"), 2);
    drop((first, second));

    let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    let idle = Duration::from_secs(60);
    assert!(
        hub.expire(at(100), idle).is_empty(),
        "not known to be idle before"
    );
    assert!(hub.expire(at(159), idle).is_empty());
    assert!(
        hub.expire(at(160), idle).is_empty(),
        "there is still something to do"
    );
    assert!(hub.get("ann").is_some());
    assert_eq!(hub.expire(at(161), idle), ["ann".into()]);
    assert!(hub.get("ann").is_none());
    assert_eq!(
        *log.lock(),
        ["first ann", "last ann", "idle ann", "idle ann", "evict ann"]
    );

    let mut again = open(&server, "ann", "");
    let seen = texts(&mut again);
    assert!(
        seen.concat().contains(r#""id":1,"type":"Own","rev":1"#),
        "{seen:?}"
    );
    assert_eq!(seen.len(), 2, "subscribed again");
    drop(board);
}

/// A client that was away may not take new revisions for old ones.
#[test]
fn revisions_of_an_evicted_tenant_do_not_come_again() {
    let hub = super::hub();
    let server = Server::new(hub.clone());
    let own = hub.tenant("ann").host_named("Own", doc("a"));
    for text in ["b", "c"] {
        *own.write() = doc(text);
        let _ = hub.sync();
    }
    assert_eq!(own.revision(), 2);
    let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    hub.expire(at(1), Duration::ZERO);
    assert!(hub.get("ann").is_none());
    let own = hub.tenant("ann").host_named("Own", doc("new"));
    assert_eq!(own.revision(), 3);
    *own.write() = doc("newer");
    let _ = hub.sync();
    let seen = texts(&mut open(&server, "ann", "since=%7B%221%22%3A2%7D"));
    assert!(seen.concat().contains(r#"{"t":"snapshot""#), "{seen:?}");
}
