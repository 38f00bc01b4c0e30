#!/usr/bin/env python3
"""The AAR as a stranger has it: `trial.py MAVEN_FOLDER LIBRARY_FOLDER FOLDER`.

What the AAR holds is looked at. Then each program of docs/kotlin.md is compiled as it stands in the empty FOLDER, against the
classes.jar out of the AAR and nothing else of the checkout, and run on a desktop's Java with the libraries of LIBRARY_FOLDER,
which stand in for Android's. Fragments of the page are compiled.
"""

import io
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as xml
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1])]

import android  # noqa: E402
import package  # noqa: E402
from recording import record  # noqa: E402


def look(maven: pathlib.Path) -> dict[str, bytes]:
    """The files of the AAR, if they are those that Android's tools look for."""
    spec = xml.parse(next(maven.rglob("*.pom"))).getroot()
    space = {"m": "http://maven.apache.org/POM/4.0.0"}
    group, name, version, kind = (spec.findtext(f"m:{tag}", namespaces=space) for tag in ("groupId", "artifactId", "version", "packaging"))
    path = maven / str(group) / str(name) / str(version) / f"{name}-{version}.{kind}"
    assert kind == "aar" and path.is_file(), path
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        files = {one: archive.read(one) for one in archive.namelist()}
        for one in archive.infolist():
            assert not one.filename.endswith(".so") or one.compress_type == zipfile.ZIP_STORED, one.filename
    manifest = xml.fromstring(files["AndroidManifest.xml"])
    sdk = manifest.find("uses-sdk")
    assert sdk is not None and sdk.get("{http://schemas.android.com/apk/res/android}minSdkVersion") == str(android.MIN_SDK)
    assert "." in str(manifest.get("package"))
    with zipfile.ZipFile(io.BytesIO(files["classes.jar"])) as jar:
        names = set(jar.namelist())
    assert {"auricle/Session.class", "auricle/FlowsKt.class", "auricle/android/Microphone.class"} <= names
    assert not any(one.startswith("android/") for one in names), "what stands in for Android is shipped"
    for rule in re.findall(r"class ([\w.]+)", files["proguard.txt"].decode()):
        assert f"{rule.replace('.', '/')}.class" in names, rule
    about = json.loads(files["prefab/prefab.json"])
    assert about["schema_version"] == 2 and about["version"] == version
    for header in ("auricle.h", "auricle.hpp"):
        assert files[f"prefab/modules/auricle/include/{header}"] == (ROOT / "include" / header).read_bytes()
    for abi in [one.split("/")[1] for one in files if one.startswith("jni/")]:
        library = files[f"jni/{abi}/libauricle.so"]
        module = f"prefab/modules/auricle/libs/android.{abi}"
        assert files[f"{module}/libauricle.so"] == library and json.loads(files[f"{module}/abi.json"])["abi"] == abi
        assert all(align % android.PAGE == 0 for align in android.Elf(library).alignments), abi
        print(f"{path.name}: {abi}")
    return files


def main() -> None:
    maven, libraries, folder = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
    assert not any(folder.iterdir()), f"{folder} is not empty"
    files = look(maven)
    jar = folder / "classes.jar"
    jar.write_bytes(files["classes.jar"])
    shutil.copy(ROOT / "models" / "esc10.onnx", folder / "model.onnx")
    record(folder / "clip.wav")
    page = (ROOT / "docs" / "kotlin.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```kotlin\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert page.index("```kotlin") < 40 and "fun main" in blocks[0] and len(blocks[0].splitlines()) <= 30
    sources, programs = folder / "sources", []
    sources.mkdir()
    for index, block in enumerate(blocks):
        text = f"package page{index}\n\n{block}"
        if "fun main" in block:
            programs.append(f"page{index}.Page{index}Kt")
        else:
            text = f"package page{index}\n\nimport auricle.*\nimport auricle.android.*\n\n"
            text += f"suspend fun fragment(model: Model, show: (String) -> Unit) {{\n{block}}}\n"
        (sources / f"Page{index}.kt").write_text(text, encoding="utf-8")
    out = folder / "page"
    package.kotlin(out, [sources], [jar], jvm="17")
    jars = next((ROOT / "target" / "tools" / "kotlin").iterdir())
    known = [out, jar, jars / "kotlin-stdlib.jar", jars / "kotlinx-coroutines-core-jvm.jar"]
    assert len(programs) > 1
    for program in programs:
        command = ["java", "-Xcheck:jni", f"-Djava.library.path={libraries}", "-cp", os.pathsep.join(map(str, known)), program]
        ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
        assert ran.returncode == 0 and "WARNING" not in ran.stdout, ran.stdout + ran.stderr
        assert len(ran.stdout.splitlines()) >= 2, ran.stdout
        print(ran.stdout, end="")


if __name__ == "__main__":
    main()
