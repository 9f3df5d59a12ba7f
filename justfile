# Verbs of the house; `just` alone lists them.

_default:
    @just --list

# format, lint and type-check
check: && types
    ruff format --check .
    ruff check .
    mypy

# the share of public names whose type pyright knows without guessing; fails below 98 %
types:
    python tests/house/type_completeness.py

# the test suite, on all cores
test *args:
    python -m pytest -n auto {{args}}

# the kernels as machine code into this checkout: levels, or all of this machine's architecture
levels *args:
    PYTHONPATH=kernels python -m picasso_build {{args}}

# the wheel into dist/: every level, checked by auditwheel; `--twice` builds it again and compares
wheel *args:
    PYTHONPATH=kernels python -m picasso_build.wheels {{args}}

# the documentation site into out/site: warnings, dead links and anything from the network fail it
docs *args:
    python docs/site {{args}}

# the compiled schema of the wire, of its text
schema:
    cd picasso/wire/codec && python -m grpc_tools.protoc -I. --descriptor_set_out=protocol.binpb protocol.proto

# machine code for ARM held to the laws: their calls, recorded and made again by qemu-user
cross:
    mkdir -p out
    python -m pytest -q --record-calls out/calls.bin tests/transform tests/draw tests/kernels/test_paint.py tests/laws
    PYTHONPATH=kernels python -m picasso_build.replay neon out/calls.bin --runner qemu-aarch64

# the kernels against the newest Numba, pre-releases included, in an environment of its own: through the adapter, then without it
numba-next *args:
    python -m venv out/numba-next
    out/numba-next/bin/pip install -q -e '.[test]'
    out/numba-next/bin/pip install -q --pre --upgrade numba llvmlite
    PICASSO_KERNELS=jit out/numba-next/bin/python -m pytest -q -n auto tests/kernels tests/transform tests/draw {{args}}
    out/numba-next/bin/python -m pytest -q -n 0 --njit tests/transform/test_cpu.py tests/draw/test_painter.py

# the engine against its model, for as long as it takes: thousands of random histories
model *args:
    python -m pytest tests/engine/test_engine_model.py --hypothesis-profile=long --timeout=0 {{args}}

# every bench of bench/, written to .benchmarks/; then the guard, which fails if a step has become 15 % slower
bench *args: && guard
    python -m pytest bench --benchmark-only --benchmark-autosave -o addopts= {{args}}

# steps of a frame against the baseline of the repository; `--update` writes it again
guard *args:
    python bench/guard.py {{args}}

# messages a second of the wire, between two processes
bench-wire *args:
    python bench/wire.py {{args}}

# how old a picture is on the canvas of the live page, read back in a real Chromium
bench-page *args:
    python bench/live_page.py {{args}}

# picasso and its peers on the same work, into bench/performance-ledger.md; seven minutes a round, on an idle machine
bench-peers rounds="3":
    mkdir -p out
    python bench/peers run --suite all --rounds {{rounds}} --out out/peers.json
    python bench/steps.py --out out/steps.json
    python bench/where.py --out out/where.json
    python bench/scheduling.py --out out/scheduling.json
    python -m pytest bench/test_reference.py bench/test_engine.py --benchmark-only -o addopts= --benchmark-json out/benchmarks.json
    python bench/peers page out

# every kernel of a GPU once under compute-sanitizer: memcheck, racecheck, initcheck, or those that are named
sanitize *tools:
    python bench/gpu/sanitize.py {{tools}}

# shapes that users have on this GPU, the worst beside the best, into docs/gpu_shapes.json and docs/images/gpu_shapes.png
bench-shapes *folder:
    python bench/gpu/shapes.py {{folder}}

# the demo, into out/
demo:
    picasso demo -o out

# what the automatic run does: the README's own commands in fresh environments
ci:
    bash .ci/run

# the README's first command on a bare Debian in a chroot: no libGL, no fonts; needs root and debootstrap
bare *folder:
    bash .ci/bare {{folder}}

# sources that come, go, change and fail, for the given number of seconds; growth fails it; figures and picture go to out/
soak seconds="180":
    nice -n 19 python bench/soak.py {{seconds}} --out out

# writers of files that are killed at random moments, the given number of times for each container; what is left must play
crash trials="200":
    python tests/faults/crash_kit.py --trials {{trials}}

# a module beside the engine by hand, and its loading: processor time, ratios of one run
module-bench pairs="20":
    python bench/module overhead --pairs {{pairs}}
    python bench/module load

# 4 and 16 files through a module, FFmpeg and GStreamer, in the same rounds
module-files rounds="20":
    python bench/module files 4 --rounds {{rounds}}
    python bench/module files 16 --rounds {{rounds}} --seconds 2

# looping files through a module for the given number of seconds: memory stays flat after the first tenth
module-soak seconds="3600" sources="16":
    mkdir -p out
    nice -n 19 python bench/module soak {{seconds}} --sources {{sources}} --out out/module-soak.json
