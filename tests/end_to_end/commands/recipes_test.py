# SPDX-License-Identifier: Apache-2.0
"""Tests the calibrated recipes: the type of each operator, the accuracy, and invalid options."""
import functools
import math
import shutil
import struct
import unittest

import commands
from commands import FOLDER, ROOT, SAMPLES, SHARED, convert, lines, vitrine

TINY = ROOT / "models/vit-tiny-waste"
WASTE = ROOT / "models/dinov2-small-waste"
CALIBRATED = ("static", "mixed", "int4")
OUT = FOLDER / "recipe.vit"


def shares(summary):
    """Returns the fraction of the multiply-accumulates in each type."""
    types = {}
    for op in summary["ops"]:
        types[op["type"]] = types.get(op["type"], 0) + op["macs"] / summary["macs"]
    return types


def static_share(summary):
    return sum(share for name, share in shares(summary).items() if name.startswith("qs8_"))


def best(logits):
    return max(range(len(logits)), key=logits.__getitem__)


def decibels(expected, found):
    signal = sum(x * x for x in expected)
    return 10 * math.log10(signal / max(sum((x - y) ** 2 for x, y in zip(expected, found)), 1e-30))


@functools.cache
def photos_to_calibrate_on():
    """Returns all sample photos; with the sanitizers two, which cover the same code in a third of the time."""
    if commands.is_release():
        return ROOT / "models/samples"
    folder = FOLDER / "two-photos"
    folder.mkdir()
    for photo in SAMPLES[:2]:
        shutil.copy(photo, folder)
    return folder


def converted(recipe, *arguments, checkpoint=TINY):
    photos = () if "--calibrate" in arguments else ("--calibrate", photos_to_calibrate_on())
    return lines(convert(checkpoint, "-o", OUT, "--recipe", recipe, "--json", *photos, *arguments))[0]


