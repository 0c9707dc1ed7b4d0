"""A workshop to build plugins in."""

from __future__ import annotations

import pytest

from tests.build.workshop import Workshop


@pytest.fixture
def workshop(tmp_path):
    """Return a maker of workshops for one language, all in this test's folder."""

    def make(language: str, **more) -> Workshop:
        return Workshop(root=tmp_path, language=language, **more)

    return make


@pytest.fixture(scope="session")
def python_cache(tmp_path_factory):
    """Return a cache that several tests share, so that each package is fetched once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def java_cache(tmp_path_factory):
    """Return a cache that all tests of Maven and Gradle share: both fetch many small parts of themselves."""
    return tmp_path_factory.mktemp("java-cache")
