#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times vitrine and its peers on the same Vision Transformers on this machine. The programs take turns.

  tests/benchmarks/install_peers.sh
  .cache/peers/bin/python tests/benchmarks/host_peers.py [--model NAME]... [--peer NAME]... [--f32] [--threads 2]

Before timing, each program must match a float64 reference on one image. The table lists with a reason each program that
fails this check, cannot be installed, or cannot convert the model. A ratio is the median over rounds of a program's median
time divided by the time of vitrine's int8 in the same round, so a temporary load on the machine affects both. A busy
machine still favours short runs: measure on an idle one.
"""
import argparse
import json
import os
import statistics
import struct
import sys
import zlib
from pathlib import Path

import numpy as np

import make_vit
import peers
import vit_reference
from programs import Peer, Unavailable, Vitrine

ROOT = Path(__file__).resolve().parents[2]
VIT = {"patch": 16, "size": 224, "classes": 1000}
DINOV2 = {"patch": 14, "size": 224, "classes": 0, "layer_scale": True}
MODELS = {"ti16": ("DeiT-Ti/16", {"width": 192, "depth": 12, "heads": 3} | VIT),
          "s16": ("ViT-S/16", {"width": 384, "depth": 12, "heads": 6} | VIT),
          "b16": ("ViT-B/16", {"width": 768, "depth": 12, "heads": 12} | VIT),
          "dinov2": ("DINOv2-S/14", {"width": 384, "depth": 12, "heads": 6} | DINOV2)}
LEAST_DB = {"f32": 80, "bf16": 30, "int8": 20}  # lowest SQNR at which a program counts as computing the same function


def prepare_model(name, folder):
    """Returns the checkpoint, an image as PNG and as [1, 3, S, S], and the reference output for this image."""
    path = folder / f"vit_{name}.safetensors"
    if not Path(f"{path}.args.json").exists():
        make_vit.write_checkpoint(str(path), **MODELS[name][1])
    model = vit_reference.Checkpoint(str(path))
    pixels = np.random.default_rng(1).integers(0, 256, (model.size, model.size, 3), np.uint8)
    picture, image = folder / "image.png", folder / "image.npy"
    write_png(picture, pixels)
    np.save(image, vit_reference.normalize(pixels))
    return model, picture, image, vit_reference.run(model, pixels)


def write_png(path, pixels):
    """Writes u8 [H, W, 3] without an image library."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width, _ = pixels.shape
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
                     chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def prepare_vitrine(arguments, model, picture, expected):
    """Prepares vitrine's int8, the baseline for all other programs."""
    programs = [Vitrine(arguments.vitrine, model, "dynamic", picture, arguments.threads)]
    if arguments.threads > 1:
        programs.append(Vitrine(arguments.vitrine, model, "dynamic", picture, 1))
        programs[-1].precision = "int8, 1 thread"
    if arguments.f32:
        programs.append(Vitrine(arguments.vitrine, model, "f32", picture, arguments.threads))
    for program in programs:
        check(program, expected)
    return programs


def prepare_peers(arguments, model, image, expected):
    """Returns the peers that match the reference, and the table rows of all others."""
    programs, absent = [], []
    for name, precision in wanted(arguments):
        program = Peer(name, precision)
        try:
            say(f"preparing {program.name}, {precision}")
            program.prepare(model, image, arguments.threads)
            check(program, expected)
            programs.append(program)
        except Unavailable as reason:
            absent.append(dismiss(program, reason))
    return programs, absent


def dismiss(program, reason):
    """Returns the table row of a peer that is not timed."""
    say(f"{program.name}, {program.precision}: {reason}")
    program.stop()
    return {"name": program.name, "precision": program.precision, "reason": str(reason)}


def wanted(arguments):
    for name in arguments.peer or peers.ALL:
        for precision in peers.load(name).PRECISIONS:
            if precision.startswith("int8") or arguments.f32:
                yield name, precision


def check(program, expected):
    program.sqnr_db = vit_reference.sqnr_db(expected, program.output())
    say(f"{program.name}, {program.precision}: {program.sqnr_db:.0f} dB from the float64 reference")
    least = LEAST_DB[program.precision.split(",")[0]]
    if not program.sqnr_db >= least:
        raise Unavailable(f"{program.sqnr_db:.0f} dB from the reference, below {least}: not the same function")


