#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times vitrine and ONNX Runtime on the same Vision Transformer, taking turns, on this machine.

  tests/benchmarks/install_peers.sh
  .cache/peers/bin/python tests/benchmarks/host_peers.py [--model ti16|s16|b16]... [--f32] [--json FILE]

All compute in one thread. Before anything is timed, each program must agree with a float64 reference on one image.
A ratio is the median over rounds of a program's median time by vitrine's int8 in the same round, so that a machine
that is busy for a while slows both. A busy machine still favours what is short: measure on a quiet one.
"""
import argparse
import json
import os
import statistics
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

import make_vit
import vit_onnx
import vit_reference

ROOT = Path(__file__).resolve().parents[2]
MODELS = {"ti16": ("ViT-Ti/16", 192, 12, 3), "s16": ("ViT-S/16", 384, 12, 6), "b16": ("ViT-B/16", 768, 12, 12)}
LEAST_DB = {"f32": 80, "int8": 20}  # agreement with the reference, below which it is another function
WARMUP_RUNS = 2


class OnnxRuntime:
    """A session of one thread with every graph optimization."""

    def __init__(self, path, precision, image):
        self.name, self.precision, self.image = "ONNX Runtime " + onnxruntime.__version__, precision, image
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def logits(self):
        return self.session.run(None, {"image": self.image})[0]

    def milliseconds(self, runs):
        """Median and least time of an inference."""
        for _ in range(WARMUP_RUNS):
            self.logits()
        times = []
        for _ in range(runs):
            start = time.perf_counter()
            self.logits()
            times.append(1000 * (time.perf_counter() - start))
        return statistics.median(times), min(times)


class Vitrine:
    """The command of a device, on a model that vitrine-convert has just written."""

    def __init__(self, command, checkpoint, recipe, picture):
        self.command, self.picture = command, picture
        self.model = checkpoint.removesuffix(".safetensors") + f".{recipe}.vit"
        self.name = self.output("--version").strip()
        self.precision = "int8" if recipe == "dynamic" else recipe
        subprocess.run([command.parent / "vitrine-convert", checkpoint, "-o", self.model, "--recipe", recipe, "--json",
                        "--config", checkpoint + ".args.json", "--crop-pct", "1", "--interpolation", "bicubic",
                        "--mean", "0.5,0.5,0.5", "--std", "0.5,0.5,0.5"], check=True, stdout=subprocess.DEVNULL)

    def output(self, *arguments):
        return subprocess.run([self.command, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout

    def logits(self):
        return json.loads(self.output("classify", self.model, self.picture, "--threads", "1", "--logits", "--json"))["logits"]

    def milliseconds(self, runs):
        latency = json.loads(self.output("bench", self.model, "--threads", "1", "--warmup-runs", str(WARMUP_RUNS),
                                         "--num-runs", str(runs), "--json"))["latency_ms"]
        return latency["p50"], latency["min"]


def write_png(path, pixels):
    """u8 [H, W, 3], without a library."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width, _ = pixels.shape
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
                     chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def prepare_onnx(model, stem):
    """The paths of the graph and of the one that the optimizer script fused, each in f32 and int8. Written once."""
    paths = [stem.with_suffix(suffix) for suffix in (".onnx", ".int8.onnx", ".fused.onnx", ".fused.int8.onnx")]
    plain, plain_int8, fused, fused_int8 = map(str, paths)
    if not paths[-1].exists():
        onnx.save(vit_onnx.build(model), plain)
        vit_onnx.quantize(plain, plain_int8)
        vit_onnx.fuse(model, plain, fused)
        vit_onnx.quantize(fused, fused_int8)
    return plain, plain_int8, fused, fused_int8


