# SPDX-License-Identifier: Apache-2.0
"""Tests that vitrine.convert equals vitrine-convert: the same files, flags and errors."""
import inspect
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import numpy as np
import vitrine
from fixture import FOLDER, ROOT, SAMPLES
from vitrine import conversion

CHECKPOINT = ROOT / "tests/fixtures/vit/timm_hub"


class ConversionTest(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(dir=FOLDER))
        self.addCleanup(shutil.rmtree, self.folder)
        self.output = self.folder / "out.vit"

    def test_from_a_checkpoint_to_a_class(self):
        steps = []
        done = vitrine.convert(CHECKPOINT, self.output, progress=lambda what, fraction: steps.append((fraction, what)))
        self.assertEqual((done.output, done.file_bytes, done.recipe), (self.output, self.output.stat().st_size, "dynamic"))
        self.assertGreater(done.sqnr_db, 25)
        self.assertEqual(done.summary["recipe"], "dynamic")
        self.assertEqual(steps, sorted(steps, key=lambda step: step[0]))
        self.assertEqual((steps[-1][0], len(set(what for _, what in steps)) > 1), (1.0, True))
        with vitrine.Model(self.output) as model, vitrine.Model(FOLDER / "small.vit") as by_command:
            np.testing.assert_array_equal(model.logits(SAMPLES[0]), by_command.logits(SAMPLES[0]))

    def test_flags(self):
        labels = self.folder / "labels.txt"
        classes = vitrine.convert(CHECKPOINT, self.output).summary["classes"]
        labels.write_text("".join(f"class number {index}\n" for index in range(classes)))
        vitrine.convert(CHECKPOINT, self.output, recipe="f32", image_size=(48, 64), merge_tokens=[0, 1], patch_features=True, labels=labels,
                        calibrate=ROOT / "models/samples", calibrate_images=2, mean=(0.5, 0.4, 0.3), std=np.array([0.2, 0.2, 0.2]), crop_pct=0.9,
                        interpolation="bilinear", threads=2, report=self.folder / "report.html")
        with vitrine.Model(self.output) as model:
            self.assertEqual((model.input_size, model.info.recipe, model.info.level_count), ((48, 64), "f32", 2))
            self.assertEqual(model.labels[1], "class number 1")
            self.assertEqual(model.patch_features(SAMPLES[0]).shape[:2], (model.info.grid_height, model.info.grid_width))
        self.assertIn("<html", (self.folder / "report.html").read_text())

    def test_what_goes_wrong(self):
        for arguments, error, says in (
                ((self.folder / "nowhere", self.output), vitrine.ConversionError, "nowhere"),
                ((SAMPLES[0], self.output), vitrine.ConversionError, "glass.jpg|cardboard"),
                ((CHECKPOINT, self.folder / "no/folder/out.vit"), vitrine.ConversionError, "out.vit")):
            with self.assertRaisesRegex(error, says) as caught:
                vitrine.convert(*arguments)
            self.assertNotIn("\n", str(caught.exception))
        for flags in ({"recipe": "int3"}, {"image_size": 0}, {"merge_tokens": (8, 4)}, {"heads": 0}, {"mean": [1, 2, "x"]}):
            with self.assertRaises(vitrine.InvalidArgument):
                vitrine.convert(CHECKPOINT, self.output, **flags)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_names_that_begin_like_flags(self):
        before = os.getcwd()
        self.addCleanup(os.chdir, before)
        os.chdir(self.folder)
        shutil.copytree(CHECKPOINT, "--json")
        vitrine.convert("--json", "-o.vit", report="--report.json")
        self.assertTrue(Path("-o.vit").exists() and Path("--report.json").exists())

    def test_an_interruption_leaves_no_incomplete_file(self):
        class Enough(Exception):
            pass

        def stop(what, fraction):
            raise Enough

        with self.assertRaises(Enough):
            vitrine.convert(CHECKPOINT, self.output, progress=stop)
        # A conversion of milliseconds may be complete before the program gets the signal.
        self.assertIn(list(self.folder.iterdir()), ([], [self.output]))
        if self.output.exists():
            vitrine.Model(self.output).close()

    def test_every_flag_of_the_program_is_an_argument(self):
        shown = subprocess.run([conversion.PROGRAM, "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout
        flags = {flag.replace("-", "_") for flag in re.findall(r"^  (?:-\w,)?--([\w-]+)", shown, re.MULTILINE)}
        arguments = set(inspect.signature(vitrine.convert).parameters)
        self.assertEqual(arguments - {"checkpoint"}, flags - {"help", "version", "json"})


if __name__ == "__main__":
    unittest.main()
