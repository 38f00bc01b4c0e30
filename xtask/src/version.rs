//! The version of the binary interface, from the library's version, which xtask shares.

/// `AURICLE_ABI_VERSION`: the minor version below 1.0, 1000 times the major one from then on.
pub fn abi() -> Result<u32, String> {
    abi_of(env!("CARGO_PKG_VERSION_MAJOR"), env!("CARGO_PKG_VERSION_MINOR"))
}

fn abi_of(major: &str, minor: &str) -> Result<u32, String> {
    let number = |text: &str| text.parse::<u32>().map_err(|e| format!("version {text}: {e}"));
    Ok(match number(major)? {
        0 => number(minor)?,
        major => major * 1000,
    })
}

/// What the library's file name ends with: `0.1` below 1.0, `1` from then on; the name that `build.rs` writes into it.
pub fn library_suffix(abi: u32) -> String {
    if abi < 1000 { format!("0.{abi}") } else { (abi / 1000).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_minor_version_counts_below_1_and_the_major_one_from_then_on() {
        let of = |major, minor| abi_of(major, minor).map(|abi| (abi, library_suffix(abi)));
        assert_eq!(of("0", "7"), Ok((7, "0.7".into())));
        assert_eq!(of("1", "4"), Ok((1000, "1".into())));
        assert_eq!(of("12", "0"), Ok((12_000, "12".into())));
    }
}
