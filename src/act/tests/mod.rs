//! The promise, tested: whatever breaks and whenever, a message is delivered once, or it is still held, and the journal says
//! which.

mod adversary;
mod journal;
mod kill;
mod partly;
mod scenes;
mod settle;
mod undo;
mod world;
