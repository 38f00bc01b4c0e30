//! The Swift package: `cargo xtask dist --swift FOLDER` lays its sources out, and `cargo xtask dist --apple` packs it for apps, with the
//! library and ONNX Runtime for iOS and its simulator, each as an xcframework. rustc must have the targets (or build their standard
//! library); nothing is linked, so any system will do.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::apple_check;
use super::tree::Tree;
use super::{archive, build, licences, packages, rust_version, sum};
use crate::setup;
use crate::shell::{cargo, root, run, say};
use crate::target::Target;

/// The oldest iOS: ONNX Runtime's own.
pub const MINIMUM_IOS: &str = "15.1";

/// ONNX Runtime for iOS, 1.26.0, which holds no telemetry: an xcframework of static libraries, out of a package for Unity by npm.
const RUNTIME: &str = "com.github.asus4.onnxruntime@0.4.8";
const RUNTIME_SHA256: &str = "007a59a954d2161ffb1b3977a649c7945ee37bf30ad493891d4252c02e9536a4";

/// One library of an xcframework.
pub struct Slice {
    /// Its folder, named as Xcode names it.
    pub identifier: &'static str,
    /// `SupportedPlatformVariant` of its plist.
    variant: Option<&'static str>,
    architectures: &'static [&'static str],
    /// What lies in the folder: the library, or the framework that it is in.
    library: &'static str,
    binary: &'static str,
    headers: Option<&'static str>,
}

impl Slice {
    const fn own(identifier: &'static str, variant: Option<&'static str>) -> Self {
        let binary = "libauricle.a";
        Self {
            identifier,
            variant,
            architectures: &["arm64"],
            library: binary,
            binary,
            headers: Some("Headers"),
        }
    }

    const fn runtime(
        identifier: &'static str,
        variant: Option<&'static str>,
        architectures: &'static [&'static str],
    ) -> Self {
        let (library, binary) = ("onnxruntime.framework", "onnxruntime.framework/onnxruntime");
        Self { identifier, variant, architectures, library, binary, headers: None }
    }
}

/// Targets of rustc, with what becomes of them. Simulators of Macs with Intel's processors are left out.
pub const OWN: [(&str, Slice); 2] = [
    ("aarch64-apple-ios", Slice::own("ios-arm64", None)),
    ("aarch64-apple-ios-sim", Slice::own("ios-arm64-simulator", Some("simulator"))),
];

/// What is taken of ONNX Runtime's xcframework. That for Mac Catalyst has lost its links on its way through npm.
const OF_RUNTIME: [Slice; 2] = [
    Slice::runtime("ios-arm64", None, &["arm64"]),
    Slice::runtime("ios-arm64_x86_64-simulator", Some("simulator"), &["arm64", "x86_64"]),
];

/// Packs the package with both xcframeworks, and looks at what came out.
pub fn run_all() -> Result<(), String> {
    let runtime = runtime()?;
    let libraries = OWN.iter().map(|(triple, _)| library(triple)).collect::<Result<Vec<_>, _>>()?;
    let place = root().join("target").join("dist");
    let folder = place.join("Auricle");
    lay_out(&folder, &libraries, &runtime)?;
    let target = Target { triple: OWN[0].0.into(), glibc: None };
    let parts = packages::linked_into(&["auricle"], &target)?;
    let licences = licences::collect("libauricle", &parts, &rust_version()?)?;
    Tree { folder: &folder, target: &target }.text(&licences, "libauricle.licences.txt")?;
    apple_check::check(&folder)?;
    let name = format!("auricle-swift-{}", env!("CARGO_PKG_VERSION"));
    let file = place.join(format!("{name}.tar.gz"));
    archive::write(&folder, "Auricle", &file)?;
    fs::remove_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    fs::write(place.join(format!("{name}.tar.gz.sha256")), format!("{}  {name}.tar.gz\n", sum(&file)?))
        .map_err(|e| format!("{}: {e}", place.display()))?;
    say(file.display());
    Ok(())
}

/// The package's sources, for systems where the library is installed.
pub fn sources(folder: &Path) -> Result<(), String> {
    let _ = fs::remove_dir_all(folder);
    let target = Target { triple: OWN[0].0.into(), glibc: None };
    let tree = Tree { folder, target: &target };
    let package = root().join("bindings").join("swift");
    tree.file(&package.join("Package.swift"), "Package.swift")?;
    tree.folder(&package.join("Sources"), "Sources")?;
    for name in ["LICENSE-MIT", "LICENSE-APACHE"] {
        tree.file(&root().join(name), name)?;
    }
    tree.file(&root().join("docs").join("swift.md"), "README.md")
}

/// `libraries` has a static library for each of `OWN`; `runtime` is ONNX Runtime's package, unpacked.
pub fn lay_out(folder: &Path, libraries: &[PathBuf], runtime: &Path) -> Result<(), String> {
    sources(folder)?;
    let target = Target { triple: OWN[0].0.into(), glibc: None };
    let tree = Tree { folder, target: &target };
    for ((_, slice), library) in OWN.iter().zip(libraries) {
        let place = format!("Auricle.xcframework/{}", slice.identifier);
        tree.file(library, &format!("{place}/libauricle.a"))?;
        tree.file(&root().join("include").join("auricle.h"), &format!("{place}/Headers/auricle.h"))?;
        tree.text(
            "module CAuricle {\n    header \"auricle.h\"\n    export *\n}\n",
            &format!("{place}/Headers/module.modulemap"),
        )?;
    }
    tree.text(&plist(OWN.iter().map(|(_, slice)| slice)), "Auricle.xcframework/Info.plist")?;
    for slice in &OF_RUNTIME {
        let from = runtime.join("Plugins/iOS~/onnxruntime.xcframework").join(slice.identifier);
        tree.folder(&from, &format!("onnxruntime.xcframework/{}", slice.identifier))?;
    }
    tree.text(&plist(OF_RUNTIME.iter()), "onnxruntime.xcframework/Info.plist")?;
    tree.file(&runtime.join("ThirdPartyNotices.txt"), "onnxruntime/ThirdPartyNotices.txt")?;
    tree.file(&runtime.join("LICENSE"), "onnxruntime/LICENSE")
}

