"""What lies in the installed package besides the code."""

import importlib.metadata
import re

from conftest import ROOT


def test_licences_of_all_that_is_inside_are_there() -> None:
    package = importlib.metadata.distribution("auricle")
    folder = f"auricle-{package.version}.dist-info/licenses"
    names = package.metadata.get_all("License-File") or []
    assert len(names) == 5
    texts = {name: package.read_text(f"licenses/{name}") or "" for name in names}
    assert all(len(text) > 1_000 for text in texts.values()), folder
    # What the library depends on by itself; cargo knows the rest.
    manifest = (ROOT / "Cargo.toml").read_text(encoding="utf-8")
    direct = re.findall(r"^([a-z0-9_-]+) = ", manifest.split("[dependencies]")[1].split("\n[")[0], re.M)
    inside = texts["libauricle.licences.txt"]
    assert len(direct) > 3 and all(re.search(rf"^{name} \d+\.\d+\S*: .+; source: ", inside, re.M) for name in direct), direct
