#!/usr/bin/env python3
"""Runs an assembly by the .NET that toolchain.py fetched: `run.py ASSEMBLY ARGUMENT…`."""

import os
import sys

from toolchain import runtime

dotnet = str(runtime() / "dotnet")
os.execv(dotnet, [dotnet, *sys.argv[1:]])
