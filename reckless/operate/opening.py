"""Any source by its location: an index, a folder of manifests or of plugins, a git repository."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NoReturn

from reckless.errors import IndexSourceError, RecklessError
from reckless.index.port import Freshness
from reckless.index.source import Source, open_source
from reckless.model.followed import Followed
from reckless.operate.unvouched import Unvouched


def open_location(location: str, *, cache: Path, offline: bool = False) -> Source:
    """Open a source; nothing is asked of a server yet. A folder that is not there raises when it is asked.

    Raises as `open_source`, and UsageError for an address.
    """
    if location.startswith("git+"):
        from reckless.operate.git_source import GitRepository

        return GitRepository(location, cache=cache, offline=offline)
    try:
        return open_source(location, cache=cache / "index", offline=offline)
    except IndexSourceError as e:
        if e.code == "source-missing":
            return _Gone(location, e)
        if e.code != "not-an-index" or "://" in location:
            raise
        from reckless.operate.folder_source import PluginFolder

        return PluginFolder(Path(location).expanduser())


class _Gone(Unvouched):
    """A folder that is not there: what is asked of it raises `error`, which stops nobody who needs nothing of it."""

    def __init__(self, location: str, error: IndexSourceError) -> None:
        self.location = location
        self._error = error

    def catalog(self) -> NoReturn:
        raise self._error

    def manifests(self, names: Iterable[str]) -> NoReturn:  # noqa: ARG002 - there are none
        raise self._error

    def followed(self, name: str) -> Followed:  # noqa: ARG002 - there are none
        raise self._error

    def reasons(self, name: str) -> tuple[str, ...]:  # noqa: ARG002 - there are none
        raise self._error

    @property
    def freshness(self) -> Freshness:
        return Freshness()

    @property
    def problems(self) -> Mapping[str, RecklessError]:
        return {}
