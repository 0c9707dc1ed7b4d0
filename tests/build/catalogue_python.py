"""The Python plugins of the catalogue, as shapes."""

from __future__ import annotations

from tests.build.shapes import PYTHON, UV, Shape, archived, conscott, kristapsk, modern, pip, project, pyln, uv

CLIENT = 'from pyln.client import LightningRpc, Plugin\nimport click\n\nif __name__ == "__main__":\n    cli()\n'
PYTHON_PLUGINS: dict[str, Shape] = {
    "backup": modern(
        "backup",
        files={
            **uv("backup"),
            "backup-cli": UV + CLIENT,
            "backend.py": "class Backend: pass\n",
            "server.py": "import socket\n",
            "pyproject.toml": project("cln-backup", "pyln-client>=25.9.3", "click>=8", "psutil>=5"),
            "manifest.json": '{"installable": false}',
        },
        why_not="its author says in manifest.json",
    ),
    "cl-zmq": modern(
        "cl-zmq",
        files={**uv("cl-zmq"), "example-subscriber.py": PYTHON + "from txzmq import ZmqFactory\nreactor.run()\n"},
    ),
    "clearnet": modern("clearnet"),
    "currencyrate": modern(
        "currencyrate",
        files={
            **uv("currencyrate"),
            "Makefile": "check:\n\tflake8\n",
            "currencyrate.py": pyln(UV, "pyln-client>=25.9.3") + "\nMETHODS = ['getmanifest']\n",
        },
    ),
    "donations": modern("donations", files={**uv("donations"), "templates/donation.html": "<html>", "LICENSE": ""}),
    "historian": modern(
        "historian",
        files={
            **uv("historian"),
            "historian-cli": UV + "from cli.backup import backup\nimport click\n",
            "cli/backup.py": "from pyln.client import Plugin\n",
            "gossipd.py": "",
        },
    ),
    "persistent-channels": modern("persistent-channels"),
    "prometheus": modern("prometheus"),
    "rebalance": modern("rebalance", files={**uv("rebalance"), "clnutils.py": "def cln_parse_rpcversion(): pass\n"}),
    "summary": modern("summary", files={**uv("summary"), "__init__.py": pyln(), "summary_avail.py": ""}),
    "autopilot": archived(
        "autopilot",
        files={
            "__init__.py": "",
            "autopilot.py": pyln(),
            "c-lightning-autopilot.py": pyln("# an older one\n"),
            "lib_autopilot.py": "import networkx\n",
            "pyproject.toml": '[tool.poetry.dependencies]\npython = "^3.8"\npyln-client = "0.12.1"\n',
        },
        system="poetry",
        toolchain=">=3.8,<4",
        because=(
            "pyproject.toml names its packages; nothing pins them",
            "named like autopilot (not c-lightning-autopilot.py)",
        ),
    ),
    "commando": archived("commando"),
    "datastore": archived(
        "datastore",
        files={**pip("datastore"), "datastore-plugin.py": pyln()},
        because=("named like datastore (not datastore-plugin.py)",),
    ),
    "drain": archived(
        "drain",
        files={**pip("drain"), "__init__.py": "", "utils.py": "", "requirements-dev.txt": "pyln-testing\n"},
        tests=("requirements-dev.txt",),
    ),
    "helpme": archived(
        "helpme",
        files={
            **pip("helpme"),
            "helpme.py": pyln("#! /usr/bin/env python3\n"),
            "Makefile": "check:\n\tflake8\n",
            "requirements-dev.txt": "",
        },
        tests=("requirements-dev.txt",),
    ),
    "jitrebalance": archived("jitrebalance", files={**pip("jitrebalance"), "tests/hold_htlcs.py": pyln()}),
    "noise": archived(
        "noise", files={**pip("noise"), "onion.py": "", "primitives.py": "", "zbase32.py": "", "README.org": ""}
    ),
    "paytest": archived(
        "paytest",
        files={**pip("paytest"), "poetry.lock": "[metadata]\n"},
        because=("requirements.txt names", "poetry.lock is not used: there is no pyproject.toml beside it"),
    ),
    "probe": archived("probe"),
    "sauron": archived(
        "sauron",
        files={**uv("sauron"), "art.py": ""},
        system="uv",
        lock="uv.lock",
        toolchain=">=3.10",
        because=("uv.lock",),
    ),
    "bolt12-prism": Shape(
        files={
            "bolt12-prism.py": pyln(),
            "lib.py": "from pyln.client import Plugin\n\n# stdin of getmanifest is read by the library\n",
            "requirements.txt": "pyln-client>=23.02",
            "test_bolt12_prism.py": pyln(),
            "flake.nix": "{}",
            "Dockerfile": "FROM scratch\n",
            "run_tests.sh": "#!/bin/sh\n",
            "contrib/create_prism.sh": "#!/bin/sh\n",
        },
        repo="bolt12-prism",
        entrypoint="bolt12-prism.py",
        because=("requirements.txt names",),
    ),
    "bumpit": Shape(
        files={
            "bumpit.py": pyln(UV, "pyln-client>=24.11.1", python=">=3.9.2"),
            "pyproject.toml": project("bumpit", "pyln-client>=24.11.1", python=">=3.9.2"),
            "uv.lock": "version = 1\n",
            **{f"test_{n}.py": pyln() for n in ("confirmed_bump", "parent_highfee", "yolo_mode")},
        },
        repo="bumpit",
        system="uv",
        lock="uv.lock",
        entrypoint="bumpit.py",
        toolchain=">=3.9.2",
        because=("uv.lock pins",),
    ),
    "ln-address-pay": Shape(
        files={
            "ln_address_pay.py": pyln(),
            "test_ln_address_pay.py": pyln(),
            "requirements.txt": "pyln-client\npyln-testing\nrequests\n",
        },
        repo="ln-address-pay",
        entrypoint="ln_address_pay.py",
        because=("requirements.txt",),
    ),
    "torq-plugin": Shape(
        files={
            "torq-plugin.py": pyln(),
            "const.py": "",
            "plugin_grpc_server.py": "from pyln.client import Plugin\n",
            "grpc_pb/torq_cln_plugin_pb2.py": "",
            "test_torq-plugin.py": "from pyln.testing.fixtures import *\n",
            "requirements.txt": "pyln-client>=23.2\ngrpcio\n",
        },
        repo="torq-cln-plugin",
        entrypoint="torq-plugin.py",
        because=("requirements.txt",),
    ),
    "clboss": Shape(
        files={
            "configure.ac": "AC_INIT([clboss])\n",
            "Makefile.am": "bin_PROGRAMS = clboss\nnoinst_PROGRAMS = dev-boltz\nTESTS = tests/boss/test_getmanifest\n",
            "main.cpp": '/* echo \'{"method": "getmanifest"}\' | ./clboss */\nint main() {}\n',
            "Boss/Mod/Manifester.cpp": 'if (method == "getmanifest")\n',
            "external/basicsecure/main.c": "int main() {}",
            "dev-boltz.cpp": "int main() {}",
            "generate_commit_hash.sh": "#!/bin/sh\n",
        },
        repo="clboss",
        language="make",
        system="autotools",
        entrypoint="clboss",
        because=("configure.ac makes clboss, and main.cpp answers getmanifest",),
    ),
    **{
        f"conscott-{n}": conscott(n)
        for n in ("channelstats", "closeall", "getnetworkinfo", "invoicestats", "paymentstats", "quickfund")
    },
    **{f"kristapsk-{n}": kristapsk(n) for n in ("channelbalance", "feereport", "walletbalance")},
}
