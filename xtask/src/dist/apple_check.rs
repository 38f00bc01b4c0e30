//! Looks at a Swift package that is laid out for apps: what its plists promise is there, for the processors, systems and versions that
//! they name, and the privacy manifest has what the libraries call.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use object::macho::{
    LC_BUILD_VERSION, LC_VERSION_MIN_IPHONEOS, MachHeader64, PLATFORM_IOS, PLATFORM_IOSSIMULATOR, Platform,
};
use object::read::archive::ArchiveFile;
use object::read::macho::{FatArch, MachHeader, MachOFatFile32};
use object::{Architecture, Endianness, File, Object, ObjectSymbol};

use super::apple::MINIMUM_IOS;
use crate::shell::{root, say};

/// Functions for which Apple wants a reason, by category ("Describing use of required reason API").
const REASONED: [(&str, &[&str]); 5] = [
    (
        "NSPrivacyAccessedAPICategoryFileTimestamp",
        &[
            "_stat",
            "_fstat",
            "_lstat",
            "_fstatat",
            "_getattrlist",
            "_getattrlistbulk",
            "_fgetattrlist",
            "_getattrlistat",
        ],
    ),
    ("NSPrivacyAccessedAPICategorySystemBootTime", &["_mach_absolute_time"]),
    ("NSPrivacyAccessedAPICategoryDiskSpace", &["_statfs", "_fstatfs", "_statvfs", "_fstatvfs"]),
    ("NSPrivacyAccessedAPICategoryActiveKeyboards", &["_OBJC_CLASS_$_UITextInputMode"]),
    ("NSPrivacyAccessedAPICategoryUserDefaults", &["_OBJC_CLASS_$_NSUserDefaults"]),
];

/// What the objects of a library define and ask for.
#[derive(Default)]
struct Symbols {
    defined: BTreeSet<String>,
    undefined: BTreeSet<String>,
}

/// Everything that must hold of `folder`.
pub fn check(folder: &Path) -> Result<(), String> {
    let own = xcframework(&folder.join("Auricle.xcframework"))?;
    let runtime = xcframework(&folder.join("onnxruntime.xcframework"))?;
    let functions = read(&root().join("tests/abi/symbols.txt"))?;
    let platforms: BTreeSet<_> = own.keys().collect();
    if platforms != runtime.keys().collect() || platforms.len() != 2 {
        return Err(format!("Auricle is there for {platforms:?}, ONNX Runtime for {:?}", runtime.keys()));
    }
    for (platform, symbols) in &own {
        if let Some(missing) = functions.lines().find(|name| !symbols.defined.contains(&format!("_{name}"))) {
            return Err(format!("{platform}: the library has no {missing}"));
        }
        let base = "_OrtGetApiBase";
        if !symbols.undefined.contains(base) || !runtime[platform].defined.contains(base) {
            return Err(format!("{platform}: {base} must be asked for by Auricle and given by ONNX Runtime"));
        }
    }
    let called: BTreeSet<_> =
        own.values().chain(runtime.values()).flat_map(|symbols| &symbols.undefined).collect();
    privacy(&read(&folder.join("Sources/Auricle/PrivacyInfo.xcprivacy"))?, &called)?;
    for name in
        ["Package.swift", "Sources/Auricle/Session.swift", "onnxruntime/LICENSE", "LICENSE-MIT", "README.md"]
    {
        read(&folder.join(name))?;
    }
    say(format_args!(
        "{}: plists, processors, minimum versions, symbols and privacy manifest are as they must be",
        folder.display()
    ));
    Ok(())
}

/// The categories that are called, and no others, are in the manifest.
fn privacy(manifest: &str, called: &BTreeSet<&String>) -> Result<(), String> {
    for (category, functions) in REASONED {
        let calls: Vec<_> = functions.iter().filter(|name| called.contains(&(**name).to_owned())).collect();
        if manifest.contains(category) == calls.is_empty() {
            return Err(format!(
                "PrivacyInfo.xcprivacy and the libraries contradict each other: {category}, {calls:?}"
            ));
        }
    }
    Ok(())
}

