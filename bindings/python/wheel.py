#!/usr/bin/env python3
"""Builds the wheel: `cargo xtask setup && python3 bindings/python/wheel.py`. Prints where it lies.

A wheel is a zip file with three files of metadata (the package index's "Binary distribution format" 1.0), so nothing but
Python's own library is needed. It holds the package, libauricle as `cargo build --profile dist` makes it, and ONNX
Runtime's library beside it. The platform tag is the newest glibc that either of the two asks for. The same input gives the
same bytes.
"""

import argparse
import base64
import hashlib
import os
import pathlib
import platform
import re
import subprocess
import sys
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
NUMPY = "numpy>=2"
PYTHON = ">=3.11"


def version() -> str:
    manifest = (ROOT / "Cargo.toml").read_text(encoding="utf-8")
    found = re.search(r'^version = "([^"]+)"$', manifest, re.MULTILINE)
    return found[1] if found else sys.exit("Cargo.toml has no version")


def build(profile: str) -> pathlib.Path:
    subprocess.run(["cargo", "build", "--package", "auricle", "--lib", "--profile", profile], cwd=ROOT, check=True)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return target / ("debug" if profile == "dev" else profile) / "libauricle.so"


def platform_tag(libraries: list[pathlib.Path]) -> str:
    """A library names the versions of glibc's symbols that it uses among its strings."""
    minors = [int(minor) for library in libraries for minor in re.findall(rb"\0GLIBC_2\.(\d+)", library.read_bytes())]
    return f"manylinux_2_{max(minors)}_{platform.machine()}"


def metadata(release: str) -> str:
    return f"""\
Metadata-Version: 2.4
Name: auricle
Version: {release}
Summary: Sound classification for native software: push PCM, read scores
License-Expression: (MIT OR Apache-2.0) AND MIT AND ISC
License-File: LICENSE-MIT
License-File: LICENSE-APACHE
License-File: libauricle.licences.txt
License-File: onnxruntime/LICENSE
License-File: onnxruntime/ThirdPartyNotices.txt
Classifier: Typing :: Typed
Classifier: Operating System :: POSIX :: Linux
Classifier: Programming Language :: Python :: 3
Requires-Python: {PYTHON}
Requires-Dist: {NUMPY}
Description-Content-Type: text/markdown

{(ROOT / "docs" / "python.md").read_text(encoding="utf-8")}"""


def main() -> None:
    parser = argparse.ArgumentParser(description="Builds the wheel into target/wheels.")
    parser.add_argument("--profile", default="dist", help="cargo's profile: dist is what is shipped, dev is built sooner")
    profile = parser.parse_args().profile
    if sys.platform != "linux":
        sys.exit("wheels are built on Linux only, so far")
    runtime = (ROOT / "target" / "onnxruntime" / "onnxruntime").resolve()
    if not runtime.is_file():
        sys.exit(f"{runtime} is missing: cargo xtask setup")
    library = build(profile)

    licences = ROOT / "target" / "libauricle.licences.txt"  # of the crates inside the library
    subprocess.run(["cargo", "xtask", "dist", "--licences", str(licences)], cwd=ROOT, check=True)

    release = version()
    tag = f"py3-none-{platform_tag([library, runtime])}"
    info = f"auricle-{release}.dist-info"
    files = {f"auricle/{file.name}": file.read_bytes() for file in sorted((HERE / "src" / "auricle").glob("*.py*"))}
    files["auricle/libauricle.so." + ".".join(release.split(".")[:2])] = library.read_bytes()
    files[f"auricle/{runtime.name}"] = runtime.read_bytes()
    for name in ("LICENSE-MIT", "LICENSE-APACHE"):
        files[f"{info}/licenses/{name}"] = (ROOT / name).read_bytes()
    files[f"{info}/licenses/{licences.name}"] = licences.read_bytes()
    for name in ("LICENSE", "ThirdPartyNotices.txt"):
        files[f"{info}/licenses/onnxruntime/{name}"] = (runtime.parent / name).read_bytes()
    files[f"{info}/METADATA"] = metadata(release).encode()
    files[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: auricle\nRoot-Is-Purelib: false\nTag: {tag}\n".encode()
    lines = [f"{name},sha256={digest(content)},{len(content)}" for name, content in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*lines, f"{info}/RECORD,,", ""]).encode()

    wheel = ROOT / "target" / "wheels" / f"auricle-{release}-{tag}.whl"
    wheel.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in files.items():
            member = zipfile.ZipInfo(name)  # of 1 January 1980
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = (0o100755 if ".so" in name else 0o100644) << 16
            archive.writestr(member, content)
    print(wheel)


def digest(content: bytes) -> str:
    """As RECORD writes it."""
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


if __name__ == "__main__":
    main()
