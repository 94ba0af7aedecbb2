# SPDX-License-Identifier: Apache-2.0
"""Tests the waste classifier on TrashNet's test photos: f32 against PyTorch, int8 against f32."""
import math
import unittest

import commands
from commands import ROOT, SHARED, lines, model, vitrine

NAME = "dinov2-small-waste"
PHOTOS = SHARED / "trashnet/test"


def best(logits):
    return max(range(len(logits)), key=logits.__getitem__)


def sqnr_db(expected, found):
    signal = sum(x * x for row in expected for x in row)
    noise = sum((x - y) ** 2 for a, b in zip(expected, found) for x, y in zip(a, b))
    return 10 * math.log10(signal / max(noise, 1e-30))


class AccuracyTest(commands.CommandTest):
    def setUp(self):
        if not commands.is_release():
            raise unittest.SkipTest("too slow in this build")
        if not PHOTOS.is_dir():
            raise unittest.SkipTest(f"{PHOTOS} is not there")

    def test_f32_gives_pytorchs_class_and_int8_that_of_f32(self):
        rows = commands.parse((ROOT / "models" / NAME / "reference_test.json").read_text())["rows"]
        photos = [PHOTOS / row["file"] for row in rows]
        f32, int8 = ([result["logits"] for result in lines(vitrine("classify", model(NAME, recipe), *photos, "--logits", "--json"))]
                     for recipe in ("f32", "dynamic"))
        pytorch = [row["logits"] for row in rows]
        classes = [row["label"] for row in rows]
        names = sorted(set(classes))
        self.assertEqual((len(f32), len(int8)), (253, 253))
        self.assertGreaterEqual(sum(best(a) == best(b) for a, b in zip(f32, pytorch)), 252)
        self.assertGreaterEqual(sum(best(a) == best(b) for a, b in zip(int8, f32)), math.ceil(0.99 * 253))
        self.assertGreaterEqual(sqnr_db(f32, int8), 35)
        right = [sum(names[best(a)] == label for a, label in zip(logits, classes)) for logits in (f32, int8)]
        self.assertGreaterEqual(right[1], right[0] - 1)


if __name__ == "__main__":
    commands.main()
