#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails if the cost of an inference grows: instructions on each ARM core class, arena bytes, the command's size.

  growth_test.py VITRINE STRIP [--update]

VITRINE is the command for aarch64. STRIP is the tool that removes its symbols. The model comes from build/commands, where
the host's tests write it. The test fails if a figure is more than 2 % above its limit in limits.json. --update writes the
measured figures; commit them with the reason for the change. The emulator counts instructions: exact and repeatable.
"""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIMITS = Path(__file__).with_name("limits.json")
MODEL = ROOT / "build/commands/vit-tiny-waste.dynamic.vit"
PROCESSORS = ("cortex-a53", "cortex-a72", "cortex-a76", "max")
ALLOWED = 1.02
SKIPPED = 77


def bench(vitrine, processor, runs, counts):
    """Runs `runs` inferences, appends the executed instructions to the file `counts`, returns the output of bench."""
    finished = subprocess.run([ROOT / "toolchains/emulator/count.sh", "-o", counts, processor, vitrine, "bench", MODEL, "--json",
                               "--threads", "1", "--packed", "none", "--warmup-runs", "0", "--num-runs", str(runs)],
                              stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(finished.stdout.splitlines()[0])


def instructions(vitrine, processor, folder):
    """Returns the instructions of one inference (half the difference of three and one, without loading) and the arena bytes."""
    totals = []
    for runs in (1, 3):
        counts = folder / f"{processor}.{runs}"
        arena = bench(vitrine, processor, runs, counts)["arena_bytes"]
        totals.append(json.loads(counts.read_text().splitlines()[0])["instructions"])
    return (totals[1] - totals[0]) // 2, arena


def measure(vitrine, strip):
    figures = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for processor in PROCESSORS:
            figures[f"instructions, {processor}"], arena = instructions(vitrine, processor, folder)
            figures[f"arena bytes, {processor}"] = arena
        stripped = folder / "vitrine"
        subprocess.run([strip, "-o", stripped, vitrine], check=True)
        figures["bytes of the stripped command"] = stripped.stat().st_size
    return figures


def main():
    vitrine, strip = sys.argv[1:3]
    if not MODEL.exists():
        print(f"{MODEL.relative_to(ROOT)} is missing: run the host's tests first")
        return SKIPPED
    figures = measure(vitrine, strip)
    if "--update" in sys.argv:
        LIMITS.write_text(json.dumps(figures, indent=1) + "\n")
        return 0
    limits = json.loads(LIMITS.read_text())
    grown = 0
    for name, figure in figures.items():
        limit = limits[name]
        print(f"{name:32}{figure:14,}{100 * (figure / limit - 1):+8.2f} %")
        if figure > ALLOWED * limit:
            grown += 1
            print(f"  has grown: {limit:,} stands in {LIMITS.relative_to(ROOT)}")
        elif figure < limit / ALLOWED:
            print("  has shrunk: growth_test.py --update keeps it so")
    return 1 if grown else 0


if __name__ == "__main__":
    sys.exit(main())
