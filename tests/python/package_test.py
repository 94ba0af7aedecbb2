# SPDX-License-Identifier: Apache-2.0
"""Tests the wheel as a file, its type hints, and its metadata."""
import ast
import dataclasses
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
import zipfile
from pathlib import Path

import vitrine
from fixture import FOLDER, ROOT, SAMPLES
from vitrine._library import ffi

WHEEL = Path(os.environ["VITRINE_WHEEL"])
SOURCES = sorted((ROOT / "platforms/python/vitrine").glob("*.py"))
USE = """
import numpy as np
import vitrine
from PIL import Image

with vitrine.Model("x.vit", threads=2) as model:
    guesses: list[vitrine.Guess] = model.classify(np.zeros((4, 4, 3), np.uint8), format="bgr")
    label: str = guesses[0].label
    planes = np.zeros((4, 4), np.uint8), np.zeros((2, 2), np.uint8), np.zeros((2, 2), np.uint8)
    embedded = model.session().embed(Image.open("x.jpg")), model.embed(planes, format="i420"), model.embed(vitrine.Frame(planes, "i420"))
    total: float = float(model.logits("x.jpg").sum()) + model.attention_map(b"").shape[0]
done: vitrine.Conversion = vitrine.convert("in", "out.vit", recipe="static", calibrate="photos", image_size=(3, 4))
"""


class WheelTest(unittest.TestCase):
    def test_one_wheel_for_every_python(self):
        self.assertRegex(WHEEL.name, r"\Avitrine-[0-9.]+-py3-none-manylinux_2_\d+_\w+\.whl\Z")
        for source in SOURCES:
            ast.parse(source.read_text(), feature_version=(3, 9))

    def test_what_it_says_of_itself(self):
        with zipfile.ZipFile(WHEEL) as wheel:
            names = wheel.namelist()
            about = wheel.read(next(name for name in names if name.endswith("/METADATA"))).decode()
            parts = json.loads(wheel.read(next(name for name in names if name.endswith(".dist-info/sboms/vitrine.spdx.json"))))
        version = re.search(r"project\(vitrine VERSION ([0-9.]+)", (ROOT / "CMakeLists.txt").read_text()).group(1)
        self.assertEqual(vitrine.__version__, version)
        self.assertIn(f"\nVersion: {version}\n", about)
        self.assertEqual(sorted(re.findall(r"^Requires-Dist: (\w+)", about, re.MULTILINE)), ["cffi", "numpy"])
        self.assertIn("\nLicense-Expression: Apache-2.0\n", about)
        for name in ("LICENSE", "THIRD_PARTY.md", "copyright"):
            self.assertTrue(any(entry.endswith(f".dist-info/licenses/{name}") for entry in names), name)
        linked = {"vitrine", "xnnpack", "highway", "zlib", "nlohmann_json", "cli11", "protozero"}
        self.assertLessEqual(linked, {package["name"] for package in parts["packages"]})

    def test_the_converter_is_on_path(self):
        program = Path(vitrine.__file__).parents[1] / "bin/vitrine-convert"
        environment = {**os.environ, "PYTHONPATH": str(Path(vitrine.__file__).parents[1])}
        said = subprocess.run([sys.executable, program, "--version"], env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout
        self.assertEqual(said, f"vitrine-convert {vitrine.__version__}\n")


class InterfaceTest(unittest.TestCase):
    def test_types(self):
        with tempfile.TemporaryDirectory() as folder:
            use = Path(folder) / "use.py"
            use.write_text(USE)
            environment = {**os.environ, "MYPYPATH": "", "PYTHONPATH": str(Path(vitrine.__file__).parents[1])}
            done = subprocess.run([sys.executable, "-m", "mypy", "--strict", "--cache-dir", folder, use, Path(vitrine.__file__).parent],
                                  env=environment, stdout=subprocess.PIPE, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stdout)
            for wrong in ("model.classify('x.jpg', top='five')", "model.classify(7)", "guesses[0].name", "vitrine.convert('in', 5)"):
                use.write_text(USE + wrong + "\n")
                done = subprocess.run([sys.executable, "-m", "mypy", "--strict", "--cache-dir", folder, use], env=environment,
                                      stdout=subprocess.PIPE, text=True, check=False)
                self.assertIn(f"use.py:{use.read_text().count(chr(10))}: error", done.stdout)

    def test_every_status_has_a_class(self):
        statuses = {number for number, _ in ffi.typeof("vitrine_status").elements.items()}
        self.assertEqual(statuses - {0}, set(vitrine.errors.CLASSES))
        for code, error in vitrine.errors.CLASSES.items():
            name = ffi.typeof("vitrine_status").elements[code][len("VITRINE_"):]
            self.assertEqual(error.__name__, "".join(word.capitalize() for word in name.split("_")))
            self.assertIn(error.__name__, vitrine.__all__)

    def test_structures_have_the_headers_fields(self):
        for kind, name in ((vitrine.ModelInfo, "vitrine_model_info"), (vitrine.Operator, "vitrine_operator_info")):
            self.assertEqual(["struct_size"] + [field.name for field in dataclasses.fields(kind)],
                             [field for field, _ in ffi.typeof(name).fields])

    def test_every_format_of_the_header_is_known(self):
        known = set(vitrine.images._CHANNELS) | set(vitrine.images._CHROMA)
        self.assertEqual(known, set(vitrine.images._NUMBERS))


class PaperTest(unittest.TestCase):
    def examples(self, paper):
        blocks = re.findall(r"(?:^    .*\n|^\n)+", (ROOT / paper).read_text(), re.MULTILINE)
        return [re.sub(r"^    ", "", block, flags=re.MULTILINE) for block in blocks if "vitrine.Model(" in block]

    def test_the_readmes_lines_run(self):
        with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
            for name, source in (("waste.vit", FOLDER / "tiny.vit"), ("levels.vit", FOLDER / "merging.vit"), ("photo.jpg", SAMPLES[0]),
                                 ("dinov2-small-waste", ROOT / "models/vit-tiny-waste")):
                (Path(folder) / name).symlink_to(source)
            for paper in ("README.md", "platforms/python/README.md"):
                examples = self.examples(paper)
                self.assertTrue(examples, paper)
                for example in examples:
                    done = subprocess.run([sys.executable, "-W", "error", "-c", example], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                          text=True, check=False)
                    self.assertEqual(done.returncode, 0, f"{paper}: {example}{done.stdout}")
                    self.assertIn("cardboard", done.stdout)


if __name__ == "__main__":
    unittest.main()
