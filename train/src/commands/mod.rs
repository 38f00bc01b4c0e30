//! One file a command.

pub mod compress;
pub mod stamp;
