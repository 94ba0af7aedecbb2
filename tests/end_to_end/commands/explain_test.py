# SPDX-License-Identifier: Apache-2.0
"""Tests vitrine explain: its map equals PyTorch's attention rollout; a picture is written completely or not at all."""
import json
import statistics
import tempfile
from pathlib import Path

import commands
from commands import FOLDER, ROOT, SAMPLES, convert, lines, tiny_model, vitrine

FIXTURES = ROOT / "tests/fixtures"
EXPECTED = json.loads((FIXTURES / "explain.json").read_text())


def converted(name, recipe, *flags):
    folder, out = FIXTURES / name, FOLDER / f"explain.{name.replace('/', '.')}.{recipe}.vit"
    meta = json.loads((folder / "meta.json").read_text())
    size = ["--image-size", "x".join(map(str, meta["image_size"]))] if "image_size" in meta else []
    words = [folder / meta["checkpoint"], "--config", folder / "args.json", "--crop-pct", 1, "--mean", ",".join(map(str, meta["mean"])),
             "--std", ",".join(map(str, meta["std"])), "--recipe", recipe, "-o", out, "--json", *size, *flags]
    lines(convert(*words))
    return out


def explain(model, image, *flags):
    with tempfile.TemporaryDirectory() as folder:
        return lines(vitrine("explain", model, image, "-o", Path(folder) / "out.png", "--json", *flags))[0]


class ExplainTest(commands.CommandTest):
    def assert_maps(self, model, image, expected, least):
        for kind, flags in (("rollout", []), ("last_block", ["--last-block"])):
            found = explain(model, image, *flags)["map"]
            correlation = statistics.correlation(found, expected[kind])
            self.assertGreaterEqual(correlation, least, f"{model} {image} {kind}")
            self.assertAlmostEqual(sum(found), sum(expected[kind]), delta=0.02)

    def test_is_pytorchs_rollout_on_photos(self):
        model = commands.model("dinov2-small-waste")
        for photo in (path for path in SAMPLES if path.name in EXPECTED):
            with self.subTest(photo=photo.name):
                self.assert_maps(model, photo, EXPECTED[photo.name], 0.98)

    def test_is_pytorchs_rollout_for_every_kind_of_model(self):
        for name, expected in EXPECTED.items():
            if "/" not in name:
                continue
            merged = ["--merge-tokens", 3] if name.startswith("merged") else []
            for recipe, least in (("f32", 0.99999), ("dynamic", 0.98)):
                with self.subTest(name=name, recipe=recipe):
                    self.assert_maps(converted(name, recipe, *merged), FIXTURES / name / "image.png", expected, least)

    def test_the_answer_and_every_number_of_threads(self):
        expected = lines(vitrine("classify", tiny_model(), SAMPLES[0], "--json"))[0]["top"]
        one, three = (explain(tiny_model(), SAMPLES[0], "--threads", threads) for threads in (1, 3))
        self.assertEqual(one["map"], three["map"])
        self.assertEqual(one["top"], expected[:len(one["top"])])
        self.assertEqual(len(one["map"]), one["grid"][0] * one["grid"][1])

    def test_writes_pictures(self):
        model = converted("vit/timm_vit", "dynamic", "--patch-features")
        with tempfile.TemporaryDirectory() as folder:
            for flags, side in (([], 64), (["--patches"], 64), (["--enlarge", 3, "--opacity", 1], 96)):
                out = Path(folder) / "out.png"
                said = vitrine("explain", model, SAMPLES[0], "-o", out, "--packed", "none", *flags)
                self.assertEqual((said.returncode, said.stderr), (0, ""))
                data = out.read_bytes()
                self.assertEqual((data[:8], int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")),
                                 (b"\x89PNG\r\n\x1a\n", side, side))
            self.assertEqual([path.name for path in Path(folder).iterdir()], ["out.png"])

    def test_patches_need_a_file_that_has_them(self):
        self.assert_failure(vitrine("explain", tiny_model(), SAMPLES[0], "-o", FOLDER / "no.png", "--patches"), says="--patch-features")
        self.assertFalse((FOLDER / "no.png").exists())

    def test_wrong_usage(self):
        self.assert_failure(vitrine("explain", tiny_model(), SAMPLES[0]), code=2)
        self.assert_failure(vitrine("explain", tiny_model(), SAMPLES[0], "-o", FOLDER / "nowhere/out.png"), says="cannot be written")
        self.assert_failure(vitrine("explain", tiny_model(), FOLDER / "none.jpg", "-o", FOLDER / "out.png"))
        self.assert_failure(vitrine("explain", tiny_model(), SAMPLES[0], "-o", FOLDER / "out.png", "--patches", "--last-block"), code=2)


if __name__ == "__main__":
    commands.main()
