"""``python -m picasso_build.replay LEVEL FILE``: calls that were recorded, made again by the machine code of a level.

For processors of another kind than this one: a program without Python, which qemu runs. It must write the bytes that
were written, and return what was returned. ``pytest --record-calls FILE`` records.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from picasso_build.build import BuildError, compile_entries, groups_of
from picasso_build.compiler import CompilerError, find
from picasso_build.emit import PREFIX
from picasso_build.shim import parameters, values
from picasso_kernels.cpu.entries import ENTRIES, Array, Entry
from picasso_kernels.cpu.levels import level_of

_HEAD: Final = """\
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define NOTHING INT64_MIN
enum { MOST = 64 };
typedef struct { int32_t is_array, block; int64_t at, length; } Argument;
static char *block[MOST], *after[MOST];
static int32_t head[3], bytes[MOST][2];
void NRT_MemInfo_call_dtor(void *info) { (void)info; abort(); }
static void get(void *to, size_t size, size_t count, FILE *from)
{
    if (fread(to, size, count, from) != count)
        exit(2);
}
"""
_MAIN: Final = """\
int main(int count, char **args)
{
    FILE *file = count > 1 ? fopen(args[1], "rb") : NULL;
    long calls = 0, wrong = 0;
    if (!file)
        return 2;
    while (fread(head, 4, 3, file) == 3) {
        Argument a[MOST];
        int64_t expected, result = NOTHING;
        int differs;
        get(&expected, 8, 1, file);
        for (int i = 0; i < head[1]; i++) {
            get(bytes[i], 4, 2, file);
            block[i] = malloc(bytes[i][0] + 256);
            after[i] = malloc(bytes[i][0]);
            get(block[i], 1, bytes[i][0], file);
            get(after[i], 1, bytes[i][0], file);
        }
        get(a, sizeof(Argument), head[2], file);
        differs = call(head[0], a, &result) || result != expected;
        for (int i = 0; i < head[1]; i++) {
            differs |= !bytes[i][1] && memcmp(block[i], after[i], bytes[i][0]);
            free(block[i]);
            free(after[i]);
        }
        calls++;
        wrong += differs != 0;
        if (differs)
            printf("call %ld, of entry %d, differs\\n", calls, (int)head[0]);
    }
    printf("%ld calls, %ld differ\\n", calls, wrong);
    return wrong || !calls;
}
"""


def program() -> str:
    """Return the C text of the program, which takes the file's name."""
    entries = list(ENTRIES.values())
    cases = "\n".join(_case(number, entry) for number, entry in enumerate(entries))
    return "\n".join(
        [
            _HEAD,
            *(f"extern int32_t {PREFIX}{e.name}({', '.join(_all_parameters(e))});" for e in entries),
            "static int call(int entry, const Argument *a, int64_t *result)\n{",
            "    void *raised = 0;\n    char *none = 0;\n    (void)none;",
            f"    switch (entry) {{\n{cases}\n    }}\n    return 1;\n}}",
            _MAIN,
        ]
    )


def _all_parameters(entry: Entry) -> list[str]:
    return ["int64_t *" if entry.returns else "char **", "void **", *parameters(entry.arguments)]


def _case(number: int, entry: Entry) -> str:
    arrays, numbers = {}, {}
    for place, (name, kind) in enumerate(entry.arguments.items()):
        if isinstance(kind, Array):
            arrays[name] = f"a[{place}].length", f"block[a[{place}].block] + a[{place}].at"
        else:
            numbers[name] = f"a[{place}].at"
    result = "result" if entry.returns else "&none"
    arguments = ", ".join(values(entry.arguments, arrays, numbers))
    return f"    case {number}:\n        return {PREFIX}{entry.name}({result}, &raised, {arguments});"


def main() -> None:
    """Build the program and run it."""
    parser = argparse.ArgumentParser(prog="python -m picasso_build.replay", description="Make recorded calls again.")
    parser.add_argument("level")
    parser.add_argument("file", type=Path)
    parser.add_argument("--runner", default="", help="what runs the program, e.g. qemu-aarch64")
    args = parser.parse_args()
    level = level_of(args.level)
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor() as pool:
        folder = Path(scratch)
        try:
            command = find(level.architecture)
            names = [entry.name for entry in ENTRIES.values()]
            list(pool.map(lambda group: compile_entries(level, group, folder), groups_of(names, False)))
        except (BuildError, CompilerError) as error:
            raise SystemExit(f"picasso_build: {error}") from error
        (folder / "replay.c").write_text(program())
        objects = [str(folder / f"{name}.o") for name in names]
        made = folder / "replay"
        line = [
            *command,
            "-static",
            "-O1",
            "-Wall",
            "-Werror",
            str(folder / "replay.c"),
            *objects,
            "-lm",
            "-o",
            str(made),
        ]
        subprocess.run(line, check=True)
        raise SystemExit(subprocess.run([*args.runner.split(), str(made), str(args.file)], check=False).returncode)


if __name__ == "__main__":
    main()
