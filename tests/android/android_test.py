# SPDX-License-Identifier: Apache-2.0
"""Tests the Android library and its camera app on a machine without Android's SDK and NDK.

android_test.py Java|Arm|Apk DEPENDENCIES JNI-HEADERS VITRINE CONVERTER LIBRARY-FOLDER...
Java: runs the Java API and its native code in a JVM with the framework classes of API 24; compares with the vitrine command.
Arm: compiles the native code for both ARM ABIs. Apk: compiles, packs, aligns and signs the app.
"""
import re
import shutil
import sys
import tempfile
import unittest
import zipfile
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
        run(CONVERTER, ROOT / "tests/fixtures/vit/timm_vit", "-o", self.folder / "nameless.vit")
        run(CONVERTER, ROOT / "tests/fixtures/vit/hf_dinov2_model", "-o", self.folder / "headless.vit")
        shutil.copy(HERE / "picture.png", self.folder)
        photos = [*SAMPLES, self.folder / "picture.png"]
        self.say("classify.jsonl", "classify", "tiny.vit", photos, "--logits", "--packed", "none")
        self.say("nameless.jsonl", "classify", "nameless.vit", photos[:2], "--logits", "--packed", "none")
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
        for word in ("WARNING", "FATAL", "Warning:"):    # printed by -Xcheck:jni
            self.assertNotIn(word, answer)


class Arm(InAFolder):
    """Compiles for Android's two ABIs without linking. The C and C++ headers are Debian's for the same CPU architecture."""

    def compile(self, abi, target, debian, *flags):
        headers = Path(f"/usr/{debian}/include")
        resources = run("clang++", "-print-resource-dir").strip()
        system = [headers / "c++/12", headers / "c++/12" / debian, Path(resources) / "include", headers, *JNI_HEADERS.split(";")]
        for source in sorted((ANDROID / "jni").glob("*.cc")):
            run("clang++", f"--target={target}", *flags, "-std=c++20", "-O2", "-fPIC", "-fno-exceptions", "-fno-rtti", "-Wall", "-Wextra",
                "-Werror", "-nostdinc++", "-nostdlibinc", *(f"-isystem{folder}" for folder in system), f"-I{ROOT}",
                f"-I{ROOT / 'runtime/include'}", "-c", source, "-o", self.folder / f"{source.stem}-{abi}.o")
        self.assertEqual(len(list(self.folder.glob(f"*-{abi}.o"))), 3)

    def test_arm64_v8a(self):
        self.compile("arm64-v8a", "aarch64-linux-android24", "aarch64-linux-gnu")

    def test_armeabi_v7a(self):
        # Debian's headers support only the hard-float ABI, which this macro selects.
        self.compile("armeabi-v7a", "armv7a-linux-androideabi24", "arm-linux-gnueabihf", "-D__ARM_PCS_VFP")


class Apk(InAFolder):
    """Builds the Camera2 flavor of the app without native libraries. The CameraX flavor is only compiled against stubs."""

    PACKAGE = "dev.vitrine.camera"
    APP = ANDROID / "app/src"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.package_resources()

    @classmethod
    def package_resources(cls):
        """Writes unaligned.apk with the resources, the manifest and the model, and generates R.java."""
        manifest = cls.folder / "AndroidManifest.xml"
        text = (cls.APP / "main/AndroidManifest.xml").read_text()
        manifest.write_text(text.replace("<manifest ", f'<manifest package="{cls.PACKAGE}" ', 1))   # the namespace from Gradle
        (cls.folder / "assets").mkdir()
        run(CONVERTER, ROOT / "models/vit-tiny-waste", "-o", cls.folder / "assets/model.vit")
        (cls.folder / "generated").mkdir()
        run("aapt", "package", "-f", "-m", "-J", cls.folder / "generated", "-M", manifest, "-S", cls.APP / "main/res",
            "-A", cls.folder / "assets", "-0", "vit", "--min-sdk-version", "24", "--target-sdk-version", "29", "--version-code", "1",
            "--version-name", "0", "-I", "/usr/share/android-framework-res/framework-res.apk", "-F", cls.folder / "unaligned.apk")

    def compile_app(self, flavor, classes, *classpath):
        sources = java_sources(ANDROID / "vitrine/src/main/java", self.APP / "main/java", self.APP / flavor / "java", self.folder / "generated")
        compile_java(classes, [*classpath, self.framework], sources, *FOR_DEVICES)

    def sign(self, aligned, signed):
        key = self.folder / "test.keystore"
        password = "only-for-this-test"
        run("keytool", "-genkeypair", "-keystore", key, "-storepass", password, "-keypass", password, "-alias", "test", "-keyalg", "RSA",
            "-keysize", "2048", "-validity", "1", "-dname", "CN=test")
        run("apksigner", "sign", "--ks", key, "--ks-pass", f"pass:{password}", "--min-sdk-version", "24", "--out", signed, aligned)
        run("apksigner", "verify", "--min-sdk-version", "24", signed)

    def test_the_app_is_whole(self):
        classes = self.folder / "classes"
        self.compile_app("camera2", classes)
        run("java", "-cp", jar(DEPS, "dalvik-dx"), "com.android.dx.command.Main", "--dex", "--min-sdk-version=24",
            f"--output={self.folder / 'classes.dex'}", classes)
        run("aapt", "add", "unaligned.apk", "classes.dex", cwd=self.folder)
        aligned, signed = self.folder / "aligned.apk", self.folder / "app.apk"
        run("zipalign", "-p", "4", self.folder / "unaligned.apk", aligned)
        self.sign(aligned, signed)
        run("zipalign", "-c", "-p", "4", signed)
        self.check(signed)

    def check(self, signed):
        badging = run("aapt", "dump", "badging", signed)
        for line in (f"package: name='{self.PACKAGE}'", "sdkVersion:'24'", "uses-permission: name='android.permission.CAMERA'",
                     f"launchable-activity: name='{self.PACKAGE}.MainActivity'", "application-label:'vitrine'"):
            self.assertIn(line, badging)
        with zipfile.ZipFile(signed) as apk:
            self.assertEqual(apk.getinfo("assets/model.vit").compress_type, zipfile.ZIP_STORED)
            dex = apk.read("classes.dex")
        layout = (self.APP / "main/res/layout/main.xml").read_text()
        named = [*re.findall(r"<(dev\.[\w.]+)", layout), f"{self.PACKAGE}.MainActivity", f"{self.PACKAGE}.CameraFrames", "dev.vitrine.Native"]
        self.assertEqual(len(named), 5)
        for name in named:
            self.assertIn(f"L{name.replace('.', '/')};".encode(), dex)

    def test_the_flavor_with_camerax_compiles_against_its_signatures(self):
        signatures = self.folder / "signatures"
        compile_java(signatures, [self.framework], java_sources(HERE / "camerax"), "--release", 8, "-Xlint:-options")
        self.compile_app("camerax", self.folder / "camerax", signatures)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], PART], verbosity=2)
