# SPDX-License-Identifier: Apache-2.0
"""Tests vitrine camera on pipes and folders: it classifies or counts every frame, for any input."""
import os
import random
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import commands
from commands import FOLDER, SAMPLES, ROOT, tiny_model, vitrine

WIDTH, HEIGHT = 40, 32
FRAME = WIDTH * HEIGHT * 3 // 2
I420 = f"{WIDTH}x{HEIGHT}:i420"


def frames(count, size=FRAME):
    return [bytes([i % 256]) * size for i in range(count)]


def start(*arguments, **options):
    words = [*commands.vitrine_words, "camera", tiny_model(), *arguments]
    return subprocess.Popen([str(word) for word in words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            **options)


def run(data, *arguments):
    """Runs the command with `data` on stdin; returns its JSON objects, its exit code and its stderr."""
    child = start(*arguments, "--json")
    out, err = child.communicate(data, timeout=120)
    return [commands.parse(line) for line in out.decode().splitlines()], child.returncode, err.decode()


def resident_kilobytes(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def wait_until_it_catches(pid, number):
    """Waits for the signal handler: loading can take seconds with the sanitizers, and a signal before it ends the process."""
    for _ in range(2000):
        caught = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("SigCgt:"))
        if int(caught.split()[1], 16) >> (number - 1) & 1:
            return
        time.sleep(0.01)


class CameraTest(commands.CommandTest):
    def test_twenty_thousand_frames_are_classified_or_counted_in_constant_memory(self):
        count, decided, resident = 20_000, [], {}
        child = start("--stdin", I420, "--json")

        def feed():
            with child.stdin:
                for i in range(count):
                    child.stdin.write(bytes([i % 256]) * FRAME)
                    if i % 8 == 0:
                        time.sleep(0.001)

        feeder = threading.Thread(target=feed)
        feeder.start()
        for line in child.stdout:
            decided.append(commands.parse(line.decode()))
            if len(decided) % 100 == 0:
                resident[len(decided)] = resident_kilobytes(child.pid) or max(resident.values())
        feeder.join()
        self.assertEqual((child.wait(), child.stderr.read()), (0, b""))
        self.assertEqual(len(decided) + decided[-1]["dropped"], count)
        self.assertGreaterEqual(len(decided), 200)
        if commands.is_release():   # the sanitizers do not release freed memory
            self.assertLessEqual(max(resident.values()), resident[100] + 64)
        child.stdout.close(), child.stderr.close()

    def test_a_camera_that_libcamera_has_not_is_one_line(self):
        for name in ([], ["no-such-camera"]):
            said, code, err = run(b"", "--libcamera", *name, "--frames", "1")
            if code != 0 or name:   # without a name, the machine may have a camera
                self.assertEqual((said, code, err.count("\n")), ([], 1, 1))
                self.assertIn("libcamera", err)

    def test_every_frame_drops_none(self):
        said, code, err = run(b"".join(frames(300)), "--stdin", I420, "--every-frame")
        self.assertEqual((code, err, len(said), said[-1]["dropped"]), (0, "", 300, 0))
        self.assertEqual(set(said[0]), {"time", "label", "index", "probability", "top", "latency_ms", "fps", "dropped", "damaged", "level"})
        self.assertTrue(all(line["latency_ms"] > 0 for line in said))

    def test_ends_after_so_many_frames(self):
        child = start("--stdin", I420, "--frames", 5, "--every-frame", "--json")
        out, _ = child.communicate(b"".join(frames(50)))
        self.assertEqual((child.returncode, out.count(b"\n")), (0, 5))

    def test_every_raw_format_and_y4m_are_read(self):
        for name, size in (("i420", FRAME), ("nv12", FRAME), ("yuyv", 2 * WIDTH * HEIGHT), ("rgb24", 3 * WIDTH * HEIGHT),
                           ("bgr24", 3 * WIDTH * HEIGHT), ("gray", WIDTH * HEIGHT)):
            with self.subTest(format=name):
                said, code, err = run(b"".join(frames(7, size)), "--stdin", f"{WIDTH}x{HEIGHT}:{name}", "--every-frame")
                self.assertEqual((code, err, len(said)), (0, "", 7))
        stream = f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F30:1 Ip C420jpeg\n".encode() + b"".join(b"FRAME\n" + frame for frame in frames(7))
        said, code, err = run(stream, "--stdin", "y4m", "--every-frame")
        self.assertEqual((code, err, len(said)), (0, "", 7))

    def test_sees_in_a_stream_of_jpegs_what_classify_sees(self):
        photos = [path.read_bytes() for path in SAMPLES]
        said, code, err = run(b"".join(photos), "--stdin", "mjpeg", "--every-frame")
        self.assertEqual((code, err, len(said)), (0, "", len(photos)))
        for line, expected in zip(said, commands.lines(vitrine("classify", tiny_model(), *SAMPLES, "--json"))):
            self.assertEqual(line["index"], expected["top"][0]["index"])
            self.assertAlmostEqual(line["probability"], expected["top"][0]["probability"], places=4)

    def test_a_folder_goes_round(self):
        said = commands.lines(vitrine("camera", tiny_model(), "--source", ROOT / "models/samples", "--every-frame", "--frames",
                                      2 * len(SAMPLES) + 1, "--json"))
        labels = [line["index"] for line in said]
        self.assertEqual(len(labels), 2 * len(SAMPLES) + 1)
        self.assertEqual(labels[:len(SAMPLES)], labels[len(SAMPLES):-1])

    def test_damage_is_counted_and_skipped(self):
        photo = SAMPLES[0].read_bytes()
        said, code, err = run(photo + photo[:3000] + photo + b"noise" + photo, "--stdin", "mjpeg", "--every-frame")
        self.assertEqual((code, len(said), said[-1]["damaged"]), (0, 3, 1))
        self.assertEqual(err.count("\n"), 1)
        self.assertIn("without an end", err)
        said, code, err = run(b"".join(frames(3)) + b"short", "--stdin", I420, "--every-frame")
        self.assertEqual((code, len(said)), (0, 3))
        self.assertIn("ends within a frame", err)

    def test_random_and_cut_streams_end(self):
        generator = random.Random(1)
        photo = SAMPLES[0].read_bytes()[:20_000]
        header = f"YUV4MPEG2 W{WIDTH} H{HEIGHT}\n".encode()
        for i in range(40):
            for name, whole in (("mjpeg", photo + photo), ("y4m", header + b"".join(b"FRAME\n" + frame for frame in frames(3)))):
                data = bytearray(whole[:generator.randrange(len(whole))])
                for _ in range(generator.randrange(20)):
                    if data:
                        data[generator.randrange(len(data))] = generator.randrange(256)
                said, code, err = run(bytes(data) + generator.randbytes(generator.randrange(3000)), "--stdin", name)
                self.assertEqual(code, 0 if said else 1, err)

    def test_stops_within_a_second(self):
        for sent in (signal.SIGTERM, signal.SIGINT):
            for data in (b"", b"".join(frames(3)) + b"half a frame"):
                child = start("--stdin", I420, "--json")
                child.stdin.write(data)
                child.stdin.flush()
                wait_until_it_catches(child.pid, sent)
                time.sleep(0.3)
                began = time.monotonic()
                child.send_signal(sent)
                self.assertEqual(child.wait(timeout=10), 0)
                self.assertLess(time.monotonic() - began, 1)
                child.stdin.close(), child.stdout.close(), child.stderr.close()

    def test_nobody_reads_any_more(self):
        child = start("--source", ROOT / "models/samples", "--json")
        child.stdout.readline()
        child.stdout.close()
        said = child.stderr.read().decode()
        self.assertEqual((child.wait(timeout=20), said), (1, "vitrine: cannot write to standard output\n"))
        child.stdin.close(), child.stderr.close()

    def test_a_full_disk_is_said_once_and_waited_for(self):
        words = [str(word) for word in [*commands.vitrine_words, "camera", tiny_model(), "--stdin", I420, "--every-frame", "--json"]]
        with open("/dev/full", "w") as full:
            finished = subprocess.run(words, input=b"".join(frames(30)), stdout=full, stderr=subprocess.PIPE)
        self.assertEqual(finished.returncode, 0)
        self.assertEqual(finished.stderr.decode(), "vitrine: standard output: No space left on device; decisions are not printed until "
                         "there is space\n")

    def test_steps_down_while_frames_come_late_and_says_so(self):
        words = [*commands.vitrine_words, "camera", commands.model("vit-tiny-waste", merge_tokens="0,3,6"), "--stdin", I420, "--json",
                 "--packed", "none"]
        child = subprocess.Popen([str(word) for word in words], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

        def feed():
            try:
                while True:   # faster than any machine can classify
                    child.stdin.write(bytes(FRAME))
            except OSError:
                pass

        feeder = threading.Thread(target=feed)
        feeder.start()
        self.assertEqual(child.stderr.readline().decode(), "vitrine: level 1 instead of 0: the model is too slow for the frames\n")
        child.send_signal(signal.SIGTERM)
        self.assertEqual(child.wait(timeout=10), 0)
        feeder.join()
        child.stderr.close()

    def test_runs_one_command_at_a_time(self):
        with tempfile.TemporaryDirectory() as name:
            seen = Path(name) / "seen"
            index = run(frames(1)[0], "--stdin", I420)[0][0]["index"]
            command = f"test ! -e {name}/lock || echo two >> {seen}; touch {name}/lock; sleep 0.2; rm {name}/lock; echo one >> {seen}"
            child = start("--stdin", I420, "--on", index, "--exec", command, "--every-frame")
            child.communicate(b"".join(frames(1) * 50))
            time.sleep(0.5)
            self.assertEqual((child.returncode, seen.read_text()), (0, "one\n"))

    def test_smoothing_and_threshold(self):
        said = run(b"".join(frames(20)), "--stdin", I420, "--every-frame")[0]
        smooth = run(b"".join(frames(20)), "--stdin", I420, "--every-frame", "--smooth", 0.5)[0]
        first = {guess["index"]: guess["probability"] for guess in said[0]["top"]}
        second = {guess["index"]: guess["probability"] for guess in said[1]["top"]}
        for guess in smooth[1]["top"]:
            if guess["index"] in first and guess["index"] in second:
                self.assertAlmostEqual(guess["probability"], (first[guess["index"]] + second[guess["index"]]) / 2, places=4)
        none = run(frames(1)[0], "--stdin", I420, "--threshold", 1)[0][0]
        self.assertEqual((none["label"], none["index"]), (None, -1))

    def test_wrong_usage_and_missing_cameras(self):
        for words in (["--device", "/dev/no-camera"], ["--device", "/dev/null"], ["--source", FOLDER / "nowhere"]):
            with self.subTest(words=words):
                self.assert_failure(vitrine("camera", tiny_model(), *words))
        self.assert_failure(vitrine("camera", tiny_model(), "--source", SAMPLES[0]), says="ffmpeg -i FILM")
        for words in (["--stdin", "640x480"], ["--stdin", "0x0:i420"], ["--stdin", "99999x9:gray"], ["--stdin", "31x2:yuyv"],
                      ["--stdin", "y4m", "--on", "nothing", "--exec", "true"], ["--size", "huge"],
                      ["--stdin", "y4m", "--source", "."], ["--smooth", 0], ["--on", "1"], ["--frames", -1]):
            with self.subTest(words=words):
                self.assert_failure(vitrine("camera", tiny_model(), *words), code=2)


if __name__ == "__main__":
    commands.main()
