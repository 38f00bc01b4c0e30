//! A platform that something is built for, and how files are named there.

use std::process::Command;

use crate::version;

/// A target of rustc, such as `x86_64-unknown-linux-gnu`.
pub struct Target {
    pub triple: String,
    /// The oldest release of glibc that must do, such as `2.28`; this machine's own where none is given.
    pub glibc: Option<String>,
}

/// The names of the library's files.
pub struct Names {
    /// What cargo writes.
    pub built: &'static str,
    /// The installed file, then the links to it: what programs ask for when they start, and what linkers ask for.
    pub installed: Vec<String>,
    /// What a program is linked to where that is not the library itself, as cargo writes it (Windows).
    pub import: Option<&'static str>,
    pub archive: &'static str,
}

impl Target {
    /// The machine that this runs on.
    pub fn host() -> Result<Self, String> {
        let output = Command::new("rustc").arg("-vV").output().map_err(|e| format!("rustc: {e}"))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = text.lines().find_map(|line| line.strip_prefix("host: "));
        Ok(Self { triple: line.ok_or("`rustc -vV` names no host")?.into(), glibc: None })
    }

    /// As `std::env::consts::OS` has it.
    pub fn os(&self) -> &str {
        match self.triple.as_str() {
            triple if triple.contains("-linux-android") => "android",
            triple if triple.contains("-linux-") => "linux",
            triple if triple.contains("-apple-darwin") => "macos",
            triple if triple.contains("-apple-ios") => "ios",
            triple if triple.contains("-windows-") => "windows",
            triple => triple,
        }
    }

    /// As `std::env::consts::ARCH` has it.
    pub fn arch(&self) -> &str {
        self.triple.split('-').next().unwrap_or_default()
    }

    pub fn is_windows(&self) -> bool {
        self.os() == "windows"
    }

    /// The name of a program's file.
    pub fn program(&self, name: &str) -> String {
        format!("{name}{}", if self.is_windows() { ".exe" } else { "" })
    }

    pub fn names(&self) -> Result<Names, String> {
        let (abi, version) = (version::library_suffix(version::abi()?), env!("CARGO_PKG_VERSION"));
        Ok(match self.os() {
            "windows" if self.triple.ends_with("msvc") => Names {
                built: "auricle.dll",
                installed: vec!["auricle.dll".into()],
                import: Some("auricle.dll.lib"),
                archive: "auricle.lib",
            },
            "windows" => Names {
                built: "auricle.dll",
                installed: vec!["auricle.dll".into()],
                import: Some("libauricle.dll.a"),
                archive: "libauricle.a",
            },
            "macos" | "ios" => Names {
                built: "libauricle.dylib",
                installed: vec![
                    format!("libauricle.{version}.dylib"),
                    format!("libauricle.{abi}.dylib"),
                    "libauricle.dylib".into(),
                ],
                import: None,
                archive: "libauricle.a",
            },
            _ => Names {
                built: "libauricle.so",
                installed: vec![
                    format!("libauricle.so.{version}"),
                    format!("libauricle.so.{abi}"),
                    "libauricle.so".into(),
                ],
                import: None,
                archive: "libauricle.a",
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_triple_says_which_system_and_processor() {
        for (triple, os, arch) in [
            ("x86_64-unknown-linux-gnu", "linux", "x86_64"),
            ("aarch64-unknown-linux-musl", "linux", "aarch64"),
            ("aarch64-linux-android", "android", "aarch64"),
            ("aarch64-apple-darwin", "macos", "aarch64"),
            ("x86_64-pc-windows-gnu", "windows", "x86_64"),
        ] {
            let target = Target { triple: triple.into(), glibc: None };
            assert_eq!((target.os(), target.arch()), (os, arch), "{triple}");
        }
    }
}
