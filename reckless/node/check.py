"""Whether a probed plugin keeps its manifest's word, and fits onto the node with the options given. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from reckless.errors import ProbeError
from reckless.model.manifest import Runtime
from reckless.node.getmanifest import Getmanifest, PluginOption, wrong_value

Options = tuple[tuple[str, str | None], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ProbeNotes:
    """What a check found that is no error.

    `options` are the options given, as they must stand in the config and go to `plugin start`: a flag has None as its
    value. `needs_restart`: not dynamic, so only a restart of lightningd brings it in. `notes` are sentences.
    """

    options: Options = ()
    needs_restart: bool = False
    notes: tuple[str, ...] = ()


def check_manifest(
    manifest: Getmanifest,
    runtime: Runtime,
    *,
    taken_methods: Mapping[str, str],
    taken_options: Mapping[str, str],
    given_options: Sequence[tuple[str, str | None]] = (),
) -> ProbeNotes:
    """Check what getmanifest said against the manifest in the index, the node, and the options given.

    `taken_methods` and `taken_options` map names to who has them on the node (empty: lightningd itself, or it does not
    say), an older version of the same plugin left out. Raises ProbeError `method-taken`, `option-taken`,
    `manifest-mismatch`, and as `check_options`.
    """
    for method in manifest.rpcmethods:
        if method.name in taken_methods:
            raise _taken("method-taken", f"the RPC method {method.name}", taken_methods[method.name])
    for option in manifest.options:
        if option.name in taken_options:
            raise _taken("option-taken", f"the option {option.name}", taken_options[option.name])
    _keep_word(manifest, runtime)
    options = check_options(manifest.options, given_options, required=runtime.required_options)
    return ProbeNotes(options=options, needs_restart=not manifest.dynamic, notes=_notes(manifest, runtime, options))


def check_options(
    offered: Sequence[PluginOption], given: Sequence[tuple[str, str | None]], *, required: Collection[str] = ()
) -> Options:
    """Check options given for a plugin, and return them as lightningd wants them.

    A flag given as `true`, `yes` or empty has None as its value there, and one given as `false` or `no` is left out.
    Raises ProbeError `option-unknown`, `option-invalid` (its text holds no value), `option-required`.
    """
    by_name = {option.name: option for option in offered}
    seen: set[str] = set()
    written: list[tuple[str, str | None]] = []
    for name, value in given:
        option = by_name.get(name)
        if option is None:
            raise _unknown(name, sorted(by_name))
        if name in seen and not option.multi:
            raise _wrong(name, "is given twice, and takes one value")
        seen.add(name)
        written += _written(option, value)
    for name in required:
        if name not in seen and (name not in by_name or not by_name[name].default):  # an empty default is none
            raise ProbeError(
                "option-required",
                f"the plugin cannot start without its option {name}",
                f"give it: --option {name}=VALUE",
            )
    return tuple(written)


def _written(option: PluginOption, value: str | None) -> Options:
    if option.type == "flag":
        text = "true" if value in (None, "") else str(value).lower()
        if text not in ("true", "yes", "false", "no"):
            raise _wrong(option.name, "is a flag: it is given as true or not at all")
        return ((option.name, None),) if text in ("true", "yes") else ()
    if value is None:
        raise _wrong(option.name, "needs a value")
    why = wrong_value(option.type, value)
    if why:
        raise _wrong(option.name, why)
    return ((option.name, value),)


def _wrong(name: str, why: str) -> ProbeError:
    return ProbeError("option-invalid", f"what is given for {name} {why}", "lightningd would refuse it; give it anew")


def _unknown(name: str, names: Sequence[str]) -> ProbeError:
    near = difflib.get_close_matches(name, names, n=2, cutoff=0.6)
    hint = f"did you mean {' or '.join(near)}?" if near else f"it has: {', '.join(names) or 'no options'}"
    return ProbeError("option-unknown", f"the plugin has no option {name}", hint)


def _taken(code: str, what: str, owner: str) -> ProbeError:
    who = owner or "lightningd itself or a plugin that it runs"
    return ProbeError(
        code,
        f"{what} belongs to {who} already, so lightningd is not shown this plugin (it may end over that)",
        f"disable {owner} first, if this one is to take its place" if owner else "the two cannot run on one node",
    )


def _keep_word(manifest: Getmanifest, runtime: Runtime) -> None:
    broken = []
    pairs = (
        ("RPC methods", runtime.rpcmethods, {m.name for m in manifest.rpcmethods}),
        ("hooks", runtime.hooks, set(manifest.hooks)),
    )
    for what, declared, there in pairs:
        if declared is None:
            continue
        missing, extra = sorted(set(declared) - there), sorted(there - set(declared))
        if missing:
            broken.append(f"its manifest declares the {what} {', '.join(missing)}, which it does not have")
        if extra:
            broken.append(f"it has the {what} {', '.join(extra)}, which its manifest does not declare")
    if runtime.dynamic is not None and runtime.dynamic != manifest.dynamic:
        said, does = ("dynamic", "is not") if runtime.dynamic else ("not dynamic", "is")
        broken.append(f"its manifest says that it is {said}, but it {does}")
    if broken:
        raise ProbeError(
            "manifest-mismatch",
            f"the plugin is not what its manifest says: {'; '.join(broken)}",
            "report it to whoever keeps the manifest; another release may be right",
        )


def _notes(manifest: Getmanifest, runtime: Runtime, options: Options) -> tuple[str, ...]:
    notes = []
    if not manifest.dynamic:
        notes.append("it is not dynamic: restart lightningd to bring it in")
    gone = sorted(set(runtime.options or ()) - {o.name for o in manifest.options})
    if gone:
        notes.append(f"its manifest declares options that it does not have: {', '.join(gone)}")
    given = {name for name, _ in options}
    old = sorted(o.name for o in manifest.options if o.deprecated and o.name in given)
    if old:
        notes.append(f"deprecated options are given: {', '.join(old)}")
    return tuple(notes)
