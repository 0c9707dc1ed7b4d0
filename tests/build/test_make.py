"""Programs that make builds: which of its build systems a source has, what is kept, and what is said when it fails."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from reckless.build import make
from reckless.build.registry import backend_for
from reckless.build.system_packages import missing_c_compiler
from reckless.errors import BuildError
from reckless.model.machine import Machine
from reckless.model.manifest import Build
from tests.build.workshop import GO, C, ask, without

HELLO = '#include <stdio.h>\nint main(void) { puts("hello"); return 0; }\n'
MAKEFILE = (
    "plugin: plugin.c\n\tcc -g -o plugin $(CURDIR)/plugin.c\n"  # its debugging information knows where it was built
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("make") or not shutil.which("cc"), reason="no make or no cc on PATH"),
]


def needs(*programs: str) -> None:
    lacking = [name for name in programs if not shutil.which(name)]
    if lacking:
        pytest.skip(f"no {lacking[0]} on PATH")


@pytest.fixture
def shop(workshop):
    return workshop("make")


def built(shop, files, entrypoint="plugin", **more) -> Path:
    job = shop.job(files, entrypoint=entrypoint, **more)
    for name in files:
        if name.endswith(("configure", ".sh")):
            (job.tree / "src" / name).chmod(0o755)
    return job.tree / shop.build(job).entrypoint


def said(program: Path) -> str:
    return subprocess.check_output([program], text=True, cwd="/", env={"PATH": "/nonexistent"}).strip()


def test_a_makefile_alone(shop):
    program = built(shop, {"plugin.c": C, "Makefile": MAKEFILE})
    assert ask(program)["rpcmethods"][0]["name"] == "hello"
    assert {p.name for p in (shop.root / "tree").iterdir()} == {"src", "bin", "build.log"}, "only the program is kept"


def test_the_path_of_the_entrypoint_is_one_in_the_tree(shop):
    files = {
        "common/common.mk": "OUT = out/deep\n",
        "sub/plugin.c": HELLO,
        "sub/Makefile": "include ../common/common.mk\nall:\n\tmkdir -p $(OUT)\n\tcc -o $(OUT)/plugin plugin.c\n",
    }
    assert said(built(shop, files, subdir="sub", entrypoint="out/deep/plugin")) == "hello"
    assert not (shop.root / "tree/src/sub/out").exists(), "the verified source is as it was"


def test_a_target_of_its_own(shop):
    files = {"plugin.c": HELLO, "Makefile": "all:\n\tfalse\n\nplugin-only:\n\tcc -o plugin plugin.c\n"}
    assert said(built(shop, files, target="plugin-only")) == "hello"


def test_configure_comes_first(shop):
    configure = "#!/bin/sh\nsed s/NAME/plugin/ Makefile.in > Makefile\n"
    files = {"configure": configure, "Makefile.in": MAKEFILE.replace("plugin:", "NAME:"), "plugin.c": HELLO}
    files["configure.ac"] = "this is not looked at"
    assert said(built(shop, files)) == "hello"


def test_a_configure_that_lost_its_executable_bit(shop):
    job = shop.job(
        {"configure": "printf 'all:\\n\\tcc -o plugin plugin.c\\n' > Makefile\n", "plugin.c": HELLO},
        entrypoint="plugin",
    )
    assert said(job.tree / shop.build(job).entrypoint) == "hello"


AUTOTOOLS = {
    "configure.ac": "AC_INIT([plugin], [1.0])\nAM_INIT_AUTOMAKE([foreign])\nAC_PROG_CC\n"
    "AC_CONFIG_FILES([Makefile])\nAC_OUTPUT\n",
    "Makefile.am": "bin_PROGRAMS = plugin\nplugin_SOURCES = plugin.c\n",
    "plugin.c": HELLO,
}


def test_autotools_where_there_is_only_configure_ac(shop):
    needs("autoreconf", "automake")
    assert said(built(shop, AUTOTOOLS)) == "hello"


def test_a_program_that_runs_out_of_its_build_folder_keeps_it(shop):
    """libtool's shared libraries: the program itself is a script that looks for them beside it."""
    needs("autoreconf", "automake", "libtoolize")
    files = {
        "configure.ac": AUTOTOOLS["configure.ac"].replace("AC_PROG_CC", "AC_PROG_CC\nLT_INIT"),
        "Makefile.am": "bin_PROGRAMS = plugin\nplugin_SOURCES = plugin.c\nplugin_LDADD = libword.la\n"
        "lib_LTLIBRARIES = libword.la\nlibword_la_SOURCES = word.c\n",
        "word.c": 'const char *word(void) { return "hello"; }\n',
        "plugin.c": "#include <stdio.h>\nconst char *word(void);\nint main(void) { puts(word()); return 0; }\n",
    }
    program = built(shop, files)
    env = {"PATH": "/usr/bin:/bin"}
    assert subprocess.check_output([program], text=True, cwd="/", env=env) == "hello\n"
    assert not list((shop.root / "tree/env").rglob("*.o")), "but not its objects"


