"""Where the node's files are, and that writing them touches no byte that is not ours."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reckless.errors import ConfigError
from reckless.node.answers import NodeInfo
from reckless.node.files import NodeFiles, locate
from reckless.node.lines import append_line

as_another = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")


@pytest.fixture
def files(lightning_dir):
    return locate(lightning_dir, "regtest")


def code_of(call, *args, **kwargs) -> str:
    with pytest.raises(ConfigError) as e:
        call(*args, **kwargs)
    assert e.value.hint
    return e.value.code


# Where things are


def test_the_places_of_a_node(files, lightning_dir):
    assert files.network_dir == lightning_dir / "regtest"
    assert files.config == lightning_dir / "regtest" / "config"
    assert files.reckless_dir == lightning_dir / "reckless"
    assert files.our_conf == lightning_dir / "reckless" / "regtest-reckless.conf"


def test_conf_stands_for_both_config_files(lightning_dir, tmp_path):
    conf = tmp_path / "my.conf"
    conf.write_text("network=regtest\n")
    files = locate(lightning_dir, conf=conf)
    assert files.roots == ((conf, "conf"),)
    assert (files.config, files.network) == (conf, "regtest")
    conf.write_text(f"regtest\nlightning-dir={lightning_dir}\n")
    assert locate(conf=conf).lightning_dir == lightning_dir


def test_the_default_is_dot_lightning_on_bitcoin(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert code_of(locate) == "lightning-dir-missing"
    (tmp_path / ".lightning" / "bitcoin").mkdir(parents=True)
    files = locate()
    assert (files.lightning_dir, files.network) == (tmp_path / ".lightning", "bitcoin")


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("network=signet\n", "signet"),
        ("testnet\n", "testnet"),
        ("regtest\nsignet\n", "signet"),
        ("mainnet\n", "bitcoin"),
        ("# network=signet\n", "bitcoin"),
        ("include more.conf\n", "testnet4"),
        ("network=liquid-regtest", "liquid-regtest"),
    ],
)
def test_the_top_config_says_which_network(tmp_path, text, network):
    (tmp_path / "config").write_text(text)
    (tmp_path / "more.conf").write_text("network=testnet4\n")
    assert locate(tmp_path).network == network


def test_with_several_networks_and_nothing_said_it_is_bitcoin_as_for_lightningd(lightning_dir):
    files = locate(lightning_dir)
    assert files.network == "bitcoin"
    assert "--network regtest" in files.note


def test_mainnet_is_bitcoin_and_other_words_are_no_network(lightning_dir):
    assert locate(lightning_dir, "mainnet").network == "bitcoin"
    for name in ("../etc", "", "Regtest", "mynet", "-x"):
        assert code_of(locate, lightning_dir, name) == "unknown-network"


def test_the_node_is_believed_over_guesses(lightning_dir):
    info = NodeInfo(version="v26.06.6", network="regtest", network_dir=lightning_dir / "regtest")
    files = locate(info=info)
    assert (files.lightning_dir, files.network) == (lightning_dir, "regtest")


def test_two_different_nodes_are_never_mixed(lightning_dir, tmp_path):
    info = NodeInfo(version="v26.06.6", network="regtest", network_dir=lightning_dir / "regtest")
    other = tmp_path / "other"
    other.mkdir()
    assert code_of(locate, other, info=info) == "node-mismatch"
    assert code_of(locate, lightning_dir, "bitcoin", info=info) == "node-mismatch"
    link = tmp_path / "link"
    link.symlink_to(lightning_dir)
    assert locate(link, info=info).lightning_dir == link


def test_a_lightning_dir_that_is_not_there_or_no_folder(tmp_path):
    assert code_of(locate, tmp_path / "absent") == "lightning-dir-missing"
    (tmp_path / "file").write_text("")
    assert code_of(locate, tmp_path / "file") == "lightning-dir-missing"
    assert code_of(locate, tmp_path / "file" / "below") == "lightning-dir-missing"


def test_a_conf_that_is_not_there(lightning_dir):
    assert code_of(locate, lightning_dir, conf=lightning_dir / "absent") == "conf-missing"
    assert code_of(locate, lightning_dir, conf=lightning_dir) == "conf-missing"


@as_another
def test_another_users_node_is_refused_with_the_line_to_run(files, lightning_dir):
    files.check_owner()
    os.chown(lightning_dir, 65534, 65534)
    with pytest.raises(ConfigError) as e:
        files.check_owner("reckless install summary")
    assert e.value.code == "wrong-user"
    assert e.value.hint.startswith("sudo -u ")
    assert e.value.hint.endswith("reckless install summary")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_folder_that_cannot_be_looked_into(lightning_dir):
    lightning_dir.chmod(0)
    try:
        assert code_of(locate, lightning_dir) == "lightning-dir-unreadable"
    finally:
        lightning_dir.chmod(0o755)


def test_a_folder_that_cannot_be_looked_into_by_its_access_bits(lightning_dir, monkeypatch):
    monkeypatch.setattr("reckless.node.files.os.access", lambda *_: False)
    assert code_of(locate, lightning_dir) == "lightning-dir-unreadable"


# The include line: our one edit of a person's file


def test_the_include_line_is_put_in_once(files):
    assert files.ensure_include() is True
    assert files.config.read_text() == f"include {files.our_conf}\n"
    assert files.our_conf.read_text().startswith("# This configuration file is managed by reckless")
    assert files.ensure_include() is False
    assert files.config.read_text().count("include /") == 1


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("regtest/config", "include ../reckless/regtest-reckless.conf"),
        ("config", "include reckless/regtest-reckless.conf"),
        ("regtest/config", "include {dir}/reckless/regtest-reckless.conf"),
        ("regtest/config", "include {dir}/regtest/../reckless/./regtest-reckless.conf"),
        ("regtest/config", "include {dir}/link/regtest-reckless.conf"),
        ("regtest/config", "include between.conf"),
    ],
)
def test_an_include_that_is_there_in_any_form_is_found(files, lightning_dir, place, line):
    files.write_our_conf(files.read_our_conf())
    (lightning_dir / "link").symlink_to(files.reckless_dir)
    (lightning_dir / "regtest" / "between.conf").write_text("include ../reckless/regtest-reckless.conf")
    (lightning_dir / place).write_text(line.format(dir=lightning_dir))
    assert files.ensure_include() is False


@pytest.mark.parametrize(
    "line",
    [
        "# include {conf}",
        " include {conf}",
        "include {conf} ",
        "include  {conf}",
        "include={conf}",
        "include {conf}.bak",
    ],
)
def test_what_only_looks_like_our_include_is_not_taken_for_it(files, line):
    for extra in (" ", ".bak"):  # so that no include is of a file that is missing
        Path(f"{files.our_conf}{extra}").parent.mkdir(exist_ok=True)
        Path(f"{files.our_conf}{extra}").write_text("")
    before = line.format(conf=files.our_conf) + "\n"
    files.config.write_text(before)
    assert files.ensure_include() is True
    assert files.config.read_text() == f"{before}include {files.our_conf}\n"


@pytest.mark.parametrize(
    ("before", "between"),
    [
        (b"", b""),
        (b"log-level=debug\n", b""),
        (b"log-level=debug", b"\n"),
        (b"a=b\r\nc=d\r\n", b""),
        (b"a=b\r\nc=d", b"\r\n"),
        (b"alias=caf\xe9\n", b""),
        (b"\xef\xbb\xbf# BOM\n", b""),
        (b"\n\n\n", b""),
        (b"a=1\r", b""),
    ],
)
def test_their_bytes_stay_whatever_they_are(files, before, between):
    files.config.write_bytes(before)
    files.ensure_include()
    ending = b"\r\n" if b"\r\n" in before else b"\n"
    assert files.config.read_bytes() == before + between + b"include " + bytes(files.our_conf) + ending


def test_mode_and_symlink_of_their_file_stay(files, lightning_dir):
    real = lightning_dir / "dotfiles-config"
    real.write_text("log-level=debug\n")
    real.chmod(0o640)
    files.config.symlink_to(real)
    files.ensure_include()
    assert files.config.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert real.read_text() == f"log-level=debug\ninclude {files.our_conf}\n"


@as_another
def test_the_owner_of_their_file_stays(files):
    files.config.write_text("log-level=debug\n")
    os.chown(files.config, 65534, 65534)
    files.ensure_include()
    assert (files.config.stat().st_uid, files.config.stat().st_gid) == (65534, 65534)


def test_with_conf_the_include_goes_there(lightning_dir, tmp_path):
    conf = tmp_path / "my.conf"
    conf.write_text("")
    files = locate(lightning_dir, "regtest", conf)
    files.ensure_include()
    assert conf.read_text() == f"include {files.our_conf}\n"
    assert not (lightning_dir / "regtest" / "config").exists()


def test_a_node_that_never_ran_gets_its_folder(lightning_dir):
    files = locate(lightning_dir, "signet")
    files.ensure_include()
    assert stat.S_IMODE((lightning_dir / "signet").stat().st_mode) == 0o700
    assert files.problems() == ()


def test_a_config_with_a_nul_in_it_is_not_edited_for_it_would_not_be_read(files):
    files.config.write_bytes(b"a=b\n\0")
    assert code_of(files.ensure_include) == "config-unusable"
    assert files.config.read_bytes() == b"a=b\n\0"


def test_our_file_is_there_before_anything_includes_it(files, monkeypatch):
    seen = []
    from reckless.node import files as module

    real = module.atomic_write

    def watching(path, data, **kwargs):
        real(path, data, **kwargs)
        seen.append((path, files.problems()))

    monkeypatch.setattr(module, "atomic_write", watching)
    files.ensure_include()
    assert [path for path, _ in seen] == [files.our_conf, files.config]
    assert all(problems == () for _, problems in seen)


def test_a_failed_write_leaves_what_was(files, monkeypatch):
    files.config.write_text("log-level=debug\n")
    files.write_our_conf(files.read_our_conf())

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("reckless.node.files.atomic_write", full)
    assert code_of(files.ensure_include) == "disk-full"
    assert files.config.read_text() == "log-level=debug\n"


def test_our_file_is_written_only_when_it_changes(files):
    conf = files.read_our_conf().with_plugin("summary", "/p/summary.py", [("a", "1")])
    files.write_our_conf(conf)
    inode = files.our_conf.stat().st_ino
    files.write_our_conf(files.read_our_conf())
    assert files.our_conf.stat().st_ino == inode
    assert files.read_our_conf().options("summary") == (("a", "1"),)
    assert stat.S_IMODE(files.our_conf.stat().st_mode) == 0o600


def test_a_config_that_is_a_pipe_or_a_folder_is_not_waited_for(files):
    os.mkfifo(files.config)
    assert code_of(files.ensure_include) == "config-unreadable"
    files.config.unlink()
    files.config.mkdir()
    assert code_of(files.ensure_include) == "config-unreadable"


def test_a_config_larger_than_any_config_is_refused(files):
    with files.config.open("wb") as f:
        f.truncate((16 << 20) + 1)
    assert code_of(files.scan) == "config-too-large"


@given(st.binary(max_size=200))
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_at_all_stay_in_front_of_our_line(tmp_path, before):
    folder = tmp_path / "any"
    (folder / "regtest").mkdir(parents=True, exist_ok=True)
    files = NodeFiles(lightning_dir=folder, network="regtest", reckless_dir=folder / "reckless")
    files.config.write_bytes(before)
    if b"\0" in before:
        assert code_of(files.ensure_include) == "config-unusable"
        assert files.config.read_bytes() == before
        return
    files.ensure_include()
    after = files.config.read_bytes()
    assert after.startswith(before)
    assert after[len(before) :].strip() == b"include " + bytes(files.our_conf)


@given(st.text())
def test_appending_a_line_changes_none(text):
    after = append_line(text, "include /x")
    assert after.startswith(text)
    assert after[len(text) :].strip("\r\n") == "include /x"


# What setconfig wrote, and what a person wrote


@pytest.fixture
def with_setconfig(files):
    """A node whose owner used setconfig for options of two plugins, as lightningd leaves it."""
    files.ensure_include()
    files.config.write_text(
        f"include {files.our_conf}\n# Inserted by setconfig Mon Nov 23 20:00:00 2026\ninclude config.setconfig\n"
    )
    (files.network_dir / "config.setconfig").write_text(
        "# Created and update by setconfig, but you can edit this manually when node is stopped.\n"
        "good-color=violet\nother-color=red\ngood-list=a\ngood-list=b\n"
    )
    files.write_our_conf(files.read_our_conf().with_plugin("good", "/p/good.py", [("good-color", "blue"), ("x", "1")]))
    return files


def test_a_persons_lines_that_would_be_orphaned_are_named_with_file_and_line(with_setconfig):
    files = with_setconfig
    (files.lightning_dir / "config").write_text("log-level=debug\n\n# good-color=no\ngood-color=green\n")
    (found,) = files.orphaned_by({"good-color", "good-list", "x"})
    assert (found.file, found.line, found.key, found.text) == (
        files.lightning_dir / "config", 4, "good-color", "good-color=green",
    )  # fmt: skip


def test_setconfig_lines_are_dropped_without_moving_any_other(with_setconfig):
    files = with_setconfig
    dropped = files.drop_setconfig_lines({"good-color", "good-list"})
    assert [line.text for line in dropped] == ["good-color=violet", "good-list=a", "good-list=b"]
    text = (files.network_dir / "config.setconfig").read_text().splitlines()
    assert text[2] == "other-color=red"
    assert len(text) == 5
    assert files.setconfig_lines({"good-color", "good-list"}) == ()
    assert files.drop_setconfig_lines({"good-color"}) == ()


def test_what_setconfig_set_is_kept_with_its_plugin(with_setconfig):
    files = with_setconfig
    conf = files.absorb_setconfig(files.read_our_conf(), "good", {"good-color", "good-list", "x"})
    assert conf == files.read_our_conf()
    assert conf.options("good") == (
        ("good-color", "violet"), ("x", "1"), ("good-list", "a"), ("good-list", "b"),
    )  # fmt: skip
    assert files.setconfig_lines({"good-color", "good-list"}) == ()
    assert [line.text for line in files.setconfig_lines({"other-color"})] == ["other-color=red"]


def test_absorbing_with_no_block_only_drops(with_setconfig):
    files = with_setconfig
    conf = files.absorb_setconfig(files.read_our_conf().without("good"), "good", {"good-color"})
    assert conf.options("good") == ()
    assert files.setconfig_lines({"good-color"}) == ()


def test_absorbing_where_there_is_nothing_writes_nothing(files):
    conf = files.read_our_conf()
    assert files.absorb_setconfig(conf, "good", {"good-color"}) is conf
    assert not files.our_conf.exists()
