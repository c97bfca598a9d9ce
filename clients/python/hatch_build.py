"""Writes the code of the protos before the package is built.

In the repository the protos lie in `proto/` at its top; a source distribution carries its
own copy of them beside this file.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ProtoHook(BuildHookInterface):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        protos = next((p for p in (root / "proto", root.parents[1] / "proto") if p.is_dir()), None)
        if protos is None:
            raise FileNotFoundError(f"no proto folder in {root} or {root.parents[1]}")
        if self.target_name == "sdist":
            for file in protos.rglob("*.proto"):
                build_data["force_include"][str(file)] = f"proto/{file.relative_to(protos)}"
        else:
            generate(protos, root / "src")


def generate(protos: Path, out: Path) -> None:
    """Writes `prospero/v1/*_pb2.py`, their type stubs and `*_pb2_grpc.py` below `out`."""
    from grpc_tools import protoc

    for stale in (out / "prospero" / "v1").glob("*_pb2*"):
        stale.unlink()
    well_known = resources.files("grpc_tools") / "_proto"
    files = sorted(str(f.relative_to(protos)) for f in (protos / "prospero").rglob("*.proto"))
    arguments = [
        "protoc",
        f"-I{protos}",
        f"-I{well_known}",
        f"--python_out={out}",
        f"--pyi_out={out}",
        *files,
    ]
    services = [
        f"-I{protos}",
        f"-I{well_known}",
        f"--grpc_python_out={out}",
        *(f for f in files if f.endswith("_service.proto")),
    ]
    for command in (arguments, ["protoc", *services]):
        if protoc.main(command) != 0:
            raise RuntimeError(f"protoc failed: {' '.join(command)}")
