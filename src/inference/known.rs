//! The library files of ONNX Runtime whose SHA-256 sums are known: `known.txt`.

use std::fs::File;
use std::io;
use std::path::Path;

use sha2::{Digest, Sha256};

const TABLE: &str = include_str!("known.txt");

/// A line of the table.
struct Known<'a> {
    sum: &'a str,
    release: &'a str,
    platform: &'a str,
}

fn table() -> impl Iterator<Item = Known<'static>> {
    TABLE.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut words = line.split(' ');
        Some(Known { sum: words.next()?, release: words.next()?, platform: words.next()? })
    })
}

/// The sum of `file`, if it is that of an official build for this platform. The error is a reason.
pub(super) fn check(file: &Path) -> Result<String, String> {
    let sum = sum(file).map_err(|error| format!("it was not compared with the known releases: {error}"))?;
    let here = format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH);
    let known = || table().filter(|known| known.platform == here);
    if known().any(|known| known.sum == sum) {
        return Ok(sum);
    }
    let all: Vec<_> = known().map(|known| format!("{} ({})", known.release, known.sum)).collect();
    let all = if all.is_empty() { "none".into() } else { all.join(", ") };
    Err(format!(
        "its SHA-256 sum is {sum}, not that of an official release that Auricle {} knows for {here}: {all}. Take the \
         file of one of these as it was published, or open this one without known_only",
        crate::VERSION
    ))
}

fn sum(file: &Path) -> io::Result<String> {
    let mut hasher = Sha256::new();
    io::copy(&mut File::open(file)?, &mut hasher)?;
    Ok(format!("{:x}", hasher.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(table().count(), lines);
        for Known { sum, release, platform } in table() {
            let digits = sum.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c));
            assert!(sum.len() == 64 && digits, "{release} {platform}: {sum}");
            let minor = release.strip_prefix("1.").and_then(|rest| rest.split_once('.')?.0.parse().ok());
            assert!(
                minor.is_some_and(|minor: u32| minor >= ort::sys::ORT_API_VERSION),
                "{release} is too old"
            );
            assert_eq!(
                table().filter(|known| known.sum == sum).count(),
                1,
                "{release} {platform}: {sum} twice"
            );
        }
        for platform in
            ["linux-x86_64", "linux-aarch64", "macos-aarch64", "windows-x86_64", "windows-aarch64"]
        {
            assert!(
                table().any(|known| (known.release, known.platform) == ("1.28.0", platform)),
                "{platform}"
            );
        }
    }
}
