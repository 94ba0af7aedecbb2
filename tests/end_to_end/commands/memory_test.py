# SPDX-License-Identifier: Apache-2.0
"""Tests the peak resident memory of the commands, as reported by the kernel."""
import os
import subprocess
import unittest

import commands
from commands import FOLDER, ROOT, SAMPLES, model

MEGABYTE = 1e6


def peak_bytes(words):
    child = subprocess.Popen([str(word) for word in words], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0, words
    return usage.ru_maxrss * 1024


class MemoryTest(commands.CommandTest):
    def setUp(self):
        if not commands.is_release():
            raise unittest.SkipTest("says nothing in this build")

    def test_classifying_with_the_waste_classifier_takes_40_megabytes(self):
        words = [*commands.vitrine_words, "classify", model("dinov2-small-waste"), *SAMPLES]
        self.assertLessEqual(peak_bytes(words) / MEGABYTE, 40)

    def test_converting_it_takes_250_megabytes(self):
        for recipe in ("dynamic", "f32"):
            words = [commands.converter, ROOT / "models/dinov2-small-waste", "-o", FOLDER / "out.vit", "--recipe", recipe]
            self.assertLessEqual(peak_bytes(words) / MEGABYTE, 250, recipe)


if __name__ == "__main__":
    commands.main()
