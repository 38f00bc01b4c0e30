#!/usr/bin/env python3
"""Packs the assembly and the library: `cargo xtask setup && python3 bindings/csharp/package.py`. Prints both packages.

A .nupkg is a zip file ("Open Packaging Conventions") with lib/ for assemblies and runtimes/RID/native/ for libraries; Unity's
package is unity.py's. The same input gives the same bytes.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import zipfile

import unity

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
OUT = ROOT / "target" / "csharp"
ABOUT = "Sound classification for native software: push PCM, read scores"
RID = "linux-x64"


def version() -> str:
    found = re.search(r'^version = "([^"]+)"$', (ROOT / "Cargo.toml").read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else sys.exit("Cargo.toml has no version")


def assembly() -> pathlib.Path:
    tool = subprocess.run([sys.executable, str(HERE / "toolchain.py")], check=True, capture_output=True, text=True)
    out = OUT / "Auricle.dll"
    sources = [str(source) for source in sorted((HERE / "src").glob("*.cs"))]
    subprocess.run([tool.stdout.strip(), str(HERE / "compile.py"), str(out), *sources], check=True)
    return out


def natives(profile: str) -> dict[str, pathlib.Path]:
    """The library as .NET and Unity look for it, and ONNX Runtime's beside it."""
    subprocess.run(["cargo", "build", "--quiet", "--package", "auricle", "--lib", "--profile", profile], cwd=ROOT, check=True)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    runtime = (ROOT / "target" / "onnxruntime" / "onnxruntime").resolve()
    if not runtime.is_file():
        sys.exit(f"{runtime} is missing: cargo xtask setup")
    library = target / ("debug" if profile == "dev" else profile) / "libauricle.so"
    return {"libauricle.so": library, runtime.name: runtime}


def licences() -> dict[str, bytes]:
    runtime = (ROOT / "target" / "onnxruntime" / "onnxruntime").resolve().parent
    files = {f"licences/{name}": (ROOT / name).read_bytes() for name in ("LICENSE-MIT", "LICENSE-APACHE")}
    for name in ("LICENSE", "ThirdPartyNotices.txt"):
        files[f"licences/onnxruntime/{name}"] = (runtime / name).read_bytes()
    return files


def nuspec(release: str) -> str:
    return f"""\
<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd">
  <metadata>
    <id>Auricle</id>
    <version>{release}</version>
    <authors>Auricle</authors>
    <description>{ABOUT}</description>
    <license type="expression">(MIT OR Apache-2.0) AND MIT</license>
    <readme>README.md</readme>
    <dependencies>
      <group targetFramework="net8.0" />
    </dependencies>
  </metadata>
</package>
"""


def nupkg(release: str, library: pathlib.Path, native: dict[str, pathlib.Path]) -> pathlib.Path:
    kinds = {"rels": "application/vnd.openxmlformats-package.relationships+xml"}
    kinds |= dict.fromkeys(("dll", "xml", "so", "nuspec", "md", "txt", "0"), "application/octet-stream")
    types = "".join(f'<Default Extension="{name}" ContentType="{kind}"/>' for name, kind in kinds.items())
    types += "".join(
        f'<Override PartName="/licences/{name}" ContentType="application/octet-stream"/>'
        for name in ("LICENSE-MIT", "LICENSE-APACHE", "onnxruntime/LICENSE")
    )
    schema = "http://schemas.openxmlformats.org/package/2006"
    files = {
        "[Content_Types].xml": f'<?xml version="1.0" encoding="utf-8"?><Types xmlns="{schema}/content-types">{types}</Types>',
        "_rels/.rels": f'<?xml version="1.0" encoding="utf-8"?><Relationships xmlns="{schema}/relationships"><Relationship '
        'Type="http://schemas.microsoft.com/packaging/2010/07/manifest" Target="/Auricle.nuspec" Id="manifest"/></Relationships>',
        "Auricle.nuspec": nuspec(release),
        "README.md": (ROOT / "docs" / "csharp.md").read_text(encoding="utf-8"),
    }
    content = {name: text.encode() for name, text in files.items()}
    content |= {f"lib/net8.0/{file.name}": file.read_bytes() for file in (library, library.with_suffix(".xml"))}
    content |= {f"runtimes/{RID}/native/{name}": file.read_bytes() for name, file in native.items()}
    content |= licences()
    package = OUT / f"Auricle.{release}.nupkg"
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in content.items():
            member = zipfile.ZipInfo(name)  # of 1 January 1980
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = 0o100644 << 16
            archive.writestr(member, data)
    return package


def main() -> None:
    parser = argparse.ArgumentParser(description="Packs the assembly and the library into target/csharp.")
    parser.add_argument("--profile", default="dist", help="cargo's profile: dist is what is shipped")
    native = natives(parser.parse_args().profile)
    release = version()
    print(nupkg(release, assembly(), native))
    print(unity.pack(release, native, licences(), OUT))


if __name__ == "__main__":
    main()
