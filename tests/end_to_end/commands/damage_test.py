# SPDX-License-Identifier: Apache-2.0
"""Tests truncated and modified model files: each command reports the damage in one line."""
import random

import commands
from commands import FOLDER, SAMPLES, tiny_model, vitrine

COMMANDS = (["classify", "IMAGE"], ["embed", "IMAGE"], ["bench", "--num-runs", 1, "--warmup-runs", 0], ["inspect"])
CUTS, FLIPS = 200, 300


class DamageTest(commands.CommandTest):
    def setUp(self):
        self.whole = tiny_model().read_bytes()
        self.file = FOLDER / "damaged.vit"
        self.random = random.Random(8)
        self.turn = 0

    def check(self, data, what):
        """Runs every command on `data`; a slow build runs one command per call, in turn."""
        self.file.write_bytes(data)
        chosen = COMMANDS if commands.is_release() else [COMMANDS[self.turn % len(COMMANDS)]]
        self.turn += 1
        for command, *arguments in chosen:
            arguments = [SAMPLES[0] if word == "IMAGE" else word for word in arguments]
            with self.subTest(damage=what, command=command):
                finished = vitrine(command, self.file, *arguments)
                self.assert_failure(finished, says=str(self.file))
                self.assertEqual(finished.stdout, "")

    def test_cut_short_anywhere(self):
        size = len(self.whole)
        for length in {0, 1, 7, 8, 64, size - 1} | {size * i // (CUTS - 6) for i in range(CUTS - 6)}:
            self.check(self.whole[:length], f"cut to {length} of {size} bytes")

    def test_a_bit_flipped_anywhere(self):
        places = list(range(40)) + [self.random.randrange(len(self.whole)) for _ in range(FLIPS - 40)]
        for place in places:
            data = bytearray(self.whole)
            data[place] ^= 1 << self.random.randrange(8)
            self.check(data, f"a bit of byte {place}")

    def test_something_appended(self):
        self.check(self.whole + b"\0", "one byte more")
        self.check(self.whole + self.whole, "twice the file")


if __name__ == "__main__":
    commands.main()
