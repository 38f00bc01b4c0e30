//! `cargo xtask dist`: one archive for one platform, with everything that a program needs to link Auricle and to run.

mod apple;
mod apple_check;
mod archive;
pub mod build;
mod licences;
mod packages;
mod sbom;
pub mod tree;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::setup;
use crate::shell::{cargo, root, run, say};
use crate::target::Target;
use tree::Tree;

/// A program that is shipped: its package and its name.
type Program = (&'static str, &'static str);

const PROGRAMS: [Program; 2] = [("auricle-cli", "auricle"), ("auricle-train", "auricle-train")];

/// `arguments` are those of the command line: `--apple`, `--swift FOLDER` or `[--library] [--target TRIPLE] [--glibc RELEASE] [--tree FOLDER]`. With a
/// folder, the tree is laid out there and not packed: `cmake --install` takes it from there. `--library` leaves out the
/// programs.
pub fn run_with(arguments: &[&str]) -> Result<(), String> {
    match *arguments {
        ["--apple"] => return apple::run_all(),
        ["--swift", path] => return apple::sources(Path::new(path)),
        _ => {}
    }
    let (mut target, mut folder, mut programs) = (Target::host()?, None, &PROGRAMS[..]);
    let mut words = arguments.iter().copied();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("dist: {word} needs a value"));
        match word {
            "--library" => programs = &[],
            "--target" => target.triple = value()?.into(),
            "--glibc" => target.glibc = Some(value()?.into()),
            "--tree" => folder = Some(PathBuf::from(value()?)),
            _ => return Err(format!("dist: unknown argument: {word}")),
        }
    }
    if let Some(folder) = folder {
        return lay_out(&target, programs, &folder);
    }
    let name = format!("auricle-{}-{}", env!("CARGO_PKG_VERSION"), target.triple);
    let place = root().join("target").join("dist");
    let tree = place.join(&name);
    lay_out(&target, programs, &tree)?;
    let file = place.join(format!("{name}.tar.gz"));
    archive::write(&tree, &name, &file)?;
    fs::remove_dir_all(&tree).map_err(|e| format!("{}: {e}", tree.display()))?;
    let size = fs::metadata(&file).map_err(|e| format!("{}: {e}", file.display()))?.len();
    fs::write(
        file.with_file_name(format!("{name}.tar.gz.sha256")),
        format!("{}  {name}.tar.gz\n", sum(&file)?),
    )
    .map_err(|e| format!("{}: {e}", place.display()))?;
    say(format_args!("{} ({:.1} MB)", file.display(), size as f64 / 1e6));
    Ok(())
}

/// Builds everything for `target` and puts it where it is installed, below `folder`.
fn lay_out(target: &Target, programs: &[Program], folder: &Path) -> Result<(), String> {
    let runtime = setup::run_for(target.os(), target.arch())?;
    let library = build::library(target)?;
    let built = build::programs(target, &packages_of(programs))?;
    let pages = pages(programs)?;

    build::check_glibc(&library.folder.join(target.names()?.built), target)?;
    let _ = fs::remove_dir_all(folder);
    let tree = Tree { folder, target };
    let name = runtime.file_name().unwrap_or_default().to_string_lossy().into_owned();
    tree.library(&library, &name)?;
    tree.file(&runtime, &format!("{}/{name}", tree.shared()))?;
    for (_, program) in programs {
        let program = target.program(program);
        build::check_glibc(&built.join(&program), target)?;
        tree.file(&built.join(&program), &format!("bin/{program}"))?;
    }
    for page in archive::files(&pages)? {
        tree.file(&pages.join(&page), &format!("share/{}", page.to_string_lossy()))?;
    }
    tree.file(&root().join("models/esc10.onnx"), "share/auricle/models/esc10.onnx")?;
    tree.file(&root().join("models/README.md"), "share/auricle/models/README.md")?;
    for language in ["c", "cpp", "cmake"] {
        let examples = root().join("examples").join(language);
        if examples.exists() {
            tree.folder(&examples, &format!("share/auricle/examples/{language}"))?;
        }
    }
    documents(&tree, &runtime, programs)
}

fn packages_of(programs: &[Program]) -> Vec<&'static str> {
    programs.iter().map(|(package, _)| *package).collect()
}

/// Licences, lists of parts, and what a reader wants.
fn documents(tree: &Tree, runtime: &Path, programs: &[Program]) -> Result<(), String> {
    const PLACE: &str = "share/doc/auricle";
    for name in ["LICENSE-MIT", "LICENSE-APACHE", "CHANGELOG.md"] {
        tree.file(&root().join(name), &format!("{PLACE}/{name}"))?;
    }
    for name in archive::files(&root().join("docs"))? {
        // Pages link to each other; what is made of them, or makes them, stays.
        let is_page = name.extension().is_some_and(|end| end == "md" || end == "json");
        if is_page && !name.starts_with("doxygen") {
            let name = name.to_string_lossy();
            tree.file(&root().join("docs").join(&*name), &format!("{PLACE}/{name}"))?;
        }
    }
    for name in setup::LICENCES {
        tree.file(&runtime.with_file_name(name), &format!("{PLACE}/onnxruntime/{name}"))?;
    }
    let rust = rust_version()?;
    let parts = [sbom::standard_library(&rust), sbom::onnx_runtime(sum(runtime)?)];
    let mut lists = vec![("libauricle", "library", vec!["auricle"])];
    if !programs.is_empty() {
        lists.push(("auricle-tools", "application", packages_of(programs)));
    }
    for (name, kind, packages) in lists {
        let packages = &packages::linked_into(&packages, tree.target)?;
        tree.text(&licences::collect(name, packages, &rust)?, &format!("{PLACE}/{name}.licences.txt"))?;
        let document = sbom::document(name, kind, packages, &parts);
        let text = serde_json::to_string_pretty(&document).map_err(|e| e.to_string())?;
        tree.text(&(text + "\n"), &format!("{PLACE}/{name}.cdx.json"))?;
    }
    Ok(())
}

/// Man pages and completions. The command lines write them, in a test of theirs: what is shipped does not hold the code.
fn pages(programs: &[Program]) -> Result<PathBuf, String> {
    let folder = root().join("target").join("pages");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    for (package, program) in programs {
        let mut test = cargo();
        test.args(["test", "--quiet", "--package", package, "--bin", program, "pages::"]);
        run(test.env("AURICLE_PAGES", &folder))?;
        let page = folder.join("man/man1").join(format!("{program}.1"));
        if !page.exists() {
            return Err(format!("{package} has written no {}", page.display()));
        }
    }
    Ok(folder)
}

fn rust_version() -> Result<String, String> {
    let output = Command::new("rustc").arg("-V").output().map_err(|e| format!("rustc: {e}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(text.split_whitespace().nth(1).ok_or("`rustc -V` names no version")?.into())
}

/// SHA-256, hexadecimal.
fn sum(file: &Path) -> Result<String, String> {
    let bytes = fs::read(file).map_err(|e| format!("{}: {e}", file.display()))?;
    Ok(format!("{:x}", Sha256::digest(&bytes)))
}
