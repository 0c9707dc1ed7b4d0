"""What a project says that its version is, in the file that its language keeps it in."""

from __future__ import annotations

import pytest

from reckless.build.project_version import project_version
from reckless.system.foldertree import FolderTree

STATED = [
    ("python", {"pyproject.toml": '[project]\nname = "a"\nversion = "1.2.3"'}, "1.2.3"),
    ("python", {"pyproject.toml": '[tool.poetry]\nversion = "1.2.3b1"'}, "1.2.3b1"),
    ("rust", {"Cargo.toml": '[package]\nname = "a"\nversion = "4.2.1-rc.2"'}, "4.2.1rc2"),
    ("node", {"package.json": '{"version": "2.0.0"}'}, "2.0.0"),
    (
        "java",
        {"pom.xml": "<project><parent><version>9</version></parent><version>1.4-SNAPSHOT</version></project>"},
        "1.4",
    ),
    ("java", {"pom.xml": "<project><dependencies><version>9</version></dependencies></project>"}, None),
    ("java", {"build.gradle": "group = 'x'\nversion = '3.4'"}, "3.4"),
    ("java", {"build.gradle.kts": 'version = "3.5"'}, "3.5"),
    ("go", {"go.mod": "module a"}, None),
    ("script", {"a.sh": "#!/bin/sh"}, None),
    ("python", {}, None),
    ("python", {"pyproject.toml": '[project]\nname = "a"\ndynamic = ["version"]'}, None),
    ("python", {"pyproject.toml": '[project]\nversion = "0.0.0"'}, None),
    ("python", {"pyproject.toml": '[project]\nversion = "next"'}, None),
    ("python", {"pyproject.toml": "project = 3"}, None),
    ("python", {"pyproject.toml": "[" * 10_000}, None),
    ("node", {"package.json": '{"version": 2}'}, None),
    ("node", {"package.json": "[" * 100_000}, None),
    ("rust", {"Cargo.toml": "not toml"}, None),
]


@pytest.mark.parametrize(("language", "files", "version"), STATED)
@pytest.mark.parametrize("folder", ["", "plugins/a"])
def test_a_version_is_read_where_it_is_stated(tmp_path, language, files, version, folder):
    (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (tmp_path / folder / name).write_text(text)
    found = project_version(FolderTree(tmp_path), folder, language)
    assert (str(found) if found else None) == version


def test_a_crate_may_have_its_workspace_s_version(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "Cargo.toml").write_text('[workspace.package]\nversion = "5.0.0"')
    (tmp_path / "a" / "Cargo.toml").write_text("[package]\nversion.workspace = true")
    assert str(project_version(FolderTree(tmp_path), "a", "rust")) == "5.0.0"
