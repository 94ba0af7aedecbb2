# SPDX-License-Identifier: Apache-2.0
"""Tests that the package gives the same results as the vitrine command, bit for bit."""
import unittest

import numpy as np
import vitrine
from fixture import FEATURES, FOLDER, MERGING, SAMPLES, TINY, floats, said


class AnswersTest(unittest.TestCase):
    def test_the_commands_classes_and_logits(self):
        answers = said("classify")
        with vitrine.Model(TINY, threads=1) as model:
            for photo in SAMPLES:
                answer = answers[photo.name]
                np.testing.assert_array_equal(model.logits(photo), floats(answer["logits"]))
                guesses = model.classify(str(photo))
                self.assertEqual([(guess.index, guess.label, guess.probability) for guess in guesses],
                                 [(guess["index"], guess["label"], guess["probability"]) for guess in answer["top"]])

    def test_classes_without_names_are_numbers(self):
        with vitrine.Model(FOLDER / "nameless.vit", threads=1) as model:
            self.assertEqual(model.labels, ())
            for name, answer in said("nameless").items():
                guesses = model.classify(next(path for path in SAMPLES if path.name == name))
                self.assertEqual([guess.label for guess in guesses], [guess["label"] for guess in answer["top"]])
                self.assertEqual(guesses[0].label, f"class {guesses[0].index}")

    def test_a_model_without_a_classifier_says_so(self):
        with vitrine.Model(FOLDER / "headless.vit", threads=1) as model:
            with self.assertRaisesRegex(vitrine.UnsupportedModel, r"\Athe model has no classifier: use embed\(\)\Z"):
                model.classify(SAMPLES[0])
            self.assertGreater(model.embed(SAMPLES[0]).size, 0)
            with self.assertRaisesRegex(vitrine.UnsupportedModel, "no logits"):
                model.logits(SAMPLES[0])

    def test_any_number_of_threads(self):
        for threads in (0, 2):
            with vitrine.Model(TINY, threads=threads) as model:
                np.testing.assert_array_equal(model.logits(SAMPLES[0]), floats(said("classify")[SAMPLES[0].name]["logits"]))

    def test_a_photos_bytes_are_the_photo(self):
        answers = said("classify")
        with vitrine.Model(TINY.read_bytes(), threads=1) as model:
            for photo in SAMPLES:
                for kind in (bytes, bytearray, memoryview):
                    np.testing.assert_array_equal(model.logits(kind(photo.read_bytes())), floats(answers[photo.name]["logits"]))

    def test_the_commands_embedding(self):
        with vitrine.Model(TINY, threads=1) as model:
            for name, answer in said("embed").items():
                photo = next(path for path in SAMPLES if path.name == name)
                np.testing.assert_array_equal(model.embed(photo), floats(answer["embedding"]))

    def test_the_commands_answer_at_every_level(self):
        with vitrine.Model(MERGING, threads=1) as model:
            self.assertEqual(model.info.level_count, 2)
            for level in (1, 0):
                model.level = level
                self.assertEqual(model.level, level)
                for name, answer in said(f"level{level}").items():
                    photo = next(path for path in SAMPLES if path.name == name)
                    np.testing.assert_array_equal(model.logits(photo), floats(answer["logits"]))
            with self.assertRaisesRegex(vitrine.InvalidArgument, "the model has no level 2, the last is 1"):
                model.level = 2
            self.assertEqual(model.level, 0)

    def test_the_commands_attention_maps(self):
        with vitrine.Model(TINY, threads=1) as model:
            before = model.logits(SAMPLES[0])
            for kind in ("rollout", "last_block"):
                for name, answer in said(f"explain.{kind}").items():
                    photo = next(path for path in SAMPLES if path.name == name)
                    found = model.attention_map(photo, kind=kind)
                    self.assertEqual(list(found.shape), answer["grid"])
                    np.testing.assert_array_equal(found.ravel(), floats(answer["map"]))
            np.testing.assert_array_equal(model.logits(SAMPLES[0]), before)

    def test_an_attention_map_of_the_level_that_runs(self):
        with vitrine.Model(MERGING, threads=1) as model:
            model.level = 1
            plain = model.logits(SAMPLES[0])
            merged = model.attention_map(SAMPLES[0])
            np.testing.assert_array_equal(model.logits(SAMPLES[0]), plain)
            model.level = 0
            self.assertTrue((model.attention_map(SAMPLES[0]) != merged).any())

    def test_the_part_of_a_picture_that_is_seen(self):
        with vitrine.Model(TINY, threads=1) as model:
            left, top, width, height = model.region_seen(200, 150)
            self.assertAlmostEqual(height, 128 / 146, delta=0.01)
            self.assertAlmostEqual(width, 128 / 146 * 150 / 200, delta=0.01)
            self.assertAlmostEqual(left + width / 2, 0.5, delta=0.01)
            self.assertAlmostEqual(top + height / 2, 0.5, delta=0.01)

    def test_a_cameras_jpeg(self):
        with vitrine.Model(TINY, threads=1) as model:
            for photo in SAMPLES:   # these photos have no rotation
                np.testing.assert_array_equal(model.logits(photo.read_bytes(), format="jpeg"), model.logits(photo))

    def test_features_of_the_patches(self):
        with vitrine.Model(FEATURES, threads=1) as model:
            features = model.patch_features(SAMPLES[0])
            self.assertEqual(features.shape, (model.info.grid_height, model.info.grid_width, len(model.embed(SAMPLES[0]))))
        with vitrine.Model(TINY, threads=1) as model, self.assertRaisesRegex(vitrine.UnsupportedModel, "no patch_features"):
            model.patch_features(SAMPLES[0])

    def test_what_a_model_says_of_itself(self):
        with vitrine.Model(TINY, threads=1) as model:
            self.assertEqual(model.labels, ("cardboard", "glass", "metal", "paper", "plastic", "trash"))
            self.assertEqual(model.input_size, (128, 128))
            self.assertEqual((model.info.recipe, model.info.tokens, model.info.level_count), ("dynamic", 65, 1))
            self.assertGreater(model.arena_bytes, 100_000)
            self.assertEqual(len(model.operators()), model.info.operator_count)
            timed = model.profile(SAMPLES[0])
            self.assertEqual([operator for operator, _ in timed], model.operators())
            self.assertTrue(all(microseconds > 0 for _, microseconds in timed))
            self.assertEqual(sum(operator.macs for operator, _ in timed), model.info.macs)


if __name__ == "__main__":
    unittest.main()
