"""Which of several is meant: the author's word, then the name, then what stands out; else nobody guesses."""

from __future__ import annotations

import json

import pytest

from reckless.build.detect import Candidate, detect, plugins_in
from reckless.errors import DetectionError, ManifestError
from tests.build.shapes import COFFEE, GJSON, GJSON_MAIN, PYTHON, crate, gomod, main_go, package, pip, plant, pyln

OURS = """schema = 1
[plugin]
name = "{name}"
summary = "Does it"
repository = "https://example.org/it"
license = "MIT"
category = "other"
"""
BUILD = '[build]\nlanguage = "python"\nentrypoint = "odd.py"\npython = ">=3.11"\n[runtime]\ndynamic = false\n'


def refused(tree, path="", *, name="x") -> DetectionError:
    with pytest.raises(DetectionError) as error:
        detect(tree, path, name=name)
    return error.value


class TestSeveral:
    def test_two_scripts_that_are_alike_are_both_listed(self, tmp_path):
        error = refused(plant(tmp_path, {"a.py": pyln(), "b.py": pyln()}), name="c")
        assert error.code == "several-plugins"
        assert error.choices == ("a.py", "b.py")
        assert "`reckless install URL/tree/REVISION/a.py`" in error.hint
        assert "reckless.toml" in error.hint

    def test_each_can_be_had_by_its_file(self, tmp_path):
        tree = plant(tmp_path, {"sub/a.py": pyln(), "sub/b.py": pyln(), "sub/requirements.txt": "pyln-client\n"})
        told = detect(tree, "sub/b.py")
        assert (told.name, told.subdir, told.path, told.build.entrypoint) == ("b", "sub", "sub/b.py", "b.py")

    def test_a_source_lists_each_of_them_under_its_own_name(self, tmp_path):
        found = plugins_in(plant(tmp_path, {"a.py": pyln(), "b_2.py": pyln()}), name="c")
        assert [(one.name, one.path) for one in found] == [("a", "a.py"), ("b-2", "b_2.py")]
        assert all(isinstance(one, Candidate) for one in found)

    def test_the_one_that_is_named_like_the_folder_is_meant(self, tmp_path):
        told = detect(plant(tmp_path, {"a.py": pyln(), "My_Thing.py": pyln()}), name="my-thing")
        assert told.build.entrypoint == "My_Thing.py"
        assert "named like my-thing (not a.py)" in "\n".join(told.reasons)

    def test_the_one_that_a_link_of_that_name_points_to_is_meant(self, tmp_path):
        told = detect(plant(tmp_path, {"a.py": pyln(), "b.py": pyln()}, {"thing": "b.py"}), name="thing")
        assert told.build.entrypoint == "b.py"
        assert "the link thing points to it" in "\n".join(told.reasons)

    def test_the_only_one_that_is_executable_is_meant(self, tmp_path):
        told = detect(plant(tmp_path, {"a.py": pyln("# not started\n"), "b.py": pyln()}), name="c")
        assert told.build.entrypoint == "b.py"
        assert "it alone is executable" in "\n".join(told.reasons)

    def test_the_one_that_package_json_names_is_meant(self, tmp_path):
        uses = "require('clightningjs')\n"
        tree = plant(tmp_path, {"package.json": package("x", "b.js"), "a.js": uses, "b.js": uses})
        assert detect(tree, name="c").build.entrypoint == "b.js"

    def test_two_languages_are_as_good_as_each_other(self, tmp_path):
        error = refused(plant(tmp_path, {**crate("one"), "two.py": pyln()}), name="both")
        assert error.code == "several-plugins"
        assert error.choices == ("two.py", "src/main.rs")

    def test_binaries_of_one_crate_that_are_all_plugins_are_listed(self, tmp_path):
        uses = "use cln_plugin::Builder;\n"
        tree = plant(
            tmp_path, {**crate("x"), "src/main.rs": "fn main() {}", "src/bin/a.rs": uses, "src/bin/b.rs": uses}
        )
        assert refused(tree, name="y").choices == ("src/bin/a.rs", "src/bin/b.rs")
        assert detect(tree, "src/bin/b.rs").build.entrypoint == "b"

    def test_binaries_of_one_member_are_told_apart_too(self, tmp_path):
        uses = "use cln_plugin::Builder;\n"
        files = {"Cargo.toml": '[workspace]\nmembers = ["m"]\n', "m/Cargo.toml": crate("x")["Cargo.toml"]}
        tree = plant(tmp_path, {**files, "m/src/bin/a.rs": uses, "m/src/bin/b.rs": uses})
        assert refused(tree, name="y").choices == ("m/src/bin/a.rs", "m/src/bin/b.rs")
        assert detect(tree, "m/src/bin/b.rs").build.entrypoint == "b"

    def test_programs_of_one_makefile_need_the_authors_word(self, tmp_path):
        code = 'int main() { puts("getmanifest"); }\n'
        tree = plant(tmp_path, {"Makefile": "all: a b\na: x.c\nb: x.c\n", "x.c": code})
        error = refused(tree, name="y")
        assert error.message.endswith("cannot be told: a, b")
        assert error.hint == "one build makes them all: a reckless.toml in it must say which is the plugin"
        (tree / "manifest.json").write_text('{"entrypoint": "b"}')
        assert detect(tree, name="y").build.entrypoint == "b"

    def test_main_packages_that_are_all_plugins_are_listed_by_folder(self, tmp_path):
        plugin = main_go(f"{GJSON}/plugin", body="p := plugin.Plugin{}")
        files = {"go.mod": gomod("example.org/x", "1.21", GJSON), "cmd/a/main.go": plugin, "cmd/b/main.go": plugin}
        tree = plant(tmp_path, files)
        assert refused(tree, name="c").choices == ("cmd/a", "cmd/b")
        told = detect(tree, "cmd/b")
        assert (told.subdir, told.build.entrypoint) == ("cmd/b", "b")

    def test_a_plugin_below_another_program_is_built_from_its_own_folder(self, tmp_path):
        daemon = "package main\n\nfunc main() {}\n"
        files = {"go.mod": gomod("example.org/x", "1.21", GJSON), "main.go": daemon, "cmd/plugin/main.go": GJSON_MAIN}
        told = detect(plant(tmp_path, files), name="x")
        assert (told.subdir, told.path, told.build.entrypoint) == ("cmd/plugin", "", "plugin")

    def test_the_only_plugin_below_is_found(self, tmp_path):
        told = detect(plant(tmp_path, {"README.md": "", "plugin/thing.py": pyln()}), name="repo")
        assert (told.name, told.path, told.build.entrypoint) == ("plugin", "plugin", "thing.py")


