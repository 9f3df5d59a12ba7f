"""What models cost beside ONNX Runtime; processor time of one thread, ratios of one run.

python bench/infer tensors --rounds 15          input tensors of 1, 8 and 32 pictures, beside OpenCV
python bench/infer detector --rounds 15         a detector's time outside ONNX Runtime
python bench/infer sources --rounds 15          frames a second of 16 sources, beside ONNX Runtime alone
python bench/infer module --rounds 5            the same through a module
python bench/infer tracks --rounds 5            detect, track, draw 20 boxes and encode 4 clips, beside a tuned script
"""

from __future__ import annotations

import argparse
import os
import platform


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verb = verbs.add_parser("tensors")
    verb.add_argument("--rounds", type=int, default=15)
    verb = verbs.add_parser("detector")
    verb.add_argument("--rounds", type=int, default=15)
    verb = verbs.add_parser("module")
    verb.add_argument("--rounds", type=int, default=5)
    verb = verbs.add_parser("sources")
    verb.add_argument("--rounds", type=int, default=15)
    verb = verbs.add_parser("tracks")
    verb.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    if arguments.verb == "tensors":
        from tensors import tensors

        lines = tensors(arguments.rounds)
    elif arguments.verb == "module":
        from module import module

        lines = module(arguments.rounds)
    elif arguments.verb == "sources":
        from sources import sources

        lines = sources(arguments.rounds)
    elif arguments.verb == "tracks":
        from tracks import tracks

        lines = tracks(arguments.rounds)
    else:
        from detector import detector

        lines = detector(arguments.rounds)
    for line in lines:
        print(line, flush=True)


if __name__ == "__main__":
    main()
