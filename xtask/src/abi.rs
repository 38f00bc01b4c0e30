//! `cargo xtask abi`: today's header beside that of the last release, `tests/abi/last/auricle.h`.
//!
//! Within one version of the binary interface nothing may break: functions stay as they are, members of structs and
//! constants keep their place and value. What is new or otherwise different is announced by its name under "C API" in
//! the changelog's "Unreleased". Layouts and values are the compiler's, signatures abidiff's.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::shell::{root, say};

/// The header of the last release.
const LAST: &str = "tests/abi/last/auricle.h";
const TODAY: &str = "include/auricle.h";

/// Takes today's header for that of the last release, or compares the two.
pub fn run(accept: bool) -> Result<(), String> {
    let [last, today] = [LAST, TODAY].map(|path| root().join(path));
    if accept {
        return fs::copy(&today, &last).map(drop).map_err(|e| format!("{}: {e}", last.display()));
    }
    let folder = root().join("target").join("abi");
    fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let read = |path: &Path| fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()));
    let changelog = read(&root().join("CHANGELOG.md"))?;
    compare(&read(&last)?, &read(&today)?, &changelog, &folder)?;
    abidiff(&folder)?;
    say("the binary interface is the one of the last release, and what is new in it is announced");
    Ok(())
}

/// What another program sees in the debugging information of the two.
fn abidiff(folder: &Path) -> Result<(), String> {
    let files = ["last", "today"].map(|name| folder.join(name).join("libauricle.so"));
    let output = Command::new("abidiff").args(files).output();
    let output = output.map_err(|e| format!("abidiff: {e}; it is in the package abigail-tools"))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    // 1 and 2: it did not work; 4: something is new or has grown; 8: programs break.
    match output.status.code() {
        Some(0) => Ok(()),
        Some(4) => {
            say(format_args!("abidiff, of what is new:"));
            Ok(())
        }
        code => {
            Err(format!("abidiff ended with {code:?}:\n{said}{}", String::from_utf8_lossy(&output.stderr)))
        }
    }
}

/// What is wrong with `today` after `last`.
fn compare(last: &str, today: &str, changelog: &str, folder: &Path) -> Result<(), String> {
    let (old, new) =
        (Interface::of(last, &folder.join("last"))?, Interface::of(today, &folder.join("today"))?);
    let mut wrong = Vec::new();
    if old.value("AURICLE_ABI_VERSION") == new.value("AURICLE_ABI_VERSION") {
        wrong.extend(old.broken_in(&new));
    }
    let announced = announced(changelog);
    wrong.extend(new.added_to(&old).into_iter().filter(|name| !mentions(announced, name)).map(|name| {
        format!("{name} is new or other than in the last release, and \"C API\" in CHANGELOG.md's Unreleased does not name it")
    }));
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

/// The text under "C API" in "Unreleased".
fn announced(changelog: &str) -> &str {
    let (_, unreleased) = changelog.split_once("## [Unreleased]").unwrap_or_default();
    let unreleased = unreleased.split("\n## ").next().unwrap_or_default();
    let (_, section) = unreleased.split_once("### C API").unwrap_or_default();
    section.split("\n### ").next().unwrap_or_default()
}

/// Whether `name` stands in `text` as a whole word.
fn mentions(text: &str, name: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|word| word == name)
}

/// What a C program can see of a header.
struct Interface {
    /// Functions, by their declarations.
    functions: BTreeMap<String, String>,
    /// Constants by value; structs (`sizeof`) and their members (`struct.member`) by place and size.
    numbers: BTreeMap<String, String>,
}

impl Interface {
    fn of(header: &str, folder: &Path) -> Result<Self, String> {
        fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        let functions = functions(header);
        let names = [constants(header), structs(header)].concat();
        // For abidiff: a shared library with every function and no code.
        let library = folder.join("libauricle.so");
        compile(&witness(header), &["-g", "-gdwarf-4", "-shared", "-fPIC"], &library)?;
        let program = folder.join("numbers");
        compile(
            &format!("{header}\n#include <stdio.h>\nint main(void) {{\n{}}}\n", names.join("")),
            &[],
            &program,
        )?;
        let output = Command::new(&program).output().map_err(|e| format!("{}: {e}", program.display()))?;
        let numbers = String::from_utf8_lossy(&output.stdout).into_owned();
        let numbers = numbers.lines().filter_map(|line| line.split_once(' '));
        Ok(Self {
            functions,
            numbers: numbers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        })
    }

    fn value(&self, name: &str) -> Option<&String> {
        self.numbers.get(name)
    }

