# SPDX-License-Identifier: Apache-2.0
"""Tests invalid files and flags: exit code 1 or 2, one line on stderr, and no file left next to the output."""
import os
import resource
import shutil
import struct
import zlib

import commands
from commands import FOLDER, ROOT, SAMPLES, convert, model, tiny_model, vitrine

TINY = ROOT / "models/vit-tiny-waste"
FIXTURE = ROOT / "tests/fixtures/vit/timm_hub"
CHECKPOINTS = ROOT / "tests/fixtures/checkpoint"


def file(name, data):
    path = FOLDER / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def fifo(name):
    """Creates a named pipe without a writer."""
    path = FOLDER / name
    os.mkfifo(path)
    return path


class VitrineTest(commands.CommandTest):
    def photos(self):
        yield FOLDER / "missing.jpg", "No such file"
        yield FOLDER, "directory"
        yield file("text.jpg", "hello, world\n"), "not an image"
        yield file("empty.jpg", ""), "empty"
        jpeg, png = SAMPLES[0].read_bytes(), (FIXTURE / "image.png").read_bytes()
        for i in range(1, 8):
            yield file(f"cut{i}.jpg", jpeg[:len(jpeg) * i // 8]), "cut"
            yield file(f"cut{i}.png", png[:len(png) * i // 8]), ""
        yield ROOT / "README.md", "not an image"

    def test_a_photo_that_cannot_be_read(self):
        for path, says in self.photos():
            for command in ("classify", "embed"):
                with self.subTest(photo=path.name, command=command):
                    finished = vitrine(command, tiny_model(), path, "--json")
                    self.assert_failure(finished, says=says)
                    self.assertIn(str(path), finished.stderr)
                    self.assertEqual(finished.stdout, "")

    def test_a_bad_photo_does_not_keep_the_next_from_its_turn(self):
        finished = vitrine("classify", tiny_model(), SAMPLES[0], FOLDER / "missing.jpg", SAMPLES[1], "--json")
        self.assert_failure(finished, says="missing.jpg")
        self.assertEqual([commands.parse(line)["image"] for line in finished.stdout.splitlines()], [str(SAMPLES[0]), str(SAMPLES[1])])

    def test_a_model_that_is_none(self):
        for path in (FOLDER / "missing.vit", FOLDER, file("empty.vit", ""), file("text.vit", "hello, world\n" * 100), fifo("fifo.vit"),
                     TINY / "model.safetensors", SAMPLES[0]):
            for command in (["classify", path, SAMPLES[0]], ["embed", path, SAMPLES[0]], ["bench", path], ["inspect", path]):
                with self.subTest(model=path.name, command=command[0]):
                    self.assert_failure(vitrine(*command), says=str(path))

    def test_a_full_disk_behind_stdout(self):
        for command in (["classify", tiny_model(), SAMPLES[0]], ["embed", tiny_model(), SAMPLES[0], "--json"],
                        ["bench", tiny_model(), "--num-runs", 1], ["inspect", tiny_model()], ["--help"]):
            with self.subTest(command=command[0]), open("/dev/full", "w") as full:
                words = [str(word) for word in [*commands.vitrine_words, *command]]
                finished = commands.subprocess.run(words, stdout=full, stderr=commands.subprocess.PIPE, text=True)
                self.assert_failure(finished, says="standard output")

    def test_wrong_usage(self):
        good = tiny_model()
        for words in ([], ["teach-me"], ["classify"], ["classify", good], ["embed", good], ["bench"], ["inspect"], ["bench", good, SAMPLES[0]],
                      ["classify", good, SAMPLES[0], "--topk", 3], ["classify", good, SAMPLES[0], "--top-k", 0],
                      ["classify", good, SAMPLES[0], "--top-k", "three"], ["classify", good, SAMPLES[0], "--threads", -1],
                      ["pack", good, "--cpu", "cortex-a5"],
                      ["bench", good, "--num-runs", 0], ["bench", good, "--num-runs"], ["bench", good, "--warmup-runs", "1.5"], ["--verbose"]):
            with self.subTest(words=words):
                self.assert_failure(vitrine(*words), code=2, says="--help")
        for words, says in ((["teach-me"], "'teach-me': expected a subcommand: classify, "), (["camera", good, "--stdin", "foo"], "--stdin foo"),
                            (["camera", good, "--size", "640"], "--size 640"), (["camera", good, "--on", "nope", "--exec", "x"], "no such class"),
                            (["classify", good, SAMPLES[0], "--cpus", 900], "may only use the CPU cores"),
                            (["explain", good, SAMPLES[0], "-o", FOLDER / "x.jpg"], "does not end in .png")):
            with self.subTest(words=words):
                self.assert_failure(vitrine(*words), code=2, says=says)
        self.assertIn("Usage: vitrine classify MODEL.vit IMAGE... [OPTIONS]\n", vitrine("classify", "--help").stdout)

    def test_what_is_read_is_not_written_over(self):
        path, photo = file("kept.vit", tiny_model().read_bytes()), file("kept.png", (FIXTURE / "image.png").read_bytes())
        (FOLDER / "linked").symlink_to(path)
        for words in (["pack", path, "-o", path], ["pack", path, "-o", FOLDER / "linked"], ["pack", path, "-o", photo],
                      ["bench", path, "--csv", path], ["inspect", path, "--html", path], ["explain", path, photo, "-o", photo]):
            with self.subTest(words=words):
                self.assert_failure(vitrine(*words))
        for packed in (path, photo):
            answer = vitrine("embed", path, photo, "--packed", packed)
            self.assertEqual((answer.returncode, answer.stderr.count("\n")), (0, 1))
            self.assertIn("cannot write the packed weights", answer.stderr)
        self.assertEqual((path.read_bytes(), photo.read_bytes()), (tiny_model().read_bytes(), (FIXTURE / "image.png").read_bytes()))

    def test_what_is_no_file_is_written_to_and_not_replaced(self):
        pipe, page = fifo("pipe"), file("page.html", "an older page")
        self.assert_failure(vitrine("pack", tiny_model(), "-o", pipe), says="not a file of packed weights")
        answer = vitrine("classify", tiny_model(), SAMPLES[0], "--packed", pipe)
        self.assertEqual((answer.returncode, answer.stderr.count("\n"), pipe.is_fifo()), (0, 1, True))
        link = FOLDER / "stdout"
        link.symlink_to("/proc/self/fd/1")
        measured = vitrine("bench", tiny_model(), "--num-runs", 2, "--csv", link)
        self.assertEqual((measured.returncode, link.is_symlink()), (0, True))
        self.assertIn("run,seconds,latency_ms\n0,", measured.stdout)
        (FOLDER / "link.html").symlink_to(page)
        self.assertEqual(vitrine("inspect", tiny_model(), "--html", FOLDER / "link.html").returncode, 0)
        self.assertTrue((FOLDER / "link.html").is_symlink() and page.read_text().startswith("<!"))

    def test_a_picture_that_is_too_large_is_told_its_size(self):
        png = bytearray((FIXTURE / "image.png").read_bytes())
        png[16:24] = struct.pack(">II", 30000, 30000)
        png[29:33] = struct.pack(">I", zlib.crc32(png[12:29]))
        path = file("large.png", bytes(png))
        self.assert_failure(vitrine("classify", tiny_model(), path), says="30000 x 30000 pixels")

    def test_a_camera_of_which_nothing_comes(self):
        self.assert_failure(vitrine("camera", tiny_model(), "--stdin", "y4m"), says="no frame")


class ConverterTest(commands.CommandTest):
    def setUp(self):
        self.out = FOLDER / "converted"
        self.out.mkdir(exist_ok=True)
        self.tensors = commands.read_safetensors(FIXTURE / "model.safetensors")

    def refuses(self, *arguments, says="", code=1, **options):
        """Checks that the conversion fails and does not change an existing file."""
        target = self.out / "model.vit"
        target.write_bytes(b"an older model")
        self.assert_failure(convert(*arguments, "-o", target, **options), code=code, says=says)
        self.assertEqual(os.listdir(self.out), ["model.vit"])
        self.assertEqual(target.read_bytes(), b"an older model")

    def refuses_tensors(self, says, **changed):
        path = FOLDER / "changed.safetensors"
        commands.write_safetensors(path, {**self.tensors, **changed})
        self.refuses(path, "--config", FIXTURE / "config.json", says=says)

    def test_a_file_that_is_not_a_checkpoint(self):
        for path in (FOLDER / "missing.safetensors", FOLDER / "missing", self.out, ROOT, ROOT / "README.md", SAMPLES[0], tiny_model(),
                     file("empty.safetensors", ""), fifo("fifo.safetensors"), file("text.pth", "hello, world\n"), file("zip.npz", b"PK\x03\x04" + bytes(100)),
                     *(CHECKPOINTS / name for name in ("document.docx", "torchscript.pt", "hostile.pth", "hostile_legacy.pth",
                                                       "hostile_plain.pkl", "no_tensors.pth", "quantized.pth", "sparse.pth", "complex.pth",
                                                       "short_storage.pth", "others.npz", "every_type.safetensors"))):
            with self.subTest(checkpoint=path.name):
                self.refuses(path)

    def test_an_incomplete_checkpoint(self):
        for original in (FIXTURE / "model.safetensors", ROOT / "tests/fixtures/vit/timm_vit/model.safetensors", CHECKPOINTS / "deit.pth"):
            whole = original.read_bytes()
            for i in range(1, 20):
                with self.subTest(checkpoint=original.name, part=i):
                    self.refuses(file("cut" + original.suffix, whole[:len(whole) * i // 20]))

    def test_an_unknown_family(self):
        names = ["patch_embed.proj.weight", "layers.0.blocks.0.attn.relative_position_bias_table", "layers.0.blocks.0.attn.qkv.weight",
                 "layers.0.downsample.reduction.weight", "head.weight"]
        path = FOLDER / "swin.safetensors"
        commands.write_safetensors(path, {name: ("F32", [4], bytes(16)) for name in names})
        self.refuses(path, says="Swin")

    def test_a_missing_an_unknown_and_a_misshapen_tensor(self):
        name = "blocks.0.mlp.fc1.weight"
        self.refuses_tensors("blocks.0.extra", **{"blocks.0.extra": ("F32", [1], bytes(4))})
        self.refuses_tensors(name, **{name: ("F32", [1], bytes(4))})
        del self.tensors[name]
        self.refuses_tensors(name)

    def test_a_weight_that_is_not_a_number(self):
        for name in ("blocks.0.attn.qkv.weight", "blocks.1.norm1.weight", "head.bias", "pos_embed", "cls_token", "patch_embed.proj.weight"):
            dtype, shape, data = self.tensors[name]
            for value in (float("nan"), float("inf")):
                value_bytes = struct.pack({"F32": "<f", "F16": "<e"}[dtype], value)
                with self.subTest(tensor=name, value=value):
                    self.refuses_tensors(f"{name}: value 4 of " if dtype == "F16" else f"{name}: value 2 of ", **{name: (dtype, shape, data[:8] + value_bytes + data[8 + len(value_bytes):])})

    def test_too_few_labels(self):
        self.refuses(TINY, "--labels", file("labels.txt", "one\ntwo\n"), says="labels.txt: 2 labels for 6 classes")
        self.refuses(TINY, "--labels", file("labels.json", '{"0": "one"'))
        self.refuses(TINY, "--labels", FOLDER / "missing.txt", says="missing.txt")

    def test_control_characters_do_not_reach_the_terminal(self):
        names, path, photo = file("colour.txt", "\x1b[31mred\ntab\there\n\u009b31m\nd\ne\nf\n"), FOLDER / "colour.vit", FOLDER / "\x1b[31m.jpg"
        shutil.copy(SAMPLES[0], photo)
        self.assertEqual(convert(TINY, "--labels", names, "-o", path).returncode, 0)
        for words in (["classify", path, photo], ["inspect", path], ["camera", path, "--source", photo.parent, "--frames", 1],
                      ["explain", path, photo, "-o", FOLDER / "map.png"], ["bench", path, "--num-runs", 1]):
            with self.subTest(command=words[0]):
                self.assertRegex(vitrine(*words).stdout, r"\A[^\x00-\x09\x0b-\x1f\x7f-\x9f]+\Z")
        said = commands.lines(vitrine("classify", path, photo, "--json"))[0]
        self.assertEqual(said["image"], str(photo))
        self.assertIn("\x1b[31mred", [guess["label"] for guess in said["top"]])

    def test_a_file_that_is_not_a_configuration(self):
        for text in ("", "not JSON", "[]", "{}" * 2, '{"num_heads": "many"}', '{"num_heads": 1e300}', "[" * 100000):
            with self.subTest(text=text[:20]):
                self.refuses(FIXTURE / "model.safetensors", "--config", file("config.json", text))
                if "num_heads" not in text:
                    self.refuses(FIXTURE / "model.safetensors", "--preprocessor", file("preprocessor.json", text))

    def test_an_output_that_cannot_be_written(self):
        for target in (FOLDER / "missing/model.vit", self.out, "/proc/model.vit", FOLDER / ("x" * 300 + ".vit")):
            with self.subTest(target=str(target)[-40:]):
                self.assert_failure(convert(FIXTURE, "-o", target))
        self.refuses(FIXTURE, "--report", FOLDER / "missing/report.html", says="report.html")

    def test_an_output_that_is_not_a_regular_file_is_not_replaced(self):
        pipe = fifo("pipe.vit")
        self.assert_failure(convert(FIXTURE, "-o", pipe), says="pipe.vit")
        self.assertTrue(pipe.is_fifo())

    def test_the_checkpoint_is_not_overwritten(self):
        path = file("own.safetensors", (FIXTURE / "model.safetensors").read_bytes())
        before = path.read_bytes()
        self.assert_failure(convert(path, "--config", FIXTURE / "config.json", "-o", path), says="own.safetensors")
        self.assertEqual(path.read_bytes(), before)

    def test_inputs_are_not_overwritten(self):
        folder = self.out / "copied"
        shutil.copytree(TINY, folder)
        labels = file("own.txt", "\n".join("abcdef"))
        config = file("own.json", (TINY / "config.json").read_bytes())
        for target in (folder / "config.json", folder / "model.safetensors", config, labels):
            before = target.read_bytes()
            for words in (["-o", target], ["-o", FOLDER / "new.vit", "--report", config]):
                with self.subTest(words=words):
                    self.assert_failure(convert(folder, "--config", config, "--labels", labels, *words), says="is an input of this conversion")
            self.assertEqual(target.read_bytes(), before)
        self.assert_failure(convert(TINY, "-o", FOLDER / "one.json", "--report", FOLDER / "one.json"), says="of the report")
        self.assertFalse((FOLDER / "new.vit").exists())
        shutil.rmtree(folder)

    def test_the_folders_of_a_training_run(self):
        folder = FOLDER / "trained"
        for step in (500, 1000, 90):
            (folder / f"checkpoint-{step}").mkdir(parents=True)
        self.refuses(folder, says="name the folder " + str(folder / "checkpoint-1000"))
        (folder / "adapter_config.json").write_text("{}")
        self.refuses(folder, says="merge it into its base model first")
        adapter = FOLDER / "adapter_model.safetensors"
        commands.write_safetensors(adapter, {"base_model.model.vit.layer.0.query.lora_A.weight": ("F32", [2, 4], bytes(32))})
        self.refuses(adapter, says="merge it into its base model first")

    def test_a_byte_order_mark_is_not_part_of_a_label(self):
        labels = file("marked.txt", b"\xef\xbb\xbfone\r\ntwo\r\nthree\r\nfour\r\nfive\r\nsix\r\n")
        finished = convert(TINY, "-o", FOLDER / "marked.vit", "--labels", labels, "--json")
        self.assertEqual((finished.returncode, finished.stderr), (0, ""))
        self.assertEqual(commands.lines(vitrine("inspect", FOLDER / "marked.vit", "--json"))[0]["labels"],
                         ["one", "two", "three", "four", "five", "six"])

    def test_a_full_disk(self):
        limit = 10000   # bytes per file; Python ignores SIGXFSZ, and the command inherits this
        self.refuses(FIXTURE, says="model.vit", restore_signals=False,
                     preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))

    def test_wrong_usage(self):
        for words in (["--recipe", "int3"], ["--mean", "1,2"], ["--mean", "1,2,x"], ["--std", "1,2,3,4"], ["--image-size", "big"],
                      ["--image-size", "0"], ["--heads", "-1"], ["--crop-pct", "x"], ["--calibrate-images", "0"], ["--frobnicate"],
                      ["--family", "swin"], ["--report", "report.txt"], ["--report"], ["--merge-tokens", "x"],
                      ["--merge-tokens", "-1"], ["--merge-tokens", "4,2"], ["--merge-tokens", ""], ["--merge-tokens", "1,"], ["--merge-tokens", 1000],
                      ["--min-sqnr", 30], ["--observer", "min-max"], ["--no-smoothing"], ["--nearest-rounding"], ["--calibrate-images", 8],
                      ["--mean", "123.675,116.28,103.53", "--std", "58,57,57"], ["--std", "0,0,0"]):
            with self.subTest(words=words):
                self.refuses(TINY, *words, code=2, says="--help")
        self.assert_failure(convert(), code=2)
        self.assert_failure(convert(TINY), code=2, says="--output")
        self.assert_failure(convert("-o", self.out / "model.vit"), code=2, says="CHECKPOINT")

    def test_tokens_with_rotary_or_relative_positions_are_not_merged(self):
        for name in ("timm_dinov3", "timm_beit"):
            folder = ROOT / "tests/fixtures/vit" / name
            words = ["--config", folder / "args.json", "--mean", "0,0,0", "--std", "1,1,1"]
            with self.subTest(name=name):
                self.refuses(folder / "model.safetensors", *words, "--merge-tokens", 2, says="--merge-tokens")

    def test_flags_that_do_not_fit_the_model(self):
        for words in (["--heads", 7], ["--image-size", 100], ["--image-size", 1000000],
                      ["--calibrate", self.out], ["--calibrate", FOLDER / "missing"], ["--family", "hf-dinov2"]):
            with self.subTest(words=words):
                self.refuses(TINY, *words)


if __name__ == "__main__":
    commands.main()
