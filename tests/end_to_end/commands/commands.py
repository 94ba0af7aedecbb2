# SPDX-License-Identifier: Apache-2.0
"""Code that the tests of the two commands share: starting the commands, and their models and input files.

ctest starts each test as `TEST.py CONFIGURATION VITRINE [CONVERTER]`. On ARM, VITRINE is the emulator, the CPU's name and the
binary, separated by commas, and CONVERTER is missing: the tests use the models and packed weights that the host's tests
wrote to build/commands.
"""
import functools
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SHARED = Path(os.environ.get("VITRINE_SHARED", ROOT.parent / "shared"))
SAMPLES = sorted((ROOT / "models/samples").glob("*.jpg"))
HANDED_TO_ARM = ROOT / "build/commands"
SKIPPED = 77   # ctest treats this exit code as skipped

configuration, vitrine_words, converter = None, [], None
_folder = tempfile.TemporaryDirectory(prefix="vitrine-commands-")
FOLDER = Path(_folder.name)


def is_release():
    return configuration == "Release"


def run(words, **options):
    return subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, errors="replace", **options)


def vitrine(*arguments, **options):
    return run([*vitrine_words, *arguments], **options)


def convert(*arguments, **options):
    return run([converter, *arguments], **options)


def _refuse(constant):
    raise ValueError(f"{constant} is not JSON")


def parse(text):
    return json.loads(text, parse_constant=_refuse)


def lines(finished):
    """Returns the objects that a command printed with --json, one per line."""
    told = [line for line in finished.stderr.splitlines() if not line.endswith("wait for each other")]  # the warning on few CPU cores
    assert finished.returncode == 0 and told == [], finished
    return [parse(line) for line in finished.stdout.splitlines()]


@functools.cache
def model(name, recipe="dynamic", merge_tokens="0"):
    """Converts a shipped model; on ARM returns the model that the host converted."""
    file = f"{name}.{recipe}.vit" if merge_tokens == "0" else f"{name}.{recipe}.merged.vit"
    if converter is None:
        if not (HANDED_TO_ARM / file).exists():
            raise unittest.SkipTest(f"build/commands/{file} is missing: run the host's tests first")
        return HANDED_TO_ARM / file
    photos = ["--calibrate", ROOT / "models/samples"] if recipe in ("static", "mixed", "int4") else []
    lines(convert(ROOT / "models" / name, "-o", FOLDER / file, "--recipe", recipe, "--merge-tokens", merge_tokens,
                  "--json", *photos))
    if name == "vit-tiny-waste":
        hand_to_arm(FOLDER / file, file)
    return FOLDER / file


def hand_to_arm(file, name):
    """Copies a file for the tests on emulated CPUs."""
    HANDED_TO_ARM.mkdir(parents=True, exist_ok=True)
    part = HANDED_TO_ARM / f"{name}.{os.getpid()}"
    shutil.copy(file, part)
    part.rename(HANDED_TO_ARM / name)


def emulated_core():
    """Returns the name of the emulated core; the emulator's `max` identifies itself as a Neoverse V1."""
    return {"max": "neoverse-v1"}.get(vitrine_words[1], vitrine_words[1])


@functools.cache
def tiny_model():
    """Returns a model of 25 000 parameters, for tests that run it hundreds of times."""
    lines(convert(ROOT / "tests/fixtures/vit/timm_hub", "-o", FOLDER / "tiny.vit", "--json"))
    return FOLDER / "tiny.vit"


def read_safetensors(file):
    """Returns {name: (type, shape, bytes)}."""
    data = Path(file).read_bytes()
    size, = struct.unpack_from("<Q", data)
    header = json.loads(data[8:8 + size])
    header.pop("__metadata__", None)
    return {name: (entry["dtype"], entry["shape"], data[8 + size:][slice(*entry["data_offsets"])]) for name, entry in header.items()}


def write_safetensors(file, tensors):
    header, data = {}, b""
    for name, (dtype, shape, values) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    text = json.dumps(header).encode()
    Path(file).write_bytes(struct.pack("<Q", len(text)) + text + data)


class CommandTest(unittest.TestCase):
    def assert_failure(self, finished, code=1, says=""):
        """Checks that the command exited with `code` and wrote one line to stderr, with its name and with `says`."""
        what = f"{finished.args}: exit {finished.returncode}, stderr {finished.stderr[:2000]!r}"
        self.assertEqual(finished.returncode, code, what)
        self.assertEqual(finished.stderr.count("\n"), 1, what)
        self.assertRegex(finished.stderr, r"\Avitrine(-convert)?: .+\n\Z", what)
        self.assertIn(says, finished.stderr)


def main():
    global configuration, vitrine_words, converter
    configuration, words, *rest = sys.argv[1:]
    vitrine_words = words.split(",")
    converter = rest[0] if rest else None
    program = unittest.main(module="__main__", argv=sys.argv[:1], exit=False, verbosity=2)
    result = program.result
    if not result.wasSuccessful():
        sys.exit(1)
    sys.exit(SKIPPED if result.testsRun == len(result.skipped) else 0)
