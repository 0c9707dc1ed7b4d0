"""state.json and the receipts: what is written is read back, and damage is never taken for emptiness."""

from __future__ import annotations

import json
import resource
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from reckless.errors import StoreError
from reckless.model.followed import Followed
from reckless.model.state import State, receipt_to_json
from reckless.store.store import MAX_STATE, Store
from tests.store.conftest import HELLO, RECEIPT, STATE


def failing(work: Callable[[], object]) -> StoreError:
    with pytest.raises(StoreError) as caught:
        work()
    return caught.value


def test_what_is_saved_is_loaded(store: Store) -> None:
    store.save(STATE)
    assert store.load() == STATE


def test_a_fresh_folder_holds_nothing(store: Store) -> None:
    assert store.load() == State()


def test_no_folder_at_all_holds_nothing(store: Store) -> None:
    store.layout.root.rmdir()
    assert store.load() == State()


def test_only_its_user_can_read_it(store: Store) -> None:
    store.save(STATE)
    assert store.layout.state.stat().st_mode & 0o777 == 0o600


def test_the_same_state_is_the_same_bytes(store: Store) -> None:
    store.save(STATE)
    first = store.layout.state.read_bytes()
    store.save(store.load())
    assert store.layout.state.read_bytes() == first


def test_cut_short_at_any_byte_it_is_damaged_and_left_as_it_is(store: Store) -> None:
    store.save(STATE)
    whole = store.layout.state.read_bytes()
    for length in range(len(whole.rstrip())):
        store.layout.state.write_bytes(whole[:length])
        error = failing(store.load)
        assert error.code == "state-damaged", length
        assert "nothing was changed" in error.message
        assert store.layout.state.read_bytes() == whole[:length]


@pytest.mark.parametrize(
    "text",
    [
        "null", "[]", "7", "{}", '{"schema": true}', '{"schema": "1"}', '{"schema": 1}', "\0" * 100, "[" * 100_000,
        '{"schema": 1, "plugins": [], "sources": [], "lightningd": {}}',
        '{"schema": 1, "plugins": {"a": {"name": "b"}}, "sources": [], "lightningd": {}}',
        '{"schema": 1, "plugins": {}, "sources": [1], "lightningd": {}}',
        '{"schema": 1, "plugins": {}, "sources": [], "lightningd": {"regtest": 26}}',
    ],
)  # fmt: skip
def test_what_we_do_not_write_is_damage(store: Store, text: str) -> None:
    store.layout.state.write_text(text)
    assert failing(store.load).code == "state-damaged"


def test_each_key_of_an_entry_is_needed(store: Store) -> None:
    store.save(STATE)
    data = json.loads(store.layout.state.read_text())
    for key in data["plugins"]["hello"].keys() - {"followed"}:  # an older reckless did not write this one
        rest = {k: v for k, v in data["plugins"]["hello"].items() if k != key}
        store.layout.state.write_text(json.dumps(data | {"plugins": {"hello": rest}}))
        if key == "from_source":  # it came later: nothing was built from source by choice before
            assert store.load() == STATE
            continue
        assert failing(store.load).code == "state-damaged", key


FOLLOWED = Followed(kind="tag", place="https://example.com/x", ref="v1", path="a", commit="1" * 40, content="2" * 40)


def test_what_is_followed_is_kept(store: Store) -> None:
    state = STATE.with_entry(replace(HELLO, followed=FOLLOWED))
    store.save(state)
    assert store.load() == state
    path = store.layout.receipt("hello", "tree")
    path.parent.mkdir(parents=True)
    receipt = replace(RECEIPT, followed=FOLLOWED)
    path.write_text(json.dumps(receipt_to_json(receipt)))
    assert store.receipt("hello", "tree") == receipt


def test_what_an_older_reckless_wrote_follows_nothing(store: Store) -> None:
    store.save(STATE)
    data = json.loads(store.layout.state.read_text())
    for entry in data["plugins"].values():
        del entry["followed"]
    store.layout.state.write_text(json.dumps(data))
    assert store.load() == STATE


@pytest.mark.parametrize("damage", [7, "main", {}, {"kind": "branch"}, {"kind": "somehow", "place": ""}])
def test_damage_in_what_is_followed_is_seen(store: Store, damage: object) -> None:
    store.save(STATE.with_entry(replace(HELLO, followed=FOLLOWED)))
    data = json.loads(store.layout.state.read_text())
    data["plugins"]["hello"]["followed"] = damage
    store.layout.state.write_text(json.dumps(data))
    assert failing(store.load).code == "state-damaged"


