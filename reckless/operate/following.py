"""What is newer of plugins that no index vouches for: a branch is followed, what was asked for exactly stays.

A tag that moved is noticed and said, and not taken: whoever asked for a tag asked for what it named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from reckless.errors import RecklessError
from reckless.model.followed import Followed
from reckless.model.state import Entry
from reckless.operate.forced import differs
from reckless.operate.session import Session
from reckless.operate.unvouched import One
from reckless.system.parallel import in_parallel

AT_ONCE = 6
# The commit of a branch, or the tags and their commits.
_Answer = str | Mapping[str, str]
_Answers = Mapping[str, _Answer | BaseException]


@dataclass(frozen=True, kw_only=True, slots=True)
class Stays:
    """There is nothing newer, or nothing that would be taken, and why; `moved`: its tag names another commit now."""

    why: str
    moved: bool = False


Newest = One | Stays | RecklessError


def newest_of(session: Session, entries: Iterable[Entry]) -> dict[str, Newest]:
    """Return what there is now of plugins that follow a place of their own, by name; an error where it cannot be seen.

    Each repository is asked once. An interrupt is raised.
    """
    following = {e.name: (e, e.followed) for e in entries if e.followed is not None}
    if not following:
        return {}
    asked = _ask([there for _, there in following.values()])
    work = {name: partial(_newest, session, entry, there, asked) for name, (entry, there) in following.items()}
    answers: dict[str, Newest] = {}
    for name, answer in in_parallel(_call, work, AT_ONCE).items():
        if isinstance(answer, BaseException) and not isinstance(answer, RecklessError):
            raise answer
        answers[name] = answer
    return answers


def _call(work: Callable[[], One | Stays]) -> One | Stays:
    return work()


def _ask(places: Iterable[Followed]) -> _Answers:
    """Ask each repository for the tip of each branch, and for its tags where they matter; errors are answers."""
    from reckless.fetch.remote import remote_tip

    questions: dict[str, Callable[[], _Answer]] = {}
    for there in places:
        if there.kind == "branch":
            questions[_key(there)] = partial(remote_tip, there.place, there.ref)
        elif there.kind == "tag":
            questions[_key(there)] = partial(_tags, there.place)
    return in_parallel(lambda question: question(), questions, AT_ONCE)


def _tags(url: str) -> Mapping[str, str]:
    from reckless.fetch.remote import remote_refs

    return remote_refs(url).tags


def _key(there: Followed) -> str:
    return f"{there.kind}:{there.place}" + (f"#{there.ref}" if there.kind == "branch" else "")


def _newest(
    session: Session, entry: Entry, there: Followed, asked: Mapping[str, _Answer | BaseException]
) -> One | Stays:
    if there.kind == "path":
        return Stays(why=f"it came from a folder: `reckless install {there.address()}` builds it again")
    if there.kind == "commit":
        return Stays(why=f"stays at {there}, as it was asked for")
    answer = asked[_key(there)]
    if isinstance(answer, BaseException):
        raise answer
    if not isinstance(answer, str):
        return _tag(there, answer)
    if answer == there.commit:
        return Stays(why=str(there))
    return _moved_on(entry, there, answer, session)


def _moved_on(entry: Entry, there: Followed, tip: str, session: Session) -> One | Stays:
    from reckless.operate.git_place import Meant, plugin_of

    now = replace(there, commit=tip, content="")
    one = plugin_of(Meant(followed=now, ref=tip), cache=session.settings.cache, location=entry.origin)
    if one.name != entry.name:
        raise RecklessError(
            "plugin-renamed",
            f"{there.address()} holds the plugin {one.name} now, and no {entry.name}; {entry.version} is as it was",
            f"`reckless install {there.address()}` installs {one.name}",
        )
    if not differs(session.store, entry, one):
        return Stays(why=f"{now}, which did not change it")
    return one


def _tag(there: Followed, tags: Mapping[str, str]) -> Stays:
    now = tags.get(there.ref)
    if now is None:
        return Stays(why=f"stays at {there}, as it was asked for; {there.place} has no such tag any more", moved=True)
    if now != there.commit:
        moved = f"{there.place} has moved the tag {there.ref} from {there.short} to {now[:7]}"
        return Stays(why=f"stays at {there.short}: {moved}; `reckless install {there.address()}` takes it", moved=True)
    return Stays(why=f"stays at {there}, as it was asked for")
