"""Entry kernels to object files: through Numba, as on first use, but for the processors of a level.

``main`` writes an object file for each of some entries, in a process of its own: Numba compiles for one kind of
processor a process. Functions have the arguments of Numba's own convention, where an
array is seven of them; ``shim`` writes the C that calls them. Each entry is compiled once: where one calls another, as
a whole frame calls transform and painter, it calls the other's function.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from picasso_kernels.cpu.entries import ENTRIES, Array, Entry
from picasso_kernels.cpu.levels import Level, level_of

PREFIX: Final = "picasso_"
"""Of the functions' names in the object files."""


def prepare(level: Level) -> None:
    """Let Numba compile for a level; before anything imports it."""
    if "numba" in sys.modules:
        raise RuntimeError("Numba is loaded already, and compiles for this processor")
    os.environ["PICASSO_KERNELS"] = "jit"
    os.environ["NUMBA_CPU_NAME"], os.environ["NUMBA_CPU_FEATURES"] = level.cpu, features_of(level)
    if level.architecture != platform.machine():
        _pretend_to_be(f"{level.architecture}-unknown-linux-gnu")


def features_of(level: Level) -> str:
    """Return what a level has and has not, for LLVM.

    The name of a processor stands for what is fast; without the second part LLVM would use all that this one has. A
    "generic" one has nothing more than is said.
    """
    from llvmlite import binding as llvm

    had = level.features.split(",")
    if level.cpu == "generic":
        return level.features
    if level.architecture != platform.machine():
        raise RuntimeError(
            f"{level.name} is built on {level.architecture}: only there LLVM says what there is to leave out"
        )
    lacks = [f"-{name}" for name in sorted(llvm.get_host_cpu_features()) if f"+{name}" not in had]
    return ",".join([*lacks, *had])


def _pretend_to_be(triple: str) -> None:
    """Let Numba, which compiles for where it runs, take this process for one of another architecture."""
    from llvmlite import binding as llvm

    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    llvm.get_process_triple = llvm.get_default_triple = lambda: triple


def emit(entry: Entry, level: Level) -> bytes:
    """Return the object file of an entry, whose one function that others see is ``PREFIX`` and its name."""
    from llvmlite import binding as llvm
    from numba.core import types
    from numba.core.compiler_lock import global_compiler_lock

    from picasso_kernels.cpu.compile import with_parts

    calls = {other.kernel: _call(other) for other in ENTRIES.values() if other is not entry}
    top = _top(with_parts(entry.kernel, entry.inline, not entry.keep_gil, calls))
    kinds = [_numba_type(argument) for argument in entry.arguments.values()]
    top.compile(types.void(*kinds) if entry.returns is None else _numba_type(entry.returns)(*kinds))
    library, name = top.result.library, top.result.fndesc.llvm_func_name
    library._finalize_final_module = lambda: None  # else it becomes code of this process, too
    with global_compiler_lock:
        library.finalize()
    module = llvm.parse_bitcode(library._final_module.as_bitcode())
    for thing in (*module.functions, *module.global_variables):
        if thing.name == name:
            thing.name = PREFIX + entry.name
            thing.linkage = "external"
        elif not thing.is_declaration:
            thing.linkage = "internal"
    machine = llvm.Target.from_triple(module.triple).create_target_machine(
        cpu=level.cpu, features=features_of(level), opt=3, reloc="pic", codemodel="default"
    )
    passes = llvm.create_new_module_pass_manager()
    passes.add_global_dead_code_eliminate_pass()
    passes.run(module, llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options()))
    return bytes(machine.emit_object(module))


def _numba_type(argument: Any) -> Any:
    from numba.core import types

    kind = getattr(types, "boolean" if argument.dtype == "bool" else argument.dtype)
    return types.Array(kind, 1, "C") if isinstance(argument, Array) else kind


def _top(function: Callable[..., Any]) -> Any:
    from picasso_kernels.cpu.linking import Part

    class Top(Part):
        """A part that nobody calls: it keeps its result as it was lowered."""

        def add_overload(self, result: Any) -> None:
            self.result = result

    return Top(function, inline=False)


def _call(entry: Entry) -> Any:
    """Return what compiles to a call of an entry's function, which lies in another object file."""
    from numba.core import cgutils, types
    from numba.extending import intrinsic

    returned = types.void if entry.returns is None else _numba_type(entry.returns)
    names = ", ".join(entry.arguments)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        convention = context.call_conv
        kind = convention.get_function_type(returned, signature.args)
        function = cgutils.get_or_insert_function(builder.module, kind, PREFIX + entry.name)
        status, value = convention.call_function(builder, function, returned, signature.args, args)
        with builder.if_then(status.is_error):
            convention.return_status_propagate(builder, status)
        return context.get_dummy_value() if entry.returns is None else value

    scope = {"returned": returned, "generate": generate}
    text = f"def call(typing, {names}):\n    return returned({names}), generate\n"  # Numba reads the names
    exec(text, scope)
    return intrinsic(scope["call"])


def main(level_name: str, folder: str, *names: str) -> None:
    """Write the object files of some entries."""
    level = level_of(level_name)
    prepare(level)
    entries = {entry.name: entry for entry in ENTRIES.values()}
    for entry in map(entries.__getitem__, names):
        (Path(folder) / f"{entry.name}.o").write_bytes(emit(entry, level))
