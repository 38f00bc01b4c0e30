//! Tests that need a process of their own, and tests of what may wait for ever.
#![allow(dead_code, reason = "each test program uses its own part")]

use std::path::Path;
use std::process::Command;
use std::time::Duration;

const CHILD: &str = "AURICLE_TEST_CHILD";

/// Runs one test of this test program, or of a copy of it, in a process of its own, where [`is_child`] is true.
pub fn child(program: &Path, test: &str) -> Command {
    let mut command = Command::new(program);
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(CHILD, "1");
    command
}

pub fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

/// What a child printed, which must have passed.
pub fn finish(mut command: Command) -> String {
    // A copy of the program that was just written is busy while a child of another test, forked meanwhile, has not
    // reached its exec: it holds the file open for writing.
    let busy = |error: &std::io::Error| error.kind() == std::io::ErrorKind::ExecutableFileBusy;
    let mut tries = 0;
    let output = loop {
        match command.output() {
            Err(error) if busy(&error) && tries < 100 => std::thread::sleep(Duration::from_millis(10)),
            output => break output.expect("the child starts"),
        }
        tries += 1;
    };
    let [out, err] = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(output.status.success() && out.contains("1 passed"), "{}\n{out}\n{err}", output.status);
    out
}

pub fn alone(test: &str) {
    finish(child(&std::env::current_exe().expect("own path"), test));
}

/// What `work` gives, unless it waits for something.
pub fn within_seconds<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || sender.send(work()));
    receiver.recv_timeout(Duration::from_secs(60)).expect("it waits for something, or panicked")
}
