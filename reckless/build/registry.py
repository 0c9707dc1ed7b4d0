"""Which backend builds which language."""

from __future__ import annotations

from importlib import import_module

from reckless.build.base import Backend
from reckless.model.manifest import Language

# Module and class: a backend is loaded where something is built with it, and no sooner.
_BACKENDS: dict[Language, tuple[str, str]] = {
    "python": ("python", "PythonBackend"),
    "rust": ("rust", "RustBackend"),
    "go": ("go", "GoBackend"),
    "node": ("node", "NodeBackend"),
    "java": ("java", "JavaBackend"),
    "make": ("make", "MakeBackend"),
    "script": ("script", "ScriptBackend"),
    "prebuilt": ("prebuilt", "PrebuiltBackend"),
}


def backend_for(language: Language) -> Backend:
    """Return the builder of `language`."""
    module, name = _BACKENDS[language]
    backend: Backend = getattr(import_module(f"reckless.build.{module}"), name)()
    return backend
