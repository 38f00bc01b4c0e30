#!/usr/bin/env python3
"""What include/auricle.h says, one fact a line, for the tests that compare a binding with it: `header.py > facts`.

    constant NAME VALUE                        every number that it defines, without AURICLE_
    struct NAME SIZE                           as the C compiler lays it out
    member STRUCT NAME OFFSET SIZE
    function NAME RETURNS TYPE…                types without blanks
"""

import pathlib
import re
import subprocess
import tempfile

INCLUDE = pathlib.Path(__file__).resolve().parent.parent / "include"
CODE = re.sub(r"/\*.*?\*/", "", (INCLUDE / "auricle.h").read_text(encoding="utf-8"), flags=re.DOTALL)


def layout() -> str:
    lines = []
    for body, name in re.findall(r"typedef struct \{(.*?)\} (auricle_\w+);", CODE, re.DOTALL):
        lines.append(f'printf("struct {name} %zu\\n", sizeof({name}));')
        for member in re.findall(r"(\w+);", body):
            size = f"sizeof((({name} *)0)->{member})"
            lines.append(f'printf("member {name} {member} %zu %zu\\n", offsetof({name}, {member}), {size});')
    with tempfile.TemporaryDirectory() as folder:
        source, program = pathlib.Path(folder, "layout.c"), pathlib.Path(folder, "layout")
        source.write_text(f"#include <auricle.h>\n#include <stdio.h>\nint main(void) {{ {' '.join(lines)} return 0; }}\n")
        subprocess.run(["cc", f"-I{INCLUDE}", str(source), "-o", str(program)], check=True)
        return subprocess.run([program], check=True, capture_output=True, text=True).stdout


def main() -> None:
    for name, value in re.findall(r"^#define AURICLE_(\w+) (-?\d+)$", CODE, re.MULTILINE):
        print("constant", name, value)
    print(layout(), end="")
    for returns, name, arguments in re.findall(r"AURICLE_API\s+([\w\s]+?[\s*]+)(auricle_\w+)\((.*?)\);", CODE, re.DOTALL):
        takes = [] if arguments.strip() == "void" else [re.sub(r"\w+$", "", one.strip()) for one in arguments.split(",")]
        print("function", name, *(re.sub(r"\s", "", kind) for kind in [returns, *takes]))


if __name__ == "__main__":
    main()
