#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs vitrine on labelled photos and compares its logits with another program's.

  compare_with_reference.py MODEL.vit REFERENCE.json PHOTOS [--vitrine PATH] [--json]

REFERENCE.json lists photos in the folder PHOTOS with their labels and logits, as models/*/reference_test.json does for
TrashNet's test split. Prints the number of correct photos, the number that match the reference's class, and the SQNR of
the logits.
"""
import argparse
import json
import math
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def logits_of(vitrine, model, photos):
    command = [vitrine, "classify", model, *photos, "--logits", "--json"]
    lines = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    return [json.loads(line)["logits"] for line in lines]


def decibels(signal, noise):
    return 10 * math.log10(signal / max(noise, 1e-30))


def compare(reference, found):
    classes, rows = reference["classes"], reference["rows"]
    best = [classes[max(range(len(logits)), key=logits.__getitem__)] for logits in found]
    expected = [classes[max(range(len(row["logits"])), key=row["logits"].__getitem__)] for row in rows]
    signal = [sum(x * x for x in row["logits"]) for row in rows]
    noise = [sum((x - y) ** 2 for x, y in zip(row["logits"], logits)) for row, logits in zip(rows, found)]
    return {"photos": len(rows), "right": sum(b == row["label"] for b, row in zip(best, rows)),
            "reference_right": sum(e == row["label"] for e, row in zip(expected, rows)),
            "same_class": sum(b == e for b, e in zip(best, expected)),
            "sqnr_db": round(decibels(sum(signal), sum(noise)), 1),
            "least_sqnr_db": round(min(map(decibels, signal, noise)), 1)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("reference", type=Path)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--vitrine", type=Path, default=ROOT / "build/host/bin/vitrine", metavar="PATH")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    reference = json.loads(arguments.reference.read_text())
    photos = [str(arguments.photos / row["file"]) for row in reference["rows"]]
    try:
        result = compare(reference, logits_of(arguments.vitrine, arguments.model, photos))
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"compare_with_reference.py: {error}"[:300])
    if arguments.json:
        print(json.dumps(result))
    else:
        print("{right} of {photos} right (reference {reference_right}), the reference's class on {same_class}, "
              "logits {sqnr_db} dB, the worst photo {least_sqnr_db} dB".format(**result))


if __name__ == "__main__":
    main()
