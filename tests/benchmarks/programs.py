# SPDX-License-Identifier: Apache-2.0
"""The programs that host_peers.py times: vitrine's command, and a process for each peer and precision.

Each has name, precision, output() and milliseconds(runs), the median and the least time of an inference.
"""
import json
import subprocess
from pathlib import Path

import peers

BENCHMARKS = Path(__file__).resolve().parent
ENVIRONMENTS = BENCHMARKS.parents[1] / ".cache/peers"
WARMUP_RUNS = 2


class Unavailable(Exception):
    """Why a peer takes no part, in one line."""


class Vitrine:
    """The command of a device, on a model that vitrine-convert has just written."""

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
    """A process that runs peers/worker.py in the peer's own environment: its libraries meet no other's."""

    def __init__(self, peer, precision, model, image, threads):
        module = peers.load(peer)
        self.name, self.precision, self.process = module.NAME, precision, None
        self.python = ENVIRONMENTS / peer / "bin/python"
        self.check_installed(peer)
        version = self.version(module.PACKAGE)
        self.name += " " + version
        folder = Path(model.path).with_suffix("") / f"{peer}-{version}-{precision.replace(', ', '-')}"
        self.log = folder.with_suffix(folder.suffix + ".log")
        self.log.parent.mkdir(exist_ok=True)
        self.log.unlink(missing_ok=True)
        if not folder.exists():
            self.start("convert", peer, precision, model.path, folder)
            self.stop()
        self.start("run", peer, precision, folder, image, threads)

    def check_installed(self, peer):
        failure = ENVIRONMENTS / f"{peer}.failed"
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
            pass  # it has ended: answer() says how
        return self.answer("run")

    def output(self):
        return self.ask("output")

    def milliseconds(self, runs):
        return self.ask(f"time {runs}")

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


def one_line(text, length=120):
    text = " ".join(text.split())
    return text if len(text) <= length else text[:length - 3] + "..."
