"""Detection reads what strangers wrote: whatever is in a tree, it stays within bounds and answers or says why not."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reckless.build.detect import Candidate, NotAPlugin, detect, plugins_in
from reckless.build.detection import look
from reckless.errors import DetectionError, RecklessError
from reckless.model.treeview import Entry
from tests.build.shapes import cargo, crate, gomod, main_go, plant, project, pyln


class Forest:
    """A tree that exists in memory only, and counts what is asked of it; `kinds` are of names that are not files."""

    def __init__(self, files: dict[str, str], kinds: dict[str, str] | None = None) -> None:
        self.files = files
        self.folders: dict[str, dict[str, Entry]] = {"": {}}
        self.reads = self.bytes = 0
        self.prefetched: list[str] = []
        for path in files:
            parts = path.split("/")
            for depth in range(1, len(parts)):
                inner, outer = "/".join(parts[:depth]), "/".join(parts[: depth - 1])
                self.folders.setdefault(inner, {})
                self.folders[outer][parts[depth - 1]] = Entry(parts[depth - 1], "folder")
            self.folders["/".join(parts[:-1])][parts[-1]] = Entry(parts[-1], "file")
        for name, kind in (kinds or {}).items():
            self.folders[""][name] = Entry(name, kind)  # type: ignore[arg-type]

    def entries(self, folder: str) -> tuple[Entry, ...]:
        return tuple(sorted(self.folders.get(folder, {}).values(), key=lambda e: e.name))

    def read(self, path: str, limit: int) -> bytes:
        data = self.files.get(path, "").encode("utf-8", "surrogateescape")[:limit]
        self.reads += 1
        self.bytes += len(data)
        return data

    def prefetch(self, paths: Iterable[str]) -> None:
        self.prefetched += paths


def refused(tree, **more) -> DetectionError:
    with pytest.raises(DetectionError) as error:
        detect(tree, **more)
    return error.value


class TestLargeTrees:
    @pytest.mark.parametrize(
        "files",
        [
            {f"f{n}.py": "import os\n" for n in range(100_000)},
            {f"d{n % 50_000}/{n}.c": "int x;\n" for n in range(100_000)},
            {"Makefile": "all:\n", **{f"src/d{n % 300}/{n}.c": "int x;\n" for n in range(100_000)}},
            {"go.mod": gomod("x", "1.21"), **{f"d{n}/x.go": main_go("fmt") for n in range(100_000)}},
        ],
        ids=["scripts", "folders", "sources", "main packages"],
    )
    def test_a_hundred_thousand_files_are_looked_at_in_part_and_that_is_said(self, files):
        tree, begun = Forest(files), time.monotonic()
        error = refused(tree, name="large")
        assert error.code == "not-a-plugin"
        assert "so large that only a part of it was looked at" in error.detail
        assert tree.reads <= look.MAX_READ
        assert time.monotonic() - begun < 20  # it takes under 2 s; this is for slow machines

    def test_the_plugin_at_the_top_of_a_large_tree_is_found_all_the_same(self):
        files = {f"data/d{n % 300}/{n}.c": "int x;\n" for n in range(100_000)}
        told = detect(Forest({**files, **crate("thing")}), name="thing")
        assert told.build.entrypoint == "thing"

    def test_forty_plugins_are_listed_fast_and_from_few_files(self):
        files = {f"p{n}/{name}": "x = 1\n" for n in range(40) for name in ("util.py", "README.md", "tests/test_a.py")}
        files |= {f"p{n}/p{n}.py": pyln() for n in range(40)}
        files |= {f"p{n}/pyproject.toml": project(f"p{n}", "pyln-client") for n in range(40)}
        tree, begun = Forest(files), time.monotonic()
        assert [one.name for one in plugins_in(tree)] == sorted(f"p{n}" for n in range(40))
        assert time.monotonic() - begun < 2  # it takes about 0.1 s
        assert tree.reads <= 3 * 40
        assert set(tree.prefetched) >= {f"p{n}/p{n}.py" for n in range(40)} | {
            f"p{n}/pyproject.toml" for n in range(40)
        }

    def test_of_a_huge_file_only_the_beginning_is_read(self):
        tree = Forest({"a.py": pyln() + "#" * (8 << 20)})
        assert detect(tree, name="a").build.entrypoint == "a.py"
        assert tree.bytes <= look.MAX_FILE

    def test_folders_within_folders_without_end(self):
        tree = Forest({"requirements.txt": "", "/".join(["d"] * 400) + "/a.py": pyln()})
        assert refused(tree, name="deep").code == "not-a-plugin"


class TestOddTrees:
    def test_a_link_out_of_the_tree_is_not_followed(self, tmp_path):
        outside = plant(tmp_path / "outside", {"x.py": pyln(), "pyproject.toml": project("x")})
        tree = plant(tmp_path / "tree", {"README.md": ""}, {"x": str(outside), "x.py": str(outside / "x.py")})
        assert refused(tree, name="x").code == "not-a-plugin"
        assert refused(tree, path="x").message == "x is a link, which is not followed"
        assert refused(tree, path="x.py").code == "not-a-plugin"

    def test_names_that_act_on_a_terminal_or_read_as_options_are_passed_over(self, tmp_path):
        names = ["evil\n.py", "\x1b[2J.py", "-rf.py", "a\u202eyp.py", os.fsdecode(b"\xff.py"), "a\\b.py"]
        tree = plant(tmp_path, {name: pyln() for name in names})
        assert refused(tree, name="x").code == "not-a-plugin"

    def test_a_strangers_words_are_one_plain_line(self, tmp_path):
        odd = '{"short_description": "\\u001b[31mred\\n\\u202eand\\tmore ' + "x" * 500 + '"}'
        told = detect(plant(tmp_path, {"a.py": pyln(), "manifest.json": odd}), name="a")
        assert told.summary.startswith("[31mred and more xxx")
        assert len(told.summary) == 120

    def test_members_of_a_workspace_outside_of_the_tree_are_not_read(self, tmp_path):
        plant(tmp_path / "out", {**crate("evil")})
        inside = '[workspace]\nmembers = ["../out", "/etc", "-x", "a/*/b", "*"]\n'
        tree = plant(tmp_path / "tree", {"Cargo.toml": inside, "in/Cargo.toml": cargo("fine"), "in/src/main.rs": ""})
        assert detect(tree, name="x").build.entrypoint == "fine"

    @pytest.mark.parametrize(
        "files",
        [
            {"Cargo.toml": '[package]\nname = "../../x"\n[dependencies]\ncln-plugin = "1"\n', "src/main.rs": ""},
            {"pom.xml": "<project><artifactId>--x</artifactId></project>", "A.java": "CLightningPlugin"},
            {"settings.gradle": "rootProject.name = '..'", "A.java": "CLightningPlugin"},
            {"pyproject.toml": project("x", more='scripts.a = "a/../../b.c:d e"\n'), "a/b.py": ""},
        ],
    )
    def test_a_program_that_cannot_be_called_so_is_none(self, tmp_path, files):
        assert refused(plant(tmp_path, files), name="x").code == "not-a-plugin"

    def test_binary_files_are_not_text(self, tmp_path):
        tree = plant(tmp_path, {"README.md": ""})
        (tree / "a.py").write_bytes(b"\0\1" + pyln().encode())
        assert refused(tree, name="a").code == "not-a-plugin"

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("a.py", "\n" * 500_000),
            ("a.py", "# /// script\n" * 40_000),
            ("a.py", pyln() + "# /// script\n#\n" * 30_000),
            ("a.py", "from pyln.client import Plugin\n" + "Plugin  (" * 50_000),
            ("main.go", "package main\n" + "import (\n" * 50_000),
            ("main.go", "package main\n" + "//go:embed a\n" * 40_000),
            ("Makefile", "\n" * 500_000 + "TARGET=\n"),
            ("Makefile", "BIN = \\\n" * 60_000),
            ("Makefile", "a: \\\n" * 60_000),
            ("Makefile", "a" * 500_000),
            ("Makefile.am", "bin_PROGRAMS = \\\n" * 30_000),
            ("CMakeLists.txt", "add_executable (" * 30_000),
            ("package.json", "[" * 500_000),
            ("Cargo.toml", "a" + ".a" * 200_000 + " = 1\n"),
            ("Cargo.toml", "x = " + "[" * 400_000),
            ("pyproject.toml", "x = " + "{a=" * 100_000),
            ("pom.xml", "<a>" * 100_000),
            ("pom.xml", "<a>x" * 100_000),
            ("pom.xml", "<!DOCTYPE x [<!ENTITY a 'a'><!ENTITY b '" + "&a;" * 1000 + "'>]><project>&b;</project>"),
            ("build.gradle", "sourceCompatibility " * 25_000),
            ("requirements.txt", "\\\n" * 200_000),
            (".gitmodules", "path = \n" * 60_000),
        ],
    )
    def test_texts_made_to_take_long_do_not(self, tmp_path, name, text):
        around = {"go.mod": gomod("x", "1.2"), "x.c": "getmanifest", "X.java": "class X extends CLightningPlugin {}"}
        tree, begun = plant(tmp_path, {"a.py": pyln(), **around, name: text}), time.monotonic()
        with contextlib.suppress(RecklessError):
            detect(tree, name="a")
        assert time.monotonic() - begun < 10  # each takes under 1 s


NAMES = [
    *("a.py", "b.py", "plugin", "setup.py", "pyproject.toml", "uv.lock", "poetry.lock", "requirements.txt", "run.sh"),
    *("Cargo.toml", "Cargo.lock", "src/main.rs", "src/bin/x.rs", "m/Cargo.toml", "m/src/main.rs", "go.mod", "main.go"),
    *("cmd/x/main.go", "package.json", "index.js", "pom.xml", "build.gradle", "src/main/java/P.java", "Makefile"),
    *("configure.ac", "Makefile.am", "CMakeLists.txt", "main.c", "build.sbt", "x.scala", "sub/a.py"),
    *("manifest.json", "coffee.yml", "reckless.toml", ".gitmodules"),
]
TEXTS = [
    *(pyln(), '"getmanifest" stdin', "#!/bin/sh\ngetmanifest", project("x", "pyln-client"), cargo("x"), "x = ["),
    *(
        '[workspace]\nmembers=["m","*"]',
        "[package]\nname=1\nedition={}\n[[bin]]\nname=2\n[dependencies]\ncln-plugin='1'",
    ),
    *(gomod("x", "1.2", "glightning"), main_go("x/y", body="plugin.Plugin{}"), "require('clightningjs')"),
    '{"main": 1, "bin": {"x": []}, "dependencies": {"clightningjs": 1}}',
    *('{"entrypoint": "../../x", "dependencies": {"a": 1}}', '{"installable": null}', "plugin: 1"),
    *(
        "plugin:\n  main: [1]\n  lang: {}",
        "[project]\ndependencies=1\nscripts=2",
        "[tool]\npoetry=1",
        "[project]\nname=[]",
    ),
    *(
        "all: x\n\tcc -o x main.c\n",
        "bin_PROGRAMS = $(X) ../y",
        "use cln_plugin::Builder;",
        "X extends CLightningPlugin",
    ),
]


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    files=st.dictionaries(st.sampled_from(NAMES), st.sampled_from(TEXTS) | st.text(max_size=60), max_size=9),
    at=st.just("") | st.sampled_from(NAMES) | st.text(max_size=8),
)
def test_whatever_is_in_a_tree_it_answers_or_says_why_not(files, at):
    tree = Forest(files, {"link": "link", "module": "submodule"})
    for one in plugins_in(tree, name="x"):
        assert isinstance(one, (Candidate, NotAPlugin))
    try:
        told = detect(tree, at, name="x")
    except RecklessError:
        return
    assert told.reasons
    assert all(reason.isprintable() for reason in told.reasons)
    assert ".." not in (told.build.entrypoint + told.subdir).split("/")
    assert not told.build.entrypoint.startswith(("/", "-"))
