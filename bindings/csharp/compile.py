#!/usr/bin/env python3
"""Compiles C# where there is no .NET SDK: `compile.py OUT [--exe] [--define NAME] [--reference DLL]… SOURCE…`.

The compiler is Roslyn 4.1 (C# 10; the sources say C# 9, which is what Unity has), the runtime .NET 8.0.4; toolchain.py
fetches both. OUT ends in .dll; its XML documentation goes beside it. Warnings are errors.
"""

import argparse
import json
import pathlib
import sys
import tempfile

import pythonnet
from clr_loader import get_coreclr

from toolchain import COMPILER, runtime

RUNTIME_CONFIG = {
    "runtimeOptions": {"tfm": "net8.0", "framework": {"name": "Microsoft.NETCore.App", "version": "8.0.0"}}
}


def start() -> None:
    """Starts .NET in this process, with the compiler in it."""
    with tempfile.TemporaryDirectory() as folder:
        config = pathlib.Path(folder, "compiler.runtimeconfig.json")
        config.write_text(json.dumps(RUNTIME_CONFIG))
        pythonnet.set_runtime(get_coreclr(runtime_config=str(config), dotnet_root=str(runtime())))
        pythonnet.load()
    from System.Reflection import Assembly

    for name in ("Microsoft.CodeAnalysis.dll", "Microsoft.CodeAnalysis.CSharp.dll"):
        Assembly.LoadFrom(str(COMPILER / name))
    import clr

    clr.AddReference("Microsoft.CodeAnalysis")
    clr.AddReference("Microsoft.CodeAnalysis.CSharp")


def compile_(
    out: pathlib.Path, sources: list[pathlib.Path], references: list[pathlib.Path], exe: bool, defines: list[str]
) -> list[str]:
    """The compiler's complaints; none: the assembly lies in `out`."""
    from Microsoft.CodeAnalysis import (
        DiagnosticSeverity,
        DocumentationMode,
        Emit,
        MetadataReference,
        OptimizationLevel,
        OutputKind,
        ReportDiagnostic,
        SyntaxTree,
    )
    from Microsoft.CodeAnalysis.CSharp import CSharpCompilation, CSharpCompilationOptions, CSharpParseOptions
    from Microsoft.CodeAnalysis.CSharp import CSharpSyntaxTree, LanguageVersion
    from System import Array, String
    from System.IO import File
    from System.Text import Encoding
    from System.Threading import CancellationToken

    parsing = (
        CSharpParseOptions.Default.WithLanguageVersion(LanguageVersion.CSharp9)
        .WithDocumentationMode(DocumentationMode.Diagnose)
        .WithPreprocessorSymbols(Array[String](defines))
    )
    trees = [
        CSharpSyntaxTree.ParseText(source.read_text(encoding="utf-8"), parsing, str(source), Encoding.UTF8)
        for source in sources
    ]
    options = (
        CSharpCompilationOptions(OutputKind.ConsoleApplication if exe else OutputKind.DynamicallyLinkedLibrary)
        .WithAllowUnsafe(True)
        .WithOptimizationLevel(OptimizationLevel.Release)
        .WithGeneralDiagnosticOption(ReportDiagnostic.Error)
        .WithDeterministic(True)
    )
    known = [MetadataReference.CreateFromFile(str(reference)) for reference in references]
    compilation = CSharpCompilation.Create(out.stem, Array[SyntaxTree](trees), Array[MetadataReference](known), options)
    out.parent.mkdir(parents=True, exist_ok=True)
    assembly, documentation = File.Create(str(out)), File.Create(str(out.with_suffix(".xml")))
    try:
        # The overload with all parameters: the others are told apart by types that Python does not have.
        result = compilation.Emit(assembly, None, documentation, None, None, Emit.EmitOptions(), CancellationToken(False))
    finally:
        assembly.Close()
        documentation.Close()
    return [str(found) for found in result.Diagnostics if found.Severity == DiagnosticSeverity.Error]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("sources", nargs="+", type=pathlib.Path)
    parser.add_argument("--exe", action="store_true")
    parser.add_argument("--define", action="append", default=[])
    parser.add_argument("--reference", action="append", default=[], type=pathlib.Path)
    parser.add_argument("--framework", type=pathlib.Path, help="folder of other class libraries than those of .NET")
    given = parser.parse_args()
    start()
    framework = given.framework or next((runtime() / "shared" / "Microsoft.NETCore.App").iterdir())
    references = [dll for dll in sorted(framework.glob("*.dll")) if managed(dll)] + given.reference
    complaints = compile_(given.out, given.sources, references, given.exe, given.define)
    if complaints:
        given.out.unlink(missing_ok=True)
        sys.exit("\n".join(complaints))
    if given.exe:
        given.out.with_suffix(".runtimeconfig.json").write_text(json.dumps(RUNTIME_CONFIG))


def managed(dll: pathlib.Path) -> bool:
    """Whether a file has .NET's code in it: data directory 14 of its optional header says so."""
    data = dll.read_bytes()[:1024]
    if data[:2] != b"MZ":
        return False
    header = int.from_bytes(data[0x3C:0x40], "little") + 24
    directories = header + (112 if data[header : header + 2] == b"\x0b\x02" else 96)
    return data[directories + 14 * 8 : directories + 15 * 8] != bytes(8)


if __name__ == "__main__":
    main()
