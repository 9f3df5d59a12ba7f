"""Entry kernels as object files: compiled by Numba for another processor than this one, and called by their names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from llvmlite import binding as llvm

if TYPE_CHECKING:
    from picasso_kernels.cpu.entries import Argument, Entry

# Numba reads the processor when it is imported, so what ``make_for`` needs imports llvmlite alone.


def host_features() -> list[str]:
    """Return what LLVM may switch on or off for this kind of processor."""
    return sorted(llvm.get_host_cpu_features())


def pretend_to_be(triple: str) -> None:
    """Let Numba, which compiles for where it runs, take this process for one of another architecture."""
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    llvm.get_process_triple = llvm.get_default_triple = lambda: triple


def external_call(symbol: str, arguments: Mapping[str, Argument], returns: Argument | None) -> Any:
    """Return what compiles to a call of a compiled kernel that lies in another object file.

    Args:
        symbol: Its name there.
        arguments: Its arguments.
        returns: What it returns.
    """
    from numba.core import types

    from picasso_kernels.cpu.numba_adapter.extending import argument_type, insert_function, intrinsic

    returned = types.void if returns is None else argument_type(returns)
    names = ", ".join(arguments)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        convention = context.call_conv
        kind = convention.get_function_type(returned, signature.args)
        function = insert_function(builder.module, kind, symbol)
        status, value = convention.call_function(builder, function, returned, signature.args, args)
        with builder.if_then(status.is_error):
            convention.return_status_propagate(builder, status)
        return context.get_dummy_value() if returns is None else value

    scope = {"returned": returned, "generate": generate}
    text = f"def call(typing, {names}):\n    return returned({names}), generate\n"  # Numba reads the names
    exec(text, scope)
    return intrinsic(scope["call"])


def object_file(entry: Entry, linked: Callable[..., Any], symbol: str, cpu: str, features: str) -> bytes:
    """Return the object file of an entry, whose one function that others see is ``symbol``.

    Args:
        entry: What is compiled.
        linked: Its function, as ``compile.linked_kernel`` makes it.
        symbol: The function's name.
        cpu: LLVM's name of the processor.
        features: What it has and has not.
    """
    from numba.core import types
    from numba.core.compiler_lock import global_compiler_lock

    from picasso_kernels.cpu.numba_adapter.extending import argument_type
    from picasso_kernels.cpu.numba_adapter.lowering import TopFunction

    whole = TopFunction(linked)
    kinds = [argument_type(argument) for argument in entry.arguments.values()]
    whole.compile((types.void if entry.returns is None else argument_type(entry.returns))(*kinds))
    library, name = whole.result.library, whole.result.fndesc.llvm_func_name
    library._finalize_final_module = lambda: None  # else it becomes code of this process, too
    with global_compiler_lock:
        library.finalize()
    module = llvm.parse_bitcode(library._final_module.as_bitcode())
    for thing in (*module.functions, *module.global_variables):
        if thing.name == name:
            thing.name = symbol
            thing.linkage = "external"
        elif not thing.is_declaration:
            thing.linkage = "internal"
    machine = llvm.Target.from_triple(module.triple).create_target_machine(
        cpu=cpu, features=features, opt=3, reloc="pic", codemodel="default"
    )
    passes = llvm.create_new_module_pass_manager()
    passes.add_global_dead_code_eliminate_pass()
    passes.run(module, llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options()))
    return bytes(machine.emit_object(module))