class TestTheAuthorsWord:
    def test_our_manifest_wins_over_all_else(self, tmp_path):
        files = {**crate("x"), "odd.py": "import this\n", "reckless.toml": OURS.format(name="right") + BUILD}
        files |= {"manifest.json": '{"installable": false}'}
        told = detect(plant(tmp_path, files), name="wrong")
        assert (told.name, told.build.language, told.build.entrypoint) == ("right", "python", "odd.py")
        assert (str(told.build.toolchain), told.runtime.dynamic, told.installable) == (">=3.11", False, True)
        assert (told.told_by, told.summary) == ("reckless.toml", "Does it")
        assert told.plugin
        assert told.plugin.license == "MIT"

    def test_our_manifest_without_a_build_names_what_is_detected(self, tmp_path):
        told = detect(plant(tmp_path, {"reckless.toml": OURS.format(name="right"), "odd.py": pyln()}), name="wrong")
        assert (told.name, told.build.entrypoint, told.told_by) == ("right", "odd.py", "reckless.toml")

    def test_our_manifest_without_a_build_tells_several_apart_by_its_name(self, tmp_path):
        files = {"reckless.toml": OURS.format(name="right"), "right.py": pyln(), "odd.py": pyln()}
        told = detect(plant(tmp_path, files), name="wrong")
        assert (told.name, told.build.entrypoint) == ("right", "right.py")

    def test_what_our_manifest_says_of_one_plugin_is_not_said_of_another(self, tmp_path):
        tree = plant(
            tmp_path, {"reckless.toml": OURS.format(name="right") + BUILD, "odd.py": pyln(), "other.py": pyln()}
        )
        assert detect(tree, name="x").name == "right"
        assert detect(tree, "odd.py").name == "right"
        other = detect(tree, "other.py")
        assert (other.name, other.plugin, other.summary, other.build.entrypoint) == ("other", None, "", "other.py")

    def test_our_manifest_that_cannot_be_used_is_an_error(self, tmp_path):
        with pytest.raises(ManifestError) as error:
            detect(plant(tmp_path, {"a.py": pyln(), "reckless.toml": "schema = 1\n"}), name="a")
        assert error.value.code == "invalid-manifest"

    def test_manifest_json_names_the_entrypoint_and_what_it_needs(self, tmp_path):
        word = {"entrypoint": "b.py", "dependencies": ["commando>=0.2", "Not A Name"], "short_description": "It\nis"}
        told = detect(plant(tmp_path, {"a.py": pyln(), "b.py": pyln(), "manifest.json": json.dumps(word)}), name="a")
        assert (told.build.entrypoint, told.summary) == ("b.py", "It is")
        assert [str(one) for one in told.depends] == ["commando>=0.2"]
        assert "manifest.json names b.py" in told.reasons
        assert "manifest.json names a dependency that is no plugin's name: Not A Name" in told.reasons

    def test_a_script_that_only_the_author_calls_a_plugin_is_one(self, tmp_path):
        files = {"start.py": "import mine\nmine.go()\n", "manifest.json": '{"entrypoint": "start.py"}'}
        told = detect(plant(tmp_path, files), name="x")
        assert told.build.entrypoint == "start.py"
        assert "as manifest.json says" in told.reasons[0]

    def test_another_kind_of_manifest_json_says_nothing(self, tmp_path):
        web = '{"name": "App", "short_name": "A", "icons": [], "start_url": "/"}'
        assert detect(plant(tmp_path, {"a.py": pyln(), "manifest.json": web}), name="a").told_by == ""

    @pytest.mark.parametrize("text", ["{", "[" * 100_000, '{"installable": "no"}'])
    def test_a_manifest_json_that_may_say_no_is_not_passed_over(self, tmp_path, text):
        with pytest.raises(ManifestError):
            detect(plant(tmp_path, {"a.py": pyln(), "manifest.json": text}), name="a")

    def test_coffee_yml_chooses_the_language(self, tmp_path):
        files = {**crate("one"), "two.py": pyln(), "coffee.yml": COFFEE.format(name="one", lang="rust", main="one")}
        told = detect(plant(tmp_path, files), name="both")
        assert (told.name, told.build.language, told.build.entrypoint) == ("one", "rust", "one")
        assert "coffee.yml says that it is rust" in told.reasons

    def test_coffee_yml_says_that_it_is_deprecated_and_what_it_needs(self, tmp_path):
        more = "  deprecated: true\n  dependencies:\n    - commando\n"
        text = COFFEE.format(name="a", lang="pypip", main="a.py") + more
        told = detect(plant(tmp_path, {"a.py": pyln(), "coffee.yml": text}), name="a")
        assert told.status == "deprecated"
        assert [one.name for one in told.depends] == ["commando"]

    @pytest.mark.parametrize("text", ["plugin: [", "plugin: &a\n  - *b\n", "[" * 2_000])
    def test_a_coffee_yml_that_cannot_be_read_is_an_error(self, tmp_path, text):
        with pytest.raises(ManifestError):
            detect(plant(tmp_path, {"a.py": pyln(), "coffee.yml": text}), name="a")

    def test_what_the_author_names_and_is_not_there_is_said(self, tmp_path):
        told = detect(plant(tmp_path, {"a.py": pyln(), "manifest.json": '{"entrypoint": "gone.py"}'}), name="a")
        assert told.build.entrypoint == "a.py"
        assert (
            "manifest.json names gone.py, which is not in the tree and no program that its build makes" in told.reasons
        )

    def test_one_folder_whose_word_cannot_be_used_does_not_hide_the_others(self, tmp_path):
        files = {f"a/{name}": text for name, text in pip("a").items()} | {"a/manifest.json": "{", "b/b.py": pyln()}
        found = {one.path: one for one in plugins_in(plant(tmp_path, files))}
        assert isinstance(found["b"], Candidate)
        assert "a/manifest.json cannot be used" in getattr(found["a"], "why", "")


