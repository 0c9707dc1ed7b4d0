"""From releases in the index to sealed trees: fetch, build, probe, seal. The node is not touched."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from reckless import __version__
from reckless.build.base import BuildJob
from reckless.build.environment import build_environment
from reckless.build.machine import this_machine
from reckless.build.registry import backend_for
from reckless.build.system_packages import missing_client
from reckless.errors import BuildError, ToolchainMissingError
from reckless.fetch.fetcher import fetch
from reckless.index.port import Source
from reckless.model.followed import Followed
from reckless.model.machine import Machine
from reckless.model.manifest import Binary, GitSource, PathSource, RegistrySource, Release, ShippedLock
from reckless.model.state import Receipt
from reckless.node.check import ProbeNotes
from reckless.node.conf import Options
from reckless.node.probe import ProbeResult, check_probe, probe
from reckless.operate.session import Session
from reckless.store.layout import tree_name
from reckless.system.parallel import in_parallel


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """One release to have ready. `options` are given now, `kept` those in the config (left out where it lost them).

    `mine` are the options of the version that it replaces. `taken` maps methods, `taken_options` options of installed
    plugins, to who has them, this plugin aside. `followed` is set where no index vouches for it. `binary` is the
    ready-made program to take; `from_source`: none is to be taken.
    """

    name: str
    release: Release
    source: Source
    options: Options
    kept: Options
    taken: Mapping[str, str]
    taken_options: Mapping[str, str]
    mine: frozenset[str]
    followed: Followed | None = None
    binary: Binary | None = None
    from_source: bool = False

    @property
    def digest(self) -> str:
        """What decides the bytes of the tree."""
        return self.release.digest(self.binary)


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """A tree, probed. `options` are those it is to start with, as lightningd wants them written.

    `fresh`: it was built just now, and is still to be sealed. `followed` is what was asked for now: the tree may have
    been built for something else that is the same.
    """

    tree: str
    receipt: Receipt
    options: Options
    fresh: bool = False
    followed: Followed | None = None
    from_source: bool = False


def say_missing(wish: Wish, machine: Machine) -> None:
    """Raise ToolchainMissingError, naming all that this release's build lacks, before anything is fetched."""
    release = wish.release
    if wish.binary is not None:
        return
    missing = backend_for(release.build.language).missing(release.build, machine)
    if isinstance(release.source, RegistrySource):
        missing += missing_client(release.source.registry)
    if missing:
        raise ToolchainMissingError(
            "toolchain-missing",
            "this machine lacks " + ", ".join(m.what for m in missing),
            "; ".join(dict.fromkeys(m.install for m in missing if m.install)),
        )