    /// What of this interface is not in `new` as it was.
    fn broken_in(&self, new: &Self) -> Vec<String> {
        let mut broken = Vec::new();
        for (name, old) in self.numbers.iter().filter(|(name, _)| !name.starts_with("AURICLE_VERSION")) {
            match new.value(name) {
                Some(value) if value == old => {}
                // Structs may grow; their members, each of which is compared, stay.
                Some(size) if name.starts_with("sizeof(") && number(size) >= number(old) => {}
                Some(value) => broken.push(format!("{name} was {old} and is {value}")),
                None => broken.push(format!("{name} is gone")),
            }
        }
        for (name, old) in &self.functions {
            match new.functions.get(name) {
                Some(declaration) if declaration == old => {}
                Some(declaration) => broken.push(format!("{name} was\n  {old}\nand is\n  {declaration}")),
                None => broken.push(format!("{name} is gone")),
            }
        }
        broken
    }

    /// Names of what is not in `old`, or not the same there. Of a struct that is new, the members go without saying.
    fn added_to(&self, old: &Self) -> BTreeSet<&str> {
        let functions = self.functions.iter().filter(|(name, text)| old.functions.get(*name) != Some(text));
        let numbers = self.numbers.iter().filter(|(name, value)| old.numbers.get(*name) != Some(value));
        let numbers = numbers.map(|(name, _)| name.as_str());
        let numbers =
            numbers.filter(|name| !name.starts_with("AURICLE_VERSION") && !name.starts_with("sizeof("));
        let named = numbers.map(|name| match name.split_once('.') {
            Some((of, member)) if old.numbers.contains_key(&format!("sizeof({of})")) => member,
            Some((of, _)) => of,
            None => name,
        });
        functions.map(|(name, _)| name.as_str()).chain(named).collect()
    }
}

fn number(text: &str) -> u64 {
    text.parse().unwrap_or(0)
}