/// What Xcode must know of an xcframework.
fn plist<'a>(slices: impl Iterator<Item = &'a Slice>) -> String {
    let text = |key: &str, value: &str| format!("\t\t\t<key>{key}</key>\n\t\t\t<string>{value}</string>\n");
    let library = |slice: &Slice| {
        let architectures: String =
            slice.architectures.iter().map(|name| format!("\t\t\t\t<string>{name}</string>\n")).collect();
        [
            "\t\t<dict>\n".into(),
            text("BinaryPath", slice.binary),
            slice.headers.map_or(String::new(), |headers| text("HeadersPath", headers)),
            text("LibraryIdentifier", slice.identifier),
            text("LibraryPath", slice.library),
            format!(
                "\t\t\t<key>SupportedArchitectures</key>\n\t\t\t<array>\n{architectures}\t\t\t</array>\n"
            ),
            text("SupportedPlatform", "ios"),
            slice.variant.map_or(String::new(), |variant| text("SupportedPlatformVariant", variant)),
            "\t\t</dict>\n".into(),
        ]
        .concat()
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
         <plist version=\"1.0\">\n<dict>\n\t<key>AvailableLibraries</key>\n\t<array>\n{}\t</array>\n\
         \t<key>CFBundlePackageType</key>\n\t<string>XFWK</string>\n\
         \t<key>XCFrameworkFormatVersion</key>\n\t<string>1.0</string>\n</dict>\n</plist>\n",
        slices.map(library).collect::<String>()
    )
}

/// The static library for one platform; it leaves ONNX Runtime's functions to the app's linker.
fn library(triple: &str) -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(|e| format!("own path: {e}"))?;
    let folder =
        own.ancestors().nth(2).ok_or_else(|| format!("{} is not in a cargo folder", own.display()))?;
    let mut command = cargo();
    command.args(["rustc", "--locked", "--profile", "dist", "--target", triple, "--target-dir"]).arg(folder);
    command.args(["--package", "auricle", "--lib", "--crate-type", "staticlib", "--no-default-features"]);
    command.env_remove("RUSTFLAGS").env("CARGO_ENCODED_RUSTFLAGS", build::flags()?);
    command.env("IPHONEOS_DEPLOYMENT_TARGET", MINIMUM_IOS);
    // `ort` then asks for a library by name, which plays no part in a static one.
    command.env("ORT_LIB_PATH", folder).env("ORT_PREFER_DYNAMIC_LINK", "1");
    run(&mut command)?;
    Ok(folder.join(triple).join("dist").join("libauricle.a"))
}

/// ONNX Runtime's package, fetched by npm and unpacked.
fn runtime() -> Result<PathBuf, String> {
    let folder = root().join("target").join("onnxruntime-ios");
    let stamp = folder.join("package.sha256");
    if fs::read_to_string(&stamp).is_ok_and(|text| text == RUNTIME_SHA256) {
        return Ok(folder.join("package"));
    }
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    say("ONNX Runtime for iOS is fetched by npm (128.5 MB)");
    run(Command::new("npm").args(["pack", "--silent", RUNTIME]).current_dir(&folder))?;
    let name = format!("{}.tgz", RUNTIME.replace('@', "-"));
    let file = folder.join(&name);
    let found = sum(&file)?;
    if found != RUNTIME_SHA256 {
        return Err(format!("{name} has SHA-256 {found}; {RUNTIME_SHA256} is the one that was looked at"));
    }
    unpack(&file, &folder)?;
    // The package's own licence is its author's; that of ONNX Runtime is in every wheel of it.
    setup::run()?;
    let licence = setup::library().with_file_name("LICENSE");
    fs::copy(&licence, folder.join("package").join("LICENSE"))
        .map_err(|e| format!("{}: {e}", licence.display()))?;
    fs::remove_file(&file).map_err(|e| format!("{}: {e}", file.display()))?;
    fs::write(&stamp, RUNTIME_SHA256).map_err(|e| format!("{}: {e}", stamp.display()))?;
    Ok(folder.join("package"))
}

/// The xcframework, and the licences of what is in it.
fn unpack(file: &Path, folder: &Path) -> Result<(), String> {
    let wrong = |e: std::io::Error| format!("{}: {e}", file.display());
    let packed = fs::File::open(file).map_err(wrong)?;
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(packed));
    for entry in archive.entries().map_err(wrong)? {
        let mut entry = entry.map_err(wrong)?;
        let name = entry.path().map_err(wrong)?.to_string_lossy().into_owned();
        if name.starts_with("package/Plugins/iOS~/onnxruntime.xcframework/")
            || name == "package/ThirdPartyNotices.txt"
        {
            entry.unpack_in(folder).map_err(wrong)?;
        }
    }
    Ok(())
}
