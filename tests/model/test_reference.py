"""docs/reference/manifest.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from reckless.model import sections
from reckless.model.manifest import CATEGORIES, LANGUAGES, STATUSES
from reckless.model.reader import parse_builtins, parse_manifest
from reckless.model.registries import REGISTRIES, RULES

ROOT = Path(__file__).parents[2]
REFERENCE = (ROOT / "docs" / "reference" / "manifest.md").read_text("utf-8")
EXAMPLES = re.findall(r"^```toml\n(.*?)^```", REFERENCE, re.MULTILINE | re.DOTALL)


def test_the_examples_are_strictly_valid() -> None:
    manifest = parse_manifest(EXAMPLES[0], file="manifest.md", strict=True)
    assert [str(release.version) for release in manifest.releases] == ["1.2.0", "1.1.0", "1.0.0"]
    without_releases = EXAMPLES[0].partition("[[release]]")[0]
    own = parse_manifest(without_releases + EXAMPLES[1], file="manifest.md", strict=True, own=True).own
    assert own is not None
    assert str(own.version) == "1.3.0"
    assert set(parse_builtins(EXAMPLES[2], file="manifest.md", strict=True)) == {"commando"}


def test_every_finding_code_is_documented_and_no_other() -> None:
    documented = re.findall(
        r"^\| `([a-z0-9-]+)` \|", REFERENCE.split("## Findings")[1].split("## `builtin")[0], re.MULTILINE
    )
    readers = ["hostile", "table", "sections", "reader", "locate", "dependency", "versions", "names", "registries"]
    source = "".join((ROOT / "reckless" / "model" / f"{name}.py").read_text("utf-8") for name in readers)
    raised = set(
        re.findall(r'(?:Complaint|RecklessError|_matching)\(\s*(?:_[A-Z0-9_]+,\s*)?"([a-z0-9-]+)"', source)
    ) | {"invalid-entrypoint"}
    assert documented == sorted(documented)
    assert set(documented) == raised - {"invalid-lightningd-version"}  # becomes invalid-version where a file has it


def test_every_key_is_documented() -> None:
    keys = {*sections.PLUGIN_KEYS, *sections.BUILD_KEYS, *sections.RUNTIME_KEYS, *sections.RELEASE_KEYS} - {
        "build",
        "runtime",
    }
    assert {key for key in keys if not re.search(rf"^\| [^|]*`{key}`", REFERENCE, re.MULTILINE)} == set()
    for word in (*CATEGORIES, *LANGUAGES, *STATUSES, *REGISTRIES, *(rules.key for rules in RULES.values())):
        assert f"`{word}`" in REFERENCE
