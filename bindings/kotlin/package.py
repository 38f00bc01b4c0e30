#!/usr/bin/env python3
"""Packs the AAR: `cargo xtask setup && python3 bindings/kotlin/package.py [--android ABI…]`. Prints the Maven folder.

An AAR is a zip file ("Anatomy of an AAR file"); its part for C and C++ is a prefab package (schema 2). Libraries are those that
android.py has made for the ABIs that are named. The same input gives the same bytes.
"""

import argparse
import io
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import zipfile

import android

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
OUT = ROOT / "target" / "kotlin"
RUNTIME = "1.28.0"
KOTLIN, COROUTINES = "2.4.20", "1.8.0"


def version() -> str:
    found = re.search(r'^version = "([^"]+)"$', (ROOT / "Cargo.toml").read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else sys.exit("Cargo.toml has no version")


def kotlin(out: pathlib.Path, sources: list[pathlib.Path], classes: list[pathlib.Path], jvm: str = "1.8") -> None:
    jars = pathlib.Path(
        subprocess.run([sys.executable, str(HERE / "toolchain.py")], check=True, capture_output=True, text=True).stdout.strip()
    )
    known = [jars / "kotlin-stdlib.jar", jars / "kotlinx-coroutines-core-jvm.jar", *classes]
    shutil.rmtree(out, ignore_errors=True)
    command = ["java", "-cp", f"{jars}/*", "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler", "-no-stdlib", "-no-reflect", "-Werror"]
    command += ["-jvm-target", jvm, "-module-name", out.name, "-cp", os.pathsep.join(map(str, known)), "-d", str(out)]
    if jvm == "1.8":
        command += ["-Xjdk-release=8"]
    subprocess.run([*command, *map(str, sources)], check=True)


def archive(files: dict[str, bytes], stored: tuple[str, ...] = ()) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as zip_:
        for name, data in sorted(files.items()):
            member = zipfile.ZipInfo(name)  # of 1 January 1980
            member.compress_type = zipfile.ZIP_STORED if name.endswith(stored) else zipfile.ZIP_DEFLATED
            member.external_attr = 0o100644 << 16
            zip_.writestr(member, data)
    return packed.getvalue()


def classes() -> bytes:
    """classes.jar: the binding, and what is for Android alone, compiled against as much of Android as that names."""
    stubs, own, media = OUT / "stubs", OUT / "auricle", OUT / "auricle-android"
    stubs.mkdir(parents=True, exist_ok=True)
    sources = [str(source) for source in (HERE / "android" / "stubs").rglob("*.java")]
    subprocess.run(["javac", "--release", "8", "-Xlint:-options", "-d", str(stubs), *sources], check=True)
    kotlin(own, [HERE / "src"], [])
    kotlin(media, [HERE / "android" / "src"], [own, stubs])
    files = {}
    for folder in (own, media):
        files |= {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    return archive(files)


def prefab(release: str, libraries: dict[str, bytes]) -> dict[str, bytes]:
    about = {"schema_version": 2, "name": "auricle", "version": release, "dependencies": []}
    module = {"export_libraries": [], "library_name": "libauricle"}
    place = "prefab/modules/auricle"
    files = {"prefab/prefab.json": json.dumps(about).encode(), f"{place}/module.json": json.dumps(module).encode()}
    for header in ("auricle.h", "auricle.hpp"):
        files[f"{place}/include/{header}"] = (ROOT / "include" / header).read_bytes()
    for abi, library in libraries.items():
        how = {"abi": abi, "api": android.MIN_SDK, "ndk": 27, "stl": "none", "static": False}
        files[f"{place}/libs/android.{abi}/abi.json"] = json.dumps(how).encode()
        files[f"{place}/libs/android.{abi}/libauricle.so"] = library
    return files


def aar(release: str, abis: list[str]) -> bytes:
    libraries = {abi: (android.OUT / abi / "libauricle.so").read_bytes() for abi in abis}
    files = {
        "AndroidManifest.xml": (HERE / "android" / "AndroidManifest.xml").read_bytes(),
        "classes.jar": classes(),
        "R.txt": b"",
        "proguard.txt": (HERE / "android" / "proguard.txt").read_bytes(),
        "META-INF/com/android/build/gradle/aar-metadata.properties": b"aarFormatVersion=1.0\naarMetadataVersion=1.0\nminCompileSdk=24\n",
        "LICENSE-MIT": (ROOT / "LICENSE-MIT").read_bytes(),
        "LICENSE-APACHE": (ROOT / "LICENSE-APACHE").read_bytes(),
    }
    files |= {f"jni/{abi}/libauricle.so": library for abi, library in libraries.items()}
    return archive(files | prefab(release, libraries), stored=(".so",))


def pom(release: str) -> str:
    needs = (
        ("com.microsoft.onnxruntime", "onnxruntime-android", RUNTIME, "runtime"),
        ("org.jetbrains.kotlin", "kotlin-stdlib", KOTLIN, "compile"),
        ("org.jetbrains.kotlinx", "kotlinx-coroutines-core", COROUTINES, "compile"),
    )
    dependencies = "".join(
        f"    <dependency>\n      <groupId>{group}</groupId>\n      <artifactId>{name}</artifactId>\n      <version>{number}</version>\n"
        f"      <scope>{scope}</scope>\n    </dependency>\n"
        for group, name, number, scope in needs
    )
    licences = "".join(f"    <license><name>{name}</name></license>\n" for name in ("MIT", "Apache-2.0"))
    return f"""\
<?xml version="1.0" encoding="UTF-8"?>
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>auricle</groupId>
  <artifactId>auricle-android</artifactId>
  <version>{release}</version>
  <packaging>aar</packaging>
  <description>Sound classification for native software: push PCM, read scores</description>
  <licenses>
{licences}  </licenses>
  <dependencies>
{dependencies}  </dependencies>
</project>
"""


def main() -> None:
    parser = argparse.ArgumentParser(description="Packs the AAR into target/kotlin/maven.")
    parser.add_argument("--android", nargs="*", default=[], choices=android.ABIS, metavar="ABI", help="the ABIs; none: no library")
    abis, release = parser.parse_args().android, version()
    for abi in abis:
        android.check(android.build(abi))
    place = OUT / "maven" / "auricle" / "auricle-android" / release
    place.mkdir(parents=True, exist_ok=True)
    name = f"auricle-android-{release}"
    (place / f"{name}.aar").write_bytes(aar(release, abis))
    (place / f"{name}.pom").write_text(pom(release))
    print(OUT / "maven")


if __name__ == "__main__":
    main()
