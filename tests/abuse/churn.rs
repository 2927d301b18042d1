//! Clients that come and go.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::support::{HANDSHAKE, House, alone, connect, number};

/// Comes, and goes in one of many ways; whether it had a connection.
async fn visit(address: SocketAddr) -> bool {
    let kind = fastrand::u32(0..5);
    if kind == 0 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = format!("GET /ws HTTP/1.1\r\n{HANDSHAKE}");
        let part = fastrand::usize(..head.len());
        stream.write_all(&head.as_bytes()[..part]).await.unwrap();
        return false;
    }
    let mut client = connect(address, ["codec=json", "since={}"][fastrand::usize(..2)]).await;
    match kind {
        1 => {
            client.socket.close(None).await.unwrap();
            while let Some(Ok(_)) = client.socket.next().await {}
        }
        2 => drop(client.edit().await),
        // Reset at once.
        3 => drop(client.socket.get_ref().set_zero_linger()),
        _ => {}
    }
    true
}

async fn visits(address: SocketAddr, count: usize) -> u64 {
    let mut opened = 0;
    let mut visiting = JoinSet::new();
    for number in 0..count {
        if number >= 50 {
            opened += u64::from(visiting.join_next().await.unwrap().unwrap());
        }
        visiting.spawn(visit(address));
    }
    opened
        + visiting
            .join_all()
            .await
            .into_iter()
            .map(u64::from)
            .sum::<u64>()
}

/// The resident memory of this program, in bytes.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let size = line.unwrap().split_whitespace().nth(1).unwrap();
    size.parse::<u64>().unwrap() << 10
}

/// The sockets of connections to this port, of both ends, that a program has open.
fn sockets(port: u16) -> usize {
    const LISTENS: &str = "0A";
    let table = std::fs::read_to_string("/proc/self/net/tcp").unwrap();
    let port = format!(":{port:04X}");
    let is_open = |line: &&str| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let [_, local, remote, state, _, _, _, _, _, inode, ..] = fields[..] else {
            return false;
        };
        (local.ends_with(&port) || remote.ends_with(&port)) && state != LISTENS && inode != "0"
    };
    table.lines().filter(is_open).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_come_and_go_leave_nothing_behind() {
    let _alone = alone().await;
    let house = House::new(Duration::from_secs(2), |_| {}).await;
    let port = house.address.port();
    let seen = TcpStream::connect(house.address).await.unwrap();
    assert!(sockets(port) > 0);
    drop(seen);
    let count = number(500, 5000);
    let mut opened = visits(house.address, count / 2).await;
    house.down_to(0).await;
    let before = memory();
    opened += visits(house.address, count / 2).await;
    house.down_to(0).await;

    let stats = house.server.stats();
    assert_eq!(stats.opened, opened);
    assert_eq!(
        stats.ended.iter().map(|(_, count)| count).sum::<u64>(),
        opened
    );
    assert_eq!((stats.connections, stats.queued_bytes), (0, 0));
    assert!(house.server.registry().is_empty());
    let mut tries = 0;
    while sockets(port) > 0 {
        tries += 1;
        assert!(tries < 100, "{} sockets are left open", sockets(port));
        sleep(Duration::from_millis(100)).await;
    }
    let grown = memory().saturating_sub(before);
    eprintln!(
        "{count} came and went, {opened} with a connection: {grown} bytes more memory for the second half"
    );
    assert!(grown < 8 << 20, "{grown} bytes");
}
