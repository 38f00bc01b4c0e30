//! `cargo xtask header`: writes include/auricle.h from src/ffi, and docs/statuses.md from that, or checks that they are up
//! to date.

use std::fs;
use std::path::Path;

use crate::shell::root;
use crate::version;

/// The files of src/ffi that export something, in the order of the header's sections: by need.
const SECTIONS: [&str; 14] = [
    "status",
    "cancel",
    "provider",
    "model",
    "pcm",
    "clip",
    "session",
    "push",
    "read",
    "read_many",
    "output",
    "runtime",
    "log",
    "version",
];
/// The files of src/ffi that export nothing.
const INTERNAL: [&str; 6] = ["mod", "guard", "jni", "last_error", "pointer", "structs"];
const RULE: &str =
    "-------------------------------------------------------------------------------------------------";

/// Writes both; with `check` only compares, and says where the first difference is.
pub fn run(check: bool) -> Result<(), String> {
    let root = root();
    let header = render(root)?;
    let statuses = statuses(&header)?;
    for (name, new) in [("include/auricle.h", header), ("docs/statuses.md", statuses)] {
        let path = root.join(name);
        let old = fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
        if old != new && check {
            return Err(difference(name, &old, &new));
        }
        if old != new {
            fs::write(&path, new).map_err(|e| format!("{}: {e}", path.display()))?;
        }
    }
    Ok(())
}

/// The page of the statuses: number, names in C and C++, meaning, all from the header.
fn statuses(header: &str) -> Result<String, String> {
    let missing = || "the header has no statuses between AURICLE_OK and auricle_status".to_string();
    let (text, _) = header.split_once("typedef int32_t auricle_status;").ok_or_else(missing)?;
    let (_, text) = text.split_once("* STATUSES AND THE LAST ERROR").ok_or_else(missing)?;
    let mut page = String::from(
        "# Statuses\n\n\
         What calls return: in C an `auricle_status`, in C++ an `auricle::Status`, alone or in an `Error`. 0 is success, \
         positive is\nsuccess of another kind, negative an error: -1 to -99 the call, -100 to -199 the model, -200 to -299 \
         ONNX Runtime, -300 a defect\nof Auricle. The numbers are kept for ever. [errors.md](errors.md) has messages, and \
         what to do. Made from the header by\n`cargo xtask header`.\n\n\
         | number | C | C++ | meaning |\n| ---: | --- | --- | --- |\n",
    );
    for item in text.split("/**").skip(1) {
        let Some((doc, rest)) = item.split_once("*/") else { continue };
        let Some(define) = rest.trim().strip_prefix("#define AURICLE_") else { continue };
        let (name, number) =
            define.lines().next().and_then(|line| line.split_once(' ')).ok_or_else(missing)?;
        let meaning: Vec<&str> = doc.split_whitespace().filter(|word| *word != "*").collect();
        page += &format!(
            "| {number} | `AURICLE_{name}` | `Status::{}` | {} |\n",
            name.to_lowercase(),
            meaning.join(" ")
        );
    }
    Ok(page)
}

fn difference(name: &str, old: &str, new: &str) -> String {
    let (mut a, mut b) = (old.lines(), new.lines());
    let mut number = 1;
    loop {
        match (a.next(), b.next()) {
            (x, y) if x != y || x.is_none() => {
                let [x, y] = [x, y].map(|line| line.unwrap_or("(end of the file)"));
                return format!(
                    "{name} does not fit src/ffi any more; run `cargo xtask header`\n  line {number}\n  - {x}\n  + {y}"
                );
            }
            _ => number += 1,
        }
    }
}

