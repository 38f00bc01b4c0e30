//! `cargo xtask test`: every test of the repository.

use std::time::Instant;

use crate::setup;
use crate::shell::{cargo, run, say};

/// Sets up what the tests need, then runs them all, whatever fails in between.
pub fn run_all() -> Result<(), String> {
    setup::run()?;
    let steps: [(&str, &[&str]); 2] = [
        (
            "the library, its C API, the command line, the decoder and the tasks",
            &["-p", "auricle", "-p", "auricle-cli", "-p", "auricle-decode", "-p", "xtask"],
        ),
        ("the trainer", &["-p", "auricle-train"]),
    ];
    let mut failed = Vec::new();
    for (what, packages) in steps {
        let start = Instant::now();
        say(format_args!("tests of {what}"));
        if let Err(message) = run(cargo().args(["test", "--no-fail-fast"]).args(packages)) {
            failed.push(message);
        }
        say(format_args!("tests of {what}: {:.0} s", start.elapsed().as_secs_f32()));
    }
    if failed.is_empty() {
        say("all tests passed");
        return Ok(());
    }
    Err(failed.join("\n"))
}

/// Has the test that compares docs/errors.md write it instead.
pub fn write_errors() -> Result<(), String> {
    setup::run()?;
    let test = ["test", "--quiet", "-p", "auricle", "--test", "cpp_api", "what_to_do"];
    run(cargo().args(test).env("AURICLE_WRITE", "docs/errors.md"))
}
