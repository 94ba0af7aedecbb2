# SPDX-License-Identifier: Apache-2.0
"""Reads $VITRINE_PYTHON_FIXTURE: models, and the vitrine command's results for the sample photos."""
import json
import os
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ["VITRINE_PYTHON_FIXTURE"])
SAMPLES = sorted((ROOT / "models/samples").glob("*.jpg"))
TINY, MERGING, FEATURES = (FOLDER / f"{name}.vit" for name in ("tiny", "merging", "features"))


def said(name):
    """Returns {photo's name: the command's JSON}."""
    answers = [json.loads(line) for line in (FOLDER / f"{name}.jsonl").read_text().splitlines()]
    return {Path(answer["image"]).name: answer for answer in answers}


def floats(values):
    return np.array(values, np.float32)


def picture(height=150, width=200, channels=3):
    """Returns a picture with smooth gradients in which neighbouring pixels differ."""
    rows, columns = np.mgrid[0:height, 0:width]
    layers = [(128 + 90 * np.sin(rows / (9 + 4 * c)) * np.cos(columns / (17 - 3 * c)) + (rows * 7 + columns * 13 + c * 5) % 31 - 15)
              for c in range(channels)]
    return np.clip(np.stack(layers, axis=-1), 0, 255).astype(np.uint8)


def write_ppm(path, array):
    path.write_bytes(b"P6 %d %d 255\n" % (array.shape[1], array.shape[0]) + array.tobytes())
    return path
