"""Detection over the shapes of all the real plugins: what each is, how it is built, and why."""

from __future__ import annotations

import pytest
from packaging.specifiers import SpecifierSet

from reckless.build.detect import Candidate, NotAPlugin, detect, plugins_in
from reckless.errors import DetectionError
from tests.build.catalogue_others import OTHER_PLUGINS
from tests.build.catalogue_python import PYTHON_PLUGINS
from tests.build.shapes import plant, pyln, uv

CATALOGUE = PYTHON_PLUGINS | OTHER_PLUGINS


@pytest.mark.parametrize("plugin", CATALOGUE)
def test_every_plugin_of_the_catalogue_is_told(plugin, tmp_path):
    shape = CATALOGUE[plugin]
    tree = plant(tmp_path, shape.files, shape.links)
    if shape.error:
        with pytest.raises(DetectionError) as error:
            detect(tree, shape.at, name=shape.repo)
        assert error.value.code == shape.error
        return
    told = detect(tree, shape.at, name=shape.repo)
    build = told.build
    assert (build.language, told.build_system, build.entrypoint) == (shape.language, shape.system, shape.entrypoint)
    assert build.lock == shape.lock
    assert build.toolchain == SpecifierSet(shape.toolchain)
    assert told.subdir == (shape.at if shape.subdir is None else shape.subdir)
    assert told.path == shape.at
    assert told.name == (shape.name or (shape.at.rpartition("/")[2] or shape.repo).lower())
    assert told.status == shape.status
    assert told.test_only == shape.tests
    for reason in shape.because:
        assert reason in "\n".join(told.reasons)
    assert shape.why_not in told.why_not
    assert told.installable is not bool(shape.why_not)


def test_the_collections_top_folder_is_no_plugin_but_lists_them(tmp_path):
    live = {f"{name}/{file}": text for name in ("alpha", "beta") for file, text in uv(name).items()}
    with pytest.raises(DetectionError) as error:
        detect(plant(tmp_path, {**live, "pyproject.toml": "[project]\nname = 'all'\n"}), name="plugins")
    assert error.value.code == "several-plugins"
    assert error.value.choices == ("alpha", "beta")
    assert "URL/tree/REVISION/alpha" in error.value.hint
    assert "alpha.py makes a Plugin" in error.value.detail


def test_a_collection_is_listed_folder_by_folder(tmp_path):
    tree = plant(
        tmp_path,
        {
            **{f"alpha/{file}": text for file, text in uv("alpha").items()},
            "archived/old/old.py": pyln(),
            "archived/README.md": "",
            "papers/README.md": "",
            "tests/helper.py": pyln(),
            ".ci/ci.py": pyln(),
            "sling/": "",
            ".gitmodules": '[submodule "sling"]\n\tpath = sling\n\turl = https://example.org/sling\n',
        },
        {"beta": "alpha"},
    )
    found = {one.path: one for one in plugins_in(tree, name="plugins")}
    assert list(found) == ["alpha", "archived/old", "beta", "papers", "sling"]
    assert isinstance(found["alpha"], Candidate)
    assert found["alpha"].summary == "What alpha does"
    assert isinstance(found["archived/old"], Candidate)
    assert found["archived/old"].status == "archived"
    others = [found[path] for path in ("beta", "papers", "sling")]
    assert [(one.kind, one.why) for one in others if isinstance(one, NotAPlugin)] == [
        ("link", "it is a link, which is not followed"),
        ("folder", "nothing in it answers getmanifest"),
        ("submodule", "it is a submodule: its files are in a repository of its own"),
    ]
