"""Starting a plugin without killing the node.

lightningd v26.06.6 dies (a null pointer in configvar_finalize_overrides) at every `plugin start` that carries options,
or is merely in keyword form, while any option set in its config at boot, on its command line or by setconfig belongs to
a plugin that has since been stopped or has died. The positional form, without options, is safe, and gives the plugin
what the config said at boot.
So before options are passed on, it is made sure that no such option has been left behind; where one has, the plugin
comes in, with its options, at lightningd's next restart.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from reckless.model.state import State
from reckless.operate.session import Session

_NOT_HELD = frozenset({"default", "pluginstart"})  # sources of values that leave with their plugin


def boot_of(session: Session) -> str:
    """Return what tells one run of lightningd from another: when it wrote its pid file; empty where there is none."""
    try:
        return str(_pid_file(session).stat().st_mtime_ns)
    except OSError:
        return ""


def _pid_file(session: Session) -> Path:
    return session.files.lightning_dir / f"lightningd-{session.network}.pid"


def remember(session: Session, state: State, names: Iterable[str]) -> State:
    """Note options from the config whose plugin we stop, so that a later start knows what lightningd still holds."""
    boot = boot_of(session)
    known_boot, *left = state.left.get(session.network, ("",))
    kept = left if known_boot == boot else []
    together = tuple(sorted({*kept, *names}))
    return state.with_left(session.network, (boot, *together) if together else ())


def left_since_boot(session: Session, state: State) -> set[str]:
    """Return the options remembered of this run of lightningd: from its config, of plugins stopped since."""
    boot, *left = state.left.get(session.network, ("",))
    return set(left) if boot == boot_of(session) else set()


def left_behind(session: Session, state: State, *, leaving: Collection[str] = ()) -> set[str]:
    """Return the options set in the config of this run of lightningd that no running plugin has.

    `leaving` are the options of a plugin that is about to be stopped. Raises NodeError.
    """
    candidates = {line.key for line in session.files.scan().lines}
    candidates |= left_since_boot(session, state) | _on_command_line(session)
    known = session.node.taken(sorted(candidates))
    return {name for name in candidates if name not in known or name in leaving}


def can_pass_options(session: Session, state: State, *, offers: Collection[str], leaving: Collection[str] = ()) -> bool:
    """Say whether a plugin that offers these options can be started with some of them, now. Raises NodeError."""
    return not left_behind(session, state, leaving=leaving) - set(offers)


def since_boot(session: Session, names: Collection[str], *, running: bool) -> set[str]:
    """Return those of a plugin's options that this run of lightningd took from its config, command line or setconfig.

    It holds on to them whatever the config says by then, and gives them to the plugin at every start. Of a plugin that
    is not `running` it cannot be asked: then all may be. Raises NodeError.
    """
    if not running:
        return set(names)
    configured = session.node.configured() if names else {}
    return {n for n in names if n in configured and set(configured[n].sources) - _NOT_HELD}


def _on_command_line(session: Session) -> set[str]:
    """Return the options that lightningd was started with, where we can see its process (Linux)."""
    try:
        pid = int(_pid_file(session).read_text())
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except (OSError, ValueError):
        return set()
    return {word[2:].partition("=")[0] for word in words[1:] if word.startswith("--") and len(word) > 2}


def why_not(name: str) -> str:
    """Say why a plugin has to wait."""
    return (
        f"{name} waits for a restart of lightningd: this one would crash if a plugin was started with options now, "
        "because an option that its config had when it started belongs to a plugin that no longer runs"
    )


def why_held(name: str, options: Collection[str]) -> str:
    """Say why options that were taken out still have their old value."""
    return (
        f"{name} has the old value of {', '.join(sorted(options))} until lightningd is restarted: "
        "it goes on giving it what the config said when lightningd started"
    )
