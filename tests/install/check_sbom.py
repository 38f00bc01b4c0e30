"""The lists of parts of an archive, `check_sbom.py PREFIX`: against the schema of CycloneDX 1.6, and against the code that is in the
static library, whose symbols name the crates that they come from. That both checks see a broken list is seen too."""

import json
import pathlib
import re
import subprocess
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

#: Crates that the Rust standard library brings along: they are in the list as a part of it.
STANDARD = {
    "addr2line", "adler2", "alloc", "compiler_builtins", "core", "gimli", "hashbrown", "libc", "memchr", "miniz_oxide", "object",
    "panic_unwind", "rustc_demangle", "std", "std_detect", "unwind",
}  # fmt: skip
#: Crates of the library that must be seen, or symbols are not read any more.
SEEN = {"auricle", "ort", "rustfft", "serde_json", "sha2"}

validator = JsonStrictValidator(SchemaVersion.V1_6)


def crates(archive: pathlib.Path) -> set[str]:
    """The crates that mangled names start with (_ZN, a length, the name) or name as a root (C, s, a number, _, a length, the name)."""
    symbols = subprocess.run(["readelf", "--symbols", "--wide", archive], check=True, capture_output=True, text=True).stdout
    found = set()
    for match in re.finditer(r"(?:\b_ZN|C(?:s[0-9A-Za-z]*_))(\d+)(?=([A-Za-z_]\w*))", symbols):
        name = match[2][: int(match[1])]
        if re.fullmatch(r"[a-z][a-z0-9_]*", name) and len(name) == int(match[1]):
            found.add(name)
    return found


def problem(document: dict, linked: set[str]) -> str | None:
    if wrong := validator.validate_str(json.dumps(document)):
        return str(wrong)
    parts = document["components"]
    names = {part["name"].replace("-", "_") for part in parts}
    if missing := ({"onnxruntime", "rust_standard_library"} | (linked - STANDARD)) - names:
        return f"lacks {sorted(missing)}"
    for part in parts:
        if not part.get("licenses") or not all(entry.get("expression") for entry in part["licenses"]):
            return f"{part['name']} has no licence"
        if part["purl"].startswith("pkg:cargo/") and "hashes" not in part and not part["name"].startswith("auricle"):
            return f"{part['name']} has no sum"
    known = {part["bom-ref"] for part in parts} | {document["metadata"]["component"]["bom-ref"]}
    for edge in document["dependencies"]:
        if unknown := {edge["ref"], *edge["dependsOn"]} - known:
            return f"{unknown} is no part"
    return None


prefix = pathlib.Path(sys.argv[1])
linked = crates(prefix / "lib" / "libauricle.a")
if not SEEN <= linked:
    sys.exit(f"the symbols of libauricle.a name only {sorted(linked)}")
for file in sorted((prefix / "share" / "doc" / "auricle").glob("*.cdx.json")):
    # The programs hold the library.
    document = json.loads(file.read_text())
    if wrong := problem(document, linked):
        sys.exit(f"{file.name}: {wrong}")
    parts = document["components"]
    broken = [
        [part | {"type": "nothing"} for part in parts],
        [part for part in parts if part["name"] != "ort"],
        [{key: value for key, value in part.items() if key != "licenses"} for part in parts],
    ]
    if not all(problem(document | {"components": list_of_parts}, linked) for list_of_parts in broken):
        sys.exit(f"{file.name}: the check is blind")
    print(f"{file.name}: {len(parts)} parts, valid CycloneDX 1.6; {len(linked)} crates are seen in libauricle.a")