def test_a_program_that_knows_where_its_data_lies_keeps_its_folder(shop):
    code = HELLO.replace("int main", "const char *data = DATA;\nint main").replace('"hello"', "data")
    makefile = "plugin: plugin.c\n\tcc -DDATA='\"$(CURDIR)/words.txt\"' -c plugin.c\n\tcc -o plugin plugin.o\n"
    program = built(shop, {"plugin.c": code, "Makefile": makefile, "words.txt": "words"})
    assert Path(said(program)).read_text() == "words"
    assert not list((shop.root / "tree/env").rglob("*.o"))


def test_cmake_where_there_is_no_makefile(shop):
    needs("cmake")
    lists = "cmake_minimum_required(VERSION 3.13)\nproject(p C)\nadd_executable(plugin plugin.c)\n"
    files = {"CMakeLists.txt": lists + "add_executable(other missing.c)\n", "plugin.c": HELLO, "missing.c": "it breaks"}
    assert said(built(shop, files, target="plugin")) == "hello"
    assert said(built(shop, files, target="plugin", entrypoint="build/plugin", tree="other")) == "hello"


def test_a_script_that_make_writes(shop):
    write = "printf '#!/usr/bin/env bash\\ncat $(CURDIR)/made.txt\\n' > run.sh"
    program = built(shop, {"Makefile": f"all:\n\t{write}\n\techo hello > made.txt\n"}, entrypoint="run.sh")
    assert subprocess.check_output([program], text=True, cwd="/", env={"PATH": "/usr/bin:/bin"}) == "hello\n"


def test_what_would_be_installed_stays_below_the_tree(shop, tmp_path):
    place = tmp_path / "usr"
    makefile = f"all:\n\tcc -o plugin plugin.c\n\tinstall -D plugin $(DESTDIR){place}/bin/plugin\n"
    assert said(built(shop, {"plugin.c": HELLO, "Makefile": makefile})) == "hello"
    assert not place.exists()


def test_a_repository_around_the_tree_does_not_answer_for_it(shop, tmp_path):
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    asks = "git rev-parse --show-toplevel > where || true"
    writes = "printf '#!/bin/sh\\necho \"[%s]\"\\n' $$(cat where) > run.sh"
    program = built(shop, {"Makefile": f"all:\n\t{asks}\n\t{writes}\n"}, entrypoint="run.sh")
    assert subprocess.check_output([program], text=True, cwd="/", env={"PATH": "/usr/bin:/bin"}) == "[]\n"


def test_a_makefile_that_asks_git_which_commit_it_is(shop):
    stamp = 'git rev-parse --is-inside-work-tree && echo "int main(){}//$$(git rev-parse HEAD)" > plugin.c'
    job = shop.job({"Makefile": f"all:\n\t{stamp}\n\tcp plugin.c plugin\n"}, entrypoint="plugin", commit="ab" * 20)
    assert (job.tree / shop.build(job).entrypoint).read_text() == f"int main(){{}}//{'ab' * 20}\n"


