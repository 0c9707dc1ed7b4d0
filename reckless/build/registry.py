"""Which backend builds which language."""

from __future__ import annotations

from reckless.build.base import Backend
from reckless.errors import BuildError
from reckless.model.manifest import Language

SUPPORTED: tuple[Language, ...] = ("python", "rust", "go", "node", "java", "make", "script")


def backend_for(language: Language) -> Backend:
    """Return the builder of `language`. Raises BuildError `unsupported-language`."""
    if language == "python":
        from reckless.build.python import PythonBackend

        return PythonBackend()
    if language == "rust":
        from reckless.build.rust import RustBackend

        return RustBackend()
    if language == "go":
        from reckless.build.go import GoBackend

        return GoBackend()
    if language == "node":
        from reckless.build.node import NodeBackend

        return NodeBackend()
    if language == "java":
        from reckless.build.java import JavaBackend

        return JavaBackend()
    if language == "make":
        from reckless.build.make import MakeBackend

        return MakeBackend()
    if language == "script":
        from reckless.build.script import ScriptBackend

        return ScriptBackend()
    raise BuildError(
        "unsupported-language",
        f"this reckless cannot build {language} plugins yet, only {', '.join(SUPPORTED)}",
        "upgrade reckless, or install it by hand as its own documentation says",
    )
