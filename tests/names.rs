//! One name for one thing: statuses, formats, levels and members of structs are the same in `auricle.h`, `auricle.hpp`, the
//! Rust API and the documentation.

use std::collections::BTreeMap;
use std::path::Path;

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{file}: {error}")).replace("\r\n", "\n")
}

/// `AURICLE_NAME` and its number, of every number that the header defines but those of versions.
fn defined(header: &str) -> BTreeMap<String, i64> {
    let define = |line: &str| {
        let (name, number) = line.strip_prefix("#define AURICLE_")?.split_once(' ')?;
        (!name.contains("VERSION")).then_some(())?;
        Some((name.to_owned(), number.trim().parse().ok()?))
    };
    header.lines().filter_map(define).collect()
}

/// Without comments, so that what they show is not taken for code.
fn code(text: &str) -> String {
    let mut rest = text;
    let mut out = String::new();
    while let Some((before, comment)) = rest.split_once("/*") {
        out += before;
        rest = comment.split_once("*/").map_or("", |(_, after)| after);
    }
    out + rest
}

/// The bodies of what `opens` opens, by name: `opens` NAME … { body };
fn bodies(code: &str, opens: &str) -> BTreeMap<String, String> {
    let body = |text: &str| {
        let (head, rest) = text.split_once('{')?;
        let name: String = head.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        Some((name, rest.split_once("\n}")?.0.to_owned()))
    };
    code.split(opens).skip(1).filter_map(body).collect()
}

/// The members of a struct, in their order: the last word before `;` or ` =`.
fn members(body: &str) -> Vec<String> {
    let member = |statement: &str| {
        let statement = statement.split('=').next()?.trim();
        let name = statement.rsplit([' ', '*', '\n']).next()?;
        (!statement.is_empty() && name != "struct_size" && name != "reserved").then(|| name.to_owned())
    };
    body.split(';').filter_map(member).collect()
}

#[test]
fn every_number_of_the_header_has_its_name_in_cpp() {
    let header = defined(&read("include/auricle.h"));
    let cpp = code(&read("include/auricle.hpp"));
    let mut found = BTreeMap::new();
    for (name, body) in
        bodies(&cpp, "enum class ").into_iter().chain(bodies(&cpp, "enum class [[nodiscard]] "))
    {
        for line in body.split(',').filter_map(|line| line.trim().split_once(" = AURICLE_")) {
            let (own, theirs) = line;
            let prefix = if name == "LogLevel" { "LOG_" } else { "" };
            assert_eq!(format!("{prefix}{}", own.to_uppercase()), theirs, "a member of {name}");
            found.insert(theirs.to_owned(), header.get(theirs).copied());
        }
    }
    let expected: BTreeMap<_, _> = header.into_iter().map(|(name, number)| (name, Some(number))).collect();
    assert_eq!(found, expected, "in auricle.hpp, and defined in auricle.h");
    assert!(found.len() >= 28, "{found:?}");
}

#[test]
fn every_struct_of_the_header_has_its_members_in_cpp() {
    let cpp = bodies(&code(&read("include/auricle.hpp")), "\nstruct ");
    let header = code(&read("include/auricle.h"));
    let mut compared = 0;
    for text in header.split("typedef struct {").skip(1) {
        let (body, rest) = text.split_once("\n}").expect("a struct ends");
        let name: String = rest.trim().chars().take_while(|c| *c != ';').collect();
        let words = name.trim_start_matches("auricle_").split('_');
        let camel: String = words.map(|word| word[..1].to_uppercase() + &word[1..]).collect();
        let own = if camel == "Result" { "Window".to_owned() } else { camel };
        // In C++ a span has its count, and a callback its user data.
        let mut theirs = members(body);
        theirs.retain(|name| name != "provider_count" && name != "user");
        let mut ours = cpp.get(&own).map(|body| members(body)).unwrap_or_default();
        theirs.sort();
        ours.sort();
        assert_eq!(theirs, ours, "members of {name}, and of auricle::{own}");
        compared += 1;
    }
    assert!(compared >= 5, "{compared} structs");
}

/// Each function of C has its call in C++.
#[test]
fn every_function_of_the_header_is_called_by_cpp() {
    let (header, cpp) = (read("include/auricle.h"), code(&read("include/auricle.hpp")));
    let (_, declarations) = header.split_once("#ifdef __cplusplus").expect("what is declared");
    let names = declarations.split("AURICLE_API").skip(1);
    let names: Vec<_> =
        names.filter_map(|text| text.split_once('(')?.0.rsplit([' ', '*', '\n']).next()).collect();
    assert!(names.len() >= 29, "{names:?}");
    for name in names {
        // auricle_classify has all that it has.
        let called = cpp.contains(&format!("{name}(")) || name == "auricle_classify_f32";
        assert!(called, "include/auricle.hpp does not call {name}");
    }
}

#[test]
fn the_pages_have_the_numbers_of_the_header() {
    let header = read("include/auricle.h");
    let (statuses, _) = header.split_once("typedef int32_t auricle_status;").expect("the statuses end");
    let statuses = defined(statuses);
    let page = read("docs/statuses.md");
    for (name, number) in &statuses {
        let row = format!("| {number} | `AURICLE_{name}` | `Status::{}` | ", name.to_lowercase());
        assert!(page.contains(&row), "docs/statuses.md lacks: {row}");
    }
    assert_eq!(page.matches("| `AURICLE_").count(), statuses.len(), "rows of docs/statuses.md");

    let errors = read("docs/errors.md");
    for (name, number) in statuses.iter().filter(|(_, number)| **number < 0) {
        let heading = format!("`AURICLE_{name}` ({number}): ");
        assert!(errors.contains(&heading), "docs/errors.md lacks: {heading}");
    }
    let rust = code(&read("src/error.rs"));
    for (name, number) in statuses.iter().filter(|(_, number)| **number < 0) {
        let words = name.to_lowercase();
        let camel: String = words.split('_').map(|word| word[..1].to_uppercase() + &word[1..]).collect();
        assert!(rust.contains(&format!("    {camel} = {number},")), "src/error.rs lacks {camel} = {number}");
    }
}

/// What options the documents name exist.
#[test]
fn documents_name_no_option_that_is_not_there() {
    let header = read("include/auricle.h");
    for file in ["README.md", "docs/errors.md", "docs/statuses.md"] {
        for text in read(file).split("options.").skip(1) {
            let name: String = text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            assert!(name.is_empty() || header.contains(&format!("{name};")), "{file} names options.{name}");
        }
    }
}