def measure(programs, rounds, runs, absent):
    """Returns each program's (median, least) time of every round; moves a program that exits to `absent`."""
    times = {program: [] for program in programs}
    for i in range(rounds):
        if sys.stderr.isatty():
            print(f"\r  round {i + 1} of {rounds}", end="", file=sys.stderr, flush=True)
        for program in list(times):
            try:
                times[program].append(program.milliseconds(runs))
            except Unavailable as reason:
                absent.append(dismiss(program, reason))
                del times[program]
    if sys.stderr.isatty():
        print("\r" + " " * 30 + "\r", end="", file=sys.stderr)
    return times


def summarize(times):
    rows, ours = [], next(iter(times.values()))
    for program, result in times.items():
        rows.append({"name": program.name, "precision": program.precision, "sqnr_db": round(program.sqnr_db, 1),
                     "p50_ms": statistics.median(p50 for p50, _ in result), "min_ms": min(least for _, least in result),
                     "ratio": statistics.median(theirs[0] / our[0] for theirs, our in zip(result, ours))})
    return rows


def conclude(rows):
    """Returns the table's result in one or two sentences, and the same as numbers."""
    ours, others = rows[0]["name"], [row for row in rows[1:] if row["precision"].startswith("int8")]
    numbers, text = {}, ""
    for row in others:
        if row["name"] == ours:
            numbers["scaling"] = row["ratio"]
            text += f"  vitrine is {row['ratio']:.2f} times as fast as on one thread\n"
    theirs = [row for row in others if row["name"] != ours]
    if theirs:
        fastest = min(theirs, key=lambda row: row["ratio"])
        numbers["speedup"] = fastest["ratio"]
        text += (f"  vitrine is {fastest['ratio']:.2f} times as fast as the fastest other int8, "
                 f"{fastest['name']}, {fastest['precision']}\n")
    return numbers, text


def print_table(title, rows, absent, conclusion):
    print(f"\n{title}\n  {'':40}{'median':>11}{'least':>11}{'ratio':>8}{'agrees':>9}")
    for row in rows:
        name = f"{row['name']}, {row['precision']}"
        print(f"  {name:40}{row['p50_ms']:8.1f} ms{row['min_ms']:8.1f} ms{row['ratio']:8.2f}{row['sqnr_db']:6.0f} dB")
    for row in absent:
        print(f"  {row['name']}, {row['precision']}: {row['reason']}")
    print(conclusion, end="", flush=True)


def compare(name, arguments, folder, cpu):
    """Prints a table and returns it."""
    model, picture, image, expected = prepare_model(name, folder)
    programs = prepare_vitrine(arguments, model, picture, expected)
    others, absent = prepare_peers(arguments, model, image, expected)
    try:
        rows = summarize(measure(programs + others, arguments.rounds, arguments.runs, absent))
    finally:
        for program in others:
            program.stop()
    numbers, conclusion = conclude(rows)
    threads = "one thread" if arguments.threads == 1 else f"{arguments.threads} threads"
    print_table(f"{MODELS[name][0]}, {model.size} x {model.size}, {threads}, {cpu}", rows, absent, conclusion)
    return {"programs": rows, "absent": absent, **numbers}


def cpu_name():
    names = [line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
    return names[0] if names else os.uname().machine


def say(text):
    print(text, file=sys.stderr)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", action="append", choices=MODELS, help="which models (default: all)")
    parser.add_argument("--peer", action="append", choices=peers.ALL, help="which peers (default: all)")
    parser.add_argument("--f32", action="store_true", help="time what is not int8 as well")
    parser.add_argument("--threads", type=int, default=1, help="threads that compute (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=15, help="turns that each program takes (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=5, help="inferences a turn (default: %(default)s)")
    parser.add_argument("--vitrine", type=Path, default=ROOT / "build/host/bin/vitrine", metavar="PATH",
                        help="the command, with vitrine-convert beside it (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE")
    arguments = parser.parse_args()
    arguments.vitrine = arguments.vitrine.resolve()
    for command in ("vitrine", "vitrine-convert"):
        if not (arguments.vitrine.parent / command).is_file():
            sys.exit(f"host_peers.py: there is no {arguments.vitrine.parent / command}: build the preset host, or use --vitrine")
    return arguments


def main():
    arguments = parse_arguments()
    folder = ROOT / ".cache/benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    report = {"cpu": cpu_name(), "threads": arguments.threads, "rounds": arguments.rounds, "runs": arguments.runs,
              "models": {}}
    for name in arguments.model or MODELS:
        try:
            report["models"][MODELS[name][0]] = compare(name, arguments, folder, report["cpu"])
        except Unavailable as reason:
            sys.exit(f"host_peers.py: vitrine on {MODELS[name][0]}: {reason}")
        if arguments.json:
            arguments.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