def prepare(name, folder, command, with_f32):
    """All programs on one model, checked. The first is the one that the others are compared with."""
    _, width, depth, heads = MODELS[name]
    checkpoint = folder / f"vit_{name}.safetensors"
    if not Path(f"{checkpoint}.args.json").exists():
        make_vit.write_checkpoint(str(checkpoint), width, depth, heads)
    model = vit_reference.Checkpoint(str(checkpoint))
    pixels = np.random.default_rng(1).integers(0, 256, (model.size, model.size, 3), np.uint8)
    picture = folder / "image.png"
    write_png(picture, pixels)
    image = vit_reference.normalize(pixels)

    plain, plain_int8, fused, fused_int8 = prepare_onnx(model, checkpoint.with_suffix(""))
    programs = [Vitrine(command, str(checkpoint), "dynamic", picture), OnnxRuntime(plain_int8, "int8", image),
                OnnxRuntime(fused_int8, "int8, fused", image)]
    exact = [Vitrine(command, str(checkpoint), "f32", picture), OnnxRuntime(plain, "f32", image)]
    check(programs + exact + [OnnxRuntime(fused, "f32, fused", image)], vit_reference.run(model, pixels))
    return programs + exact if with_f32 else programs


def check(programs, expected):
    for program in programs:
        sqnr = vit_reference.sqnr_db(expected, program.logits())
        say(f"{program.name}, {program.precision}: {sqnr:.0f} dB from the float64 reference")
        least = LEAST_DB[program.precision.split(",")[0]]
        if sqnr < least:
            sys.exit(f"host_peers.py: that is below {least} dB: it does not compute the same function")


def measure(programs, rounds, runs):
    """Each program's (median, least) time of every round."""
    times = [[] for _ in programs]
    for i in range(rounds):
        if sys.stderr.isatty():
            print(f"\r  round {i + 1} of {rounds}", end="", file=sys.stderr, flush=True)
        for program, result in zip(programs, times):
            result.append(program.milliseconds(runs))
    if sys.stderr.isatty():
        print("\r" + " " * 30 + "\r", end="", file=sys.stderr)
    return times


def summarize(programs, times):
    rows = []
    for program, result in zip(programs, times):
        rows.append({"name": program.name, "precision": program.precision,
                     "p50_ms": statistics.median(p50 for p50, _ in result), "min_ms": min(least for _, least in result),
                     "ratio": statistics.median(theirs[0] / ours[0] for theirs, ours in zip(result, times[0]))})
    return {"programs": rows, "speedup": min(row["ratio"] for row in rows[1:] if row["precision"].startswith("int8"))}


def print_table(title, summary):
    print(f"\n{title}\n  {'':36}{'median':>11}{'least':>11}{'ratio':>8}")
    for row in summary["programs"]:
        name = f"{row['name']}, {row['precision']}"
        print(f"  {name:36}{row['p50_ms']:8.1f} ms{row['min_ms']:8.1f} ms{row['ratio']:8.2f}")
    print(f"  vitrine is {summary['speedup']:.2f} times as fast as the fastest other int8")


def cpu_name():
    names = [line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
    return names[0] if names else os.uname().machine


def say(text):
    print(text, file=sys.stderr)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", action="append", choices=MODELS, help="which models (default: s16)")
    parser.add_argument("--f32", action="store_true", help="time f32 as well")
    parser.add_argument("--rounds", type=int, default=15, help="turns that each program takes (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=5, help="inferences a turn (default: %(default)s)")
    parser.add_argument("--vitrine", type=Path, default=ROOT / "build/host/bin/vitrine", metavar="PATH",
                        help="the command, with vitrine-convert beside it (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE")
    arguments = parser.parse_args()
    for command in ("vitrine", "vitrine-convert"):
        if not (arguments.vitrine.parent / command).is_file():
            sys.exit(f"host_peers.py: there is no {arguments.vitrine.parent / command}: build the preset host, or use --vitrine")
    return arguments


def main():
    arguments = parse_arguments()
    folder = ROOT / ".cache/benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    report = {"cpu": cpu_name(), "threads": 1, "rounds": arguments.rounds, "runs": arguments.runs, "models": {}}
    for name in arguments.model or ["s16"]:
        programs = prepare(name, folder, arguments.vitrine.resolve(), arguments.f32)
        summary = summarize(programs, measure(programs, arguments.rounds, arguments.runs))
        report["models"][MODELS[name][0]] = summary
        print_table(f"{MODELS[name][0]}, 224 x 224, one thread, {report['cpu']}", summary)
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
