"""In which order plugins start and stop: what others need starts first and stops last."""

from __future__ import annotations

from collections.abc import Collection, Mapping


def start_order(needs: Mapping[str, Collection[str]]) -> tuple[str, ...]:
    """Return all keys of `needs`, each after those that it needs; ties by name.

    A cycle is broken at the name through which it is first reached, going by name, so always at the same place. Names
    that are not keys are passed over.
    """
    order: list[str] = []
    seen: set[str] = set()
    for root in sorted(needs):
        if root in seen:
            continue
        seen.add(root)
        stack = [(root, iter(sorted(needs[root])))]
        while stack:
            name, rest = stack[-1]
            following = next((n for n in rest if n in needs and n not in seen), None)
            if following is None:
                order.append(name)
                stack.pop()
            else:
                seen.add(following)
                stack.append((following, iter(sorted(needs[following]))))
    return tuple(order)


def stop_order(needs: Mapping[str, Collection[str]]) -> tuple[str, ...]:
    """Return all keys of `needs`, each before those that it needs."""
    return start_order(needs)[::-1]


def closure(names: Collection[str], needs: Mapping[str, Collection[str]]) -> set[str]:
    """Return those of `names` that are keys of `needs`, and every key that they need, however far away."""
    todo = [n for n in names if n in needs]
    seen: set[str] = set()
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo += [n for n in needs[name] if n in needs]
    return seen