/// The declarations of the header's functions, each in one line.
fn functions(header: &str) -> BTreeMap<String, String> {
    let (_, declarations) = header.split_once("#ifdef __cplusplus").unwrap_or_default();
    let texts = declarations.split("AURICLE_API").skip(1).filter_map(|text| text.split_once(';'));
    texts
        .map(|(text, _)| text.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter_map(|text| {
            let name = text.split_once('(')?.0.rsplit([' ', '*']).next()?.to_owned();
            Some((name, text))
        })
        .collect()
}

/// The header, with a body for every function that it declares.
fn witness(header: &str) -> String {
    let (before, declarations) = header.split_once("#ifdef __cplusplus").unwrap_or((header, ""));
    let mut parts = declarations.split("AURICLE_API");
    let mut out = format!("{before}#ifdef __cplusplus{}", parts.next().unwrap_or_default());
    for part in parts {
        let (declaration, rest) = part.split_once(';').unwrap_or((part, ""));
        out += &format!("AURICLE_API{declaration}\n{{ __builtin_trap(); }}{rest}");
    }
    out
}

/// Statements that print every number that the header defines.
fn constants(header: &str) -> Vec<String> {
    let defined = header.lines().filter_map(|line| line.strip_prefix("#define ")?.split_once(' '));
    let numbers = defined
        .filter(|(_, value)| value.trim_start_matches(['(', '-']).starts_with(|c: char| c.is_ascii_digit()));
    let defined = numbers.map(|(name, _)| name.to_owned());
    let listed = header.lines().filter_map(|line| {
        let name = line.trim().split_once(" = ")?.0;
        (name.starts_with("AURICLE_") && mentions(name, name)).then(|| name.to_owned())
    });
    defined.chain(listed).map(|name| format!("printf(\"{name} %lld\\n\", (long long)({name}));\n")).collect()
}

/// Statements that print size and members of every struct that a program can see into.
fn structs(header: &str) -> Vec<String> {
    let mut out = Vec::new();
    for (_, text) in header.match_indices("typedef struct {").map(|(at, _)| header.split_at(at)) {
        let Some((body, rest)) = text.split_once("\n}") else { continue };
        let Some((name, _)) = rest.trim_start().split_once(';') else { continue };
        out.push(format!("printf(\"sizeof({name}) %zu\\n\", sizeof({name}));\n"));
        for line in body.lines().map(str::trim).filter(|line| line.ends_with(';') && !line.starts_with('*')) {
            let declaration = line.trim_end_matches(';');
            let member = match declaration.split_once("(*") {
                Some((_, function)) => function.split(')').next(),
                None => declaration.split('[').next().unwrap_or_default().rsplit([' ', '*']).next(),
            };
            let member = member.unwrap_or_default();
            out.push(format!(
                "printf(\"{name}.{member} at %zu, %zu bytes\\n\", (size_t)&(({name} *)0)->{member}, sizeof((({name} *)0)->{member}));\n"
            ));
        }
    }
    out
}

fn compile(source: &str, options: &[&str], to: &Path) -> Result<(), String> {
    let file = to.with_extension("c");
    fs::write(&file, source).map_err(|e| format!("{}: {e}", file.display()))?;
    let mut compiler = Command::new(std::env::var_os("CC").unwrap_or_else(|| "cc".into()));
    let output = compiler.args(["-std=c99", "-w"]).args(options).arg(&file).arg("-o").arg(to).output();
    let output = output.map_err(|e| format!("the C compiler: {e}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("{}: {}", file.display(), String::from_utf8_lossy(&output.stderr))),
    }
}

#[cfg(all(test, unix))] // the options of the compiler
mod tests {
    use super::*;

    const HEADER: &str = "
#include <stddef.h>
#include <stdint.h>
#define AURICLE_API
#ifdef __cplusplus
extern \"C\" {
#endif
#define AURICLE_VERSION \"0.1.0\"
#define AURICLE_ABI_VERSION 1
#define AURICLE_MEMORY (-5)
typedef struct auricle_model auricle_model;
typedef struct {
    /** Size. */
    uint32_t struct_size;
    float (*score)(int, void *);
} auricle_result;
AURICLE_API
int auricle_read(auricle_model *model,
                 auricle_result *result);
";

    fn check(name: &str, today: &str, changelog: &str) -> Result<(), String> {
        let folder = std::env::temp_dir().join(format!("auricle-abi-{}-{name}", std::process::id()));
        let outcome = compare(
            HEADER,
            today,
            &format!("## [Unreleased]\n\n### C API\n{changelog}\n### Added\nx\n"),
            &folder,
        );
        let _ = fs::remove_dir_all(&folder);
        outcome
    }

    #[test]
    fn what_is_seen_of_a_header() {
        let names = [constants(HEADER), structs(HEADER)].concat().join("");
        for name in
            ["AURICLE_MEMORY", "sizeof(auricle_result)", "auricle_result.struct_size", "auricle_result.score"]
        {
            assert!(names.contains(&format!("\"{name} ")), "{name} in {names}");
        }
        let functions = functions(HEADER);
        assert_eq!(
            functions["auricle_read"],
            "int auricle_read(auricle_model *model, auricle_result *result)"
        );
    }

    #[test]
    fn additions_are_announced() {
        let grown = HEADER.replace("void *);", "void *);\n    double extra;")
            + "#define AURICLE_NEW 7\ntypedef struct {\n    int inner;\n} auricle_other;\nAURICLE_API int auricle_reset(void);\n";
        let error = check("additions", &grown, "").expect_err("not announced");
        for name in ["AURICLE_NEW", "auricle_reset", "extra", "auricle_other"] {
            assert!(error.contains(&format!("{name} is new")), "{name}: {error}");
        }
        assert!(!error.contains("inner"), "{error}");
        assert_eq!(
            check(
                "announced",
                &grown,
                "* `auricle_reset`, `AURICLE_NEW`, `auricle_result.extra`, `auricle_other`"
            ),
            Ok(())
        );
        assert_eq!(check("same", HEADER, ""), Ok(()));
    }

    #[test]
    fn nothing_breaks_within_one_binary_interface() {
        let all = "struct_size score auricle_read AURICLE_MEMORY auricle_result model first";
        for (name, from, to, reason) in [
            ("value", "(-5)", "(-6)", "AURICLE_MEMORY was -5 and is -6"),
            (
                "member",
                "    uint32_t struct_size;",
                "    double first;\n    uint32_t struct_size;",
                "struct_size was at 0",
            ),
            ("type", "uint32_t struct_size", "uint16_t struct_size", "4 bytes and is at 0, 2 bytes"),
            ("argument", "auricle_model *model,", "auricle_model *model, int more,", "auricle_read was"),
            ("name", "auricle_read", "auricle_look", "auricle_read is gone"),
        ] {
            let error = check(name, &HEADER.replace(from, to), all).expect_err(name);
            assert!(error.contains(reason), "{name}: {error}");
        }
        let other = HEADER.replace("ABI_VERSION 1", "ABI_VERSION 2").replace("(-5)", "(-6)");
        assert_eq!(check("next", &other, &format!("{all} AURICLE_ABI_VERSION")), Ok(()));
    }
}
