# SPDX-License-Identifier: Apache-2.0
"""Builds programs on the library: installed and found by CMake or pkg-config, or fetched; in C and in C++.

consumers_test.py BUILD-FOLDER VITRINE CONVERTER LIBRARY: each program must give the same result as the command.
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
ROOT = HERE.parents[2]
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
        cls.expected = cls.said(cls.model)
        cls.nameless, cls.headless = cls.folder / "nameless.vit", cls.folder / "headless.vit"
        run(CONVERTER, ROOT / "tests/fixtures/vit/timm_vit", "-o", cls.nameless)
        run(CONVERTER, ROOT / "tests/fixtures/vit/hf_dinov2_model", "-o", cls.headless)
        # Installs, then moves the folder: the package files must not contain its first path.
        run("cmake", "--install", BUILD, "--prefix", cls.folder / "installed")
        cls.prefix = cls.folder / "moved"
        (cls.folder / "installed").rename(cls.prefix)
        cls.libraries = next(cls.prefix.rglob("libvitrine.a")).parent

    @staticmethod
    def said(model):
        best = json.loads(run(VITRINE, "classify", model, PHOTO, "--json", "--packed", "none"))["top"][0]
        return f"{best['label']} {100 * best['probability']:.1f}%\n"

    def answers(self, program):
        environment = {**os.environ, "LD_LIBRARY_PATH": str(self.libraries)}
        self.assertEqual(run(program, self.model, PHOTO, env=environment), self.expected)

    def fails(self, code, says, *words, **options):
        done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **options)
        self.assertEqual(done.returncode, code, done.stdout)
        self.assertRegex(done.stdout, says)

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

    def test_the_static_library_asks_for_c_plus_plus(self):
        for languages, components, found in (("C", "COMPONENTS shared", True), ("C", "", True), ("C", "OPTIONAL_COMPONENTS static", True),
                                             ("C", "COMPONENTS static", False), ("C CXX", "COMPONENTS static", True)):
            project = Path(tempfile.mkdtemp(dir=self.folder))
            (project / "CMakeLists.txt").write_text(
                f"cmake_minimum_required(VERSION 3.22)\nproject(consumer {languages})\nfind_package(vitrine REQUIRED {components})\n"
                f"add_executable(classify {HERE / 'classify.c'})\ntarget_link_libraries(classify vitrine::vitrine)\n")
            configure = "cmake", "-G", "Ninja", "-S", project, "-B", project / "build", f"-DCMAKE_PREFIX_PATH={self.prefix}"
            if not found:
                self.fails(1, r"is linked as C\+\+:\s+project\(consumer\s+LANGUAGES\s+C\s+CXX\)", *configure)
                continue
            run(*configure)
            run("cmake", "--build", project / "build")
            self.answers(project / "build/classify")

    def test_by_pkg_config(self):
        environment = {**os.environ, "PKG_CONFIG_PATH": str(self.libraries / "pkgconfig")}
        # pkg-config, or its replacement on many systems
        tool = shutil.which("pkg-config") or shutil.which("pkgconf")
        self.assertIsNotNone(tool, "neither pkg-config nor pkgconf is there")
        flags = run(tool, "--cflags", "--libs", "vitrine", env=environment).split()
        self.assertEqual(run(tool, "--modversion", "vitrine", env=environment), "0.1.0\n")
        self.compile("pkg_c", "cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic", HERE / "classify.c", *flags)
        self.compile("pkg_cc", "c++", "-std=c++20", "-Wall", "-Wextra", "-Werror", "-pedantic", HERE / "classify.cc", *flags)
        environment = {**os.environ, "LD_LIBRARY_PATH": str(self.libraries)}
        for name, wrong_usage in (("pkg_c", 2), ("pkg_cc", 1)):
            program = self.folder / name
            expected = self.said(self.nameless)
            self.assertRegex(expected, r"\Aclass \d [0-9.]+%\n")
            self.assertEqual(run(program, self.nameless, PHOTO, env=environment), expected)
            self.fails(1, r"\Athe model has no classifier\n\Z", program, self.headless, PHOTO, env=environment)
            self.fails(1, r"\A.*nowhere.*\n\Z", program, self.model, "nowhere.jpg", env=environment)
            self.fails(wrong_usage, r"\Ausage: .*\n\Z", program, env=environment)

    def test_by_fetch_content(self):
        out = self.folder / "fetch_content"
        run("cmake", "-G", "Ninja", "-S", HERE / "fetch_content", "-B", out, f"-DVITRINE_SOURCE={ROOT}", "-DCMAKE_BUILD_TYPE=Release",
            "-DVITRINE_WERROR=ON")
        run("cmake", "--build", out)
        for name in ("c_static", "cc_static", "c_shared"):
            self.answers(out / name)
        self.assertFalse(list(out.rglob("vitrine-convert")))   # only the library is built for other projects

    def test_the_header_is_c99_and_c_plus_plus(self):
        for compiler, standard in (("cc", "c99"), ("cc", "c11"), ("c++", "c++11"), ("c++", "c++20")):
            run(compiler, f"-std={standard}", "-pedantic", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-I", self.prefix / "include", "-x",
                "c" if compiler == "cc" else "c++", "-include", "vitrine/vitrine.h", "/dev/null")

    def test_the_c_plus_plus_headers_name_their_standard(self):
        for header in sorted(path.name for path in (self.prefix / "include/vitrine").glob("*.hpp")):
            words = "c++", "-Wall", "-Wextra", "-pedantic", "-fsyntax-only", "-I", self.prefix / "include", "-x", "c++", "-include", f"vitrine/{header}"
            self.assertEqual(run(*words, "-Werror", "-std=c++20", "/dev/null"), "")
            self.fails(1, r"\A(In file.*\n|  .*\n)*.*error: #error .*C\+\+20", *words, "-std=c++17", "/dev/null")

    def test_the_papers_show_these_programs(self):
        for source, heading, paper, indent in (("classify.c", "*/\n", "README.md", "    "),
                                               ("classify.c", "*/\n", "runtime/include/vitrine/vitrine.h", " *     "),
                                               ("classify.cc", "vitrine.hpp.\n", "runtime/include/vitrine/vitrine.hpp", "//   ")):
            program = (HERE / source).read_text().split(heading, 1)[1]
            shown = "".join((indent + line).rstrip() + "\n" for line in program.splitlines())
            self.assertIn(shown, (ROOT / paper).read_text())

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
