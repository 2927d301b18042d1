//! The Rust client against real servers.

mod faults;
mod gone;
mod network;
mod relay;
mod resume;
mod sockets;