fn render(root: &Path) -> Result<String, String> {
    check_sections(root)?;
    let mut config = cbindgen::Config::from_file(root.join("cbindgen.toml"))?;
    let header = config.header.take().unwrap_or_default();
    let trailer = config.trailer.take().unwrap_or_default();
    let mut out = comment(&heading(&root.join("src/ffi/mod.rs"))?);
    out += "\n/* Generated from src/ffi by `cargo xtask header`. Do not edit. */\n";
    out += &format!("{header}\n\n{}", versions()?);
    for section in SECTIONS {
        let path = root.join(format!("src/ffi/{section}.rs"));
        let mut lines = heading(&path)?;
        lines.insert(0, RULE.into());
        let mut code = Vec::new();
        let builder = cbindgen::Builder::new().with_src(&path).with_config(config.clone());
        builder.generate().map_err(|e| format!("{}: {e}", path.display()))?.write(&mut code);
        let code = String::from_utf8(code).map_err(|e| format!("{}: {e}", path.display()))?;
        out += &format!("\n{}\n{}\n", comment(&lines), tidy(code.trim()));
    }
    Ok(out + &trailer)
}

/// Every file of src/ffi is in one of the two lists.
fn check_sections(root: &Path) -> Result<(), String> {
    let entries = fs::read_dir(root.join("src/ffi")).map_err(|e| format!("src/ffi: {e}"))?;
    for entry in entries {
        let name = entry.map_err(|e| format!("src/ffi: {e}"))?.file_name().to_string_lossy().into_owned();
        let stem = name.trim_end_matches(".rs");
        if !SECTIONS.contains(&stem) && !INTERNAL.contains(&stem) {
            return Err(format!(
                "src/ffi/{name} is in no list of xtask/src/header.rs: a section of the header, or internal?"
            ));
        }
    }
    Ok(())
}

/// The numbers of Cargo.toml, which xtask shares with the library. The C tests compare the interface's version
/// with the one that src/ffi/version.rs computes.
fn versions() -> Result<String, String> {
    let (major, minor) = (env!("CARGO_PKG_VERSION_MAJOR"), env!("CARGO_PKG_VERSION_MINOR"));
    Ok(format!(
        "/** Version of this header, \"MAJOR.MINOR.PATCH\". */\n\
         #define AURICLE_VERSION \"{}\"\n\
         /** Its first number. */\n\
         #define AURICLE_VERSION_MAJOR {major}\n\
         /** Its second number. */\n\
         #define AURICLE_VERSION_MINOR {minor}\n\
         /** Its third number. */\n\
         #define AURICLE_VERSION_PATCH {}\n\
         /** See auricle_abi_version. */\n\
         #define AURICLE_ABI_VERSION {}\n",
        env!("CARGO_PKG_VERSION"),
        env!("CARGO_PKG_VERSION_PATCH"),
        version::abi()?,
    ))
}

/// The `//!` lines that open a file, without their marks; code is indented instead of fenced.
fn heading(path: &Path) -> Result<Vec<String>, String> {
    let text = fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let mut code = false;
    let mut lines = Vec::new();
    for line in text.lines().map_while(|line| line.strip_prefix("//!")) {
        if line.trim_start().starts_with("```") {
            code = !code;
        } else if code {
            lines.push(format!("   {line}").trim_end().into());
        } else {
            lines.push(line.trim().into());
        }
    }
    Ok(lines)
}

/// One style where cbindgen has several: the macro of a function on its own line, a comment of one line in one line.
fn tidy(code: &str) -> String {
    let code = code.replace("AURICLE_API ", "AURICLE_API\n");
    let mut lines: Vec<String> = Vec::new();
    for line in code.lines() {
        if let [.., open, text] = &lines[..]
            && (open.trim(), line.trim()) == ("/**", "*/")
        {
            let short = format!("{} {} */", open, text.trim().trim_start_matches("* "));
            lines.truncate(lines.len() - 2);
            lines.push(short);
        } else {
            lines.push(line.into());
        }
    }
    lines.join("\n")
}

fn comment(lines: &[String]) -> String {
    let line = |line: &String| format!(" * {line}").trim_end().to_string() + "\n";
    let body: String = lines.iter().map(line).collect();
    format!("/*{} */\n", body.strip_prefix(" *").unwrap_or(&body))
}
