//! Whatever the host and the clients do, in whatever order: in the end all hold the same.

mod collections;
mod entropy;
mod laws;
mod schedule;
mod shapes;
mod tracking;
mod world;