class TestNoPlugin:
    def test_it_says_what_was_looked_for_and_what_was_there(self, tmp_path):
        files = {
            "main.rs": "",
            "Cargo.toml": '[package]\nname = "tool"\n',
            "src/main.rs": "",
            "util.py": PYTHON + "print()\n",
        }
        error = refused(plant(tmp_path, files), name="tool")
        assert error.code == "not-a-plugin"
        assert "Python scripts that are no plugins (util.py)" in error.detail
        assert "binaries that neither use cln-plugin nor answer getmanifest (tool)" in error.detail
        for language in ("Python", "Rust", "Go", "Node.js", "Java", "C, C++", "script"):
            assert language in error.detail

    def test_a_source_says_why_it_has_none(self, tmp_path):
        files = {"build.sbt": "", "src/main/scala/A.scala": 'case "getmanifest"', "go.mod": gomod("x", "1.2")}
        found = plugins_in(plant(tmp_path, files), name="x")
        assert [one.path for one in found] == ["", "src"]
        assert getattr(found[0], "why", "").startswith(
            "it is built with Scala (sbt) (build.sbt), and src/main/scala/A.scala is"
        )

    def test_a_folder_that_is_not_there(self, tmp_path):
        tree = plant(tmp_path, {"a.py": pyln()})
        assert refused(tree, "b").code == "no-such-folder"
        assert refused(tree, "../b").code == "no-such-folder"
        assert refused(tree, "-b").code == "no-such-folder"

    def test_an_empty_tree(self, tmp_path):
        assert refused(tmp_path).code == "not-a-plugin"
        assert plugins_in(tmp_path) == ()

    def test_a_file_that_is_no_plugin(self, tmp_path):
        assert refused(plant(tmp_path, {"a.py": pyln(), "README.md": ""}), "README.md").code == "not-a-plugin"

    def test_a_submodule_is_pointed_at(self, tmp_path):
        error = refused(plant(tmp_path, {"sub/": "", ".gitmodules": "[submodule]\n  path = sub\n"}), "sub")
        assert error.code == "not-a-plugin"
        assert ".gitmodules" in error.hint

    def test_only_submodules(self, tmp_path):
        error = refused(plant(tmp_path, {"one/": "", "two/": "", ".gitmodules": "[]\n path = one\n[]\npath=two\n"}))
        assert "submodules, each a repository of its own (one, two)" in error.detail
