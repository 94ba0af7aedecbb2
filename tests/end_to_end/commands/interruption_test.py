# SPDX-License-Identifier: Apache-2.0
"""Tests that an interrupted conversion does not change the folder."""
import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

import commands
from commands import FOLDER, ROOT

CHECKPOINT = ROOT / "models" / "vit-tiny-waste"


def start(target):
    return subprocess.Popen([commands.converter, CHECKPOINT, "-o", target], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


class InterruptionTest(commands.CommandTest):
    def setUp(self):
        self.folder = FOLDER / "interrupted"
        self.folder.mkdir(exist_ok=True)
        self.target = self.folder / "model.vit"
        self.target.write_bytes(b"an older model")

    def check_folder(self, child):
        """Checks that the folder contains the older model, or the complete new one if the signal came too late."""
        self.assertEqual(os.listdir(self.folder), ["model.vit"])
        if child.returncode == 0 or self.target.read_bytes() != b"an older model":
            self.assertEqual(commands.vitrine("inspect", self.target).returncode, 0)
            self.target.write_bytes(b"an older model")

    def writes(self, child):
        """Returns whether the child has begun to write to the folder, in a file without a name or in a .part file."""
        with contextlib.suppress(OSError):   # the child renamed the file or exited
            for opened in Path(f"/proc/{child.pid}/fd").iterdir():
                if str(opened.readlink()).startswith(f"{self.folder.resolve()}/") and opened.stat().st_size > 0:
                    return True
        return False

    def test_while_the_file_is_being_written(self):
        for sent in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(signal=sent.name):
                child = start(self.target)
                while child.poll() is None and not self.writes(child):
                    pass
                child.send_signal(sent)
                _, said = child.communicate()
                self.assertEqual(said, b"")
                self.assertIn(child.returncode, (128 + sent, -sent))
                self.check_folder(child)

    def test_at_any_moment(self):
        began = time.monotonic()
        child = start(self.target)
        child.communicate()
        whole = time.monotonic() - began
        self.assertEqual(child.returncode, 0)
        self.target.write_bytes(b"an older model")
        for i in range(20):
            child = start(self.target)
            time.sleep(whole * i / 20)
            child.send_signal(signal.SIGTERM if i % 2 else signal.SIGINT)
            child.communicate()
            self.assertIn(child.returncode, (0, 130, 143, -2, -15))
            self.check_folder(child)


if __name__ == "__main__":
    commands.main()
