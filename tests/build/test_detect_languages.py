"""Shapes that the catalogue has none of, but that plugins may well have: packages, workspaces, generated builds."""

from __future__ import annotations

import pytest

from reckless.build.detect import detect
from reckless.errors import DetectionError
from tests.build.shapes import COFFEE, PYTHON, UV, cargo, crate, gomod, main_go, package, plant, project, pyln

JAVA = "import jrpc.clightning.plugins.CLightningPlugin;\n"
POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <parent><artifactId>other</artifactId></parent>
  <artifactId>thing</artifactId><description>Does
  it</description>
  <properties><maven.compiler.release>{java}</maven.compiler.release></properties>
  <dependencies><dependency><artifactId>jrpclightning</artifactId></dependency></dependencies>
</project>"""


def told(tmp_path, files, **more):
    return detect(plant(tmp_path, files), **{"name": "thing", **more})


def reasons(tmp_path, files, **more) -> str:
    return "\n".join(told(tmp_path, files, **more).reasons)


class TestPython:
    def test_a_package_that_installs_a_program(self, tmp_path):
        scripts = '[project.scripts]\nthing = "thing.main:run"\n'
        files = {"src/thing/main.py": pyln(""), "src/thing/util.py": ""}
        found = told(tmp_path, {**files, "pyproject.toml": project("thing", "pyln-client", more=scripts)})
        assert (found.build.entrypoint, found.subdir) == ("thing.main:run", "")
        assert "pyproject.toml names thing.main:run, and src/thing/main.py makes a Plugin" in found.reasons[0]

    def test_a_package_whose_program_runs_a_plugin_of_another_module(self, tmp_path):
        scripts = '[project.scripts]\nthing = "thing.cli:main"\n'
        files = {
            "thing/cli.py": "from .core import plugin\n\n\ndef main():\n    plugin.run()\n",
            "thing/core.py": "from pyln.client import Plugin\n\nplugin = Plugin()\n",
            "pyproject.toml": project("thing", "pyln-client", more=scripts),
        }
        found = told(tmp_path, files)
        assert found.build.entrypoint == "thing.cli:main"
        assert "runs the Plugin of pyln.client that thing/core.py makes" in found.reasons[0]

    def test_a_script_that_runs_a_plugin_made_beside_it(self, tmp_path):
        files = {
            "base.py": "import pyln.client as p\nplugin = p.Plugin()\n",
            "thing.py": "import base\nbase.plugin.run()\n",
        }
        assert told(tmp_path, files).build.entrypoint == "thing.py"

    def test_a_script_deeper_in_a_project_keeps_the_projects_folder(self, tmp_path):
        found = told(tmp_path, {"requirements.txt": "pyln-client\n", "plugin/thing.py": pyln(), "tests/a.py": pyln()})
        assert (found.subdir, found.build.entrypoint) == ("", "plugin/thing.py")

    def test_a_class_made_from_plugin(self, tmp_path):
        code = "from pyln.client import Plugin as P, Plugin\nclass Mine(Plugin):\n    pass\nMine().run()\n"
        assert told(tmp_path, {"thing.py": code}).build.entrypoint == "thing.py"

    def test_a_program_without_an_extension(self, tmp_path):
        assert told(tmp_path, {"thing": pyln(), "README": "#!"}).build.entrypoint == "thing"

    def test_one_that_answers_by_itself(self, tmp_path):
        code = "import sys, json\nfor line in sys.stdin:\n    print(json.loads(line)['method'] == 'getmanifest')\n"
        assert "answers getmanifest itself" in reasons(tmp_path, {"thing.py": PYTHON + code})

    def test_a_script_that_only_calls_the_node_is_no_plugin(self, tmp_path):
        code = "from pyln.client import LightningRpc\nLightningRpc('x').getinfo()\nsubprocess.run(['x'])\n"
        with pytest.raises(DetectionError) as error:
            told(tmp_path, {"thing.py": code})
        assert error.value.code == "not-a-plugin"


class TestWhatPinsPythonPackages:
    @pytest.mark.parametrize(
        ("files", "system", "lock", "because"),
        [
            ({"requirements.txt": "pyln-client==1 \\\n  --hash=sha256:00\n"}, "pip", "requirements.txt", "by hash"),
            ({"requirements.txt": "pyln-client==1\n"}, "pip", None, "nothing pins them"),
            ({"pyproject.toml": project("x", "pyln-client"), "pylock.toml": ""}, "pip", "pylock.toml", "pins"),
            ({"pyproject.toml": project("x", "pyln-client"), "poetry.lock": ""}, "poetry", "poetry.lock", "pins"),
            ({"pyproject.toml": project("x", "pyln-client")}, "pip", None, "pyproject.toml names its packages"),
            ({"setup.py": "setup()\n"}, "pip", None, "setup.py names its packages"),
            ({}, "pip", None, "nothing names its packages, though it imports pyln-client"),
            ({"Pipfile": "", "Pipfile.lock": "{}"}, "pip", None, "Pipfile.lock is not used"),
            ({"uv.lock": ""}, "pip", None, "uv.lock is not used: there is no pyproject.toml beside it"),
        ],
    )
    def test_it_is_told_with_the_reason(self, tmp_path, files, system, lock, because):
        found = told(tmp_path, {"thing.py": pyln(), **files})
        assert (found.build_system, found.build.lock) == (system, lock)
        assert because in "\n".join(found.reasons)

    def test_the_scripts_own_lock_goes_before_all(self, tmp_path):
        files = {
            "thing.py": pyln(UV, "pyln-client"),
            "thing.py.lock": "",
            "pyproject.toml": project("x"),
            "uv.lock": "",
        }
        assert told(tmp_path, files).build.lock == "thing.py.lock"

    def test_a_script_that_names_its_packages_itself(self, tmp_path):
        found = told(tmp_path, {"thing.py": pyln(UV, "pyln-client", python=">=3.12")})
        assert (found.build_system, found.build.lock, str(found.build.toolchain)) == ("uv", None, ">=3.12")
        assert "the script itself names its packages (PEP 723)" in "\n".join(found.reasons)

    def test_a_lock_that_only_the_tests_use_is_not_the_plugins(self, tmp_path):
        files = {
            "pyproject.toml": project("x-tests", "pyln-testing"),
            "uv.lock": "",
            "requirements.txt": "pyln-client\n",
        }
        found = told(tmp_path, {"thing.py": pyln(), **files})
        assert found.build.lock is None
        assert "uv.lock is not used: its pyproject.toml leaves out pyln-client" in "\n".join(found.reasons)

    def test_a_project_for_the_linter_only_does_not_hide_what_the_script_asks_for(self, tmp_path):
        files = {"pyproject.toml": project("x", python=">=3.9"), "uv.lock": ""}
        found = told(tmp_path, {"thing.py": pyln(UV, "pyln-client"), **files})
        assert (found.build_system, found.build.lock) == ("uv", None)

    def test_bounds_of_both_hold(self, tmp_path):
        files = {"thing.py": pyln(UV, "pyln-client", python="<3.14"), "pyproject.toml": project("x", "pyln-client")}
        assert set(str(told(tmp_path, files).build.toolchain).split(",")) == {">=3.10", "<3.14"}


class TestRust:
    def test_members_by_pattern_and_a_library_that_another_member_uses(self, tmp_path):
        files = {
            "Cargo.toml": '[workspace]\nmembers = ["crates/*"]\nexclude = ["crates/old"]\n[workspace.package]\n'
            'edition = "2021"\nrust-version = "1.70"\n[workspace.dependencies]\ncore = { path = "crates/core" }\n',
            "Cargo.lock": "",
            "crates/thing/Cargo.toml": '[package]\nname = "thing-plugin"\nedition.workspace = true\n'
            "rust-version.workspace = true\n[dependencies]\ncore.workspace = true\n",
            "crates/thing/src/main.rs": "fn main() { core::run() }\n",
            "crates/core/Cargo.toml": cargo("core"),
            "crates/core/src/lib.rs": "use cln_plugin::Builder;\n",
            "crates/tool/Cargo.toml": cargo("tool", plugin=""),
            "crates/tool/src/main.rs": "fn main() {}\n",
            "crates/old/Cargo.toml": cargo("old"),
            "crates/old/src/main.rs": "use cln_plugin::Builder;\n",
        }
        found = told(tmp_path, files)
        assert (found.build.entrypoint, found.subdir, found.build.lock) == ("thing-plugin", "", "Cargo.lock")
        assert str(found.build.toolchain) == ">=1.70"
        assert "depends on cln-plugin through crates/core" in found.reasons[0]

    def test_binaries_by_their_places(self, tmp_path):
        files = {
            "Cargo.toml": cargo("tool"),
            "src/main.rs": "",
            "src/bin/cln-thing/main.rs": "use cln_plugin::Builder;\n",
        }
        assert told(tmp_path, files).build.entrypoint == "cln-thing"

    def test_the_author_names_the_binary(self, tmp_path):
        files = {"Cargo.toml": cargo("a", plugin=""), "src/main.rs": "", "src/bin/b.rs": "use own_protocol;\n"}
        found = told(tmp_path, {**files, "coffee.yml": COFFEE.format(name="b", lang="rust", main="b")})
        assert found.build.entrypoint == "b"
        assert "is the plugin, as coffee.yml says" in found.reasons[0]

    def test_without_a_lock(self, tmp_path):
        files = {name: text for name, text in crate("thing").items() if name != "Cargo.lock"}
        found = told(tmp_path, files)
        assert found.build.lock is None
        assert "nothing pins its crates" in "\n".join(found.reasons)

    def test_a_lock_for_python_beside_a_workspace_is_for_its_tests(self, tmp_path):
        files = {**crate("thing"), "requirements-dev.txt": "", "poetry.lock": "", "pyproject.toml": project("x")}
        assert told(tmp_path, files).test_only == ("poetry.lock", "pyproject.toml", "requirements-dev.txt")


class TestGo:
    def test_a_major_version_is_no_name(self, tmp_path):
        main = main_go(body='answer("getmanifest")')
        found = told(tmp_path, {"go.mod": gomod("example.org/me/thing/v3", "1.21.0"), "main.go": main})
        assert (found.build.entrypoint, str(found.build.toolchain), found.build.lock) == ("thing", ">=1.21.0", None)

    def test_a_folder_that_says_nothing_gives_no_name(self, tmp_path):
        files = {"go.mod": gomod("example.org/me/bend", "1.18"), "cmd/plugin.go": main_go(body='f("getmanifest")')}
        assert told(tmp_path, files).build.entrypoint == "bend"

    def test_one_from_before_modules_is_told_as_such(self, tmp_path):
        with pytest.raises(DetectionError) as error:
            told(tmp_path, {"main.go": main_go(body="glightning.NewPlugin(nil)")})
        assert "a plugin in Go without a go.mod" in error.value.detail

    def test_programs_that_are_not_built_do_not_count(self, tmp_path):
        generator = "//go:build ignore\n\npackage main\n\nfunc main() { glightning.NewPlugin(nil) }\n"
        files = {
            "go.mod": gomod("x", "1.21"),
            "gen.go": generator,
            "cmd/thing/main.go": main_go(body='f("getmanifest")'),
        }
        assert told(tmp_path, files).build.entrypoint == "thing"

    def test_a_single_import_is_followed(self, tmp_path):
        files = {
            "go.mod": gomod("example.org/x", "1.21", "github.com/elementsproject/glightning"),
            "cmd/a/main.go": 'package main\n\nimport p "example.org/x/inner"\n\nfunc main() { p.Run() }\n',
            "cmd/b/main.go": main_go("fmt"),
            "inner/inner.go": "package inner\n\nvar x = glightning.NewPlugin(nil)\n",
        }
        assert "cmd/a is a main package and uses glightning through inner" in reasons(tmp_path, files)

    def test_what_a_submodule_may_bring_is_only_a_caution(self, tmp_path):
        main = main_go(body='f("getmanifest")') + "\n//go:embed all:web/dist web/*.html\nvar files embed.FS\n"
        tree = {"go.mod": gomod("x", "1.21"), "main.go": main}
        assert "web/dist, which is not in the tree" in told(tmp_path / "a", tree).why_not
        found = told(tmp_path / "b", {**tree, "web/dist/index.html": ""})
        assert found.installable


class TestNode:
    def test_typescript_is_made_by_its_own_build(self, tmp_path):
        files = {
            "package.json": package("x", "dist/index.js", scripts={"build": "tsc"}),
            "src/index.ts": "",
            "README.md": "",
        }
        found = told(tmp_path, files)
        assert (found.build.language, found.build.entrypoint) == ("node", "dist/index.js")
        assert "npm's script `build` makes it" in "\n".join(found.reasons)

    def test_a_bin_in_a_subfolder_and_the_version_of_node(self, tmp_path):
        text = package("x", "lib.js", bin={"thing": "./bin/thing"}, engines={"node": ">=18"})
        files = {"package.json": text, "bin/thing": "#!/usr/bin/env node\nrequire('clightningjs')\n", "yarn.lock": ""}
        found = told(tmp_path, files)
        assert (found.build.entrypoint, str(found.build.toolchain)) == ("bin/thing", ">=18")
        assert "yarn.lock" in "\n".join(found.reasons)

    def test_a_script_alone(self, tmp_path):
        code = "#!/usr/bin/env node\nif (r.method === 'getmanifest') {}\n"
        found = told(tmp_path, {"thing.js": code})
        assert (found.build.language, found.build.entrypoint) == ("node", "thing.js")

    def test_a_package_for_something_else_is_no_plugin(self, tmp_path):
        with pytest.raises(DetectionError) as error:
            told(tmp_path, {"package.json": '{"main": "app.js", "dependencies": {"react": "1"}}', "app.js": "react()"})
        assert "package.json, with programs that are no plugins (app.js)" in error.value.detail


class TestJava:
    def test_maven(self, tmp_path):
        found = told(tmp_path, {"pom.xml": POM.format(java="17"), "src/main/java/Thing.java": JAVA})
        assert (found.build.language, found.build_system, found.build.entrypoint) == ("java", "maven", "thing")
        assert (str(found.build.toolchain), found.summary) == (">=17", "Does it")

    @pytest.mark.parametrize(("asked", "java"), [("1.8", ">=8"), ("11", ">=11"), ("${java}", "")])
    def test_the_java_it_asks_for(self, tmp_path, asked, java):
        found = told(tmp_path, {"pom.xml": POM.format(java=asked), "src/main/java/Thing.java": JAVA})
        assert str(found.build.toolchain) == java

    def test_a_module_is_asked_with_the_builds_above_it(self, tmp_path):
        files = {"build.gradle": "sourceCompatibility = 17\n", "app/build.gradle": "", "app/src/main/java/A.java": JAVA}
        found = told(tmp_path, files, path="app")
        assert (found.subdir, found.build.entrypoint, str(found.build.toolchain)) == ("app", "app", ">=17")

    def test_what_only_its_tests_talk_to_is_no_plugin(self, tmp_path):
        with pytest.raises(DetectionError):
            told(tmp_path, {"build.gradle": "", "src/main/java/A.java": "", "src/integTest/java/B.java": JAVA})


class TestMake:
    C = '#include <stdio.h>\nint main(void) { puts("getmanifest"); }\n'

    @pytest.mark.parametrize(
        ("files", "system", "entrypoint"),
        [
            ({"Makefile": "all: thing\n\nthing: thing.c\n\tcc -O2 -o thing thing.c\n"}, "make", "thing"),
            ({"Makefile": "TARGET = bin/thing\n$(TARGET): thing.c\n\tcc -o $@ $<\n"}, "make", "bin/thing"),
            ({"GNUmakefile": "thing: thing.o\nclean:\n\trm -f thing\n"}, "make", "thing"),
            ({"Makefile": "other: x.o\nthing: thing.o\n"}, "make", "thing"),
            ({"Makefile": ".PHONY: go \\\n  fetch\nall: go x\ngo:\nfetch:\nx: thing.o\ny: x\n"}, "make", "x"),
            ({"CMakeLists.txt": "project(thing C)\nadd_executable(${PROJECT_NAME} thing.c)\n"}, "cmake", "thing"),
            (
                {"CMakeLists.txt": "add_subdirectory(src)\n", "src/CMakeLists.txt": "add_executable(x x.c)"},
                "cmake",
                "src/x",
            ),
            (
                {"configure.ac": "", "Makefile.am": "SUBDIRS = src\n", "src/Makefile.am": "bin_PROGRAMS = x\n"},
                "autotools",
                "src/x",
            ),
            (
                {"configure": "#!/bin/sh\n", "Makefile.in": "x\n", "Makefile.am": "bin_PROGRAMS = \\\n  x\n"},
                "autotools",
                "x",
            ),
        ],
    )
    def test_what_it_makes_is_read_from_its_files(self, tmp_path, files, system, entrypoint):
        found = told(tmp_path, {"thing.c": self.C, **files})
        assert (found.build.language, found.build_system, found.build.entrypoint) == ("make", system, entrypoint)

    def test_a_makefile_that_only_runs_other_tools_is_no_build(self, tmp_path):
        assert told(tmp_path, {"Makefile": "check:\n\tflake8\n", "thing.py": pyln()}).build.language == "python"

    def test_a_source_alone_is_told_as_such(self, tmp_path):
        with pytest.raises(DetectionError) as error:
            told(tmp_path, {"thing.c": self.C})
        assert "thing.c, a plugin's source, and nothing that says how it is built" in error.value.detail

    def test_nim_by_make(self, tmp_path):
        files = {
            "thing.nim": 'case "getmanifest"\n',
            "thing.nimble": "",
            "Makefile": "thing: thing.nim\n\tnim c thing.nim\n",
        }
        assert told(tmp_path, files).build.language == "make"

    def test_nim_without_it_has_no_builder(self, tmp_path):
        with pytest.raises(DetectionError) as error:
            told(tmp_path, {"src/thing.nim": 'case "getmanifest"\n', "thing.nimble": ""})
        assert error.value.code == "unsupported-language"
        assert "Nim (nimble) (thing.nimble), and src/thing.nim is a plugin's code" in error.value.message


class TestScripts:
    @pytest.mark.parametrize(
        "first", ["#!/bin/bash", "#!/usr/bin/env bash", "#!/usr/bin/env -S bash -e", "#! /bin/bash"]
    )
    def test_one_that_answers_getmanifest(self, tmp_path, first):
        found = told(tmp_path, {"thing.sh": f"{first}\ncase $method in getmanifest) ;; esac\n", "b.sh": "#!/bin/sh\n"})
        assert (found.build.language, found.build.entrypoint) == ("script", "thing.sh")
        assert "a script for bash" in found.reasons[0]

    def test_helpers_are_no_plugins(self, tmp_path):
        with pytest.raises(DetectionError) as error:
            told(tmp_path, {"run.sh": "#!/bin/sh\necho\n"})
        assert "scripts that do not answer getmanifest (run.sh)" in error.value.detail

    def test_the_authors_word_is_enough(self, tmp_path):
        files = {"start": "#!/usr/bin/perl\nuse Mine;\n", "manifest.json": '{"entrypoint": "start"}'}
        assert told(tmp_path, files).build.language == "script"
