from __future__ import annotations

import pytest

from reckless.index.source import open_source
from reckless.publish.builder import build_index
from tests.index.library import BUILTIN, manifest, serving, write_manifests


@pytest.fixture
def manifests(tmp_path):
    """Three plugins: summary needs datastore, which needs the built-in commando; sling stands alone."""
    return write_manifests(
        tmp_path / "manifests",
        manifest("summary", depends=["datastore>=1"]),
        manifest("datastore", depends=["commando"]),
        manifest("sling"),
        builtin=BUILTIN,
    )


@pytest.fixture
def built(tmp_path, manifests):
    """The same, built."""
    build_index(manifests, tmp_path / "out")
    return tmp_path / "out"


@pytest.fixture
def site(built):
    """The same, on a server."""
    with serving(built) as running:
        yield running


@pytest.fixture
def web(site, tmp_path):
    """Open the server as a new process would: nothing is known but what the cache keeps."""

    def opened(**options):
        return open_source(site.base, cache=tmp_path / "cache", **options)

    return opened
