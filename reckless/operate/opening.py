"""Any source by its location: an index, a folder of manifests or of plugins, a git repository."""

from __future__ import annotations

from pathlib import Path

from reckless.errors import IndexSourceError
from reckless.index.source import Source, open_source


def open_location(location: str, *, cache: Path, offline: bool = False) -> Source:
    """Open a source; nothing is asked of a server yet. Raises as `open_source`, and UsageError for an address."""
    if location.startswith("git+"):
        from reckless.operate.git_source import GitRepository

        return GitRepository(location, cache=cache, offline=offline)
    try:
        return open_source(location, cache=cache / "index", offline=offline)
    except IndexSourceError as e:
        if e.code != "not-an-index" or "://" in location:
            raise
        from reckless.operate.folder_source import PluginFolder

        return PluginFolder(Path(location).expanduser())
