"""The package knows include/auricle.h as it is."""

import ctypes
import subprocess
import sys

import auricle
import pytest
from auricle import _library, pcm, provider, session, status
from conftest import ROOT

#: What the header says, a fact a line.
FACTS = [
    line.split()
    for line in subprocess.run(
        [sys.executable, str(ROOT / "bindings" / "header.py")], check=True, capture_output=True, text=True
    ).stdout.splitlines()
]


def test_statuses_formats_and_levels_are_those_of_the_header() -> None:
    numbers = {fact[1]: int(fact[2]) for fact in FACTS if fact[0] == "constant"}
    for other in ("VERSION_MAJOR", "VERSION_MINOR", "VERSION_PATCH"):
        del numbers[other]
    assert numbers.pop("ABI_VERSION") == _library.ABI_VERSION == auricle.abi_version()
    known = {member.name: int(member) for member in auricle.Status}
    known |= {f"LOG_{member.name}": int(member) for member in auricle.LogLevel}
    known |= {member.name: int(member) for member in auricle.OutputKind}
    known |= {name.upper(): number for name, (number, _) in pcm.FORMATS.items()}
    known |= {name.upper(): number for name, number in (session.OVERFLOW | provider.NEED).items()}
    assert known == numbers


def test_every_error_has_an_exception_of_its_own() -> None:
    errors = [number for number in auricle.Status if number < 0]
    kinds = {status._EXCEPTIONS[number] for number in errors}
    assert len(kinds) == len(errors) and auricle.Error not in kinds


def structs() -> dict[str, list[str]]:
    members: dict[str, list[str]] = {fact[1]: [] for fact in FACTS if fact[0] == "struct"}
    for fact in FACTS:
        if fact[0] == "member":
            members[fact[1]].append(fact[2])
    return members


def test_structs_lie_in_memory_as_in_c() -> None:
    assert set(structs()) == set(_library.STRUCTS)
    here = []
    for name in structs():
        struct = _library.STRUCTS[name]
        here.append(["struct", name, str(ctypes.sizeof(struct))])
        for member, *_ in struct._fields_:
            field = getattr(struct, member)
            here.append(["member", name, member, str(field.offset), str(field.size)])
    assert here == [fact for fact in FACTS if fact[0] in ("struct", "member")]


#: What a type of the header may be here.
WHOLE = {"size_t": ctypes.c_size_t, "uint64_t": ctypes.c_uint64, "auricle_status": ctypes.c_int32}
SCALARS = {
    **WHOLE,
    "int32_t": ctypes.c_int32,
    "uint32_t": ctypes.c_uint32,
    "auricle_log_fn": _library.LOG_FUNCTION,
    "auricle_progress_fn": _library.PROGRESS_FUNCTION,
    "void": None,
}


def fits(c: str, here: object) -> bool:
    if "*" not in c:
        return here is SCALARS[c]
    base = c.replace("const", "").replace("*", "")
    if base in _library.STRUCTS:
        return here is ctypes.POINTER(_library.STRUCTS[base])
    if base == "char":
        return here in (ctypes.c_char_p, ctypes.c_void_p)
    if c.count("*") == 2:
        return here in (ctypes.POINTER(ctypes.c_void_p), ctypes.c_void_p)
    return here is ctypes.c_void_p or base in WHOLE and here is ctypes.POINTER(WHOLE[base])


def test_functions_take_and_return_what_the_header_says() -> None:
    declared = [fact[1:] for fact in FACTS if fact[0] == "function"]
    assert {name for name, *_ in declared} == set(_library.FUNCTIONS)
    for name, returns, *takes in declared:
        here_returns, here_takes = _library.FUNCTIONS[name]
        assert fits(returns, here_returns), f"{name} returns {returns}"
        assert len(takes) == len(here_takes), name
        for c, here in zip(takes, here_takes, strict=True):
            assert fits(c, here), f"{name}: {c} is {here}"


@pytest.mark.parametrize(
    ("ours", "struct"),
    [
        (auricle.load, "auricle_model_options"),
        (auricle.load_memory, "auricle_model_options"),
        (auricle.Model.classify, "auricle_clip_options"),
        (auricle.Session.__init__, "auricle_session_options"),
        (auricle.runtime_open, "auricle_runtime_options"),
    ],
)
def test_every_option_is_a_parameter(ours: object, struct: str) -> None:
    # thread_start is not offered: ONNX Runtime's threads would wait for the interpreter's lock.
    options = set(structs()[struct]) - {"struct_size", "reserved", "provider_count", "user", "thread_start"}
    assert options <= set(ours.__annotations__)


@pytest.mark.parametrize(
    ("ours", "struct"), [(auricle.Result, "auricle_result"), (auricle.Event, "auricle_event"), (auricle.Output, "auricle_output")]
)
def test_every_member_of_what_is_given_is_there(ours: type, struct: str) -> None:
    more = {auricle.Result: {"scores"}, auricle.Output: {"name", "labels"}}.get(ours, set())
    assert set(ours.__annotations__) == (set(structs()[struct]) - {"struct_size"}) | more