def prepare_all(session: Session, wishes: Sequence[Wish], machine: Machine) -> dict[str, Prepared | BaseException]:
    """Return a sealed tree for every wish, as many at once as there are cores; what failed is the answer in its place.

    An interrupt ends every build and is raised.
    """
    workers = max(1, min(len(wishes), session.jobs))
    cores = max(1, session.jobs // workers)

    def one(wish: Wish) -> Prepared:
        return prepare(session, wish, machine, cores)

    found = in_parallel(one, {wish.name: wish for wish in wishes}, workers)
    fresh = [(name, ready) for name, ready in found.items() if isinstance(ready, Prepared) and ready.fresh]
    if fresh:
        session.store.flush()  # once for all: it waits for all that is still to be written, whoever wrote it
    for name, ready in fresh:
        try:
            session.store.seal(ready.tree, ready.receipt)
        except OSError as error:
            found[name] = error
            with contextlib.suppress(OSError):
                session.store.remove_tree(session.store.layout.tree(name, ready.tree))
    return found


def prepare(session: Session, wish: Wish, machine: Machine, jobs: int) -> Prepared:
    """Return the tree of one release, building it where it is not there yet; then it is still to be sealed.

    Where a ready-made program turns out not to fit, and the release can be built here, it is built. Raises FetchError,
    BuildError, ProbeError; nothing but a build log is then left.
    """
    try:
        return _prepare(session, wish, machine, jobs)
    except BuildError as error:
        if error.code != "binary-unfit" or wish.release.build.language == "prebuilt":
            raise
        building = replace(wish, binary=None)
        machine = this_machine(languages=[wish.release.build.language], cache=session.settings.cache)
        try:
            say_missing(building, machine)
        except ToolchainMissingError as missing:
            error.message += f"; to build it, {missing.message}"
            error.hint = missing.hint
            raise error from missing
        session.reporter.note(f"{error.message}; it is built here instead")
        return _prepare(session, building, machine, jobs)


def _prepare(session: Session, wish: Wish, machine: Machine, jobs: int) -> Prepared:
    store, release = session.store, wish.release
    tree = tree_name(str(release.version), wish.digest)
    usable = store.is_whole(wish.name, tree) and store.receipt(wish.name, tree).digest == wish.digest
    if not usable and store.is_current(wish.name, tree):
        tree += ".2"  # a broken tree that the config goes through is built anew beside it, not pulled from under it
    if usable:
        receipt = store.receipt(wish.name, tree)
        session.reporter.step(wish.name, "probe", "already built")
        _, checked = _probe(session, wish, store.layout.tree(wish.name, tree) / receipt.entrypoint)
        session.reporter.step(wish.name, "ready")
        return Prepared(
            tree=tree,
            receipt=receipt,
            options=checked.options,
            followed=wish.followed,
            from_source=wish.from_source,
        )
    folder = store.make_tree(wish.name, tree)
    try:
        return _make(session, wish, machine, folder, jobs)
    except BaseException as error:
        session.reporter.step(wish.name, "done")
        _keep_log(session, wish.name, folder, error)
        with contextlib.suppress(OSError):
            store.remove_tree(folder)
            folder.parent.rmdir()
        raise


def _make(session: Session, wish: Wish, machine: Machine, folder: Path, jobs: int) -> Prepared:
    release, reporter = wish.release, session.reporter
    env = build_environment(Path.home(), session.settings.cache)
    origin = wish.binary or release.source
    reporter.step(wish.name, "fetch", origin.where)
    taken = fetch(origin, folder / "src", cache=session.settings.cache, name=wish.name, reporter=reporter, env=env)
    followed = wish.followed
    if followed is not None and isinstance(taken, PathSource):  # it may have changed since it was looked at
        followed, release = replace(followed, content=taken.sha256), replace(release, source=taken)
    reporter.step(wish.name, "build", "ready-made" if wish.binary else release.build.language)
    job = _job(session, replace(wish, release=release), machine, folder, env)
    built = backend_for(job.build.language).build(replace(job, jobs=jobs))
    reporter.step(wish.name, "probe")
    answer, checked = _probe(session, wish, folder / built.entrypoint)
    manifest = answer.manifest
    receipt = Receipt(
        name=wish.name,
        version=str(release.version),
        digest=release.digest(wish.binary),
        origin=wish.source.location,
        source=origin.where,
        language=release.build.language,
        entrypoint=built.entrypoint,
        interpreter=built.interpreter,
        dynamic=manifest.dynamic,
        depends=tuple(str(d) for d in release.depends),
        conflicts=tuple(str(c) for c in release.conflicts),
        cln=str(release.cln),
        rpcmethods=tuple(m.name for m in manifest.rpcmethods),
        hooks=manifest.hooks,
        subscriptions=manifest.subscriptions,
        options=tuple(o.name for o in manifest.options),
        required=release.runtime.required_options,
        disables=release.runtime.disables,
        notes=built.notes,
        target=wish.binary.target if wish.binary else "",
        built=dt.datetime.now(dt.timezone.utc).isoformat(timespec="seconds"),
        reckless=__version__,
        followed=followed,
    )
    for note in (*built.notes, *checked.notes):
        reporter.note(f"{wish.name}: {note}")
    reporter.step(wish.name, "ready")
    return Prepared(
        tree=folder.name,
        receipt=receipt,
        options=checked.options,
        fresh=True,
        followed=followed,
        from_source=wish.from_source,
    )


def _job(session: Session, wish: Wish, machine: Machine, folder: Path, env: Mapping[str, str]) -> BuildJob:
    """Return what its builder is to be given; a lock that the index ships is put beside the source."""
    release, binary = wish.release, wish.binary
    build = replace(release.build, language="prebuilt", lock=None) if binary else release.build
    lock = None
    if isinstance(build.lock, ShippedLock):
        lock = folder / "lock.txt"
        lock.write_bytes(wish.source.lock(build.lock))
    return BuildJob(
        name=wish.name,
        tree=folder,
        subdir="" if binary else release.source.subdir,
        build=build,
        machine=machine,
        cache=session.settings.cache,
        env=env,
        reporter=session.reporter,
        lock=lock,
        commit=release.source.rev if isinstance(release.source, GitSource) else "",
        program=binary.path if binary else "",
        shared=folder.parent if isinstance(release.source, PathSource) else None,
    )


def _probe(session: Session, wish: Wish, entrypoint: Path) -> tuple[ProbeResult, ProbeNotes]:
    limit = session.settings.probe_timeout
    answer = probe(entrypoint, cwd=session.files.network_dir, lightningd=session.lightningd, timeout=limit)
    offered = {option.name for option in answer.manifest.options}
    for key, _ in wish.kept:
        if key not in offered:
            session.reporter.note(f"{wish.name} {wish.release.version} no longer has the option {key}; it is left out")
    taken_options = session.node.taken(sorted(offered)) if session.info else {}
    checked = check_probe(
        answer,
        wish.release.runtime,
        taken_methods=wish.taken,
        taken_options={
            name: owner for name, owner in {**taken_options, **wish.taken_options}.items() if name not in wish.mine
        },
        given_options=(*(pair for pair in wish.kept if pair[0] in offered), *wish.options),
    )
    return answer, checked


def _keep_log(session: Session, name: str, folder: Path, error: BaseException) -> None:
    """Keep the log of a build that failed where `reckless log` finds it; the error names its new place."""
    log = folder / "build.log"
    if not log.is_file():
        return
    kept = session.store.layout.failed_log(name)
    with contextlib.suppress(OSError):
        kept.parent.mkdir(exist_ok=True)
        log.replace(kept)
        if isinstance(error, BuildError):
            error.hint = error.hint.replace(str(log), str(kept))
            error.message = error.message.replace(str(log), str(kept))
