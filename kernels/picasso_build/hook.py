"""Hatchling's hook: machine code into the wheel, and the list of what the wheel holds; else Numba as a dependency."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from hatchling.builders.hooks.plugin.interface import (  # type: ignore[import-not-found]  # where packages are built
    BuildHookInterface,
)

PYTHON: Final = "cp311-abi3"
"""Every CPython from 3.11 on."""


class KernelsHook(BuildHookInterface):  # type: ignore[misc]  # it has no types here
    """Builds what ``plan`` says."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add files and tag to a wheel. An editable install stays as it is, and compiles on first use."""
        sys.path.insert(0, str(Path(self.root) / "kernels"))
        from picasso_build import compiler
        from picasso_build.plan import NUMBA, PLATFORM, plan
        from picasso_kernels.cpu.forms import NOTE

        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        planned = plan() if version == "standard" else None
        if planned is None or not planned.levels:
            build_data["dependencies"].append(NUMBA)
        if planned is None:
            return
        if planned.levels:
            if not planned.command:
                raise compiler.CompilerError(planned.reason)
            names = ", ".join(level.name for level in planned.levels)
            self.app.display_info(f"Machine code of the kernels for {names}: {' '.join(planned.command)}")
            from picasso_build.build import build  # the kernels, which need NumPy: an editable install has none here

            made = build(planned.levels, folder, planned.command)
            build_data["tag"] = f"{PYTHON}-{os.environ.get(PLATFORM) or f'linux_{planned.levels[0].architecture}'}"
            build_data["pure_python"] = False
        else:
            self.app.display_warning(f"No machine code of the kernels ({planned.reason}): the first use compiles them.")
            made = [folder / NOTE]
            made[0].write_text(planned.reason + "\n", encoding="utf-8")
        for path in made:
            build_data["force_include"][str(path)] = f"picasso_kernels/built/{path.name}"
        from picasso_build.sbom import bill_of_materials

        bill = folder / "picasso-engine.cdx.json"
        core = self.metadata.core
        bill.write_text(bill_of_materials(Path(self.root), core.name, core.version, planned, made), encoding="utf-8")
        build_data["sbom_files"].append(str(bill))

    def finalize(self, *_: object) -> None:
        """Remove what the build left."""
        self._folder.cleanup()
