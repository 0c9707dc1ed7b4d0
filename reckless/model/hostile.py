"""Checks of single values from files that strangers write. Each returns what is wrong, or None.

Nothing here trusts its input: what passes can be shown on a terminal, joined to a folder, or given to a program as an
argument, without meaning anything but itself.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from reckless.model.finding import Complaint, shown
from reckless.model.names import is_name

Check = Callable[[str], Complaint | None]

MAX_URL = 2048
MAX_PATH = 256
MAX_LICENSE = 200
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_CONTROL = frozenset({"Cc", "Cs", "Zl", "Zp"})

_HOST = (
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9A-Fa-f:.]+\])"
)
_REST = r"(?::[0-9]{1,5})?(?:[/?][A-Za-z0-9\-._~:/?@!$&'()*+,;=%]*)?"
_HTTPS = re.compile(rf"https://{_HOST}{_REST}")
_LOOPBACK = re.compile(rf"http://(?:127(?:\.[0-9]{{1,3}}){{3}}|localhost|\[::1\]){_REST}")
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_TOPIC = re.compile(r"\*|[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_TARGET = re.compile(r"[a-z0-9_]{1,32}(-[a-z0-9_]{1,32}){1,3}")
_LICENSE = re.compile(r"[A-Za-z0-9.+() -]+")
_LICENSE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*\+?")
_OFFER = re.compile(r"lno1[023456789acdefghjklmnpqrstuvwxyz]{1,2000}")
_OBJECT = re.compile(
    r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*:[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*"
)
_BINARY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,99}")
_SYSTEM = re.compile(
    r"bin:[A-Za-z0-9][A-Za-z0-9._+-]{0,63}"
    r"|pkg-config:[A-Za-z0-9][A-Za-z0-9._+-]{0,63}(?:>=[0-9][0-9A-Za-z.~+-]{0,31})?"
    r"|header:[A-Za-z0-9_][A-Za-z0-9_.+-]{0,63}(?:/[A-Za-z0-9_][A-Za-z0-9_.+-]{0,63}){0,7}"
    r"|lib:[A-Za-z0-9][A-Za-z0-9._+-]{0,63}"
)


def control(text: str, *, several_lines: bool = False) -> Complaint | None:
    """Refuse what acts on a terminal or hides itself: control characters, lone surrogates, bidirectional overrides."""
    if text.isascii() and text.isprintable():
        return None
    allowed = "\n\t" if several_lines else ""
    for character in text:
        if character in allowed:
            continue
        if character == "\n":
            return Complaint("not-one-line", "this is one line, without a line break", "write it on one line")
        if character in _BIDI or unicodedata.category(character) in _CONTROL:
            return Complaint(
                "control-character",
                f"the character U+{ord(character):04X} is not allowed: it acts on a terminal or hides text",
                "remove it",
            )
    return None


def name(text: str) -> Complaint | None:
    """Check a plugin's name as manifests write it."""
    if is_name(text):
        return None
    return Complaint(
        "invalid-name",
        f"{shown(text)} is not a plugin name",
        "a name has lower-case letters, digits and single dashes, starts with a letter, and is at most 64 long",
    )


def path(text: str) -> Complaint | None:
    """Check a path inside a tree: relative, forward slashes, no way out, nothing that reads as an option."""
    problem = _path_problem(text)
    if problem is None:
        return None
    return Complaint(
        "invalid-path",
        f"{shown(text)} {problem}",
        "give a path inside the source tree, such as plugins/summary.py, with forward slashes",
    )


def _path_problem(text: str) -> str | None:
    if len(text) > MAX_PATH:
        return f"is longer than {MAX_PATH} characters"
    if text.startswith(("/", "~")) or re.match(r"[A-Za-z]:", text):
        return "is not relative"
    if "\\" in text:
        return "has a backslash"
    parts = text.split("/")
    if not {"", ".", ".."}.isdisjoint(parts):
        return "has an empty part, `.` or `..` in it"
    if any(part.startswith("-") or part.lower() == ".git" for part in parts):
        return "has a part that starts with a dash, or is git's own folder"
    return None


def url(text: str) -> Complaint | None:
    """Check an https URL: bounded, plain ASCII, no user or password, a host that can't be taken for an option."""
    if len(text) <= MAX_URL and _HTTPS.fullmatch(text):
        return None
    return Complaint(
        "invalid-url",
        f"{shown(re.sub(r'//[^/]*@', '//***@', text))} is not an https URL that reckless will fetch",
        f"it starts with https://, names no user or password, has no fragment, and is at most {MAX_URL} long",
    )


