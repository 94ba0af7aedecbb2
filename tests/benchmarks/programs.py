# SPDX-License-Identifier: Apache-2.0
"""The programs that host_peers.py times: vitrine's command, and one process per peer and precision.

Each class has name, precision, output(), and milliseconds(runs), which returns the median and the least time of an inference.
"""
import json
import shutil
import subprocess
import zlib
from pathlib import Path

import peers

BENCHMARKS = Path(__file__).resolve().parent
ENVIRONMENTS = BENCHMARKS.parents[1] / ".cache/peers"
WARMUP_RUNS = 2


class Unavailable(Exception):
    """The reason why a peer is not timed, in one line."""


class Vitrine:
    """Runs the command on a model that vitrine-convert has just written."""

    def __init__(self, command, model, recipe, picture, threads):
        self.command, self.picture, self.threads, self.has_classes = command, picture, threads, model.classes > 0
        self.file = model.path.removesuffix(".safetensors") + f".{recipe}.vit"
        self.name = self.call("--version").strip()
        self.precision = "int8" if recipe == "dynamic" else recipe
        subprocess.run([command.parent / "vitrine-convert", model.path, "-o", self.file, "--recipe", recipe, "--json",
                        "--config", model.path + ".args.json", "--crop-pct", "1", "--interpolation", "bicubic",
                        "--mean", "0.5,0.5,0.5", "--std", "0.5,0.5,0.5"], check=True, stdout=subprocess.DEVNULL)

    def call(self, *arguments):
        return subprocess.run([self.command, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout

    def output(self):
        if self.has_classes:
            return json.loads(self.call("classify", self.file, self.picture, "--logits", "--json"))["logits"]
        return json.loads(self.call("embed", self.file, self.picture, "--json"))["embedding"]

    def milliseconds(self, runs):
        latency = json.loads(self.call("bench", self.file, "--threads", str(self.threads), "--warmup-runs",
                                       str(WARMUP_RUNS), "--num-runs", str(runs), "--json"))["latency_ms"]
        return latency["p50"], latency["min"]


class Peer:
    """Runs peers/worker.py in the peer's own environment, so that the libraries of different peers do not conflict."""

    def __init__(self, peer, precision):
        self.peer, self.precision, self.name, self.process = peer, precision, peers.load(peer).NAME, None
        self.python = ENVIRONMENTS / peer / "bin/python"

    def prepare(self, model, image, threads):
        """Converts the checkpoint if needed and starts the process that runs it."""
        self.check_installed()
        self.name += " " + self.version(peers.load(self.peer).PACKAGE)
        folder = Path(model.path).with_suffix("") / f"{self.peer}-{self.precision.replace(', ', '-')}"
        self.log = folder.with_suffix(".log")
        if not is_fresh(folder, self.peer):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            self.log.unlink(missing_ok=True)
            self.start("convert", self.peer, self.precision, model.path, folder)
            self.stop()
            (folder / "fingerprint").write_text(fingerprint(self.peer))
        self.start("run", self.peer, self.precision, folder, image, threads)

    def check_installed(self):
        failure = ENVIRONMENTS / f"{self.peer}.failed"
        if failure.exists():
            raise Unavailable("not installed: " + one_line(failure.read_text()))
        if not self.python.exists():
            raise Unavailable("not installed: install_peers.sh has not run")

    def version(self, package):
        code = f"import importlib.metadata as m; print(m.version('{package}'))"
        return subprocess.run([self.python, "-c", code], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()

    def start(self, *arguments):
        with open(self.log, "a") as log:
            self.process = subprocess.Popen([self.python, "-m", "peers.worker", *map(str, arguments)], cwd=BENCHMARKS,
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
        self.answer(arguments[0])

    def answer(self, task):
        line = self.process.stdout.readline()
        if not line:
            raise Unavailable(f"{task}: ended with status {self.process.wait()}, see {self.log}")
        answer = json.loads(line)
        if "error" in answer:
            raise Unavailable(f"{task}: {one_line(answer['error'])}")
        return answer["value"]

    def ask(self, request):
        try:
            print(request, file=self.process.stdin, flush=True)
        except BrokenPipeError:
            pass  # the process has exited: answer() reports the reason
        return self.answer("run")

    def output(self):
        return self.ask("output")

    def outputs(self):
        return self.ask("outputs")

    def milliseconds(self, runs):
        return self.ask(f"time {runs}")

    def stop(self):
        if self.process:
            try:
                self.process.stdin.close()
            except BrokenPipeError:
                pass  # the process has exited without reading a request
            self.process.wait()
            self.process = None


def is_fresh(folder, peer):
    """Returns whether the folder contains a complete conversion by the current packages and code."""
    marker = folder / "fingerprint"
    return marker.exists() and marker.read_text() == fingerprint(peer)


def fingerprint(peer):
    sources = [*sorted(BENCHMARKS.glob(f"peers/{peer}*")), *sorted(BENCHMARKS.glob("vit_*.py"))]
    return f"{zlib.crc32(b''.join(source.read_bytes() for source in sources)):08x}"


def one_line(text, length=120):
    text = " ".join(text.split())
    return text if len(text) <= length else text[:length - 3] + "..."
