//! One file a command.

pub mod bench;
pub mod calibrate;
pub mod completions;
pub mod demo;
pub mod evaluate;
pub mod golden;
pub mod inspect;
pub mod pack;
pub mod quantize;
pub mod report;
pub mod run;
pub mod schema;
pub mod search;
pub mod simulate;
pub mod table;
pub mod trace;
pub mod verify;
