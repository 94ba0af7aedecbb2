# SPDX-License-Identifier: Apache-2.0
"""Runs vitrine-convert, which the wheel contains, as a function."""
from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Callable, Iterable, Union

from .errors import ConversionError, InvalidArgument

PROGRAM = Path(__file__).with_name("vitrine-convert")
_WRONG_USAGE = 2

PathLike = Union[str, "os.PathLike[str]"]


@dataclass(frozen=True)
class Conversion:
    """The result of a conversion: the file, and the accuracy of its recipe relative to f32."""

    output: Path
    file_bytes: int
    seconds: float
    family: str
    recipe: str
    sqnr_db: float  #: of the output, decibels
    agreement: float  #: fraction of the images with the same top-1 class as f32
    remarks: list[str]  #: assumptions that the converter made
    summary: dict[str, Any] = field(repr=False)  #: the whole output of vitrine-convert --json, with every operator


def convert(checkpoint: PathLike, output: PathLike, *, recipe: str = "dynamic", config: PathLike | None = None,
            preprocessor: PathLike | None = None, mean: Iterable[float] | None = None, std: Iterable[float] | None = None,
            crop_pct: float | None = None, interpolation: str | None = None, labels: PathLike | None = None,
            calibrate: PathLike | None = None, calibrate_images: int | None = None, min_sqnr: float | None = None,
            max_accuracy_drop: float | None = None, no_smoothing: bool = False, no_tables: bool = False,
            nearest_rounding: bool = False, observer: str = "best", image_size: int | tuple[int, int] | None = None,
            merge_tokens: int | Iterable[int] = 0, patch_features: bool = False, heads: int | None = None, family: str | None = None,
            threads: int = 1, report: PathLike | None = None, progress: Callable[[str, float], None] | None = None) -> Conversion:
    """Converts a trained Vision Transformer to a model file.

    `checkpoint` is a .safetensors, .pth/.pt/.bin, .npz or .onnx file, or a folder in the layout of the Hugging Face hub. The other
    arguments are the program's options; `vitrine-convert --help` describes them. `image_size` is one side, or height and width.
    `merge_tokens` is one number, or one for each level of a file with several levels. `progress` is called with the current step
    and the completed fraction of the work. Raises InvalidArgument for wrong arguments, and ConversionError when the conversion
    fails; the output is not written then.
    """
    flags = {name: value for name, value in locals().items() if name not in ("checkpoint", "output", "progress")}
    words = [os.fsdecode(PROGRAM), _path(checkpoint), "--output", _path(output), "--json"]
    for name, value in flags.items():
        words += _words("--" + name.replace("_", "-"), value)
    summary = json.loads(_run(words + ["--progress"], progress))
    return Conversion(output=Path(summary["output"]), file_bytes=summary["file_bytes"], seconds=summary["seconds"],
                      family=summary["family"], recipe=summary["recipe"], sqnr_db=summary["sqnr_db"], agreement=summary["agreement"],
                      remarks=summary["remarks"], summary=summary)


def _path(path: PathLike) -> str:
    """Returns `path` so that the program does not parse it as an option."""
    text = os.fsdecode(path)
    return os.path.join(".", text) if text.startswith("-") else text


def _words(flag: str, value: Any) -> list[str]:
    if value is None or value is False:
        return []
    if value is True:
        return [flag]
    if isinstance(value, (str, os.PathLike)):
        return [f"{flag}={_path(value)}"]
    separator = "x" if flag == "--image-size" else ","
    return [f"{flag}={separator.join(map(str, value)) if isinstance(value, Iterable) else value}"]


def _run(words: list[str], progress: Callable[[str, float], None] | None) -> str:
    """Runs the program and returns its output. Stops it when the caller is interrupted; it leaves no incomplete file."""
    if not PROGRAM.exists():
        raise ConversionError(f"this installation has no {PROGRAM.name}")
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8",
                               errors="replace")
    try:
        failure = _follow(process.stderr, progress)
        printed, _ = process.communicate()
    except BaseException:
        process.terminate()
        process.communicate()
        raise
    if process.returncode != 0:
        error = InvalidArgument if process.returncode == _WRONG_USAGE else ConversionError
        raise error(failure or f"{PROGRAM.name} ended with {process.returncode}")
    return printed


def _follow(lines: IO[str] | None, progress: Callable[[str, float], None] | None) -> str:
    """Calls `progress` for each step. Returns the error message, or an empty string."""
    failure = ""
    for line in lines or ():
        word, _, rest = line.rstrip("\n").partition(" ")
        if not re.fullmatch(r"[01]\.\d{4}", word):
            failure = rest if word == f"{PROGRAM.name}:" else line.rstrip("\n")
        elif progress is not None:
            progress(rest, float(word))
    return failure


def main() -> None:
    """Replaces this process with the program. The wheel's entry point calls it."""
    os.execv(PROGRAM, [PROGRAM.name, *sys.argv[1:]])
