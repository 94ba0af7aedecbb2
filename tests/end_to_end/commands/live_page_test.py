# SPDX-License-Identifier: Apache-2.0
"""Tests vitrine camera --listen: its responses, the requests it refuses, and that slow clients do not delay frames."""
import contextlib
import http.client
import json
import random
import re
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request
from pathlib import Path

import commands
from commands import ROOT, tiny_model, vitrine

SAMPLES = ROOT / "models/samples"


class Camera:
    """Runs vitrine camera on the sample photos with --listen; `url` ends in a slash."""

    def __init__(self, *arguments, listen="127.0.0.1:0", fps=50, source=("--source", SAMPLES)):
        words = [*commands.vitrine_words, "camera", tiny_model(), *source, "--fps", fps, "--json", "--listen", listen, *arguments]
        self.child = subprocess.Popen([str(word) for word in words], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                      stderr=subprocess.PIPE, text=True)
        self.said = self.child.stderr.readline()
        found = re.fullmatch(r"vitrine: the live page is at (http://([^/]+):(\d+)/)(\?token=([0-9a-f]{32}))?\n", self.said)
        assert found, self.said
        self.url, self.host, self.port, self.token = found[1], found[2].strip("[]"), int(found[3]), found[5]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Stops the command; returns how long this took, in seconds."""
        began = time.monotonic()
        self.child.send_signal(signal.SIGTERM)
        code = self.child.wait(timeout=20)
        took = time.monotonic() - began
        self.child.stdin.close(), self.child.stderr.close()
        assert code == 0, code
        return took

    def ask(self, path, **headers):
        """Returns status, headers and body."""
        request = urllib.request.Request(self.url + path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read()

    def last(self):
        return json.loads(self.ask("api/last")[2])

    def wait_for_frames(self, more=3):
        """Waits until the camera has classified `more` more frames."""
        begin, until = self.last()["frame"], time.monotonic() + 20
        while self.last()["frame"] < begin + more:
            assert time.monotonic() < until, "no frames"
            time.sleep(0.02)

    def resident_kilobytes(self):
        return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.child.pid}/status").read_text())[1])


class LivePageTest(commands.CommandTest):
    def test_answers(self):
        with Camera() as camera:
            camera.wait_for_frames()
            last = camera.last()
            self.assertEqual(set(last), {"frame", "time", "top", "latency_ms", "fps", "level", "dropped", "damaged",
                                         "temperature_celsius", "camera", "heatmap"})
            self.assertEqual((last["camera"], last["damaged"], len(last["top"])), ("live", 0, 5))
            self.assertGreater(last["latency_ms"], 0)
            self.assertEqual([guess["probability"] for guess in last["top"]],
                             sorted((guess["probability"] for guess in last["top"]), reverse=True))
            status, headers, page = camera.ask("")
            self.assertEqual((status, headers["Content-Type"]), (200, "text/html; charset=utf-8"))
            self.assertIn("default-src 'none'", headers["Content-Security-Policy"])
            self.assertNotIn(b"http", page.replace(b"http-equiv", b""), "something from outside the device")
            for path in re.findall(rb'(?:src|href)="([^"]+)"', page):
                self.assertEqual(camera.ask(path.decode())[0], 200, path)
            for path in ("nothing", "..%2f..%2fetc/passwd", "api/", "page.js/"):
                self.assertEqual(camera.ask(path)[0], 404, path)

    def test_snapshots_are_the_frames(self):
        with Camera(fps=20) as camera:
            camera.wait_for_frames()
            pictures = set()
            for _ in range(30):
                status, headers, jpeg = camera.ask("snapshot.jpg")
                self.assertEqual((status, headers["Content-Type"], jpeg[:2], jpeg[-2:]), (200, "image/jpeg", b"\xff\xd8", b"\xff\xd9"))
                pictures.add(jpeg)
                time.sleep(0.05)
            self.assertEqual(len(pictures), len(commands.SAMPLES))

    def test_a_cameras_jpeg_goes_on_as_it_is(self):
        photo = commands.SAMPLES[0].read_bytes()
        with Camera(fps=0, source=("--stdin", "mjpeg")) as camera:
            self.assertEqual(camera.last()["camera"], "waiting")
            self.assertEqual(camera.ask("snapshot.jpg")[0], 503)
            for _ in range(3):
                camera.child.stdin.buffer.write(photo)
                camera.child.stdin.flush()
                time.sleep(0.2)
            self.assertEqual(camera.ask("snapshot.jpg")[2], photo)

    def test_every_raw_format_keeps_its_colours(self):
        width, height, red = 64, 48, {"yuyv": bytes([81, 90, 81, 240]), "rgb24": bytes([255, 0, 0]), "bgr24": bytes([0, 0, 255])}
        pixels = width * height
        frames = {"yuyv": red["yuyv"] * (pixels // 2), "rgb24": red["rgb24"] * pixels, "bgr24": red["bgr24"] * pixels,
                  "i420": bytes([81]) * pixels + bytes([90]) * (pixels // 4) + bytes([240]) * (pixels // 4),
                  "nv12": bytes([81]) * pixels + bytes([90, 240]) * (pixels // 4)}
        answers = {}
        for name, frame in frames.items():
            with Camera(fps=0, source=("--stdin", f"{width}x{height}:{name}")) as camera:
                camera.child.stdin.buffer.write(frame)
                camera.child.stdin.flush()
                time.sleep(0.2)
                camera.ask("snapshot.jpg")   # requests the next snapshot
                camera.child.stdin.buffer.write(frame)
                camera.child.stdin.flush()
                time.sleep(0.2)
                answers[name] = camera.ask("snapshot.jpg")[2]
                self.assertGreater(len(answers[name]), 500, name)
        self.assertEqual(answers["yuyv"], answers["i420"])
        self.assertEqual(answers["yuyv"], answers["nv12"])
        self.assertEqual(answers["rgb24"], answers["bgr24"])
        for name in ("yuyv", "rgb24"):
            self.assertLess(abs(mean_red(answers[name]) - 76), 4, name)   # the luma of red

    def test_heatmap(self):
        with Camera() as camera:
            camera.wait_for_frames()
            self.assertIs(camera.last()["heatmap"], True)
            heatmap = json.loads(camera.ask("api/heatmap")[2])
            height, width = heatmap["grid"]
            self.assertEqual(len(heatmap["map"]), height * width)
            self.assertTrue(all(0 <= value <= 1 for value in heatmap["map"]))
            self.assertTrue(0 < sum(heatmap["map"]) <= 1.0001)
            x, y, wide, high = heatmap["crop"]
            self.assertAlmostEqual(x + wide / 2, 0.5, places=1)
            self.assertAlmostEqual(y + high / 2, 0.5, places=1)
            self.assertAlmostEqual(wide * 512 / (high * 384), 1, delta=0.03)   # a square of a photo of 512 x 384

    def test_metrics(self):
        with Camera() as camera:
            camera.wait_for_frames(10)
            status, headers, text = camera.ask("metrics")
            self.assertEqual((status, headers["Content-Type"]), (200, "text/plain; version=0.0.4; charset=utf-8"))
            values, kinds = {}, {}
            for line in text.decode().splitlines():
                if line.startswith("#"):
                    self.assertRegex(line, r"^# (HELP vitrine_\w+ .+|TYPE vitrine_\w+ (counter|gauge|histogram))$")
                    kinds.update([line.split()[2:]] if line.startswith("# TYPE") else [])
                else:
                    self.assertRegex(line, r'^vitrine_\w+(\{le="[^"]+"\})? [-+.e\d]+$')
                    name, value = line.split()
                    values[name] = float(value)
            self.assertGreaterEqual(values["vitrine_frames_total"], 10)
            self.assertEqual((values["vitrine_damaged_total"], values["vitrine_camera_up"]), (0, 1))
            self.assertEqual(kinds["vitrine_latency_seconds"], "histogram")
            buckets = [value for name, value in values.items() if name.startswith("vitrine_latency_seconds_bucket")]
            self.assertEqual(buckets, sorted(buckets))
            self.assertEqual(buckets[-1], values["vitrine_latency_seconds_count"])

    def test_loopback_answers_to_its_own_names_only(self):
        with Camera() as camera:
            for host in (f"127.0.0.1:{camera.port}", f"localhost:{camera.port}", "localhost", "127.9.9.9", f"[::1]:{camera.port}"):
                self.assertEqual(camera.ask("api/last", Host=host)[0], 200, host)
            for host in ("evil.example", f"evil.example:{camera.port}", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1", ""):
                for path in ("", "api/last", "snapshot.jpg", "metrics"):
                    self.assertEqual(camera.ask(path, Host=host)[0], 403, (host, path))
            for method in ("POST", "PUT", "DELETE", "OPTIONS"):
                connection = http.client.HTTPConnection("127.0.0.1", camera.port, timeout=10)
                connection.request(method, "/api/last")
                self.assertEqual(connection.getresponse().status, 405, method)
                connection.close()

    def check_token(self, camera, token):
        for path in ("", "api/last", "snapshot.jpg", "api/heatmap", "metrics", "page.js"):
            self.assertEqual(camera.ask(path)[0], 403, path)
            for wrong in ("", token[:-1], token + "0", "x" * len(token)):
                self.assertEqual(camera.ask(f"{path}?token={wrong}")[0], 403, (path, wrong))
        status, headers, _ = camera.ask(f"?token={token}")
        cookie = headers["Set-Cookie"]
        self.assertEqual(status, 200)
        self.assertRegex(cookie, rf"^vitrine_{camera.port}={re.escape(token)}; Path=/; HttpOnly; SameSite=Strict$")
        self.assertEqual(camera.ask("snapshot.jpg", Cookie=f"other=1; {cookie.split(';')[0]}; more=2")[0], 200)
        self.assertEqual(camera.ask("api/last", Authorization=f"Bearer {token}")[0], 200)
        self.assertEqual(camera.ask("api/last", Cookie=f"vitrine_{camera.port}={token[:-1]}")[0], 403)
        self.assertEqual(camera.ask("api/last", Authorization="Bearer ")[0], 403)

    def test_other_addresses_need_the_token(self):
        with Camera(listen="0.0.0.0:0") as camera, Camera(listen="0.0.0.0:0") as other:
            self.assertNotEqual(camera.token, other.token)
            self.check_token(camera, camera.token)

    def test_a_token_of_a_file(self):
        with tempfile.TemporaryDirectory() as name:
            file = Path(name) / "token"
            file.write_text("A-token_of.my-own-choice\n")
            with Camera("--token-file", file) as camera:
                self.assertIsNone(camera.token, "a token that somebody keeps in a file is not for the terminal")
                self.check_token(camera, "A-token_of.my-own-choice")
            for wrong in ("", "short\n", "with a space in the middle\n", "semi;colon;semi;colon;\n"):
                file.write_text(wrong)
                self.assert_failure(vitrine("camera", tiny_model(), "--source", SAMPLES, "--listen", "127.0.0.1:0", "--token-file", file))

    def test_addresses_that_cannot_be(self):
        with Camera() as camera:
            self.assert_failure(vitrine("camera", tiny_model(), "--source", SAMPLES, "--listen", f"127.0.0.1:{camera.port}"),
                                says="Address already in use")
        for listen in ("", "8080", ":8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "127.0.0.1:-1", "host.example:80",
                       "[::1", "::1:80", "1.2.3:80"):
            with self.subTest(listen=listen):
                self.assert_failure(vitrine("camera", tiny_model(), "--source", SAMPLES, "--frames", 1, "--listen", listen), code=2, says="--listen")
        self.assert_failure(vitrine("camera", tiny_model(), "--source", SAMPLES, "--token-file", "x"), code=2)

    def test_a_reader_that_stops_reading_holds_nothing_up(self):
        with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
            noise = random.Random(1).randbytes(3 * 1200 * 900)   # its JPEG is larger than the kernel's socket buffers
            Path(folder, "noise.ppm").write_bytes(b"P6 1200 900 255\n" + noise)
            camera = stack.enter_context(Camera(fps=25, source=("--source", folder)))
            camera.wait_for_frames()
            self.assertGreater(len(camera.ask("snapshot.jpg")[2]), 600_000)
            stalled = []
            for _ in range(3):
                connection = stack.enter_context(socket.socket())
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
                connection.connect(("127.0.0.1", camera.port))
                connection.sendall(b"GET /snapshot.jpg HTTP/1.1\r\nHost: localhost\r\n\r\n")
                stalled.append(connection)
            before, memory = camera.last(), camera.resident_kilobytes()
            time.sleep(6 if commands.is_release() else 25)   # the server closes a connection two seconds after the last byte sent
            after = camera.last()
            self.assertGreater(after["frame"], before["frame"] + 3)   # three is the limit if frames wait for the three clients
            if commands.is_release():   # the sanitizers do not release freed memory
                self.assertLess(camera.resident_kilobytes() - memory, 16_384)
            for connection in stalled:   # the server has closed them
                size = 0
                while data := connection.recv(65536):
                    size += len(data)
                self.assertLess(size, 600_000)

    def test_a_hundred_connections(self):
        with Camera(fps=100) as camera:
            camera.wait_for_frames()
            camera.ask("snapshot.jpg")
            first, memory = camera.last()["frame"], camera.resident_kilobytes()
            for _ in range(3):
                idle = [socket.create_connection(("127.0.0.1", camera.port)) for _ in range(100)]
                for number, connection in enumerate(idle):
                    try:
                        connection.sendall([b"", b"GET", b"GET / HTTP/1.1\r\n", b"X" * 100_000][number % 4])
                    except OSError:
                        pass   # the server may have closed it already
                time.sleep(1)
                for connection in idle:
                    connection.close()
            until = time.monotonic() + 30
            while True:   # until the server has closed those connections
                try:
                    last = camera.last()
                    break
                except (OSError, http.client.HTTPException):
                    self.assertLess(time.monotonic(), until)
            self.assertGreater(last["frame"] - first, 10)   # about three if frames wait for the connections
            if commands.is_release():
                self.assertLess(camera.resident_kilobytes() - memory, 4096)

    def test_closes_within_a_second(self):
        camera = Camera()
        camera.wait_for_frames()
        open_ones = [socket.create_connection(("127.0.0.1", camera.port)) for _ in range(10)]
        for connection in open_ones:
            connection.sendall(b"GET /api/last HTTP/1.1\r\n")
        time.sleep(0.1)
        self.assertLess(camera.stop(), 1)
        for connection in open_ones:
            connection.close()


def mean_red(jpeg):
    """Returns the mean luma of a JPEG of one colour: the first DC coefficient, with the Huffman tables of the standard."""
    quantizer = jpeg[jpeg.index(b"\xff\xdb") + 5]
    scan = jpeg.index(b"\xff\xda")
    bits = "".join(f"{byte:08b}" for byte in jpeg[scan + 14:scan + 22].replace(b"\xff\x00", b"\xff"))
    codes = {"00": 0, "010": 1, "011": 2, "100": 3, "101": 4, "110": 5, "1110": 6, "11110": 7, "111110": 8, "1111110": 9}
    code = next(code for code in codes if bits.startswith(code))
    size = codes[code]
    value = int(bits[len(code):len(code) + size] or "0", 2)
    if size and value < 1 << (size - 1):
        value -= (1 << size) - 1
    return value * quantizer / 8 + 128


if __name__ == "__main__":
    commands.main()
