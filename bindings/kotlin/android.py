#!/usr/bin/env python3
"""The library for Android: `android.py ABI…` builds and checks libauricle.so in target/android/ABI.

With the environment variable ANDROID_NDK_HOME the NDK's compiler links it. Without, it is linked against empty libraries of the
right names: then its imports can be read and compared, but it lacks the unwinder, which the NDK links in, and CANNOT be loaded by a
device.
"""

import os
import pathlib
import struct
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
OUT = ROOT / "target" / "android"
MIN_SDK = 24
PAGE = 0x4000  # Android 15 has devices with pages of 16 KB

#: Those of ONNX Runtime's package for Android: Rust's target, and the NDK's name of its compiler.
ABIS = {
    "arm64-v8a": ("aarch64-linux-android", "aarch64-linux-android"),
    "armeabi-v7a": ("armv7-linux-androideabi", "armv7a-linux-androideabi"),
    "x86_64": ("x86_64-linux-android", "x86_64-linux-android"),
    "x86": ("i686-linux-android", "i686-linux-android"),
}


def ndk() -> pathlib.Path | None:
    home = os.environ.get("ANDROID_NDK_HOME")
    return pathlib.Path(home, "toolchains", "llvm", "prebuilt", "linux-x86_64", "bin") if home else None


def stubs(abi: str) -> list[str]:
    """Linker arguments for a link against libraries without anything in them."""
    folder, target = OUT / abi / "stubs", f"--target={ABIS[abi][1]}{MIN_SDK}"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("c", "m", "dl", "log"):
        command = ["clang", target, "-nostdlib", "-shared", "-fuse-ld=lld", f"-Wl,-soname,lib{name}.so", "-x", "c", "/dev/null"]
        subprocess.run([*command, "-o", str(folder / f"lib{name}.so")], check=True)
    for name in ("gcc", "unwind"):
        (folder / f"lib{name}.a").write_bytes(b"!<arch>\n")
    return [target, "-nostdlib", "-fuse-ld=lld", f"-L{folder}"]


def build(abi: str) -> pathlib.Path:
    triple, compiler = ABIS[abi]
    tools = ndk()
    linker = str(tools / f"{compiler}{MIN_SDK}-clang") if tools else "clang"
    arguments = [f"-Wl,-z,max-page-size={PAGE}", *([] if tools else stubs(abi))]
    rust = subprocess.run([str(ROOT / ".ci" / "cross" / "rust"), triple], check=True, capture_output=True, text=True).stdout.strip()
    target = OUT / "cargo"
    environment = os.environ | {
        "PATH": f"{rust}:{os.environ['PATH']}",
        "RUSTC": f"{rust}/rustc",
        "CARGO_TARGET_DIR": str(target),
        "CARGO_ENCODED_RUSTFLAGS": "\x1f".join([f"-Clinker={linker}", *(f"-Clink-arg={argument}" for argument in arguments)]),
    }
    command = [f"{rust}/cargo", "rustc", "--quiet", "--locked", "--package", "auricle", "--lib", "--crate-type", "cdylib"]
    command += ["--profile", "dist", "--features", "jni", "--target", triple]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    place = OUT / abi / "libauricle.so"
    place.write_bytes((target / triple / "dist" / "libauricle.so").read_bytes())
    return place


class Elf:
    """What the dynamic loader reads of a library: its segments, what it needs, and what it imports."""

    def __init__(self, data: bytes) -> None:
        wide = data[4] == 2
        header = struct.unpack_from("<QQ" if wide else "<II", data, 32 if wide else 28)
        size, count = struct.unpack_from("<HH", data, 54 if wide else 42)
        self.alignments, dynamic, loads = [], [], []
        for index in range(count):
            at = header[0] + index * size
            if wide:
                kind, _, offset, address, _, length, _, align = struct.unpack_from("<IIQQQQQQ", data, at)
            else:
                kind, offset, address, _, length, _, _, align = struct.unpack_from("<IIIIIIII", data, at)
            if kind == 1:
                self.alignments.append(align)
                loads.append((address, length, offset))
            elif kind == 2:
                form = "<qQ" if wide else "<iI"
                dynamic = list(struct.iter_unpack(form, data[offset : offset + length // struct.calcsize(form) * struct.calcsize(form)]))
        tags = dict(reversed(dynamic))

        def place(address: int) -> int:
            return next(offset + address - start for start, length, offset in loads if start <= address < start + length)

        strings = place(tags[5])
        # The length of the table of symbols is said by its section alone.
        at, entry, count = struct.unpack_from("<Q10xHH" if wide else "<I10xHH", data, 40 if wide else 32)
        sections = [struct.unpack_from("<4xI16xQQ" if wide else "<4xI8xII", data, at + index * entry) for index in range(count)]
        _, symbols, length = next(section for section in sections if section[0] == 11)

        def name(at: int) -> str:
            return data[strings + at : data.index(b"\0", strings + at)].decode()

        self.needed = [name(value) for tag, value in dynamic if tag == 1]
        self.soname = name(tags[14])
        self.imports, self.exports = set(), set()
        form = "<IBBHQQ" if wide else "<IIIBBH"
        for fields in struct.iter_unpack(form, data[symbols : symbols + length]):
            section = fields[3] if wide else fields[5]
            weak = (fields[1] if wide else fields[3]) >> 4 == 2  # may be missing: Rust's library asks before it calls
            if fields[0] and not (weak and section == 0):
                (self.exports if section else self.imports).add(name(fields[0]))


def check(library: pathlib.Path) -> None:
    elf = Elf(library.read_bytes())
    allowed = {line for line in (HERE / "android" / "imports.txt").read_text().splitlines() if line and not line.startswith("#")}
    unwinder = {name for name in elf.imports if name.startswith("_Unwind_")}
    problems = []
    if any(align % PAGE for align in elf.alignments):
        problems.append(f"segments are aligned to {[hex(align) for align in elf.alignments]}; {PAGE:#x} is wanted")
    if strange := elf.imports - allowed - (set() if ndk() else unwinder):
        problems.append(f"imports that android/imports.txt does not have: {' '.join(sorted(strange))}")
    if not set(elf.needed) <= {"libc.so", "libm.so", "libdl.so", "liblog.so"}:
        problems.append(f"needs {elf.needed}")
    if elf.soname != "libauricle.so":
        problems.append(f"is called {elf.soname}")
    natives = {name for name in elf.exports if name.startswith("Java_auricle_Native_")}
    if len(natives) < 30 or "auricle_session_push_f32" not in elf.exports:
        problems.append(f"exports {len(natives)} native methods")
    if problems:
        sys.exit("\n".join(f"{library}: {problem}" for problem in problems))
    print(f"{library}: {len(elf.imports)} imports, {len(natives)} native methods, pages of 16 KB")


def main() -> None:
    for abi in sys.argv[1:] or ABIS:
        check(build(abi))


if __name__ == "__main__":
    main()
