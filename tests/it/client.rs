//! The Rust client against real servers.

mod faults;
mod network;
mod resume;
mod sockets;
