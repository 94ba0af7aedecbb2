# SPDX-License-Identifier: Apache-2.0
"""Tests a forked process. In a separate file, because QEMU 7.2 cannot start a thread in an emulated process after a fork."""
import os
import unittest

import numpy as np
import vitrine
from fixture import SAMPLES, TINY


class ForkTest(unittest.TestCase):
    def test_a_forked_process_opens_its_own(self):
        model = vitrine.Model(TINY, threads=2)
        expected = model.logits(SAMPLES[0])
        child = os.fork()
        if child == 0:
            status = 1
            try:
                model.logits(SAMPLES[0])
            except vitrine.InvalidArgument as error:
                status = 0 if "forked" in str(error) else 2
            if not np.array_equal(vitrine.Model(TINY, threads=2).logits(SAMPLES[0]), expected):
                status = 3
            del model
            os._exit(status)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)
        np.testing.assert_array_equal(model.logits(SAMPLES[0]), expected)


if __name__ == "__main__":
    unittest.main()
