#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures the int8 error of vitrine and its peers: each quantizes the same trained DINOv2 and is compared with f32.

  tests/benchmarks/install_peers.sh onnxruntime litert openvino
  .cache/peers/bin/python tests/benchmarks/fidelity_peers.py [--model FOLDER] [--photos DIR] [--calibrate DIR]

FOLDER contains a Dinov2Model as downloaded from the Hugging Face hub. The figures are the SQNR of the embedding (class token
after the last norm) against ONNX Runtime in f32, in decibels: over all photos, and of the worst photo. Photos are resized
once, and all programs get the same pixels. All programs that calibrate get the same calibration photos.
"""
import argparse
import json
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

import dinov2_checkpoint
import peers
import vit_reference
from programs import Peer, Unavailable

ROOT = Path(__file__).resolve().parents[2]
RECIPES = ("dynamic", "static", "mixed", "int4")
QUANTIZERS = ["onnxruntime", "litert", "openvino"]


def prepare(source, most, folder):
    """Writes the photos of a folder as PNG at the model's size; returns them as f32 [N, 3, S, S]."""
    paths = sorted(path for path in source.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    if not paths:
        sys.exit(f"fidelity_peers.py: {source} has no .jpg, .jpeg or .png file")
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    tensors, count, size = [], min(most, len(paths)), dinov2_checkpoint.SIZE
    for i in range(count):
        photo = Image.open(paths[i * len(paths) // count]).convert("RGB")
        scale = 256 / min(photo.size)
        photo = photo.resize([round(side * scale) for side in photo.size], Image.BICUBIC)
        left, top = (photo.width - size) // 2, (photo.height - size) // 2
        photo = photo.crop((left, top, left + size, top + size))
        photo.save(folder / f"{i:04}.png")
        tensors.append(vit_reference.normalize(np.asarray(photo)))
    return np.concatenate(tensors)


def vitrine_outputs(vitrine, recipe, path, photos, calibration):
    """Returns the embeddings and the size of the model file in bytes."""
    file = path.with_suffix(f".{recipe}.vit")
    words = [vitrine.parent / "vitrine-convert", path, "-o", file, "--recipe", recipe, "--config", f"{path}.args.json", "--crop-pct",
             "1", "--mean", "0.5,0.5,0.5", "--std", "0.5,0.5,0.5", "--interpolation", "bicubic", "--json"]
    if recipe not in ("dynamic", "f32"):
        words += ["--calibrate", calibration, "--calibrate-images", "100000"]
    finished = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if finished.returncode != 0:
        raise Unavailable(finished.stderr.strip())
    answers = subprocess.run([vitrine, "embed", file, *sorted(photos.iterdir()), "--json", "--packed", "none"], check=True,
                             stdout=subprocess.PIPE, text=True).stdout
    return [json.loads(line)["embedding"] for line in answers.splitlines()], file.stat().st_size


def peer_outputs(name, precision, model, images):
    program = Peer(name, precision)
    try:
        program.prepare(model, images, 2)
        return program.name, program.outputs()
    finally:
        program.stop()


def measure(expected, found):
    """Returns the SQNR over all photos and that of the worst photo."""
    worst = min(vit_reference.sqnr_db(a, b) for a, b in zip(expected, found, strict=True))
    return {"sqnr_db": round(vit_reference.sqnr_db(expected, found), 1), "worst_db": round(worst, 1)}


def kind_of(precision):
    return "static" if any(word in precision for word in ("static", "integer")) else "dynamic"


def rows_of(arguments, model, folder, expected):
    path, photos, images = Path(model.path), folder / "photos", folder / "photos.npy"
    for recipe in RECIPES:
        row = {"name": "vitrine", "precision": recipe}
        try:
            found, size = vitrine_outputs(arguments.vitrine, recipe, path, photos, folder / "calibration")
            yield row | measure(expected, found) | {"file_bytes": size}
        except Unavailable as reason:
            yield row | {"reason": str(reason)}
    for name in QUANTIZERS:
        module = peers.load(name)
        for precision in [p for p in module.PRECISIONS if p.startswith("int8") and "fused" not in p] + getattr(module, "CALIBRATED", []):
            print(f"{module.NAME}, {precision}", file=sys.stderr)
            try:
                title, found = peer_outputs(name, precision, model, images)
                yield {"name": title, "precision": precision} | measure(expected, found)
            except Unavailable as reason:
                yield {"name": module.NAME, "precision": precision, "reason": str(reason)}


def conclude(rows):
    """Returns whether vitrine is at least as accurate as every peer of the same kind."""
    for kind in ("dynamic", "static"):
        ours = next((row for row in rows if row["name"] == "vitrine" and row["precision"] == kind and "sqnr_db" in row), None)
        theirs = [row for row in rows if row["name"] != "vitrine" and kind_of(row["precision"]) == kind and "sqnr_db" in row]
        if ours is None or not theirs:
            continue
        best = max(theirs, key=lambda row: row["sqnr_db"])
        relation = "at or above" if ours["sqnr_db"] >= best["sqnr_db"] else "BELOW"
        print(f"  {kind}: vitrine's {ours['sqnr_db']} dB is {relation} the best other, {best['name']}, {best['precision']}, {best['sqnr_db']} dB")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=ROOT / "models/dinov2-small-waste", metavar="FOLDER")
    parser.add_argument("--photos", type=Path, default=ROOT / "models/samples", metavar="DIR", help="to measure on")
    parser.add_argument("--calibrate", type=Path, metavar="DIR", help="to calibrate on (default: those that are measured on)")
    parser.add_argument("--most", type=int, default=128, help="photos to measure on (default: %(default)s)")
    parser.add_argument("--calibrate-images", type=int, default=64, help="photos to calibrate on (default: %(default)s)")
    parser.add_argument("--vitrine", type=Path, default=ROOT / "build/host/bin/vitrine", metavar="PATH",
                        help="the command, with vitrine-convert beside it (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    arguments.vitrine = arguments.vitrine.resolve()
    folder = ROOT / ".cache/fidelity"
    images = prepare(arguments.photos, arguments.most, folder / "photos")
    np.save(folder / "photos.npy", images)
    calibration = prepare(arguments.calibrate or arguments.photos, arguments.calibrate_images, folder / "calibration")
    path = folder / "dinov2.safetensors"
    dinov2_checkpoint.write(arguments.model, str(path))
    # Peers keep their conversions next to the checkpoint, so other weights or photos need another name.
    path = path.rename(folder / f"dinov2-{zlib.crc32(path.read_bytes() + calibration.tobytes()):08x}.safetensors")
    Path(folder / "dinov2.safetensors.args.json").rename(f"{path}.args.json")
    np.save(f"{path}.calibration.npy", calibration)
    model = vit_reference.Checkpoint(str(path))
    try:
        _, expected = peer_outputs("onnxruntime", "f32", model, folder / "photos.npy")
    except Unavailable as reason:
        sys.exit(f"fidelity_peers.py: ONNX Runtime, f32, which all are compared with: {reason}")
    rows = []
    print(f"{arguments.model.name}, {len(images)} photos, {len(calibration)} to calibrate on\n"
          f"  {'':40}{'all photos':>12}{'the worst':>12}", flush=True)
    for row in rows_of(arguments, model, folder, expected):
        rows.append(row)
        title = f"{row['name']}, {row['precision']}"
        figures = row.get("reason") or f"{row['sqnr_db']:9.1f} dB{row['worst_db']:9.1f} dB"
        print(f"  {title:40}{figures}", flush=True)
    conclude(rows)
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
