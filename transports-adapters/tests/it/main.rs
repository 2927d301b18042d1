//! The adapters as an application sees them. Where it can be, over streams in memory and a clock that stands still while
//! anything happens.
#![cfg(test)]

mod autosync;
mod closing;
mod cuts;
mod door;
#[cfg(feature = "http2")]
mod http2;
#[cfg(feature = "inspect")]
mod inspect;
mod limits;
mod observed;
mod rights;
mod serve;
mod sockets;
mod sse;
mod sums;
mod support;
