"""Shell completion of plugin names: from state.json and the index's cache, never from the network, never failing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import MutableMapping, Sequence

    from reckless.cli.globals import Globals

INSTRUCTION = "_RECKLESS_COMPLETE"
_given: Globals | None = None


def prepare(env: MutableMapping[str, str]) -> bool:
    """Take the options of every command out of the line that is being completed, and remember them.

    What the shell passed in `env` (bash: COMP_WORDS and COMP_CWORD; zsh and fish: _TYPER_COMPLETE_ARGS) is replaced by
    the line without them. False where there is nothing that we could complete: a value of such an option.
    """
    global _given  # one process completes one line
    import shlex

    from reckless.cli.globals import take_globals
    from reckless.errors import UsageError

    line = env.get("COMP_WORDS", env.get("_TYPER_COMPLETE_ARGS", ""))
    try:
        words = shlex.split(line)
    except ValueError:  # a quote is still open
        words = line.split()
    if "COMP_WORDS" in env:
        at = int(env["COMP_CWORD"]) if env.get("COMP_CWORD", "").isdecimal() else len(words) - 1
        at = max(at, 1)
        before, incomplete = words[1:at], (words[at] if at < len(words) else "")
    elif line.endswith(" ") or len(words) < 2:
        before, incomplete = words[1:], ""
    else:
        before, incomplete = words[1:-1], words[-1]
    try:
        _given, rest = take_globals(_joined(before))
    except UsageError:
        return False
    program = words[0] if words else "reckless"
    if "COMP_WORDS" in env:
        env["COMP_WORDS"] = shlex.join([program, *rest, incomplete])
        env["COMP_CWORD"] = str(len(rest) + 1)
    else:
        env["_TYPER_COMPLETE_ARGS"] = f"{shlex.join([program, *rest])} {incomplete}"
    return True


def _joined(words: Sequence[str]) -> list[str]:
    """Put together again what bash took apart at `=`."""
    joined: list[str] = []
    for word in words:
        if joined and (word == "=" or joined[-1].endswith("=")) and joined[-1].startswith("--"):
            joined[-1] += word
        else:
            joined.append(word)
    return joined


def complete_installed(incomplete: str) -> list[str]:
    """Return installed plugins that begin so."""
    return _matching(incomplete, known=False)


def complete_known(incomplete: str) -> list[str]:
    """Return all plugins that begin so."""
    return _matching(incomplete, known=True)


def _matching(incomplete: str, *, known: bool) -> list[str]:
    try:
        from reckless.cli.context import settings
        from reckless.cli.globals import Globals
        from reckless.operate.session import Session

        session = Session(settings(_given or Globals()), only_looking=True)
        state = session.state()
        names = set(state.plugins)
        if known:
            names |= {entry.name for entry, _ in session.sources(state, offline=True).catalog()}
    except Exception:  # noqa: BLE001 - a completion that cannot be made is an empty one, never noise in a prompt
        return []
    return sorted(n for n in names if n.startswith(incomplete))
