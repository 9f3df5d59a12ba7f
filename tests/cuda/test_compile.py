"""Every kernel is compiled without a GPU, assembled for every architecture, and takes no more than it took."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from picasso_kernels.cuda_build import ARCHITECTURES, assemble, build_ptx, entry_name, read_usage
from picasso_kernels.cuda_kernels import KERNELS
from picasso_kernels.cuda_paint import PAINTERS

RECORD = Path(__file__).parent / "usage.json"
BUILDS = [(name, batched) for name in KERNELS for batched in (False, True)] + [(name, False) for name in PAINTERS]

pytest.importorskip("cuda.bindings.nvjitlink", reason="pip install 'picasso-engine[cuda13]'")
pytest.importorskip("numba_cuda", reason="pip install 'picasso-engine[cuda13]'")


def measure(name: str, batched: bool) -> dict[str, list[int]]:
    """Return registers, stack and local memory of a kernel by architecture."""
    ptx = build_ptx(name, batched=batched)
    return {f"sm_{major}{minor}": list(read_usage(assemble(ptx, (major, minor))[1])) for major, minor in ARCHITECTURES}


@pytest.mark.parametrize(
    ("name", "batched"), BUILDS, ids=[entry_name(*build[:1], batched=build[1]) for build in BUILDS]
)
def test_a_kernel_takes_no_more_registers_and_no_local_memory(name: str, batched: bool) -> None:
    """A rise is to be looked at; ``python tests/cuda/test_compile.py`` writes the record anew."""
    recorded = json.loads(RECORD.read_text())[entry_name(name, batched=batched)]
    for architecture, (registers, stack, local) in measure(name, batched).items():
        assert (stack, local) == (0, 0), architecture
        assert registers <= recorded[architecture], architecture


def main() -> None:
    """Write the record."""
    record = {}
    for name, batched in BUILDS:
        usage = measure(name, batched)
        record[entry_name(name, batched=batched)] = {architecture: values[0] for architecture, values in usage.items()}
    RECORD.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
