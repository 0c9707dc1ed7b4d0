"""What people read when nothing fits: the whole text, case by case."""

from __future__ import annotations

import pytest
from packaging.version import Version

from reckless.model.machine import Machine
from reckless.model.manifest import Builtin
from reckless.resolve.problem import Problem
from tests.resolve.worlds import installed, problem, refused
from tests.resolve.worlds import release as R  # noqa: N812 - the table reads better

COMMANDO = Builtin(name="commando", since=Version("0.12.0"))
CLNREST_RS = Builtin(name="clnrest-rs", since=Version("24.11"), until=Version("25.02"), replacement="clnrest")

# what it is about, the problem, and the code, message and hint that it gets
CASES = [
    (
        "a name nobody has",
        problem("sumary", index={}, known=["summary", "summars", "rebalance"]),
        "no-such-plugin",
        "There is no plugin named sumary.",
        "did you mean summary or summars?",
    ),
    (
        "several names nobody has",
        problem("sumary", "nope", "circular", index={"circular": [R("1.0")]}, known=["summary"]),
        "no-such-plugin",
        "There is no plugin named nope. There is no plugin named sumary.",
        "did you mean summary?",
    ),
    (
        "a version that does not exist",
        problem("summary==9.9", index={"summary": [R("1.0"), R("1.1"), R("1.2")]}),
        "no-such-version",
        "You asked for summary==9.9. No release of summary is within ==9.9: there are 1.2, 1.1 and 1.0.",
        "`reckless info summary` shows its releases and what they need",
    ),
    (
        "a version that does not exist, of many",
        problem("summary>=3", index={"summary": [R(f"1.{n}") for n in range(20)]}),
        "no-such-version",
        (
            "You asked for summary>=3. No release of summary is within >=3: there are 1.19, 1.18, 1.17, "
            "1.16, 1.15, 1.14, 1.13, 1.12, 1.11, 1.10, 1.9 and 9 others."
        ),
        "`reckless info summary` shows its releases and what they need",
    ),
    (
        "a plugin without releases",
        problem("summary", index={"summary": []}),
        "no-such-plugin",
        "summary has no releases.",
        "`reckless search WORD` looks through all plugins",
    ),
    (
        "needs a newer lightningd",
        problem(
            "summary", index={"summary": [R("1.1", cln=">=25.09"), R("1.0", cln=">=24.11,<25")]}, lightningd="v23.08"
        ),
        "not-for-this-lightningd",
        (
            "summary 1.1, which you asked for, needs lightningd >=25.09, and this one is v23.08. summary "
            "1.0 needs lightningd >=24.11,<25, and this one is v23.08."
        ),
        "upgrade lightningd to v25.09 or newer",
    ),
    (
        "needs an older lightningd",
        problem("summary", index={"summary": [R("1.1", cln="<25"), R("1.0", cln="<24")]}),
        "not-for-this-lightningd",
        (
            "summary 1.1, which you asked for, needs lightningd <25, and this one is v26.06.6. summary 1.0 "
            "needs lightningd <24, and this one is v26.06.6."
        ),
        "ask its author for a release that fits this lightningd (`reckless info summary` shows where)",
    ),
    (
        "no rust",
        problem("sling", index={"sling": [R("4.0", language="rust", toolchain=">=1.80"), R("3.0", language="rust")]}),
        "toolchain-missing",
        (
            "sling 4.0, which you asked for, needs Rust >=1.80, and this machine has none. sling 3.0 needs "
            "Rust, and this machine has none."
        ),
        "install Rust >=1.80 (rustc and cargo)",
    ),
    (
        "python too old",
        problem("backup", index={"backup": [R("2.0", toolchain=">=3.12")]}),
        "toolchain-missing",
        "backup 2.0, which you asked for, needs Python >=3.12, and this machine has 3.11.2 and 3.9.1.",
        "install Python >=3.12",
    ),
    (
        "go too old",
        problem("circular", index={"circular": [R("1.0", language="go", toolchain=">=1.24")]}),
        "toolchain-missing",
        "circular 1.0, which you asked for, needs Go >=1.24, and this machine has 1.22.",
        "install Go >=1.24",
    ),
    (
        "ready-made for other machines",
        problem(
            "fast", index={"fast": [R("1.0", language="prebuilt", targets=["aarch64-linux-gnu", "armv7-linux-gnu"])]}
        ),
        "not-for-this-machine",
        (
            "fast 1.0, which you asked for, comes ready-made for aarch64-linux-gnu and armv7-linux-gnu "
            "only, and this machine is x86_64-linux-gnu."
        ),
        "`reckless info fast` shows its releases and what they need",
    ),
    (
        "ready-made for another libc",
        problem(
            "fast",
            index={"fast": [R("1.0", language="prebuilt", targets=["x86_64-linux-gnu"])]},
            machine=Machine(os="linux", arch="x86_64", libc="musl"),
        ),
        "not-for-this-machine",
        (
            "fast 1.0, which you asked for, comes ready-made for x86_64-linux-gnu only, and this machine is "
            "x86_64-linux-musl."
        ),
        "`reckless info fast` shows its releases and what they need",
    ),
    (
        "no toolchain, and ready-made for other machines",
        problem(
            "sling",
            index={"sling": [R("4.0", language="rust", targets=["aarch64-linux-gnu", "universal-macos"])]},
        ),
        "toolchain-missing",
        (
            "sling 4.0, which you asked for, needs Rust, and this machine has none; it comes ready-made for "
            "aarch64-linux-gnu and universal-macos only, and this machine is x86_64-linux-gnu."
        ),
        "install Rust (rustc and cargo)",
    ),
    (
        "no toolchain, and not to be taken ready-made",
        problem(
            "sling", index={"sling": [R("4.0", language="rust", targets=["x86_64-linux-gnu"])]}, from_source=["sling"]
        ),
        "toolchain-missing",
        ("sling 4.0, which you asked for, needs Rust, and this machine has none; ready-made it is not to be taken."),
        "`reckless install --prebuilt sling` takes the ready-made program, or install Rust (rustc and cargo)",
    ),
    (
        "nothing to build from",
        problem(
            "fast", index={"fast": [R("1.0", language="prebuilt", targets=["x86_64-linux-gnu"])]}, from_source=["fast"]
        ),
        "not-for-this-machine",
        "fast 1.0, which you asked for, comes ready-made only, and it is to be built from source.",
        "`reckless install --prebuilt fast` takes the ready-made program",
    ),
    (
        "only a yanked release",
        problem("summary", index={"summary": [R("1.0", yanked="leaks the rune")]}),
        "yanked",
        "summary 1.0, which you asked for, is yanked: leaks the rune.",
        "`reckless install summary==1.0` takes it all the same",
    ),
    (
        "only a yanked release within the bounds",
        problem("summary>=2", index={"summary": [R("1.0"), R("2.0", yanked="")]}),
        "yanked",
        "You asked for summary>=2. summary 2.0 is yanked.",
        "`reckless install summary==2.0` takes it all the same",
    ),
    (
        "a dependency asks for exactly a yanked release",
        problem("a", index={"a": [R("1.0", "b==1.0")], "b": [R("1.0", yanked="broken"), R("1.1")]}),
        "yanked",
        "a 1.0, which you asked for, depends on b==1.0. b 1.0 is yanked: broken.",
        "`reckless install b==1.0` takes it all the same",
    ),
    (
        "a dependency nobody has",
        problem("summary", index={"summary": [R("1.0", "datastor")]}, known=["datastore"]),
        "no-such-plugin",
        "summary 1.0, which you asked for, depends on datastor. There is no plugin named datastor.",
        "`reckless source add URL` brings in a source that has datastor",
    ),
    (
        "a dependency in a version that does not exist",
        problem("a", index={"a": [R("1.0", "b>=2")], "b": [R("1.5"), R("1.0")]}),
        "no-such-version",
        "a 1.0, which you asked for, depends on b>=2. No release of b is within >=2: there are 1.5 and 1.0.",
        "`reckless info a` shows its releases and what they need",
    ),
    (
        "every release depends on another version that does not exist",
        problem("a", index={"a": [R(f"1.{n}", f"b>={n + 5}") for n in range(8)], "b": [R("1.0")]}),
        "no-such-version",
        (
            "Every release of a that would do depends on one of b>=12, b>=11, b>=10, b>=9, b>=8 and 3 "
            "others. No release of b suits any of them: there is 1.0."
        ),
        "`reckless info a` shows its releases and what they need",
    ),
    (
        "a dependency needs a newer lightningd",
        problem("a", index={"a": [R("1.0", "b")], "b": [R("1.0", cln=">=25.09")]}, lightningd="v24.08"),
        "not-for-this-lightningd",
        "a 1.0, which you asked for, depends on b. b 1.0 needs lightningd >=25.09, and this one is v24.08.",
        "upgrade lightningd to v25.09 or newer",
    ),
    (
        "a dependency needs rust",
        problem("a", index={"a": [R("1.0", "b>=1")], "b": [R("1.0", language="rust")]}),
        "toolchain-missing",
        "a 1.0, which you asked for, depends on b>=1. b 1.0 needs Rust, and this machine has none.",
        "install Rust (rustc and cargo)",
    ),
    (
        "two ways, both blocked",
        problem("a", index={"a": [R("2.0", language="rust"), R("1.0", "b")], "b": [R("1.0", cln=">=26.12")]}),
        "not-for-this-lightningd",
        (
            "a 2.0, which you asked for, needs Rust, and this machine has none. a 1.0 depends on b. b 1.0 "
            "needs lightningd >=26.12, and this one is v26.06.6."
        ),
        "install Rust (rustc and cargo), or upgrade lightningd to v26.12 or newer",
    ),
    (
        "pinned dependency",
        problem(
            "a", index={"a": [R("1.0", "b>=2")], "b": [R("1.0"), R("2.0")]}, here=[installed("b", "1.0", pinned=True)]
        ),
        "pinned",
        "a 1.0, which you asked for, depends on b>=2. b is pinned at 1.0.",
        "`reckless unpin b`",
    ),
    (
        "pinned itself",
        problem("b>=2", index={"b": [R("1.0"), R("2.0")]}, here=[installed("b", "1.0", pinned=True)]),
        "pinned",
        "You asked for b>=2. b is pinned at 1.0.",
        "`reckless unpin b`",
    ),
    (
        "conflicts with an installed plugin",
        problem("a", index={"a": [R("1.0", conflicts=["b"])], "b": [R("1.0")]}, here=[installed("b", "1.0")]),
        "conflict",
        "a 1.0, which you asked for, conflicts with b. b 1.0 is installed.",
        "`reckless uninstall b`",
    ),
    (
        "an installed plugin conflicts with it",
        problem(
            "a", index={"a": [R("1.0"), R("0.9")], "b": [R("1.0")]}, here=[installed("b", "1.0", conflicts=["a<2"])]
        ),
        "conflict",
        "You asked for a. b 1.0 (installed) conflicts with a<2. Of a there are only 1.0 and 0.9.",
        "`reckless uninstall b`",
    ),
    (
        "two wanted conflict",
        problem("a", "b", index={"a": [R("1.0", conflicts=["b"])], "b": [R("1.0")]}),
        "conflict",
        "a 1.0, which you asked for, conflicts with b. You asked for b.",
        "leave out a, or leave out b",
    ),
    (
        "two wanted need different versions of a third",
        problem("a", "b", index={"a": [R("1.0", "c>=2")], "b": [R("1.0", "c<2")], "c": [R("1.0"), R("2.0")]}),
        "conflict",
        (
            "a 1.0, which you asked for, depends on c>=2. b 1.0, which you asked for, depends on c<2. No "
            "release of c suits them all: there are 2.0 and 1.0."
        ),
        "leave out a, or leave out b",
    ),
    (
        "an installed plugin needs the older one",
        problem(
            "a",
            index={"a": [R("1.0", "b>=2")], "b": [R("1.0"), R("2.0")]},
            here=[installed("b", "1.0", requested=False), installed("c", "1.0", "b<2")],
        ),
        "conflict",
        (
            "a 1.0, which you asked for, depends on b>=2. c 1.0 (installed) depends on b<2. No release of b "
            "suits them all: there are 2.0 and 1.0."
        ),
        "`reckless uninstall c`",
    ),
    (
        "an older one is needed than is installed",
        problem("a", index={"a": [R("1.0", "b<2")], "b": [R("1.0"), R("1.9"), R("2.0")]}, here=[installed("b", "2.0")]),
        "conflict",
        (
            "a 1.0, which you asked for, depends on b<2. b 2.0 is installed, and goes back to an older "
            "release only when that is asked for."
        ),
        "`reckless install b==1.9`",
    ),
    (
        "an installed plugin that is no longer listed",
        problem("a", index={"a": [R("1.0", "b>=2")]}, here=[installed("b", "1.0")]),
        "no-such-version",
        "a 1.0, which you asked for, depends on b>=2. No release of b is within >=2: there is 1.0.",
        "`reckless info a` shows its releases and what they need",
    ),
    (
        "a built-in of a newer lightningd",
        problem("commando", builtins=[COMMANDO], lightningd="v0.11.2"),
        "not-for-this-lightningd",
        "commando is part of lightningd since v0.12.0, and this one is v0.11.2.",
        "upgrade lightningd to v0.12.0 or newer",
    ),
    (
        "a built-in that is gone",
        problem("clnrest-rs", builtins=[CLNREST_RS]),
        "not-for-this-lightningd",
        ("clnrest-rs was part of lightningd until v25.02, and this one is v26.06.6. It was replaced by clnrest."),
        "`reckless search WORD` looks through all plugins",
    ),
    (
        "depends on a built-in of a newer lightningd",
        problem("a", index={"a": [R("1.0", "commando>=0.2")]}, builtins=[COMMANDO], lightningd="v0.11.2"),
        "not-for-this-lightningd",
        (
            "a 1.0, which you asked for, depends on commando>=0.2. commando is part of lightningd since "
            "v0.12.0, and this one is v0.11.2."
        ),
        "upgrade lightningd to v0.12.0 or newer",
    ),
    (
        "the only way is a pre-release",
        problem(
            "a", "b", index={"a": [R("1.0", "c")], "b": [R("1.0", conflicts=["c<2"])], "c": [R("1.0"), R("2.0rc1")]}
        ),
        "conflict",
        (
            "a 1.0, which you asked for, depends on c. b 1.0, which you asked for, conflicts with c<2. c "
            "2.0rc1 is a pre-release."
        ),
        "`reckless install c==2.0rc1` takes it all the same, or leave out a, or leave out b",
    ),
    (
        "through three hands",
        problem(
            "a",
            index={
                "a": [R("1.0", "b")],
                "b": [R("1.1", "c>=2"), R("1.0", "c>=1.5")],
                "c": [R("2.0", conflicts=["d<3"]), R("1.5", conflicts=["d"])],
            },
            here=[installed("d", "1.0")],
        ),
        "conflict",
        (
            "a 1.0, which you asked for, depends on b. d 1.0 is installed. b 1.1 depends on c>=2. b 1.0 "
            "depends on c>=1.5. c 2.0 conflicts with d<3. c 1.5 conflicts with d."
        ),
        "`reckless uninstall d`",
    ),
    (
        "asked for what it conflicts with",
        problem("a<2", "a>=2", index={"a": [R("1.0"), R("2.0")]}),
        "no-such-version",
        "You asked for a<2 and a>=2. No release of a suits them all: there are 2.0 and 1.0.",
        "`reckless info a` shows its releases and what they need",
    ),
]


@pytest.mark.parametrize(("given", "code", "message", "hint"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_a_refusal_says_who_asked_for_what_and_what_would_help(
    given: Problem, code: str, message: str, hint: str
) -> None:
    error = refused(given)
    assert (error.code, error.message, error.hint) == (code, message, hint)


def test_a_long_story_is_cut_short_and_told_whole_in_the_detail() -> None:
    index = {f"p{n}": [R("1", f"p{n + 1}")] for n in range(30)}
    error = refused(problem("p0", index=index))
    assert error.message.endswith("p9 1 depends on p10. And 21 more of the kind.")
    assert error.detail.endswith("p29 1 depends on p30. There is no plugin named p30.")


def test_no_word_of_the_solver_reaches_a_person() -> None:
    for _, given, *_rest in CASES:
        error = refused(given)
        text = f"{error.message} {error.hint} {error.detail}".lower()
        assert not [w for w in ("requirement", "candidate", "backtrack", "criterion", "resolvelib") if w in text]
