"""What people are called: the ledger keeps logins, a page shows the name of the person."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

_KEPT_SECONDS = 60


class Names:
    """Names by login, asked for again after a minute. A login without an account is shown as it is."""

    def __init__(self, ask: Callable[[], Mapping[str, str]]) -> None:
        self._ask = ask
        self._names: Mapping[str, str] = {}
        self._asked_at: float | None = None
        self._lock = threading.Lock()

    def of(self, login: str) -> str:
        """The name of the person with this login; the operator of the machine and channels have none."""
        if not login:
            return ""
        with self._lock:
            now = time.monotonic()
            if self._asked_at is None or now - self._asked_at > _KEPT_SECONDS:
                self._names, self._asked_at = self._ask(), now
            return self._names.get(login, login)
