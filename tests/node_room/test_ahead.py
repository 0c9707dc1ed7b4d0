"""The node asked ahead: both questions at once, and the answers, or what went wrong, where they are asked for."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from reckless.errors import NodeDownError, NodeError
from reckless.node.ahead import AskedAhead
from reckless.node.rpc import LightningCliMissingError

INFO = '{"id": "02aa", "version": "v26.06.6", "network": "regtest", "lightning-dir": "/l", "our_features": {}}'


@pytest.fixture
def lightning_cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lightning-cli that waits until its brother has started, too: one after the other, they would wait for ever."""
    cli = tmp_path / "lightning-cli"
    cli.write_text(f"""#!/bin/sh
case "$*" in *getinfo*) me=info other=list said='{INFO}';; *) me=list other=info said='{{"plugins": []}}';; esac
touch {tmp_path}/$me
n=0; while [ ! -e {tmp_path}/$other ] && [ $n -lt 200 ]; do sleep 0.05; n=$((n+1)); done
[ -e {tmp_path}/$other ] && echo "$said"
""")
    cli.chmod(0o755)
    monkeypatch.setenv("LIGHTNING_CLI", str(cli))
    return cli


def test_both_questions_are_under_way_at_once(lightning_cli: Path) -> None:
    asked = AskedAhead(lightning_dir=None, network=None, conf=None)

    assert asked.info().version == "v26.06.6"
    assert asked.plugins() == ()


def test_it_is_under_way_before_anybody_waits_for_it(lightning_cli: Path, tmp_path: Path) -> None:
    AskedAhead(lightning_dir=None, network=None, conf=None)

    until = time.monotonic() + 30
    while not (tmp_path / "info").exists() and time.monotonic() < until:
        time.sleep(0.01)

    assert (tmp_path / "info").exists()


def test_what_went_wrong_is_raised_to_who_asks(lightning_cli: Path) -> None:
    lightning_cli.write_text(
        "#!/bin/sh\necho 'lightning-cli: Connecting to \"lightning-rpc\": no such file' >&2; exit 2\n"
    )
    asked = AskedAhead(lightning_dir=None, network=None, conf=None)

    for ask in (asked.info, asked.plugins):
        with pytest.raises(NodeDownError):
            ask()


def test_one_may_be_answered_and_the_other_not(lightning_cli: Path) -> None:
    lightning_cli.write_text(f"#!/bin/sh\ncase \"$*\" in *getinfo*) echo '{INFO}';; *) echo rubbish;; esac\n")
    asked = AskedAhead(lightning_dir=None, network=None, conf=None)

    assert asked.info().network == "regtest"
    with pytest.raises(NodeError):
        asked.plugins()


def test_without_a_readable_command_nothing_is_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIGHTNING_CLI", "docker exec 'cln")

    with pytest.raises(LightningCliMissingError):
        AskedAhead(lightning_dir=None, network=None, conf=None)