def test_one_of_a_newer_reckless_is_not_touched(store: Store) -> None:
    store.layout.state.write_text('{"schema": 2, "plugins": "who knows"}')
    error = failing(store.load)
    assert error.code == "state-too-new"
    assert error.hint


def test_one_that_is_far_too_large_is_not_read_whole(store: Store) -> None:
    with store.layout.state.open("wb") as f:
        f.truncate(MAX_STATE + 2)
    assert failing(store.load).code == "state-damaged"


def test_a_folder_in_its_place_is_unreadable(store: Store) -> None:
    store.layout.state.mkdir()
    assert failing(store.load).code == "state-unreadable"


def test_gone_beside_installed_plugins_it_is_no_fresh_start(store: Store) -> None:
    store.make_tree("hello", HELLO.tree)
    store.seal(HELLO.tree, RECEIPT)
    assert failing(store.load).code == "state-missing"


def test_debris_alone_is_a_fresh_start(store: Store) -> None:
    store.make_tree("hello", HELLO.tree)
    assert store.load() == State()


def test_a_full_disk_leaves_the_old_state(store: Store) -> None:
    store.save(STATE)
    before = store.layout.state.read_bytes()
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (64, old[1]))
        with pytest.raises(OSError, match="File too large"):
            store.save(STATE.without("hello"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, handler)
    assert store.layout.state.read_bytes() == before
    assert [p.name for p in store.layout.root.iterdir()] == ["state.json"]


# Receipts and trees


def test_a_tree_counts_once_it_is_sealed(store: Store) -> None:
    tree = store.make_tree("hello", HELLO.tree)
    assert not store.is_sealed("hello", HELLO.tree)
    assert failing(lambda: store.receipt("hello", HELLO.tree)).code == "tree-missing"
    store.seal(HELLO.tree, RECEIPT)
    assert store.is_sealed("hello", HELLO.tree)
    assert store.receipt("hello", HELLO.tree) == RECEIPT
    assert tree == store.layout.tree("hello", HELLO.tree)


def test_a_receipt_cut_short_at_any_byte_is_damaged(store: Store) -> None:
    store.make_tree("hello", HELLO.tree)
    store.seal(HELLO.tree, RECEIPT)
    path = store.layout.receipt("hello", HELLO.tree)
    whole = path.read_bytes()
    for length in range(len(whole.rstrip())):
        path.write_bytes(whole[:length])
        error = failing(lambda: store.receipt("hello", HELLO.tree))
        assert error.code == "state-damaged", length
        assert error.hint == f"remove {path}; `reckless install hello` then builds it again"


def test_a_receipt_of_a_newer_reckless(store: Store) -> None:
    store.make_tree("hello", HELLO.tree)
    store.layout.receipt("hello", HELLO.tree).write_text('{"schema": 99}')
    assert failing(lambda: store.receipt("hello", HELLO.tree)).code == "state-too-new"


def test_a_tree_is_made_anew_over_what_a_broken_build_left(store: Store) -> None:
    left = store.make_tree("hello", HELLO.tree) / "src" / "half"
    left.mkdir(parents=True)
    left.parent.chmod(0o500)
    assert list(store.make_tree("hello", HELLO.tree).iterdir()) == []


def test_strays_are_trees_that_the_state_does_not_know(store: Store) -> None:
    for name, tree in (
        ("hello", HELLO.tree),
        ("hello", "1.0.0+11111111"),
        ("hello", "0.9+00000000"),
        ("gone", "1.0+22222222"),
    ):
        store.make_tree(name, tree)
    store.layout.current("hello").symlink_to(HELLO.tree)
    (store.layout.root / "hello" / "notes").mkdir()
    (store.layout.root / "hello" / "c++").mkdir()
    (store.layout.root / ".logs").mkdir()
    assert [str(p.relative_to(store.layout.root)) for p in store.stray_trees(STATE)] == [
        "gone/1.0+22222222",
        "hello/0.9+00000000",
    ]


def test_where_lightningd_finds_a_plugin(store: Store, tmp_path: Path) -> None:
    store.make_tree("hello", HELLO.tree)
    elsewhere = tmp_path / "link"
    elsewhere.symlink_to(store.layout.root)
    through = Store(type(store.layout)(elsewhere))
    assert through.entrypoint(HELLO) == elsewhere / "hello" / "current" / "bin/hello.py"
    assert through.running_path(HELLO) == store.layout.root.resolve() / "hello" / HELLO.tree / "bin/hello.py"
