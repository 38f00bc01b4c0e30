//! What the tasks share: the repository's folders, and other programs.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The repository's root folder.
pub fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

/// The folder where cargo puts the output of a profile: `debug`, `release`, `dist`.
pub fn output_of(profile: &str) -> Result<PathBuf, String> {
    let me = std::env::current_exe().map_err(|e| format!("own path: {e}"))?;
    let target = me.ancestors().nth(2).ok_or_else(|| format!("{} is not in a cargo folder", me.display()))?;
    Ok(target.join(profile))
}

/// Says what is about to happen.
pub fn say(what: impl std::fmt::Display) {
    println!("xtask: {what}");
}

/// Cargo, in the repository's root.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Shows and runs a command; anything but exit code 0 is an error.
pub fn run(command: &mut Command) -> Result<(), String> {
    let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy().into_owned()).collect();
    let program = Path::new(command.get_program());
    let name = program.file_stem().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
    let shown = format!("{name} {}", words.join(" "));
    say(&shown);
    std::io::stdout().flush().map_err(|e| format!("standard output: {e}"))?;
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{shown}` failed: {status}")),
        Err(e) => Err(format!("`{shown}` could not be started: {e}")),
    }
}
