//! Requests that ask for too much.

use std::time::Duration;

use crate::support::{HANDSHAKE, House, alone, counted, hits, told};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn openings_that_ask_for_too_much_are_refused_and_counted() {
    let _alone = alone().await;
    let house = House::new(Duration::from_secs(2), |_| {}).await;
    let models = |count: usize| {
        let ids: Vec<_> = (0..count).map(|id| format!("%22{id}%22:1")).collect();
        format!("{{{}}}", ids.join(","))
    };
    let long = "7".repeat(1 << 20);
    for (line, headers, status) in [
        (format!("/ws?since={long}"), "", 4),
        ("/ws".to_owned(), &*format!("x: {long}\r\n"), 431),
        (format!("/ws?since={}", "[".repeat(30_000)), "", 400),
        (format!("/ws?since={}", "{%221%22:".repeat(3_000)), "", 400),
        ("/ws?since=[1,2]".to_owned(), "", 400),
        ("/ws?since=7".to_owned(), "", 400),
        ("/ws?since={%221%22:-1}".to_owned(), "", 400),
        ("/ws?since={%221%22:1e300}".to_owned(), "", 400),
        ("/ws?since={%22x%22:1}".to_owned(), "", 400),
        ("/ws?since=%ff%fe".to_owned(), "", 400),
        (format!("/ws?since={}", models(1025)), "", 400),
        ("/ws?epoch=yesterday".to_owned(), "", 400),
        ("/ws?codec=morse".to_owned(), "", 400),
    ] {
        let request = format!("GET {line} HTTP/1.1\r\n{headers}{HANDSHAKE}");
        let (answer, waited) = told(house.address, request.as_bytes()).await;
        let answered = answer.split(' ').nth(1).unwrap_or_default();
        let line = &line[..line.len().min(60)];
        assert!(
            answered.starts_with(&status.to_string()),
            "{line}: {answer}"
        );
        assert!(waited < Duration::from_secs(10), "{line}: {waited:?}");
        assert!(!answer.contains("snapshot"), "{line}: {answer}");
    }
    let counted = counted();
    assert_eq!(hits(&counted, "head_bytes"), 2, "{counted:?}");
    assert_eq!(hits(&counted, "since_models"), 1, "{counted:?}");
    assert_eq!(
        counted["transports_connects_total ws query"], 9,
        "{counted:?}"
    );
    let stats = house.server.stats();
    assert_eq!(
        (stats.opened, stats.refused),
        (0, 2),
        "one by number, one by codec"
    );
    house.connect().await.edit().await;
}
