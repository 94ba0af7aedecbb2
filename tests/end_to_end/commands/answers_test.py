# SPDX-License-Identifier: Apache-2.0
"""Tests the results of classify, embed, bench and inspect on the host and on emulated ARM CPUs."""
import math
import struct

import commands
from commands import ROOT, SAMPLES, lines, model, vitrine

CLASSES = ["cardboard", "glass", "metal", "paper", "plastic", "trash"]


def models():
    """Returns the models that are small enough for this build."""
    for recipe in ("dynamic", "f32"):
        yield "vit-tiny-waste", recipe
        if commands.converter and commands.is_release():
            yield "dinov2-small-waste", recipe


def head_of_tiny():
    tensors = commands.read_safetensors(ROOT / "models/vit-tiny-waste/model.safetensors")
    weight, bias = (struct.unpack(f"<{len(tensors[name][2]) // 2}e", tensors[name][2]) for name in ("head.weight", "head.bias"))
    return [weight[row * 192:(row + 1) * 192] for row in range(6)], bias


class AnswersTest(commands.CommandTest):
    def test_each_recipe_sees_the_same(self):
        expected = [result["top"][0]["index"] for result in lines(vitrine("classify", model("vit-tiny-waste"), *SAMPLES, "--json"))]
        for recipe in ("static", "mixed", "int4"):
            with self.subTest(recipe=recipe):
                found = lines(vitrine("classify", model("vit-tiny-waste", recipe), *SAMPLES, "--json"))
                self.assertEqual([result["top"][0]["index"] for result in found], expected)

    def test_classify_sees_what_is_on_the_samples(self):
        for name, recipe in models():
            with self.subTest(model=name, recipe=recipe):
                results = lines(vitrine("classify", model(name, recipe), *SAMPLES, "--json", "--logits", "--top-k", 6))
                self.assertEqual([result["image"] for result in results], [str(path) for path in SAMPLES])
                for path, result in zip(SAMPLES, results):
                    self.check_classes(result)
                    if "hard" not in path.stem:
                        self.assertEqual(result["top"][0]["label"], path.stem)
                        self.assertGreater(result["top"][0]["probability"], 0.9)

    def check_classes(self, result):
        top, logits = result["top"], result["logits"]
        self.assertGreater(result["latency_ms"], 0)
        self.assertEqual(sorted(entry["index"] for entry in top), list(range(6)))
        self.assertEqual([entry["label"] for entry in top], [CLASSES[entry["index"]] for entry in top])
        total = sum(math.exp(logit) for logit in logits)
        for entry in top:
            self.assertAlmostEqual(entry["probability"], math.exp(logits[entry["index"]]) / total, places=4)
        probabilities = [entry["probability"] for entry in top]
        self.assertEqual(probabilities, sorted(probabilities, reverse=True))

    def test_top_k_limits_what_is_printed(self):
        for count in (1, 3, 1000):
            result, = lines(vitrine("classify", model("vit-tiny-waste"), SAMPLES[0], "--json", "--top-k", count))
            self.assertEqual(len(result["top"]), min(count, 6))
            self.assertNotIn("logits", result)

    def test_embed_gives_the_vector_that_the_head_reads(self):
        file = model("vit-tiny-waste", "f32")
        result, = lines(vitrine("embed", file, SAMPLES[0], "--json"))
        self.assertEqual(set(result), {"image", "embedding"})
        logits = lines(vitrine("classify", file, SAMPLES[0], "--json", "--logits"))[0]["logits"]
        weight, bias = head_of_tiny()
        for row, offset, logit in zip(weight, bias, logits):
            self.assertAlmostEqual(sum(a * b for a, b in zip(row, result["embedding"])) + offset, logit, places=3)

    def test_text_says_the_same_as_json(self):
        file = model("vit-tiny-waste")
        top = lines(vitrine("classify", file, SAMPLES[1], "--json"))[0]["top"]
        text = vitrine("classify", file, SAMPLES[1])
        shown = [line.split() for line in text.stdout.splitlines()[1:]]
        self.assertEqual([words[-1] for words in shown], [entry["label"] for entry in top])
        self.assertEqual([words[0] for words in shown], ["%.1f%%" % (100 * entry["probability"]) for entry in top])
        embedding = lines(vitrine("embed", file, SAMPLES[1], "--json"))[0]["embedding"]
        words = vitrine("embed", file, SAMPLES[1]).stdout.split()
        self.assertEqual(words[0], str(SAMPLES[1]))
        for word, value in zip(words[1:], embedding, strict=True):
            self.assertAlmostEqual(float(word), value, places=4)

    def test_bench_measures_latency_memory_and_operators(self):
        file = model("vit-tiny-waste")
        result, = lines(vitrine("bench", file, "--warmup-runs", 0, "--num-runs", 3, "--profile", "--json"))
        self.assertEqual((result["threads"], result["runs"]), (1, 3))
        latency = result["latency_ms"]
        self.assertEqual(list(latency), ["min", "p50", "p90", "p99"])
        self.assertEqual(list(latency.values()), sorted(latency.values()))
        for field in ("load_ms", "first_ms", "peak_rss_bytes", "arena_bytes", "packed_bytes"):
            self.assertGreater(result[field], 0, field)
        self.assertGreater(result["peak_rss_bytes"], result["arena_bytes"])
        self.assertTrue(result["cpu"])
        inspected, = lines(vitrine("inspect", file, "--json"))
        self.assertEqual([op["name"] for op in result["ops"]], [op["name"] for op in inspected["ops"]])
        self.assertEqual(sum(op["macs"] for op in result["ops"]), inspected["macs"])
        for op in result["ops"]:
            self.assertGreaterEqual(op["us"], 0)
        self.assertNotIn("ops", lines(vitrine("bench", file, "--warmup-runs", 0, "--num-runs", 1, "--json"))[0])
        text = vitrine("bench", file, "--warmup-runs", 0, "--num-runs", 1, "--profile")
        self.assertEqual((text.returncode, text.stderr), (0, ""))
        self.assertIn("block 8 fc2", text.stdout)

    def test_inspect_describes_the_model_and_its_self_test_passes(self):
        for name, recipe in models():
            with self.subTest(model=name, recipe=recipe):
                file = model(name, recipe)
                result, = lines(vitrine("inspect", file, "--self-test", "--json"))
                side, patch, depth = (128, 16, 8) if name == "vit-tiny-waste" else (224, 14, 12)
                self.assertEqual((result["image"]["height"], result["image"]["width"]), (side, side))
                self.assertEqual(result["tokens"], (side // patch) ** 2 + 1)
                self.assertEqual((result["recipe"], result["labels"]), (recipe, CLASSES))
                self.assertEqual(result["file_bytes"], file.stat().st_size)
                self.assertRegex(result["format"], r"^\d+\.\d+$")
                self.assertTrue(result["family"])
                self.assertGreater(result["arena_bytes"], 0)
                self.assertEqual(result["macs"], sum(op["macs"] for op in result["ops"]))
                self.assertLessEqual(sum(op["parameters"] for op in result["ops"]), result["parameters"] * 1.01)
                self.assertEqual(sum(op["kind"] == "Attention" for op in result["ops"]), depth)
                for op in result["ops"]:
                    self.assertLessEqual({"name", "kind", "type", "shape"}, set(op))
                    self.assertEqual(len(op["shape"]), 2)
                int8 = [op for op in result["ops"] if op["type"] == "qd8_f32_qc8w"]
                self.assertEqual(bool(int8), recipe == "dynamic")

    def test_inspect_estimates_what_is_not_at_hand(self):
        vit = model("vit-tiny-waste")
        estimates = {core: lines(vitrine("inspect", vit, "--json", "--estimate", core))[0]["estimate"]
                     for core in ("cortex-a72", "cortex-a76", "cortex-a76@1.2")}
        for estimate in estimates.values():
            self.assertAlmostEqual(estimate["modelled_ms"], sum(estimate["modelled_ops_ms"]), places=6)
        slow, fast, half = (estimates[core]["modelled_ms"] for core in estimates)
        self.assertGreater(slow, 3 * fast)
        self.assertAlmostEqual(half, 2 * fast, places=6)
        self.assertIn("modelled", vitrine("inspect", vit, "--estimate", "cortex-a72").stdout)
        self.assertEqual(vitrine("inspect", vit, "--estimate", "pentium").returncode, 2)

    def test_levels_do_less_and_see_the_same(self):
        vit = model("vit-tiny-waste", merge_tokens="0,3,6")
        described = [lines(vitrine("inspect", vit, "--self-test", "--json", "--level", level))[0] for level in range(3)]
        levels = described[0]["levels"]
        self.assertEqual([level["merged_tokens"] for level in levels], [0, 3, 6])
        for i, (level, answer) in enumerate(zip(levels, described)):
            self.assertEqual(answer["levels"], levels)
            self.assertEqual(level["macs"], sum(op["macs"] for op in answer["ops"]))
            self.assertEqual(sum(op["kind"] == "MergeTokens" for op in answer["ops"]), 7 if i else 0)
            result, = lines(vitrine("classify", vit, SAMPLES[0], "--json", "--level", i))
            self.assertEqual(result["top"][0]["label"], SAMPLES[0].stem)
            timed, = lines(vitrine("bench", vit, "--level", i, "--warmup-runs", 0, "--num-runs", 1, "--profile", "--json"))
            self.assertEqual([op["name"] for op in timed["ops"]], [op["name"] for op in answer["ops"]])
        self.assertGreater(levels[0]["macs"], 1.1 * levels[1]["macs"])
        self.assertGreater(levels[1]["macs"], 1.1 * levels[2]["macs"])
        self.assertIn("6 tokens merged per block", vitrine("inspect", vit).stdout)
        self.assert_failure(vitrine("classify", vit, SAMPLES[0], "--level", 3), says="has no level 3; the last level is 2")

    def test_inspect_as_text_names_operators_and_classes(self):
        text = vitrine("inspect", model("vit-tiny-waste"), "--self-test")
        self.assertEqual((text.returncode, text.stderr), (0, ""))
        for word in ("128x128", "3.72 M parameters", "block 8 attention", "self-test", "cardboard"):
            self.assertIn(word, text.stdout)

    def test_pack_spares_the_next_start_the_packing(self):
        vit = model("vit-tiny-waste")
        packed = commands.FOLDER / "tiny.packed"
        answer, = lines(vitrine("pack", vit, "-o", packed, "--json"))
        self.assertEqual(answer["output"], str(packed))
        self.assertEqual(answer["file_bytes"], packed.stat().st_size)
        written = packed.stat().st_mtime_ns
        expected, = lines(vitrine("embed", vit, SAMPLES[0], "--json", "--packed", "none"))
        found, = lines(vitrine("embed", vit, SAMPLES[0], "--json", "--packed", packed))
        self.assertEqual(found, expected)
        self.assertEqual(packed.stat().st_mtime_ns, written)
        refused = vitrine("pack", vit, "-o", commands.FOLDER / "no/such/file")
        self.assertEqual((refused.returncode, len(refused.stderr.splitlines())), (1, 1))

    def test_pack_for_another_processor_writes_what_that_one_writes(self):
        """The host packs for every emulated CPU; each of these compares the file with its own and starts from it."""
        vit = model("vit-tiny-waste")
        own, copy = commands.FOLDER / "own.packed", commands.FOLDER / "copy.packed"
        for core in ("cortex-a7", "cortex-a15", "cortex-a72", "cortex-a76", "neoverse-v1"):
            handed = commands.HANDED_TO_ARM / f"{vit.name}.{core}.packed"
            answer, = lines(vitrine("pack", vit, "-o", copy, "--cpu", core, "--json"))
            self.assertEqual((answer["file_bytes"], answer["kernels"]), (copy.stat().st_size, core))
            if commands.converter:
                commands.hand_to_arm(copy, handed.name)
                continue
            self.assertEqual(copy.read_bytes(), handed.read_bytes())
            if core == commands.emulated_core():
                lines(vitrine("pack", vit, "-o", own, "--json"))
                self.assertEqual(own.read_bytes(), handed.read_bytes())
                written = copy.stat().st_mtime_ns
                lines(vitrine("classify", vit, SAMPLES[0], "--json", "--packed", copy))
                self.assertEqual(copy.stat().st_mtime_ns, written)
        self.assertEqual(vitrine("pack", vit, "--cpu", "pentium").returncode, 2)

    def test_two_threads_give_what_one_gives(self):
        one, two = (lines(vitrine("classify", model("vit-tiny-waste"), SAMPLES[2], "--json", "--logits", "--threads", n))[0]["logits"]
                    for n in (1, 2))
        self.assertEqual(one, two)


if __name__ == "__main__":
    commands.main()
