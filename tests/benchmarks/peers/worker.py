# SPDX-License-Identifier: Apache-2.0
"""Runs one peer in its own process. programs.py starts it with the Python of the peer's environment.

  .cache/peers/PEER/bin/python -m peers.worker convert PEER PRECISION CHECKPOINT FOLDER
  .cache/peers/PEER/bin/python -m peers.worker run PEER PRECISION FOLDER IMAGE.npy THREADS

`run` reads requests from standard input, one per line, until end of file: "output", "outputs" (one per image, if the file
contains several) or "time RUNS". Each answer is one line of JSON.
"""
import functools
import json
import os
import statistics
import sys
import time
import traceback
from pathlib import Path

import numpy as np

import peers
import vit_reference
from programs import WARMUP_RUNS


def milliseconds(infer, runs):
    """Returns the median and the least time of an inference."""
    for _ in range(WARMUP_RUNS):
        infer()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        infer()
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times), min(times)


def run(peer, precision, folder, image, threads, answer):
    model, images = peer.load(Path(folder), precision, int(threads)), np.load(image)
    infer = functools.partial(model, images[:1])
    answer("ready")
    for line in sys.stdin:
        request, *arguments = line.split()
        if request == "output":
            answer(np.asarray(infer()).ravel().tolist())
        elif request == "outputs":
            answer([np.asarray(model(one[None])).ravel().tolist() for one in images])
        else:
            answer(milliseconds(infer, int(arguments[0])))


def main():
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # sends the libraries' output to the log

    def answer(value):
        print(json.dumps({"value": value}), file=answers, flush=True)

    task, name, *arguments = sys.argv[1:]
    try:
        peer = peers.load(name)
        if task == "convert":
            precision, checkpoint, folder = arguments
            peer.convert(vit_reference.Checkpoint(checkpoint), precision, Path(folder))
            answer("converted")
        else:
            run(peer, *arguments, answer)
    except Exception as error:
        traceback.print_exc()
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}), file=answers, flush=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
