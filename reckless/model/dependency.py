"""What one plugin needs of another, as manifests write it: `commando>=0.2`."""

from __future__ import annotations

from reckless.errors import RecklessError
from reckless.model.manifest import Dependency
from reckless.model.names import normalize_name
from reckless.model.versions import MAX_SPECIFIER, parse_specifier

_HINT = "write a plugin's name and, if need be, bounds: commando or commando>=0.2,<1"


def parse_dependency(text: str) -> Dependency:
    """Parse a requirement (PEP 508) without extras, markers or URLs; the name is normalized.

    Raises RecklessError `invalid-dependency`, `invalid-name` or `invalid-specifier`.
    """
    from packaging.requirements import InvalidRequirement, Requirement

    if len(text) > MAX_SPECIFIER:
        raise RecklessError("invalid-dependency", f"a dependency is at most {MAX_SPECIFIER} characters", _HINT)
    try:
        requirement = Requirement(text)
    except InvalidRequirement as e:
        raise RecklessError("invalid-dependency", f"{text!r} is not a dependency", _HINT) from e
    for what, given in (("extras", requirement.extras), ("a marker", requirement.marker), ("a URL", requirement.url)):
        if given:
            raise RecklessError("invalid-dependency", f"{text!r} has {what}, which means nothing for plugins", _HINT)
    return Dependency(name=normalize_name(requirement.name), specifier=parse_specifier(str(requirement.specifier)))
