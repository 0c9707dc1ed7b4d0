"""Scripts: which interpreter runs them, and that they run as they do by hand."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from reckless.build.registry import backend_for
from reckless.build.shebang import Shebang, parse_shebang
from reckless.errors import BuildError
from reckless.model.manifest import Build
from tests.build.workshop import Recorder, ask


@pytest.fixture
def shop(workshop):
    return workshop("script")


def run(shop, files, entrypoint="plugin.sh", env=None, **more) -> str:
    """Build and run a script from another folder, as a service would; return what it prints."""
    job = shop.job(files, entrypoint=entrypoint, **more)
    built = shop.build(job)
    environment = {"PATH": "/usr/bin:/bin", **(env or {})}
    return subprocess.check_output(
        [job.tree / built.entrypoint, "one", "two words"], text=True, cwd="/", env=environment
    )


LINES = {
    "#!/bin/sh": Shebang(program="/bin/sh"),
    "#!\t/bin/bash\t-x": Shebang(program="/bin/bash", arguments=("-x",)),
    "#! /bin/bash -eu": Shebang(program="/bin/bash", arguments=("-eu",)),
    "#!/usr/bin/perl -w -T": Shebang(program="/usr/bin/perl", arguments=("-w -T",)),
    "#!/usr/bin/env ruby": Shebang(program="ruby"),
    "#!/usr/bin/env ruby\r\n": Shebang(program="ruby"),
    "#!/usr/bin/env -S deno run --allow-net": Shebang(program="deno", arguments=("run", "--allow-net")),
    "#!/usr/bin/env -Sperl -w": Shebang(program="perl", arguments=("-w",)),
    "#!/bin/env --split-string=php -d 'a=b c'": Shebang(program="php", arguments=("-d", "a=b c")),
    "#!/usr/bin/env -S LANG=C X='a b' lua -e 1": Shebang(
        program="lua", arguments=("-e", "1"), variables={"LANG": "C", "X": "a b"}
    ),
    "#!/usr/bin/env bash -e": Shebang(program="bash", arguments=("-e",)),
    "#!/usr/bin/env /opt/lua": Shebang(program="/opt/lua"),
}


@pytest.mark.parametrize("line", LINES)
def test_what_a_line_asks_for(line):
    assert parse_shebang(line) == LINES[line]


@pytest.mark.parametrize(
    "line", ["#!", "#! ", "#!perl", "#!./run", "#!/usr/bin/env", "#!/usr/bin/env -i sh", "#!/usr/bin/env -S 'a"]
)
def test_lines_that_name_no_interpreter(line):
    with pytest.raises(ValueError, match=r".+"):
        parse_shebang(line)


SIBLINGS = """#!/usr/bin/env -S WORD='good day' bash -u
here=$(dirname "$0")
. "$here/lib/words.sh"
echo "$greeting $WORD $(cat "$here/data.txt") $# $2 ${0##*/}"
"""


def test_a_script_finds_its_siblings_and_its_arguments(shop):
    files = {"sub/plugin.sh": SIBLINGS, "sub/lib/words.sh": "greeting=hello\n", "sub/data.txt": "data"}
    assert run(shop, files, subdir="sub") == "hello good day data 2 two words plugin.sh\n"


PERL = '#!/usr/bin/env perl\nuse strict;\nprint "perl $0\\n";\n'


def test_the_interpreter_is_named_absolutely(shop):
    job = shop.job({"my.pl": PERL}, entrypoint="my.pl")
    built = shop.build(job)
    perl = shutil.which("perl")
    assert built.interpreter == perl
    assert f"exec {perl} " in (job.tree / built.entrypoint).read_text()
    said = subprocess.check_output([job.tree / built.entrypoint], text=True, env={"PATH": "/nonexistent"})
    assert said == f"perl {job.tree / 'src' / 'my.pl'}\n"


def test_an_interpreter_that_lies_elsewhere_here(shop):
    said = Recorder()
    job = shop.job({"plugin.sh": "#!/nowhere/bin/bash\necho up\n"}, entrypoint="plugin.sh", reporter=said)
    built = shop.build(job)
    assert built.interpreter == shutil.which("bash")
    assert built.notes == (f"plugin asks for /nowhere/bin/bash, which is not here; {shutil.which('bash')} runs it",)


def test_an_interpreter_that_is_missing_is_named_with_what_brings_it(shop):
    for line in ("#!/usr/bin/env no-such-language", "#!/opt/bin/no-such-language"):
        with pytest.raises(BuildError) as e:
            shop.build(shop.job({"plugin": line + "\n"}, entrypoint="plugin"))
        assert e.value.code == "toolchain-missing"
        assert "no-such-language" in e.value.message
        assert "no-such-language" in e.value.hint


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("echo up\n", "no #! line"),
        ("\x7fELF\0\0", "`prebuilt`"),
        ("#!/usr/bin/env -i bash\n", "env '-i bash'"),
        ("", "no #! line"),
    ],
)
def test_what_is_no_script_is_refused(shop, content, word):
    with pytest.raises(BuildError) as e:
        shop.build(shop.job({"plugin": content}, entrypoint="plugin"))
    assert e.value.code == "interpreter-unknown"
    assert word in e.value.message
    assert e.value.hint


def test_a_script_that_does_not_parse_fails_before_it_is_ever_started(shop):
    for name, text in {
        "a.sh": "#!/bin/sh\nif true; then\n",
        "b.pl": "#!/usr/bin/perl\nuse No::Such::Module;\n",
    }.items():
        with pytest.raises(BuildError) as e:
            shop.build(shop.job({name: text}, entrypoint=name))
        assert e.value.code == "build-failed"
        assert name in e.value.detail


def test_the_programs_that_it_needs_are_found_where_they_are_now(shop, tmp_path):
    """The node's service has a short PATH: what the manifest names is looked for where the user's PATH has it."""
    tool = tmp_path / "own bin" / "fortune"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\necho luck\n")
    tool.chmod(0o755)
    shop.path = f"{os.environ['PATH']}:{tool.parent}"
    assert run(shop, {"plugin.sh": "#!/bin/sh\nfortune\n"}, system=("bin:fortune", "bin:sh")) == "luck\n"
    launcher = (shop.root / "tree/bin/plugin.sh").read_text()
    assert launcher.count("own bin") == 1
    backend, lacking = backend_for("script"), Build(language="script", entrypoint="x", system=("bin:no-such-tool",))
    assert [m.what for m in backend.missing(lacking, shop.job({}).machine)] == ["the program no-such-tool"]


def test_a_link_out_of_the_source_is_not_followed(shop, tmp_path):
    (tmp_path / "tree" / "src").mkdir(parents=True)
    (tmp_path / "tree" / "src" / "plugin").symlink_to("/bin/sh")
    with pytest.raises(BuildError) as e:
        shop.build(shop.job({}, entrypoint="plugin"))
    assert e.value.code == "entrypoint-outside"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("plugin.pl", r"""#!/usr/bin/env perl
use strict;
my $request = <STDIN>;
$| = 1;
print '{"jsonrpc":"2.0","id":"1","result":{"options":[],"rpcmethods":[{"name":"hello"}],"dynamic":true}}' . "\n\n";
"""),
        ("plugin.py", r"""#!/usr/bin/python3 -u
import sys
sys.stdin.readline()
print('{"jsonrpc":"2.0","id":"1","result":{"options":[],"rpcmethods":[{"name":"hello"}],"dynamic":true}}\n')
"""),
    ],
)  # fmt: skip
def test_any_interpreter_will_do(shop, name, text):
    shebang = parse_shebang(text.splitlines()[0])
    if not shutil.which(shebang.program):
        pytest.skip(f"no {shebang.program} here")
    job = shop.job({name: text}, entrypoint=name)
    assert ask(job.tree / shop.build(job).entrypoint)["rpcmethods"] == [{"name": "hello"}]
    assert Path(job.tree / "bin" / name).is_file()
