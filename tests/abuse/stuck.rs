//! Clients that do not read any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use tokio::net::TcpSocket;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_tungstenite::client_async;

use crate::support::{House, Times, alone, counted, hits, is_full, number, shown};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_do_not_read_are_closed_and_others_receive_all() {
    let _alone = alone().await;
    let patience = Duration::from_secs(if is_full() { 10 } else { 2 });
    let house = House::new(patience, |settings| settings.write_timeout = patience).await;
    let (all, stuck) = (number(50, 1000), number(5, 50));
    let begun = Instant::now();

    let mut readers = JoinSet::new();
    for _ in stuck..all {
        let mut client = house.connect().await;
        readers.spawn(async move {
            let (mut times, mut patches) = (Times::default(), 0);
            while let Some(Ok(message)) = client.socket.next().await {
                let arrived = begun.elapsed();
                client.mirrors.receive(&message.into_data()).unwrap();
                patches += 1;
                match shown(&client.mirrors).unwrap() {
                    -1 => break,
                    sent => {
                        let sent = Duration::from_nanos(sent.try_into().unwrap());
                        times.0.push(arrived.saturating_sub(sent));
                    }
                }
            }
            (patches, times)
        });
    }
    let mut sleepers = Vec::new();
    for _ in 0..stuck {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4 << 10).unwrap();
        let stream = socket.connect(house.address).await.unwrap();
        let url = format!("ws://{}/ws", house.address);
        sleepers.push(client_async(url, stream).await.unwrap().0);
    }

    let is_over = Arc::new(AtomicBool::new(false));
    let watching = tokio::spawn({
        let (server, is_over) = (house.server.clone(), Arc::clone(&is_over));
        async move {
            let mut most = 0;
            while !is_over.load(Relaxed) {
                // What waits in the session, and what was taken for it.
                let stuck = server.registry().into_iter().skip(all - stuck);
                let held = stuck.map(|info| info.queued_bytes + info.bytes_out as usize);
                most = most.max(held.max().unwrap_or_default());
                sleep(Duration::from_millis(10)).await;
            }
            most
        }
    });
    // Far more than a client that does not read may hold, each time another text.
    let pace = Duration::from_millis(number(20, 100) as u64);
    let mut changes = 0;
    let mut closed = None;
    while begun.elapsed() < Duration::from_secs(60) && closed.is_none() {
        {
            let mut counter = house.counter.write();
            counter.n = begun.elapsed().as_nanos() as i64;
            counter.text = format!("{changes:>40000}");
        }
        changes += 1;
        sleep(pace).await;
        if house.server.stats().ended("slow") == stuck as u64 {
            closed = Some(begun.elapsed());
        }
    }
    let closed = closed.expect("all that do not read are closed");
    house.counter.write().n = -1;
    let (mut least, mut times) = (usize::MAX, Times::default());
    for (patches, more) in readers.join_all().await {
        least = least.min(patches);
        times.0.extend(more.0);
    }
    is_over.store(true, Relaxed);
    let most = watching.await.unwrap();
    eprintln!(
        "{stuck} of {all} do not read: closed after {closed:?}, at most {most} bytes waited for one; others {times}, the least of {changes} changes in {least} patches"
    );
    assert!(most <= 1 << 20, "{most} bytes");
    assert!(changes * 40_000 > 1 << 20, "more was to be told");
    assert!(closed < patience + Duration::from_secs(20), "{closed:?}");
    assert_eq!(hits(&counted(), "write_timeout"), stuck as u64);
    drop(sleepers);
}
