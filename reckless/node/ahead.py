"""A node that is asked before the answers are needed, both questions of `reckless list` at once.

lightning-cli may take longer than all else that `list` does (`docker exec cln lightning-cli`): it runs while the rest
of the program is loaded.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from reckless.node.rpc import Lightning, NodeInfo, RunningPlugin
from reckless.system.process import kill_all

_T = TypeVar("_T")
_TICK = 0.02  # seconds


class AskedAhead(Lightning):
    """A `Lightning` that has begun to ask for `info` and `plugins` when it is made. For who only looks: it asks once.

    Raises LightningCliMissingError.
    """

    def __init__(self, *, lightning_dir: Path | None, network: str | None, conf: Path | None) -> None:
        super().__init__(lightning_dir=lightning_dir, network=network, conf=conf)
        self._info = _Ahead(super().info)
        self._plugins = _Ahead(super().plugins)

    def info(self) -> NodeInfo:
        """Return what `Lightning.info` returned, or raise what it raised."""
        return self._info.answer()

    def plugins(self) -> tuple[RunningPlugin, ...]:
        """Return what `Lightning.plugins` returned, or raise what it raised."""
        return self._plugins.answer()

    def end(self) -> None:
        """End what is still under way, and every other program of this process: nobody waits for it any more."""
        while not (self._info.over(_TICK) and self._plugins.over(_TICK)):
            kill_all()  # again and again: one may be about to start


class _Ahead(Generic[_T]):
    def __init__(self, ask: Callable[[], _T]) -> None:
        self._ask = ask
        self._got: list[_T] = []
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._got.append(self._ask())
        except Exception as error:  # noqa: BLE001 - raised where the answer is asked for
            self._error = error

    def over(self, patience: float) -> bool:
        self._thread.join(patience)
        return not self._thread.is_alive()

    def answer(self) -> _T:
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._got[0]
