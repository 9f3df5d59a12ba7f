"""What a module costs, beside the engine by hand and beside its peers; processor time, ratios of one run.

python bench/module overhead --pairs 20         nothing touched, metadata read, pixels read
python bench/module account --pairs 20          the account and metrics of 16 sources, with and without
python bench/module traces --pairs 20           spans of 1 frame in 100, and of every one, 16 sources
python bench/module load                        a file of 1,000 keys
python bench/module files 4 --rounds 20         beside FFmpeg and GStreamer
python bench/module soak 3600 --sources 16      memory over an hour
python bench/module stopping --rounds 20        from SIGTERM to the exit, 16 sources
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from pathlib import Path


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verb = verbs.add_parser("overhead")
    verb.add_argument("--pairs", type=int, default=20)
    verb.add_argument("--seconds", type=float, default=4.0)
    verb = verbs.add_parser("load")
    verb.add_argument("--rounds", type=int, default=20)
    verb = verbs.add_parser("files")
    verb.add_argument("count", type=int)
    verb.add_argument("--rounds", type=int, default=20)
    verb.add_argument("--seconds", type=float, default=4.0)
    verb = verbs.add_parser("soak")
    verb.add_argument("duration", type=float)
    verb.add_argument("--sources", type=int, default=16)
    verb.add_argument("--fps", type=float, default=10.0)
    verb.add_argument("--out", type=Path, default=Path("module-soak.json"))
    verb = verbs.add_parser("stopping")
    verb.add_argument("--rounds", type=int, default=20)
    verb.add_argument("--sources", type=int, default=16)
    verb.add_argument("--codec", choices=["h264", "jpeg"], default="h264")
    for name in ("account", "traces"):
        verb = verbs.add_parser(name)
        verb.add_argument("--pairs", type=int, default=20)
        verb.add_argument("--sources", type=int, default=16)
        verb.add_argument("--frames", type=int, default=40)
    arguments = parser.parse_args()
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    if arguments.verb == "overhead":
        from overhead import overhead

        print(*overhead(arguments.pairs, arguments.seconds), sep="\n")
    elif arguments.verb == "account":
        from account import account

        print(*account(arguments.pairs, arguments.sources, arguments.frames), sep="\n")
    elif arguments.verb == "traces":
        from traces import traces

        print(*traces(arguments.pairs, arguments.sources, arguments.frames), sep="\n")
    elif arguments.verb == "load":
        from loading import loading

        print(loading(arguments.rounds))
    elif arguments.verb == "files":
        from files import files

        print(files(arguments.count, arguments.rounds, arguments.seconds))
    elif arguments.verb == "stopping":
        from stopping import stopping

        print(stopping(arguments.rounds, arguments.sources, arguments.codec))
    else:
        from soak import soak

        print(soak(arguments.duration, arguments.sources, arguments.fps, arguments.out))


if __name__ == "__main__":
    sys.exit(main())
