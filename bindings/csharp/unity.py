"""Unity's package: a tar file whose folder is called `package`. It has the sources, because Unity compiles them.

Every file and folder that Unity imports has a .meta file beside it, with an identity that stays the same from release to release:
in a package Unity makes none itself, and leaves out what has none.
"""

import gzip
import hashlib
import io
import pathlib
import tarfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent

LINUX_ONLY = """\
PluginImporter:
  serializedVersion: 2
  isPreloaded: 0
  platformData:
  - first:
      Any:
    second:
      enabled: 0
  - first:
      Editor: Editor
    second:
      enabled: 1
      settings:
        CPU: x86_64
        OS: Linux
  - first:
      Standalone: Linux64
    second:
      enabled: 1
      settings:
        CPU: x86_64
"""


def meta(path: str, folder: bool) -> bytes:
    identity = hashlib.md5(f"auricle/{path}".encode(), usedforsecurity=False).hexdigest()
    suffix = "" if folder else pathlib.PurePath(path).suffix
    if folder:
        how = "folderAsset: yes\nDefaultImporter:\n  externalObjects: {}\n"
    elif suffix == ".cs":
        how = "MonoImporter:\n  serializedVersion: 2\n"
    elif suffix == ".asmdef":
        how = "AssemblyDefinitionImporter:\n  externalObjects: {}\n"
    elif suffix == ".so":
        how = LINUX_ONLY
    elif path == "package.json":
        how = "PackageManifestImporter:\n  externalObjects: {}\n"
    else:
        how = "TextScriptImporter:\n  externalObjects: {}\n"
    return f"fileFormatVersion: 2\nguid: {identity}\n{how}".encode()


def contents(release: str, native: dict[str, pathlib.Path], licences: dict[str, bytes]) -> dict[str, bytes]:
    folder = HERE / "unity"
    files = {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    files["package.json"] = files["package.json"].replace(b"VERSION", release.encode())
    files |= {f"Runtime/{file.name}": file.read_bytes() for file in (HERE / "src").glob("*.cs")}
    # Unity takes as a library what ends in .so.
    short = {name: name.split(".so")[0] + ".so" for name in native}
    files |= {f"Plugins/Linux/x86_64/{short[name]}": file.read_bytes() for name, file in native.items()}
    files |= licences
    files["README.md"] = (ROOT / "docs" / "csharp.md").read_bytes()
    imported = [name for name in files if "~" not in name]
    folders = {str(parent) for name in imported for parent in pathlib.PurePath(name).parents} - {"."}
    files |= {f"{name}.meta": meta(name, False) for name in imported}
    return files | {f"{name}.meta": meta(name, True) for name in folders}


def pack(release: str, native: dict[str, pathlib.Path], licences: dict[str, bytes], out: pathlib.Path) -> pathlib.Path:
    files = contents(release, native, licences)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(files):
            member = tarfile.TarInfo(f"package/{name}")  # of 1 January 1970
            member.size = len(files[name])
            archive.addfile(member, io.BytesIO(files[name]))
    package = out / f"auricle-unity-{release}.tgz"
    package.write_bytes(gzip.compress(packed.getvalue(), mtime=0))
    return package
