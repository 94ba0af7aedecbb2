# SPDX-License-Identifier: Apache-2.0
"""Programs and jars for the Android tests. A missing one fails the test that needs it."""
import fcntl
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
ANDROID = ROOT / "platforms/android"
JUNIT = [Path("/usr/share/java/junit4.jar"), Path("/usr/share/java/hamcrest-core.jar")]


def run(*words, **options):
    """Returns the program's output; raises AssertionError with the output if the program fails."""
    if shutil.which(str(words[0])) is None:
        raise AssertionError(f"{words[0]} is not there: tests/run.sh installs it")
    done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(str(word) for word in words)[:2000]}: exit {done.returncode}\n{done.stdout[-8000:]}")
    return done.stdout


def jar(deps, name):
    """Returns a jar of jars.lock; downloads it once."""
    folder = Path(deps) / "jars"
    run(HERE / "jars.sh", folder)
    return folder / f"{name}.jar"


def java_sources(*folders):
    return sorted(path for folder in folders for path in folder.rglob("*.java"))


def compile_java(out, classpath, sources, *options):
    run("javac", "-encoding", "UTF-8", "-proc:none", *options, "-cp", ":".join(str(path) for path in classpath), "-d", out, *sources)


# Java 8 class files, the newest that devices with API 24 support; any warning is an error.
FOR_DEVICES = ("--release", 8, "-Xlint:all,-options,-processing,-path,-classfile", "-Werror")
