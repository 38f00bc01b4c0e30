"""Checks docs/manifest.schema.json with pip's jsonschema: python tests/manifest/check_schema.py [FILLED_IN.json ...]

The schema accepts and refuses what tests/data/manifests.json says, accepts the examples of docs/manifest.md and docs/models, and accepts
the manifests with all defaults that tests/manifests.rs wrote (manifests_filled_in.json in the target's tmp folder).
"""

import json
import re
import sys
from pathlib import Path

from jsonschema import Draft202012Validator

ROOT = Path(__file__).resolve().parents[2]


def merge(target, patch):
    """JSON Merge Patch (RFC 7386)."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge(result.get(name), value)
    return result


def main():
    schema = json.loads((ROOT / "docs/manifest.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    table = json.loads((ROOT / "tests/data/manifests.json").read_text())
    cases = [(who != "both", merge(table["base"], change)) for who, change in table["refused_by"]]
    pages = [ROOT / "docs/manifest.md", *sorted((ROOT / "docs/models").glob("*.md"))]
    documentation = "\n".join(page.read_text() for page in pages)
    cases += [(True, json.loads(text)) for text in re.findall(r"```json\n(.*?)```", documentation, re.S)]
    for path in sys.argv[1:]:
        cases += [(True, manifest) for manifest in json.loads(Path(path).read_text())]
    wrong = 0
    for accepted, manifest in cases:
        errors = [f"{e.json_path}: {e.message}" for e in validator.iter_errors(manifest)]
        if accepted == bool(errors):
            wrong += 1
            print("refused:" if accepted else "accepted:", json.dumps(manifest)[:400], *errors[:3], sep="\n  ")
    print(f"{len(cases)} manifests, {wrong} judged wrongly by the schema")
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main())
