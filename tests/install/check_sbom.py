"""The lists of parts of an archive against the schema of CycloneDX 1.6; and that the schema refuses a broken one."""

import json
import pathlib
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

validator = JsonStrictValidator(SchemaVersion.V1_6)
for file in map(pathlib.Path, sys.argv[1:]):
    text = file.read_text()
    if problem := validator.validate_str(text):
        sys.exit(f"{file.name}: {problem}")
    document = json.loads(text)
    names = {part["name"] for part in document["components"]}
    if not {"onnxruntime", "ort", "rust-standard-library"} <= names:
        sys.exit(f"{file.name} lacks a part: {sorted(names)}")
    known = {part["bom-ref"] for part in document["components"]} | {document["metadata"]["component"]["bom-ref"]}
    for edge in document["dependencies"]:
        if unknown := {edge["ref"], *edge["dependsOn"]} - known:
            sys.exit(f"{file.name}: {unknown} is no part")
    document["components"][0]["type"] = "nothing"
    if not validator.validate_str(json.dumps(document)):
        sys.exit(f"{file.name}: the check is blind")
    print(f"{file.name}: {len(names)} parts, valid CycloneDX 1.6")
