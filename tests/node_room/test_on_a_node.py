"""The node's room against a node: the stand-in always, a real lightningd where there is one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from reckless.errors import NodeDownError, NodeError
from reckless.node.files import locate
from reckless.node.probe import probe
from reckless.node.rpc import Lightning

BOTH = pytest.mark.parametrize("kind", ["stand-in", pytest.param("real", marks=pytest.mark.lightningd)])
PLUGIN = """
import json, sys
OPTIONS = [
    {"name": "o-text", "type": "string", "description": "d"},
    {"name": "o-many", "type": "string", "multi": True, "description": "d"},
    {"name": "o-count", "type": "int", "default": 3, "description": "d"},
    {"name": "o-on", "type": "bool", "default": False, "description": "d"},
    {"name": "o-flag", "type": "flag", "default": False, "description": "d"},
]
MANIFEST = {"dynamic": True, "options": OPTIONS, "rpcmethods": [{"name": "o-show", "usage": "", "description": "d"}]}
given, buffer, decoder = None, "", json.JSONDecoder()
for line in sys.stdin:
    buffer += line
    while buffer.strip():
        try:
            request, end = decoder.raw_decode(buffer.lstrip())
        except ValueError:
            break
        buffer = buffer.lstrip()[end:]
        if request["method"] == "getmanifest":
            result = MANIFEST
        elif request["method"] == "init":
            given, result = request["params"]["options"], {}
        else:
            result = {"given": given}
        if "id" in request:
            print(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result}) + "\\n", flush=True)
"""


@pytest.fixture
def options_plugin(tmp_path) -> Path:
    path = tmp_path / "options.py"
    path.write_text(f"#!{sys.executable} -S\n{PLUGIN}")
    path.chmod(0o755)
    return path.resolve()


def talking_to(node) -> Lightning:
    return Lightning(lightning_dir=node.dir, network=node.network, argv=[str(node.lightning_cli)])


@BOTH
def test_a_plugin_comes_with_its_options_and_goes(kind, make_node, options_plugin):
    node = make_node()
    node.start("")
    lightning = talking_to(node)
    info = lightning.info()
    assert (info.network, info.lightning_dir.resolve()) == ("regtest", node.dir.resolve())
    assert lightning.conf() is None
    assert "o-show" not in lightning.methods()
    options = [
        ("o-text", '["a", 1]'),
        ("o-many", "a b"),
        ("o-many", "007"),
        ("o-count", "-5"),
        ("o-on", "true"),
        ("o-flag", None),
    ]
    started = lightning.start(options_plugin, options)
    assert [(p.active, p.dynamic) for p in started if p.name == str(options_plugin)] == [(True, True)]
    assert started == lightning.plugins()
    assert lightning.call("o-show") == {
        "given": {"o-text": '["a", 1]', "o-many": ["a b", "007"], "o-count": -5, "o-on": True, "o-flag": True}
    }
    assert "o-show" in lightning.methods()
    assert lightning.options()["o-text"] == str(options_plugin)
    assert lightning.options()["network"] == ""
    with pytest.raises(NodeError) as e:
        lightning.start(options_plugin)
    assert e.value.code == "plugin-already-running"
    lightning.stop(options_plugin)
    with pytest.raises(NodeError) as e:
        lightning.stop(options_plugin)
    assert e.value.code == "plugin-not-running"


@BOTH
def test_a_node_that_is_stopped_is_down(kind, make_node):
    node = make_node()
    with pytest.raises(NodeDownError):
        talking_to(node).info()
    node.start("")
    node.stop()
    with pytest.raises(NodeDownError):
        talking_to(node).info()


@BOTH
def test_the_node_reads_what_we_write(kind, make_node, options_plugin):
    node = make_node()
    node.dir.mkdir(exist_ok=True)
    files = locate(node.dir, "regtest")
    options = (("o-text", ' say "hi" \\ é'), ("o-many", "a"), ("o-many", "b"), ("o-count", "7"), ("o-flag", None))
    conf = files.read_our_conf().with_plugin("options", options_plugin, options)
    files.write_our_conf(conf)
    files.ensure_include()
    node.start("")
    lightning = talking_to(node)
    assert lightning.call("o-show") == {
        "given": {"o-text": ' say "hi" \\ é', "o-many": ["a", "b"], "o-count": 7, "o-on": False, "o-flag": True}
    }
    source = lightning.configured()["o-text"].sources
    assert [Path(s.rpartition(":")[0]).resolve() for s in source] == [files.our_conf.resolve()]
    files.write_our_conf(conf.disabled("options"))
    assert node.restart().up
    assert "o-show" not in talking_to(node).methods()


@BOTH
def test_the_probe_tells_what_the_node_finds(kind, make_node, options_plugin):
    node = make_node()
    node.start("")
    lightning = talking_to(node)
    told = probe(options_plugin, cwd=node.netdir, lightningd=lightning.info().version).manifest
    names = [o.name for o in told.options]
    assert lightning.taken([*names, "network"]) == {"network": ""}
    lightning.start(options_plugin)
    assert set(lightning.taken(names)) == set(names)
    assert lightning.taken(["o-count"]) == {"o-count": str(options_plugin)}


@pytest.mark.lightningd
@pytest.mark.parametrize(
    "config",
    [
        " \n",
        " # comment\n",
        "\tlog-level=debug\n",
        "log-level = debug\n",
        "plugin\n",
        "plugin=\n",
        "network=regtest\n",
        "lightning-dir=/tmp\n",
        "conf=/x\n",
        "include {dir}\n",
        "include /dev/null\n",
        "include {dir}/self.conf\n",
        "disable-plugin=missing.py\nplugin=/missing.py\n",
        "plugin=/missing.py\ndisable-plugin=missing.py\n",
        "plugin={dir}/old.py\n",
        "plugin={dir}/options.py\nimportant-plugin={dir}/options.py\n",
        "plugin-dir={dir}\nplugin={dir}/options.py\n",
        "plugin-dir=/nowhere\n",
        "plugin={dir}/options.py\no-flag=true\n",
        "plugin={dir}/options.py\no-count=seven\n",
        "alias=caf\n\0plugin=/missing\n",
        "plugin={dir}/options.py\r\no-text=x\r\n",
        "plugin={dir}/options.py  \n",
        "include {dir}/empty.conf \n",
    ],
)
def test_what_we_call_a_problem_keeps_a_real_node_from_starting(make_node, options_plugin, config):
    """Values of the wrong type are not seen in files alone: check_options keeps them out."""
    folder = options_plugin.parent / "bed"
    folder.mkdir()
    options_plugin.rename(folder / "options.py")
    (folder / "old.py").write_text("#!/nowhere/python\n")
    if "old.py" in config:
        (folder / "old.py").chmod(0o755)
    (folder / "self.conf").write_text("include self.conf\n")
    (folder / "empty.conf").write_text("")
    node = make_node()
    files = locate_on(node)
    files.config.write_text(config.format(dir=folder))
    problems = files.problems({str(folder / "options.py"): ("o-text", "o-many", "o-count", "o-on", "o-flag")})
    flags = ["o-flag=true", "o-count=seven"]
    came_up = node.boot().up
    assert came_up == (problems == () and not any(f in config for f in flags)), problems


def locate_on(node):
    node.netdir.mkdir(parents=True)
    return locate(node.dir, node.network)
