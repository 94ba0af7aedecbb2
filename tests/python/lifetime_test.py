# SPDX-License-Identifier: Apache-2.0
"""Tests that use after close, sharing, forks and concurrent use end in an error, and that nothing leaks."""
import gc
import os
import shutil
import tempfile
import threading
import unittest
from pathlib import Path

import numpy as np
import vitrine
from fixture import FOLDER, SAMPLES, TINY, picture, write_ppm


def resident_bytes():
    """Returns the memory of the process. Does not use VmRSS, since under an emulator it covers the emulator."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class ResultTest(unittest.TestCase):
    def setUp(self):
        self.model = vitrine.Model(TINY, threads=1)
        self.addCleanup(self.model.close)
        self.image, self.other = picture(), picture()[::-1]
        self.expected = self.model.logits(self.image).copy()

    def test_results_are_the_callers_own(self):
        first = self.model.logits(self.image)
        self.model.logits(self.other)
        np.testing.assert_array_equal(first, self.expected)
        first[0] = 7

    def test_a_view_is_overwritten_and_cannot_be_written(self):
        view = self.model.logits(self.image, copy=False)
        with self.assertRaises(ValueError):
            view[0] = 7
        self.assertFalse(view.flags.owndata)
        address = view.__array_interface__["data"][0]
        second = self.model.logits(self.other, copy=False)
        self.assertEqual(second.__array_interface__["data"][0], address)
        np.testing.assert_array_equal(view, second)
        self.assertTrue((view != self.expected).any())

    def test_a_view_outlives_its_session(self):
        view = self.model.logits(self.image, copy=False)
        self.model.close()
        gc.collect()
        others = [vitrine.Model(TINY, threads=1) for _ in range(4)]
        for other in others:
            other.logits(self.other)
        np.testing.assert_array_equal(view, self.expected)

    def test_out_is_the_callers_array(self):
        for out in (np.empty(6, np.float32), np.empty((6, 2), np.float32)[:, 1]):
            self.assertIs(self.model.logits(self.image, out=out), out)
            np.testing.assert_array_equal(out, self.expected)
        for wrong in (np.empty(6), np.empty(5, np.float32), np.empty((1, 6), np.float32), [0.0] * 6):
            with self.assertRaisesRegex(vitrine.InvalidArgument, r"out is an array of float32 \[6\]"):
                self.model.logits(self.image, out=wrong)

    def test_closed(self):
        for _ in range(2):
            self.model.close()
            for call in (lambda: self.model.classify(self.image), self.model.session, lambda: self.model.arena_bytes,
                         lambda: setattr(self.model, "level", 0)):
                with self.assertRaisesRegex(vitrine.InvalidArgument, "the session is closed"):
                    call()
        self.assertEqual(self.model.labels[0], "cardboard")


class OpeningTest(unittest.TestCase):
    def test_refuses_what_is_no_model(self):
        damaged = bytearray(TINY.read_bytes())
        damaged[500] ^= 1
        for model, error in ((FOLDER / "nowhere.vit", vitrine.NotFound), (SAMPLES[0], vitrine.InvalidModel), (b"", vitrine.InvalidModel),
                             (damaged, vitrine.InvalidModel), (damaged[:100], vitrine.InvalidModel), (None, vitrine.InvalidArgument),
                             (7, vitrine.InvalidArgument)):
            with self.assertRaises(error) as caught:
                vitrine.Model(model)
            self.assertNotIn("\n", str(caught.exception))
            self.assertGreater(caught.exception.code, 0)
        for threads in (-1, 1000):
            with self.assertRaises(vitrine.InvalidArgument):
                vitrine.Model(TINY, threads=threads)

    def test_bytes_may_change_afterwards_unless_they_cannot(self):
        expected = vitrine.Model(TINY, threads=1).logits(SAMPLES[0])
        file = bytearray(TINY.read_bytes())
        model = vitrine.Model(file)
        file[:] = bytes(len(file))
        np.testing.assert_array_equal(model.session().logits(SAMPLES[0]), expected)
        aligned = np.fromfile(TINY, np.uint8)
        mapped = np.memmap(TINY, np.uint8, "r")
        for fixed in (mapped, aligned.tobytes()):
            model = vitrine.Model(fixed)
            del fixed
            gc.collect()
            np.testing.assert_array_equal(model.logits(SAMPLES[0]), expected)

    def test_packed_weights_are_kept_or_it_is_logged(self):
        folder = Path(tempfile.mkdtemp(dir=FOLDER))
        self.addCleanup(shutil.rmtree, folder)
        expected = vitrine.Model(TINY, threads=1).logits(SAMPLES[0])
        for _ in range(2):
            np.testing.assert_array_equal(vitrine.Model(TINY, packed=folder / "packed").logits(SAMPLES[0]), expected)
            self.assertTrue((folder / "packed").exists())
        with self.assertLogs("vitrine", "WARNING"):
            np.testing.assert_array_equal(vitrine.Model(TINY, packed=folder / "nowhere/packed").logits(SAMPLES[0]), expected)


class ThreadTest(unittest.TestCase):
    def test_sessions_of_one_model_in_threads(self):
        model = vitrine.Model(TINY, threads=1)
        images = [picture()[start:] for start in range(0, 80, 20)]
        expected = [model.logits(image) for image in images]
        pool = vitrine.Pool(2)
        sessions = [model, model.session(), model.session(threads=2), model.session(pool=pool), model.session(pool=pool)]
        del pool
        failures = []

        def run(session):
            for _ in range(2):
                for image, logits in zip(images, expected):
                    if not np.array_equal(session.logits(image), logits):
                        failures.append("another answer")

        threads = [threading.Thread(target=run, args=(session,)) for session in sessions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])

    def test_a_second_thread_is_refused_while_others_run(self):
        """Uses a named pipe as the photo, which blocks the library. This thread continues only if the interpreter is free."""
        model = vitrine.Model(TINY, threads=1)
        expected = model.logits(picture())
        pipe = FOLDER / f"pipe.{os.getpid()}"
        os.mkfifo(pipe)
        self.addCleanup(pipe.unlink)
        found = []
        thread = threading.Thread(target=lambda: found.append(model.logits(pipe)))
        thread.start()
        with open(pipe, "wb") as writer:   # waits for the reader
            with self.assertRaisesRegex(vitrine.Busy, "another thread is using the session"):
                model.logits(picture())
            write_ppm(FOLDER / "piped.ppm", picture())
            writer.write((FOLDER / "piped.ppm").read_bytes())
        thread.join()
        np.testing.assert_array_equal(found[0], expected)
        np.testing.assert_array_equal(model.logits(picture()), expected)

    def test_closing_while_another_thread_runs(self):
        expected = vitrine.Model(TINY, threads=1).logits(SAMPLES[0])
        model = vitrine.Model(TINY, threads=1)
        found = []

        def run():
            try:
                while True:
                    found.append(model.logits(SAMPLES[0]))
            except vitrine.InvalidArgument:
                pass

        thread = threading.Thread(target=run)
        thread.start()
        while not found:
            pass
        model.close()
        thread.join()
        for logits in found:
            np.testing.assert_array_equal(logits, expected)


class LeakTest(unittest.TestCase):
    def assert_does_not_grow(self, work, times, limit):
        for _ in range(times // 10):
            work()
        gc.collect()
        before = resident_bytes()
        for _ in range(times):
            work()
        gc.collect()
        self.assertLess(resident_bytes() - before, limit)

    def test_two_thousand_calls(self):
        model = vitrine.Model(FOLDER / "small.vit", threads=1)
        image, photo = picture(60, 80), SAMPLES[0].read_bytes()
        out = np.empty_like(model.logits(image))

        def work():
            model.classify(image)
            model.logits(image, copy=False)
            model.logits(image, out=out)
            model.attention_map(image)
            for wrong in (image.astype(float), image[:, ::2], photo[:200]):
                try:
                    model.embed(wrong)
                except vitrine.Error:
                    pass

        self.assert_does_not_grow(work, 2000, 2_000_000)

    def test_models_that_are_opened_and_forgotten(self):
        file = (FOLDER / "small.vit").read_bytes()
        image = picture(60, 80)

        def work():
            model = vitrine.Model(file, threads=1)
            model.session().logits(image, copy=False)
            try:
                vitrine.Model(file[:1000])
            except vitrine.Error:
                pass

        self.assert_does_not_grow(work, 300, 4_000_000)


if __name__ == "__main__":
    unittest.main()
