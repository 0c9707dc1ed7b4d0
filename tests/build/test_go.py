"""Go plugins: where the main package is, versions, and locks."""

from __future__ import annotations

import pytest

from reckless.errors import BuildError
from tests.build.workshop import GO, ask

pytestmark = pytest.mark.slow
MOD = "module example.org/tiny\n\ngo 1.18\n"
LIBRARY = "package tiny\n"
NEEDS = "\nrequire github.com/kr/text v0.2.0\n"
USES = 'package main\nimport _ "github.com/kr/text"\nfunc main() {}\n'


def test_the_root_is_preferred(workshop):
    shop = workshop("go")
    files = {"go.mod": MOD, "main.go": GO, "cmd/tiny/main.go": "package main\nfunc main() {}\n"}
    ask(shop.root / "tree" / shop.build(shop.job(files, entrypoint="tiny")).entrypoint)


@pytest.mark.parametrize(
    "places",
    [
        ["cmd/tiny/main.go", "cmd/other/main.go"],
        ["plugins/tiny/main.go", "plugins/other/main.go"],
        ["somewhere/else/main.go"],
    ],
)
def test_main_packages_in_sub_folders(workshop, places):
    shop = workshop("go")
    files = {"go.mod": MOD, "tiny.go": LIBRARY, **dict.fromkeys(places, GO)}
    files["scripts/gen.go"] = "//go:build ignore\n\npackage main\nfunc main() {}\n"
    ask(shop.root / "tree" / shop.build(shop.job(files, entrypoint="tiny")).entrypoint)


def test_several_main_packages_and_none_named_so(workshop):
    shop = workshop("go")
    with pytest.raises(BuildError) as e:
        shop.build(shop.job({"go.mod": MOD, "cmd/a/main.go": GO, "cmd/b/main.go": GO}, entrypoint="tiny"))
    assert e.value.code == "ambiguous-entrypoint"
    assert "cmd/a, cmd/b" in e.value.message


def test_a_subdir_of_the_module(workshop):
    shop = workshop("go")
    files = {"go.mod": MOD, "main.go": "package main\nfunc main() {}\n", "tool/main.go": GO}
    ask(shop.root / "tree" / shop.build(shop.job(files, entrypoint="tiny", subdir="tool")).entrypoint)


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"main.go": GO}, "build-failed"),
        ({"go.mod": MOD, "tiny.go": LIBRARY}, "entrypoint-missing"),
        ({"go.mod": "module example.org/tiny\n\ngo 1.999\n", "main.go": GO}, "toolchain-too-old"),
        ({"go.mod": MOD + NEEDS, "main.go": USES}, "lock-outdated"),
    ],
)
def test_bad_sources(workshop, files, code):
    shop = workshop("go")
    with pytest.raises(BuildError) as e:
        shop.build(shop.job(files, entrypoint="tiny"))
    assert e.value.code == code
    assert e.value.hint


def test_a_vendored_module_needs_no_network(workshop):
    shop = workshop("go", env={"GOPROXY": "off", "GOFLAGS": "-mod=mod"})
    files = {
        "go.mod": MOD + "\nrequire example.org/dep v1.0.0\n",
        "vendor/modules.txt": "# example.org/dep v1.0.0\n## explicit\nexample.org/dep\n",
        "vendor/example.org/dep/dep.go": "package dep\n",
        "main.go": GO.replace('"bufio"', '"bufio"\n\t_ "example.org/dep"'),
    }
    ask(shop.root / "tree" / shop.build(shop.job(files, entrypoint="tiny")).entrypoint)