class RecipesTest(commands.CommandTest):
    def test_what_runs_in_which_type(self):
        static, int4 = converted("static"), converted("int4")
        self.assertGreater(static_share(static), 0.85)
        self.assertGreater(shares(static)["qs8_qc8w"], 0.25)
        self.assertEqual({op["type"] for op in static["ops"] if op["name"].endswith("activation")}, {"qs8"})
        self.assertGreater(shares(int4)["qd8_f32_qb4w"], 0.85)
        self.assertLess(int4["file_bytes"], 0.65 * static["file_bytes"])
        for summary, least_db in ((static, 33), (int4, 18)):
            self.assertGreater(summary["sqnr_db"], least_db)
            self.assertEqual(summary["agreement"], 1)

    def test_mixed_keeps_its_budget_by_costlier_types(self):
        loose, tight, tightest = (converted("mixed", "--min-sqnr", db) for db in (30, 46, 70))
        self.assertGreater(static_share(loose), 0.85)
        self.assertGreaterEqual(loose["sqnr_db"], 30)
        self.assertGreaterEqual(tight["sqnr_db"], 46)
        self.assertGreaterEqual(tightest["sqnr_db"], 70)
        self.assertGreater(static_share(loose), static_share(tight))
        self.assertGreater(shares(tightest)["f32"], 0.5)

    def test_mixed_counts_right_answers_where_folders_are_labels(self):
        folder = FOLDER / "labelled"
        for label in ("glass", "metal"):
            (folder / label).mkdir(parents=True)
            shutil.copy(ROOT / f"models/samples/{label}.jpg", folder / label)
        converted("mixed", "--calibrate", folder, "--max-accuracy-drop", 0, "--min-sqnr", 0)
        (folder / "metal").rename(folder / "tin")
        finished = convert(TINY, "-o", OUT, "--recipe", "mixed", "--calibrate", folder, "--max-accuracy-drop", 0)
        self.assert_failure(finished, says="'tin'")

    def test_each_flag_changes_the_file(self):
        for recipe, flags in (("static", (["--no-smoothing"], ["--no-tables"], ["--observer", "min-max"],
                                          ["--observer", "percentile"], ["--observer", "mean-square"])),
                              ("int4", (["--nearest-rounding"],))):
            converted(recipe)
            before = OUT.read_bytes()
            for flag in flags:
                with self.subTest(recipe=recipe, flag=flag):
                    converted(recipe, *flag)
                    self.assertNotEqual(OUT.read_bytes(), before)

    def test_the_same_photos_give_the_same_bytes_whatever_the_threads(self):
        for recipe in CALIBRATED:
            with self.subTest(recipe=recipe):
                converted(recipe)
                before = OUT.read_bytes()
                converted(recipe, "--threads", 2)
                self.assertEqual(OUT.read_bytes(), before)

    def test_int4_says_what_it_was_rounded_by(self):
        finished = convert(TINY, "-o", OUT, "--recipe", "int4")
        self.assertEqual(finished.returncode, 0)
        self.assertIn("rounded by synthetic test images", finished.stdout)

    def test_what_is_refused(self):
        empty, flat, text = (FOLDER / name for name in ("no-photos", "flat", "text"))
        for folder in (empty, flat, text):
            folder.mkdir()
        (flat / "gray.pgm").write_bytes(b"P5 64 64 255\n" + bytes([90]) * 4096)
        (flat / "gray.ppm").write_bytes(b"P6 64 64 255\n" + bytes([90]) * 3 * 4096)
        (text / "photo.jpg").write_text("hello")
        for recipe in CALIBRATED:
            for folder, says in ((empty, "no-photos"), (flat, "single colour"), (text, "photo.jpg"), (FOLDER / "gone", "gone")):
                with self.subTest(recipe=recipe, folder=folder.name):
                    finished = convert(TINY, "-o", FOLDER / "refused.vit", "--recipe", recipe, "--calibrate", folder)
                    self.assert_failure(finished, says=says)
        for recipe in ("static", "mixed"):
            self.assert_failure(convert(TINY, "-o", OUT, "--recipe", recipe), code=2, says="--calibrate DIR")
        self.assert_failure(convert(TINY, "-o", OUT, "--max-accuracy-drop", 0.1), code=2, says="--recipe mixed")
        self.assertFalse((FOLDER / "refused.vit").exists())

    def test_a_weight_that_is_not_a_number(self):
        tensors = commands.read_safetensors(TINY / "model.safetensors")
        name = "blocks.3.mlp.fc1.weight"
        dtype, shape, values = tensors[name]
        size = {"F16": 2, "F32": 4}[dtype]
        tensors[name] = (dtype, shape, values[:25 * size] + struct.pack({2: "<e", 4: "<f"}[size], math.nan) + values[26 * size:])
        folder = FOLDER / "not-a-number"
        folder.mkdir()
        shutil.copy(TINY / "config.json", folder)
        commands.write_safetensors(folder / "model.safetensors", tensors)
        for recipe in CALIBRATED:
            finished = convert(folder, "-o", OUT, "--recipe", recipe, "--calibrate", photos_to_calibrate_on())
            self.assert_failure(finished, says=name)


class WasteTest(commands.CommandTest):
    """Tests the waste classifier, calibrated on photos of its training set and evaluated on other photos."""

    def setUp(self):
        if not commands.is_release():
            raise unittest.SkipTest("too slow in this build")
        if not (SHARED / "trashnet").is_dir():
            raise unittest.SkipTest("TrashNet is not at hand")

    def test_each_recipe_sees_what_pytorch_sees(self):
        rows = commands.parse((WASTE / "reference_test.json").read_text())["rows"]
        photos = [SHARED / "trashnet/test" / row["file"] for row in rows]
        for recipe, same, least_db, least_photo_db in (("static", 0.98, 27, 15), ("mixed", 0.99, 34, 15), ("int4", 0.97, 22, 5)):
            with self.subTest(recipe=recipe):
                summary = converted(recipe, "--calibrate", SHARED / "trashnet/train", checkpoint=WASTE)
                found = [line["logits"] for line in lines(vitrine("classify", OUT, *photos, "--logits", "--json"))]
                expected = [row["logits"] for row in rows]
                self.assertGreaterEqual(sum(best(a) == best(b) for a, b in zip(expected, found)), same * len(rows))
                self.assertGreaterEqual(decibels(sum(expected, []), sum(found, [])), least_db)
                self.assertGreaterEqual(min(decibels(a, b) for a, b in zip(expected, found)), least_photo_db)
                if recipe == "int4":
                    self.assertLessEqual(summary["file_bytes"], 14e6)
                else:
                    self.assertGreaterEqual(static_share(summary), 0.6)


if __name__ == "__main__":
    commands.main()
