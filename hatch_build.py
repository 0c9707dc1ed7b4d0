"""Builds the index's snapshot into the wheel, as `reckless/index/snapshot`: manifests that are wrong stop the build."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class SnapshotHook(BuildHookInterface):  # type: ignore[type-arg]  # generic only in newer hatchlings
    """Runs our own index builder over `manifests/`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the snapshot and add it to the wheel; an editable install reads `manifests/` itself."""
        if version == "editable":
            return
        sys.path.insert(0, self.root)
        try:
            from reckless.errors import RecklessError
            from reckless.publish.builder import build_index
        finally:
            sys.path.remove(self.root)
        self._made = tempfile.TemporaryDirectory(prefix="reckless-snapshot-")
        try:
            build_index(Path(self.root, "manifests"), Path(self._made.name))
        except RecklessError as e:
            sys.exit(f"{e.message}\n{e.detail}\n{e.hint}")
        build_data["force_include"][str(Path(self._made.name, "v1"))] = "reckless/index/snapshot/v1"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        """Remove what was made for the wheel."""
        if version != "editable":
            self._made.cleanup()
