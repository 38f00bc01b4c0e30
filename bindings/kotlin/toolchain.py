#!/usr/bin/env python3
"""Fetches JetBrains' Kotlin compiler 2.4.20 (with kotlinx-coroutines 1.8.0), pinned, out of its npm package; prints the folder of its jars."""

import hashlib
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile

TOOLS = pathlib.Path(__file__).resolve().parents[2] / "target" / "tools" / "kotlin"
PACKAGE = "kotlin-compiler@2.4.20"
SHA256 = "c23dab400d7ce5ea8b6c909947c0ca5454189e4bb1108695b5f464500e5e950f"
JARS = (
    "annotations-13.0",
    "kotlin-compiler",
    "kotlin-daemon-client",
    "kotlin-reflect",
    "kotlin-script-runtime",
    "kotlin-stdlib",
    "kotlinx-coroutines-core-jvm",
)


def main() -> None:
    place = TOOLS / SHA256[:12]
    if not place.exists():
        print("fetching the Kotlin compiler (90 MB) by npm", file=sys.stderr)
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True, stdout=subprocess.DEVNULL)
            archive = next(pathlib.Path(folder).glob("*.tgz"))
            found = hashlib.sha256(archive.read_bytes()).hexdigest()
            if found != SHA256:
                sys.exit(f"{PACKAGE} has the SHA-256 {found}; {SHA256} was expected")
            partial = TOOLS / "partial"
            shutil.rmtree(TOOLS, ignore_errors=True)
            partial.mkdir(parents=True)
            with tarfile.open(archive) as members:
                for name in JARS:
                    content = members.extractfile(f"package/lib/{name}.jar")
                    assert content is not None
                    with (partial / f"{name}.jar").open("wb") as file:
                        shutil.copyfileobj(content, file)
        partial.rename(place)
    print(place)


if __name__ == "__main__":
    main()