/// Symbols of each platform ("ios", "ios simulator") that an xcframework promises, if it keeps its promises.
fn xcframework(folder: &Path) -> Result<BTreeMap<String, Symbols>, String> {
    let plist = read(&folder.join("Info.plist"))?;
    let mut found = BTreeMap::new();
    for library in plist.split("<dict>").skip(2) {
        let value = |key: &str| {
            let rest = library.split_once(&format!("<key>{key}</key>"))?.1;
            Some(rest.split_once("<string>")?.1.split_once("</string>")?.0)
        };
        let needed = |key: &str| value(key).ok_or_else(|| format!("{}: no {key}", folder.display()));
        let (identifier, variant) = (needed("LibraryIdentifier")?, value("SupportedPlatformVariant"));
        let place = folder.join(identifier);
        let binary = place.join(needed("BinaryPath")?);
        for key in ["LibraryPath", "HeadersPath"] {
            if value(key).is_some_and(|path| !place.join(path).exists()) {
                return Err(format!("{}: {key} names what is not there", place.display()));
            }
        }
        let list = library
            .split_once("<key>SupportedArchitectures</key>")
            .and_then(|(_, rest)| rest.split_once("</array>"));
        let promised: BTreeSet<_> = list
            .map_or("", |(list, _)| list)
            .split("<string>")
            .skip(1)
            .filter_map(|text| text.split('<').next())
            .collect();
        let platform = if variant == Some("simulator") { PLATFORM_IOSSIMULATOR } else { PLATFORM_IOS };
        let (architectures, symbols) = images(&binary, platform)?;
        if promised != architectures.iter().copied().collect() {
            return Err(format!("{}: promised {promised:?}, there are {architectures:?}", binary.display()));
        }
        found.insert(
            [needed("SupportedPlatform")?, variant.unwrap_or("")].join(" ").trim().to_owned(),
            symbols,
        );
    }
    Ok(found)
}

/// The processors that a static library is for, and its symbols; its objects must be for `platform`.
fn images(path: &Path, platform: Platform) -> Result<(Vec<&'static str>, Symbols), String> {
    let bytes = fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let wrong = |e: object::Error| format!("{}: {e}", path.display());
    let parts: Vec<&[u8]> = if bytes.starts_with(b"!<arch>\n") {
        vec![&bytes]
    } else {
        let fat = MachOFatFile32::parse(&*bytes).map_err(wrong)?;
        fat.arches().iter().map(|arch| arch.data(&*bytes)).collect::<Result<_, _>>().map_err(wrong)?
    };
    let (mut architectures, mut symbols) = (Vec::new(), Symbols::default());
    for part in parts {
        let archive = ArchiveFile::parse(part).map_err(wrong)?;
        let mut own = None;
        for member in archive.members() {
            let data = member.and_then(|member| member.data(part)).map_err(wrong)?;
            let file = File::parse(data).map_err(wrong)?;
            own = own.or(Some(file.architecture()));
            let name = format!("{}: an object", path.display());
            version(data, platform).map_err(|message| format!("{name} {message}"))?;
            for symbol in file.symbols().filter(ObjectSymbol::is_global) {
                let name = symbol.name().map_err(wrong)?.to_owned();
                let set = if symbol.is_undefined() { &mut symbols.undefined } else { &mut symbols.defined };
                set.insert(name);
            }
        }
        architectures.push(match own {
            Some(Architecture::Aarch64) => "arm64",
            Some(Architecture::X86_64) => "x86_64",
            other => return Err(format!("{}: objects for {other:?}", path.display())),
        });
    }
    symbols.undefined.retain(|name| !symbols.defined.contains(name));
    Ok((architectures, symbols))
}

