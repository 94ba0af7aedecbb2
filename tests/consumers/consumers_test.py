# SPDX-License-Identifier: Apache-2.0
"""The library as others build on it: installed and found by CMake and pkg-config, fetched, from C and from C++.

consumers_test.py BUILD-FOLDER VITRINE CONVERTER LIBRARY: every way in gives the command's answer.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD, VITRINE, CONVERTER = (Path(word) for word in sys.argv[1:4])
PHOTO = ROOT / "models/samples/glass.jpg"


def run(*words, **options):
    done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode != 0:
        raise AssertionError(f"{words}: exit {done.returncode}\n{done.stdout[-4000:]}")
    return done.stdout


class ConsumersTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="vitrine-consumers-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.model = cls.folder / "tiny.vit"
        run(CONVERTER, ROOT / "models/vit-tiny-waste", "-o", cls.model)
        best = json.loads(run(VITRINE, "classify", cls.model, PHOTO, "--json", "--packed", "none"))["top"][0]
        cls.expected = f"{best['label']} {100 * best['probability']:.1f} %\n"
        # Installed, then moved: what finds it must not know where it was.
        run("cmake", "--install", BUILD, "--prefix", cls.folder / "installed")
        cls.prefix = cls.folder / "moved"
        (cls.folder / "installed").rename(cls.prefix)
        cls.libraries = next(cls.prefix.rglob("libvitrine.a")).parent

    def answers(self, program):
        environment = {**os.environ, "LD_LIBRARY_PATH": str(self.libraries)}
        self.assertEqual(run(program, self.model, PHOTO, env=environment), self.expected)

    def compile(self, name, *words):
        program = self.folder / name
        run(*words, "-o", program)
        self.answers(program)

    def test_by_find_package(self):
        out = self.folder / "find_package"
        run("cmake", "-G", "Ninja", "-S", HERE / "find_package", "-B", out, f"-DCMAKE_PREFIX_PATH={self.prefix}")
        run("cmake", "--build", out)
        for name in ("c_shared", "c_static", "cc_shared", "cc_static"):
            self.answers(out / name)

    def test_by_pkg_config(self):
        environment = {**os.environ, "PKG_CONFIG_PATH": str(self.libraries / "pkgconfig")}
        # pkg-config, or the program that many systems have in its place.
        tool = shutil.which("pkg-config") or shutil.which("pkgconf")
        self.assertIsNotNone(tool, "neither pkg-config nor pkgconf is there")
        flags = run(tool, "--cflags", "--libs", "vitrine", env=environment).split()
        self.assertEqual(run(tool, "--modversion", "vitrine", env=environment), "0.1.0\n")
        self.compile("pkg_c", "cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic", HERE / "classify.c", *flags)
        self.compile("pkg_cc", "c++", "-std=c++20", HERE / "classify.cc", *flags)

    def test_by_fetch_content(self):
        out = self.folder / "fetch_content"
        run("cmake", "-G", "Ninja", "-S", HERE / "fetch_content", "-B", out, f"-DVITRINE_SOURCE={ROOT}", "-DCMAKE_BUILD_TYPE=Release",
            "-DVITRINE_WERROR=ON")
        run("cmake", "--build", out)
        for name in ("c_static", "cc_static", "c_shared"):
            self.answers(out / name)
        self.assertFalse(list(out.rglob("vitrine-convert")))   # only the library is built for others

    def test_the_header_is_c99_and_c_plus_plus(self):
        for compiler, standard in (("cc", "c99"), ("cc", "c11"), ("c++", "c++11"), ("c++", "c++20")):
            run(compiler, f"-std={standard}", "-pedantic", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-I", self.prefix / "include", "-x",
                "c" if compiler == "cc" else "c++", "-include", "vitrine/vitrine.h", "/dev/null")

    def test_the_readme_shows_this_program(self):
        program = (HERE / "classify.c").read_text().split("*/\n", 1)[1]
        shown = "".join(("    " + line).rstrip() + "\n" for line in program.splitlines())
        self.assertIn(shown, (ROOT / "README.md").read_text())
        # The header's example is its middle, with names in the place of arguments.
        header = "".join((self.prefix / "include/vitrine/vitrine.h").read_text().replace("\n *", "").split())
        for line in program.splitlines():
            if "vitrine_" in line and "argv" not in line:
                self.assertIn("".join(line.split()), header)

    def test_shows_the_symbols_that_are_listed(self):
        shown = set()
        for line in run("nm", "-D", "--defined-only", next(self.libraries.glob("libvitrine.so.*.*"))).splitlines():
            name = line.split()[-1]
            if "@@VITRINE_" in name and not name.startswith("VITRINE_"):
                shown.add(name)
            else:
                self.assertTrue(name.startswith("VITRINE_"), f"{name} is shown")
        c = sorted(name for name in shown if name.endswith("@@VITRINE_1"))
        self.assertEqual(c, (HERE / "symbols.txt").read_text().split())
        self.assertFalse([name for name in shown if name.startswith(("_ZN7vitrine5Model5State", "_ZNK7vitrine5Model5State", "_ZN7vitrine7Session5State",
                                                                      "_ZNK7vitrine7Session5State"))])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
