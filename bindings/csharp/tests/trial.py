#!/usr/bin/env python3
"""The packages as a stranger has them: `trial.py NUPKG UNITY FOLDER`, by the Python that toolchain.py prints.

From the .nupkg alone, unpacked where NuGet unpacks it, each program of docs/csharp.md is compiled as it stands in the empty
FOLDER and run by .NET, which finds the libraries through the file that NuGet writes for it. No part of the checkout is
reached: the page, a model and a recording are copied first. Unity's package is looked at, and its sources and sample are compiled
against as much of Unity as they name.
"""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import xml.etree.ElementTree as xml
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1])]

from recording import record  # noqa: E402
from toolchain import runtime  # noqa: E402

UNITY_ENGINE = """
#pragma warning disable CS1591
namespace UnityEngine
{
    public class MonoBehaviour { }
    [System.AttributeUsage(System.AttributeTargets.Field)] public sealed class SerializeField : System.Attribute { }
    public static class Application { public static string streamingAssetsPath = ""; }
    public static class AudioSettings { public static int outputSampleRate = 48000; }
    public static class Debug { public static void Log(object message) { } }
}
"""


def compile_(out: pathlib.Path, sources: list[pathlib.Path], *options: str) -> None:
    command = [sys.executable, str(HERE.parent / "compile.py"), str(out), *map(str, sources), *options]
    subprocess.run(command, check=True)


def unpacked(nupkg: pathlib.Path, folder: pathlib.Path) -> tuple[pathlib.Path, str]:
    """Where NuGet would have it: packages/auricle/VERSION."""
    with zipfile.ZipFile(nupkg) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        spec = xml.fromstring(archive.read("Auricle.nuspec"))
        space = {"n": "http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd"}
        said = {tag: spec.findtext(f"n:metadata/n:{tag}", namespaces=space) for tag in ("id", "version", "readme", "license")}
        assert said["id"] == "Auricle" and nupkg.name == f"Auricle.{said['version']}.nupkg", said
        assert said["readme"] in names and said["license"] == "(MIT OR Apache-2.0) AND MIT"
        types = xml.fromstring(archive.read("[Content_Types].xml"))
        known = {one.get("Extension") for one in types} - {None}
        named = {one.get("PartName") for one in types} - {None}
        for name in names:
            assert name.rsplit(".", 1)[-1] in known or f"/{name}" in named or name == "[Content_Types].xml", name
        relations = xml.fromstring(archive.read("_rels/.rels"))
        assert [one.get("Target") for one in relations] == ["/Auricle.nuspec"]
        place = folder / "packages" / "auricle" / str(said["version"])
        archive.extractall(place)
    native = place / "runtimes" / "linux-x64" / "native"
    assert sorted(file.name for file in native.iterdir()) == ["libauricle.so", "libonnxruntime.so.1.28.0"]
    assert {f"lib/net8.0/Auricle.{kind}" for kind in ("dll", "xml")} <= set(names)
    return place, str(said["version"])


def run(program: pathlib.Path, package: pathlib.Path, version: str) -> str:
    """As `dotnet run` does: what the SDK's restore writes for .NET's host."""
    name, here = f"Auricle/{version}", program.parent
    native = {f"runtimes/linux-x64/native/{file.name}" for file in (package / "runtimes/linux-x64/native").iterdir()}
    target = {
        name: {
            "runtime": {"lib/net8.0/Auricle.dll": {}},
            "runtimeTargets": {file: {"rid": "linux-x64", "assetType": "native"} for file in sorted(native)},
        },
        "program/1.0.0": {"dependencies": {"Auricle": version}, "runtime": {program.name: {}}},
    }
    program.with_suffix(".deps.json").write_text(
        json.dumps(
            {
                "runtimeTarget": {"name": ".NETCoreApp,Version=v8.0"},
                "targets": {".NETCoreApp,Version=v8.0": target},
                "libraries": {
                    name: {"type": "package", "serviceable": True, "sha512": "", "path": f"auricle/{version}"},
                    "program/1.0.0": {"type": "project", "serviceable": False, "sha512": ""},
                },
            }
        )
    )
    config = json.loads(program.with_suffix(".runtimeconfig.json").read_text())
    config["runtimeOptions"]["additionalProbingPaths"] = [str(package.parent.parent)]
    program.with_suffix(".runtimeconfig.json").write_text(json.dumps(config))
    command = [str(runtime() / "dotnet"), str(program)]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(here), "DOTNET_ROOT": str(runtime())}
    ran = subprocess.run(command, cwd=here, env=environment, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def nuget(nupkg: pathlib.Path, folder: pathlib.Path) -> None:
    package, version = unpacked(nupkg, folder)
    shutil.copy(ROOT / "models" / "esc10.onnx", folder / "model.onnx")
    record(folder / "clip.wav")
    page = (package / "README.md").read_text(encoding="utf-8")
    programs = re.findall(r"^```csharp\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert page.index("```csharp") < 20 and len(programs[0].splitlines()) <= 30 and len(programs) > 1
    for index, text in enumerate(programs):
        source, out = folder / f"program{index}.cs", folder / f"program{index}.dll"
        source.write_text(text, encoding="utf-8")
        compile_(out, [source], "--exe", "--reference", str(package / "lib" / "net8.0" / "Auricle.dll"))
        said = run(out, package, version)
        assert len(said.splitlines()) >= 2, said
        print(said, end="")


def unity(archive: pathlib.Path, folder: pathlib.Path) -> None:
    with tarfile.open(archive) as members:
        members.extractall(folder / "unity", filter="data")
    package = folder / "unity" / "package"
    about = json.loads((package / "package.json").read_text())
    assert archive.name == f"auricle-unity-{about['version']}.tgz" and about["samples"][0]["path"] == "Samples~/Listen"
    assert json.loads((package / "Runtime" / "Auricle.asmdef").read_text())["allowUnsafeCode"] is True
    identities = []
    for file in package.rglob("*"):
        if file.suffix == ".meta":
            identities += re.findall(r"^guid: ([0-9a-f]{32})$", file.read_text(), re.MULTILINE)
            assert file.with_suffix("").exists(), file
        elif "~" not in str(file.relative_to(package)):
            assert file.with_name(f"{file.name}.meta").exists(), f"{file} would be left out"
    assert len(set(identities)) == len(identities) > 10
    assert sorted(file.name for file in (package / "Plugins/Linux/x86_64").glob("*.so")) == ["libauricle.so", "libonnxruntime.so"]
    engine, assembly = folder / "UnityEngine.cs", folder / "unity" / "Auricle.dll"
    engine.write_text(UNITY_ENGINE)
    compile_(assembly, sorted((package / "Runtime").glob("*.cs")), "--define", "UNITY_2021_3_OR_NEWER")
    sample = package / "Samples~" / "Listen" / "Listen.cs"
    compile_(folder / "unity" / "Listen.dll", [sample, engine], "--reference", str(assembly))


def main() -> None:
    nupkg, archive, folder = map(pathlib.Path, sys.argv[1:])
    folder = folder.resolve()
    assert not any(folder.iterdir()), f"{folder} is not empty"
    nuget(nupkg.resolve(), folder)
    unity(archive.resolve(), folder)


if __name__ == "__main__":
    main()