def local_url(text: str) -> Complaint | None:
    """Check a URL of an index on this machine: https, http on loopback, an absolute path or a file:// URL."""
    if len(text) <= MAX_URL and (_HTTPS.fullmatch(text) or _LOOPBACK.fullmatch(text)):
        return None
    place = text.removeprefix("file://")
    if place.startswith("/") and place != "/" and not place.startswith("//") and _path_problem(place[1:]) is None:
        return None
    complaint = url(text)
    return complaint and complaint._replace(hint="give an https URL, an http URL on this machine, or an absolute path")


def rev(text: str) -> Complaint | None:
    """Check a git commit: all of its hex digits, so that nothing but that commit can be meant."""
    if re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", text):
        return None
    return Complaint(
        "invalid-rev",
        f"{shown(text)} is not a full commit",
        "give all 40 lower-case hex digits of the commit (64 in a sha256 repository); branches and tags can move",
    )


def sha256(text: str) -> Complaint | None:
    """Check a SHA-256 digest."""
    if re.fullmatch(r"[0-9a-f]{64}", text):
        return None
    return Complaint(
        "invalid-sha256",
        f"{shown(text)} is not a SHA-256",
        "give 64 lower-case hex digits; `sha256sum FILE` prints them",
    )


def token(text: str) -> Complaint | None:
    """Check the name of an RPC method, hook, option or built-in, as lightningd knows it."""
    if _TOKEN.fullmatch(text):
        return None
    return Complaint(
        "invalid-item",
        f"{shown(text)} is not a name that lightningd uses",
        "letters, digits, dashes, dots and underscores, at most 100, without leading dashes",
    )


def topic(text: str) -> Complaint | None:
    """Check a notification that is subscribed to: a topic, or `*` for all of them."""
    return None if _TOPIC.fullmatch(text) else token(text)


def target(text: str) -> Complaint | None:
    """Check the machine that a binary is for."""
    if _TARGET.fullmatch(text):
        return None
    return Complaint(
        "invalid-target", f"{shown(text)} is not a target", "targets look like x86_64-linux-gnu or aarch64-macos"
    )


def offer(text: str) -> Complaint | None:
    """Check the look of a BOLT 12 offer: its prefix and bech32's characters (BOLT 12, Encoding)."""
    if _OFFER.fullmatch(text):
        return None
    return Complaint(
        "invalid-offer", f"{shown(text)} is not a BOLT 12 offer", "it starts with lno1; `lightning-cli offer` makes one"
    )


def system(text: str) -> Complaint | None:
    """Check one thing that the operating system must bring, in a form that can be looked for."""
    if _SYSTEM.fullmatch(text):
        return None
    return Complaint(
        "invalid-system",
        f"{shown(text)} is not something that reckless can look for",
        "write bin:NAME, pkg-config:NAME, pkg-config:NAME>=VERSION, header:NAME or lib:NAME",
    )


def entrypoint(text: str, language: str) -> Complaint | None:
    """Check what is started: a file of the tree, the name of the binary that is built, or python `module:function`."""
    if ":" in text:
        if language == "python" and len(text) <= MAX_PATH and _OBJECT.fullmatch(text):
            return None
        return Complaint(
            "invalid-entrypoint",
            f"{shown(text)} is not an entrypoint for {language}",
            "python takes a file or module:function; the other languages a file or a binary's name",
        )
    if language == "rust" and not _BINARY.fullmatch(text):
        return Complaint(
            "invalid-entrypoint",
            f"{shown(text)} is not a binary's name",
            "give the name of the binary that cargo makes",
        )
    complaint = path(text)
    return complaint and complaint._replace(code="invalid-entrypoint")


def license_expression(text: str, *, strict: bool) -> Complaint | None:
    """Check an SPDX license expression (SPDX 2.3, annex D), or `unknown`.

    Only strict mode asks for identifiers of SPDX's list: the list grows, and an older client must not refuse new ones.
    """
    if text == "unknown":
        return None
    complaint = Complaint(
        "invalid-license",
        f"{shown(text)} is not an SPDX license expression",
        'such as "MIT" or "Apache-2.0 OR MIT", or "unknown"',
    )
    if len(text) > MAX_LICENSE or not _LICENSE.fullmatch(text):
        return complaint
    if not strict:
        words = text.replace("(", " ").replace(")", " ").split()
        joined = all(word.upper() in {"AND", "OR", "WITH"} for word in words[1::2]) and len(words) % 2 == 1
        return None if joined and all(_LICENSE_ID.fullmatch(word) for word in words[::2]) else complaint
    from packaging.licenses import canonicalize_license_expression

    try:
        canonical = canonicalize_license_expression(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):  # it compiles what it is given
        return complaint
    return None if canonical == text else complaint._replace(hint=f"SPDX writes it {shown(canonical)}")
