# SPDX-License-Identifier: Apache-2.0
"""Programs and jars that the Android tests use; what is missing fails the test that wants it."""
import fcntl
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
ANDROID = ROOT / "platforms/android"
JUNIT = [Path("/usr/share/java/junit4.jar"), Path("/usr/share/java/hamcrest-core.jar")]


def run(*words, **options):
    """What the program prints; AssertionError with it where it fails."""
    if shutil.which(str(words[0])) is None:
        raise AssertionError(f"{words[0]} is not there: tests/run.sh installs it")
    done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(str(word) for word in words)[:2000]}: exit {done.returncode}\n{done.stdout[-8000:]}")
    return done.stdout


def jar(deps, name):
    """A jar of jars.lock, fetched once."""
    folder = Path(deps) / "jars"
    run(HERE / "jars.sh", folder)
    return folder / f"{name}.jar"


def java_sources(*folders):
    return sorted(path for folder in folders for path in folder.rglob("*.java"))


def compile_java(out, classpath, sources, *options):
    run("javac", "-encoding", "UTF-8", "-proc:none", *options, "-cp", ":".join(str(path) for path in classpath), "-d", out, *sources)


# Classes of Java 8, the most that devices from API 24 on are given; any warning fails.
FOR_DEVICES = ("--release", 8, "-Xlint:all,-options,-processing,-path,-classfile", "-Werror")
