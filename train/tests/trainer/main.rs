//! The trainer on data that these tests synthesise. One program, because linking burn takes longer than any of them.

#![allow(clippy::unwrap_used)]

mod augment;
mod common;
mod fit;
mod front_end;
mod networks;