def test_a_makefile_that_calls_go(shop):
    """go itself would ask git for more than that repository can say, and leave the build's folder in the program."""
    needs("go")
    shop.env |= {"GOENV": "off", "GOFLAGS": ""}
    files = {
        "go.mod": "module example.org/tiny\n\ngo 1.18\n",
        "main.go": GO,
        "Makefile": "plugin:\n\tgo build -o plugin\n",
    }
    job = shop.job(files, entrypoint="plugin", commit="ab" * 20)
    assert ask(job.tree / shop.build(job).entrypoint)["dynamic"] is True
    assert not (job.tree / "env").exists()


def test_it_uses_as_many_cores_as_it_may(shop):
    waits = "{0}:\n\ttouch {0}.up; while [ ! -e {1}.up ]; do sleep 0.01; done\n"
    makefile = "plugin: a b\n\tcc -o plugin plugin.c\n" + waits.format("a", "b") + waits.format("b", "a")
    assert said(built(shop, {"plugin.c": HELLO, "Makefile": makefile}, timeout=60)) == "hello"


FAILS = {
    "a header that is missing": (
        {"plugin.c": "#include <no/such/thing.h>\n" + HELLO, "Makefile": MAKEFILE},
        "toolchain-missing",
        "the C header no/such/thing.h",
    ),
    "a program that is missing": (
        {"Makefile": "plugin:\n\tno-such-linter run\n"},
        "toolchain-missing",
        "the program no-such-linter",
    ),
    "a program that is missing, in a shell's line": (
        {"Makefile": "plugin:\n\tno-such-linter run && true\n"},
        "toolchain-missing",
        "the program no-such-linter",
    ),
    "nothing that builds": (
        {"plugin.c": HELLO},
        "build-failed",
        "no Makefile, configure, configure.ac or CMakeLists.txt",
    ),
    "it makes something else": (
        {"plugin.c": HELLO, "Makefile": "all:\n\tmkdir -p out\n\tcc -o out/other plugin.c\n"},
        "entrypoint-missing",
        "made no plugin",
    ),
    "a link out of the tree": ({"Makefile": "all:\n\tln -s /bin/sh plugin\n"}, "entrypoint-outside", "outside"),
}


@pytest.mark.parametrize("case", FAILS)
def test_what_is_said_when_it_fails(shop, case):
    files, code, words = FAILS[case]
    with pytest.raises(BuildError) as e:
        built(shop, files)
    assert e.value.code == code
    assert words in e.value.message
    assert e.value.hint
    if code == "entrypoint-missing":
        assert "out/other" in e.value.hint


def test_a_macro_that_autotools_lack(shop):
    needs("autoreconf", "automake")
    broken = AUTOTOOLS["configure.ac"].replace("AC_PROG_CC", "AC_PROG_CC\nAX_NO_SUCH_MACRO([17])")
    with pytest.raises(BuildError) as e:
        built(shop, {**AUTOTOOLS, "configure.ac": broken})
    assert e.value.code == "toolchain-missing"
    assert "the macro AX_NO_SUCH_MACRO" in e.value.message
    assert "autoconf-archive" in e.value.hint


@pytest.mark.parametrize(
    ("files", "program"),
    [(AUTOTOOLS, "autoreconf"), ({"CMakeLists.txt": "project(p C)\n"}, "cmake")],
)
def test_build_tools_that_are_missing_are_named_before_any_is_run(shop, files, program):
    shop.path = without(program)
    with pytest.raises(BuildError) as e:
        built(shop, files)
    assert e.value.code == "toolchain-missing"
    assert program in e.value.message
    assert e.value.hint


def test_what_the_machine_lacks_is_known_before_anything_is_fetched(monkeypatch, tmp_path):
    nothing = Machine(os="linux", arch="x86_64", libc="gnu")
    needs_more = Build(language="make", entrypoint="x", system=("bin:no-such-autotool", "header:no-such.h"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    missing = backend_for("make").missing(needs_more, nothing)
    assert [m.what for m in missing] == [
        "make",
        "a C compiler (cc)",
        "the program no-such-autotool",
        "the C header no-such.h",
    ]
    assert all(m.install for m in missing)
    assert missing_c_compiler()
    assert make.MakeBackend.languages == ("make",)