/// An object says which system it is for, and the oldest version of it.
fn version(data: &[u8], platform: Platform) -> Result<(), String> {
    let said = |e: object::Error| e.to_string();
    let header = MachHeader64::<Endianness>::parse(data, 0).map_err(said)?;
    let endian = header.endian().map_err(said)?;
    let mut commands = header.load_commands(endian, data, 0).map_err(said)?;
    while let Some(command) = commands.next().map_err(said)? {
        let (for_platform, oldest) = if let Some((build, _)) = command.build_version(endian).map_err(said)? {
            (build.platform.get(endian), build.minos.get(endian))
        } else if command.cmd() == LC_VERSION_MIN_IPHONEOS {
            let version = command.data::<object::macho::VersionMinCommand<Endianness>>().map_err(said)?;
            (platform, version.version.get(endian))
        } else {
            continue;
        };
        if for_platform != platform {
            return Err(format!("is for {for_platform:?}, not {platform:?}"));
        }
        let (major, minor) = (oldest.0 >> 16, oldest.0 >> 8 & 0xff);
        let most: Vec<u32> = MINIMUM_IOS.split('.').filter_map(|number| number.parse().ok()).collect();
        if vec![major, minor] > most {
            return Err(format!("needs iOS {major}.{minor}; the package promises {MINIMUM_IOS}"));
        }
        return Ok(());
    }
    Err(format!("names no system (no load command {LC_BUILD_VERSION:#x})"))
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dist::apple::{self, OWN};
    use std::path::PathBuf;

    /// A static library of one object for arm64, of which nothing but its load commands and symbols is there.
    fn library(platform: Platform, ios: (u32, u32), defined: &[&str], undefined: &[&str]) -> Vec<u8> {
        let names: Vec<_> =
            defined.iter().map(|name| (name, 1_u8)).chain(undefined.iter().map(|name| (name, 0))).collect();
        let (mut strings, mut symbols) = (vec![0_u8], Vec::new());
        for (name, section) in &names {
            symbols.extend((strings.len() as u32).to_le_bytes());
            symbols.extend([if *section == 1 { 0x0f } else { 0x01 }, *section, 0, 0]); // N_SECT or N_UNDF, external
            symbols.extend(0_u64.to_le_bytes());
            strings.extend(format!("_{name}\0").bytes());
        }
        let (start, words) = (32 + 24 + 24, names.len() as u32);
        // mach_header_64: magic, arm64, MH_OBJECT, two load commands; LC_BUILD_VERSION; LC_SYMTAB.
        let header = [0xfeed_facf, 0x0100_000c, 0, 1, 2, 48, 0, 0];
        let build = [LC_BUILD_VERSION.0, 24, platform.0, ios.0 << 16 | ios.1 << 8, 0, 0];
        let symtab = [2, 24, start, words, start + symbols.len() as u32, strings.len() as u32];
        let mut object: Vec<u8> =
            [&header[..], &build, &symtab].concat().into_iter().flat_map(u32::to_le_bytes).collect();
        object.extend(symbols);
        object.extend(strings);
        if object.len() % 2 == 1 {
            object.push(0);
        }
        let member = format!("{:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", "object.o/", 0, 0, 0, 644, object.len());
        [b"!<arch>\n", member.as_bytes(), &object].concat()
    }

    /// Lays a package out whose libraries are `own` and ONNX Runtime's, and looks at it.
    fn checked(name: &str, own: impl Fn(Platform) -> Vec<u8>, change: impl Fn(&Path)) -> Result<(), String> {
        let place = std::env::temp_dir().join(format!("auricle-apple-{name}-{}", std::process::id()));
        let runtime = place.join("runtime");
        let write = |path: PathBuf, bytes: &[u8]| {
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, bytes).expect("a file");
        };
        let platforms = [PLATFORM_IOS, PLATFORM_IOSSIMULATOR];
        for ((identifier, processors), platform) in
            [("ios-arm64", 1), ("ios-arm64_x86_64-simulator", 2)].into_iter().zip(platforms)
        {
            let place = runtime.join("Plugins/iOS~/onnxruntime.xcframework").join(identifier);
            let library = library(platform, (15, 1), &["OrtGetApiBase"], &[]);
            write(place.join("onnxruntime.framework/onnxruntime"), &fat(&library, processors));
        }
        write(runtime.join("ThirdPartyNotices.txt"), b"");
        write(runtime.join("LICENSE"), b"");
        let libraries: Vec<_> = OWN.iter().map(|(triple, _)| place.join(triple)).collect();
        for (library, platform) in libraries.iter().zip(platforms) {
            write(library.clone(), &own(platform));
        }
        let folder = place.join("Auricle");
        let outcome = apple::lay_out(&folder, &libraries, &runtime).and_then(|()| {
            change(&folder);
            check(&folder)
        });
        let _ = fs::remove_dir_all(&place);
        outcome
    }

    /// A universal file, of whose processors the second is Intel's in name and in its object.
    fn fat(library: &[u8], processors: u32) -> Vec<u8> {
        let mut file: Vec<u8> =
            [0xcafe_babe_u32, processors].into_iter().flat_map(u32::to_be_bytes).collect();
        let size = library.len() as u32;
        for (at, processor) in
            [0x0100_000c_u32, 0x0100_0007].into_iter().take(processors as usize).enumerate()
        {
            file.extend(
                [processor, 0, 64 + size * at as u32, size, 0].into_iter().flat_map(u32::to_be_bytes),
            );
        }
        file.resize(64, 0);
        file.extend(library);
        let mut intel = library.to_vec();
        let header =
            intel.windows(4).position(|bytes| bytes == 0xfeed_facf_u32.to_le_bytes()).expect("a header");
        intel[header + 4] = 7;
        file.extend(intel.iter().take(if processors == 2 { intel.len() } else { 0 }));
        file
    }

    fn functions() -> Vec<String> {
        read(&root().join("tests/abi/symbols.txt")).expect("symbols").lines().map(str::to_owned).collect()
    }

    fn whole(platform: Platform, ios: (u32, u32), without: &str, more: &[&str]) -> Vec<u8> {
        let functions = functions();
        let defined: Vec<_> = functions.iter().map(String::as_str).filter(|name| *name != without).collect();
        let undefined = [&["OrtGetApiBase", "stat"], more].concat();
        library(platform, ios, &defined, &undefined)
    }

    #[test]
    fn a_package_that_keeps_its_promises_passes_and_others_are_told_why_not() {
        let good = |platform| whole(platform, (15, 1), "", &[]);
        let same = |_: &Path| {};
        checked("good", good, same).expect("nothing is wrong");
        let fails = |name: &str, own: &dyn Fn(Platform) -> Vec<u8>, change: &dyn Fn(&Path), why: &str| {
            let message = checked(name, own, change).expect_err(name);
            assert!(message.contains(why), "{name}: {message}");
        };
        fails("newer", &|platform| whole(platform, (16, 0), "", &[]), &same, "needs iOS 16.0");
        fails("device", &|_| whole(PLATFORM_IOS, (15, 1), "", &[]), &same, "is for");
        fails(
            "without",
            &|platform| whole(platform, (15, 1), "auricle_session_read", &[]),
            &same,
            "auricle_session_read",
        );
        fails("disk", &|platform| whole(platform, (15, 1), "", &["statfs"]), &same, "DiskSpace");
        let replace = |file: &'static str, from: &'static str, to: &'static str| {
            move |folder: &Path| {
                let text = read(&folder.join(file)).expect(file);
                assert!(text.contains(from), "{file}: {from}");
                fs::write(folder.join(file), text.replace(from, to)).expect(file);
            }
        };
        let plist = "Auricle.xcframework/Info.plist";
        fails(
            "processor",
            &good,
            &replace(plist, "arm64</string>\n\t\t\t</array>", "arm64e</string>\n\t\t\t</array>"),
            "arm64e",
        );
        fails("headers", &good, &replace(plist, ">Headers<", ">Kopfzeilen<"), "HeadersPath");
        fails(
            "variant",
            &good,
            &replace(plist, "simulator</string>\n\t\t</dict>", "other</string>\n\t\t</dict>"),
            "is for",
        );
        let privacy = "Sources/Auricle/PrivacyInfo.xcprivacy";
        fails("privacy", &good, &replace(privacy, "CategoryFileTimestamp", "CategoryOther"), "FileTimestamp");
    }
}
