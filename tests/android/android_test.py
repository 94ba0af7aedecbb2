# SPDX-License-Identifier: Apache-2.0
"""The Android library and its camera app, on a machine without Android's SDK and NDK.

android_test.py Java|Arm|Apk DEPENDENCIES JNI-HEADERS VITRINE CONVERTER LIBRARY-FOLDER...
Java: the Java API and its native code in a JVM, with Android's framework classes of API 24, against the vitrine command.
Arm: the native code is valid for both ARM ABIs. Apk: the app is compiled, packed, aligned and signed.
"""
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

from tools import ANDROID, FOR_DEVICES, HERE, JUNIT, ROOT, compile_java, jar, java_sources, run

PART, DEPS, JNI_HEADERS = sys.argv[1:4]
VITRINE, CONVERTER = (Path(word) for word in sys.argv[4:6])
LIBRARIES = sys.argv[6:]
SAMPLES = sorted((ROOT / "models/samples").glob("*.jpg"))


class InAFolder(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="vitrine-android-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        if not LIBRARIES:
            raise AssertionError("jni.h is not there: tests/run.sh installs default-jdk-headless; then configure again")
        cls.framework = jar(DEPS, "android-all")


class Java(InAFolder):
    def convert(self, name, *options):
        run(CONVERTER, ROOT / "models/vit-tiny-waste", "-o", self.folder / name, *options)

    def say(self, name, command, model, photos, *options):
        answer = run(VITRINE, command, self.folder / model, *photos, "--json", *options)
        (self.folder / name).write_text(answer)

    def lay_out_fixture(self):
        self.convert("tiny.vit")
        self.convert("merging.vit", "--merge-tokens", "4,8")
        self.convert("small.vit", "--image-size", "32")
        shutil.copy(HERE / "picture.png", self.folder)
        photos = [*SAMPLES, self.folder / "picture.png"]
        self.say("classify.jsonl", "classify", "tiny.vit", photos, "--logits", "--packed", "none")
        self.say("embed.jsonl", "embed", "tiny.vit", photos[:2])
        for level in range(2):
            self.say(f"level{level}.jsonl", "classify", "merging.vit", photos[:2], "--logits", "--level", level)

    def test_the_java_api_gives_the_commands_answers(self):
        self.lay_out_fixture()
        classes = self.folder / "classes"
        compile_java(classes, [self.framework], java_sources(ANDROID / "vitrine/src/main/java"), *FOR_DEVICES)
        tests = self.folder / "tests"
        compile_java(tests, [classes, *JUNIT, self.framework], java_sources(HERE / "java"))
        answer = run("java", "-Xcheck:jni", "-Xms96m", "-Xmx96m", "-XX:+AlwaysPreTouch", "-XX:+UseSerialGC", "-Djava.awt.headless=true",
                     f"-Djava.library.path={':'.join(LIBRARIES)}", f"-Dvitrine.fixture={self.folder}",
                     "-cp", ":".join(str(path) for path in (classes, tests, *JUNIT, self.framework)),
                     "org.junit.runner.JUnitCore", *(f"dev.vitrine.{path.stem}" for path in sorted((HERE / "java").rglob("*Test.java"))))
        print(answer)
        for word in ("WARNING", "FATAL", "Warning:"):    # of -Xcheck:jni
            self.assertNotIn(word, answer)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], PART], verbosity=2)
