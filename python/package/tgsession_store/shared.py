"""Stores that several clients of one process use together, found by their paths."""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass

from .session import Session
from .store import Path, Store

_EXTENSION = ".tgsession"

FLUSH_INTERVAL = 0.75
"""Seconds until what a client learned is written. The write itself has the rest of a second."""


@dataclass
class _Entry:
    store: Store
    process: int
    users: int = 0


_lock = threading.Lock()
_opening = threading.RLock()
_entries: dict[str, _Entry] = {}


def _after_fork() -> None:
    """A child starts with none: what its parent opened is of no use to it."""
    global _lock, _opening
    # Another thread of the parent may have held them.
    _lock, _opening = threading.Lock(), threading.RLock()
    _entries.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


@atexit.register
def _close_all() -> None:
    """What a program leaves open is closed when it ends."""
    for entry in list(_entries.values()):
        with contextlib.suppress(Exception):
            entry.store.close()


def _key(path: Path) -> str:
    """One text for all spellings of a store's path."""
    text = os.fspath(path)
    if not text.endswith(_EXTENSION) and not os.path.lexists(text):
        text += _EXTENSION
    return os.path.realpath(text)


class SharedSession:
    """A session by store and name, opened when it is first used and again after it was closed."""

    def __init__(self, store: Path | Store, name: str) -> None:
        self.store = store
        self.name = name
        self.deleted = False
        self._session: Session | None = None
        self._entry: tuple[str, _Entry] | None = None

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            self.close()

    def get(self) -> Session:
        """The session, open."""
        session = self._session
        return session if session is not None else self._open()

    @property
    def is_open(self) -> bool:
        return self._session is not None

    def with_store(self, work: Callable[[Store], None]) -> None:
        """Works with the store before the session of it is opened."""
        if isinstance(self.store, Store):
            work(self.store)
            return
        entry = _acquire(self.store)
        try:
            work(entry[1].store)
        finally:
            _release(*entry)

    def _open(self) -> Session:
        with _opening:
            if self._session is not None:
                return self._session
            # A session that was deleted is not made anew by a late call.
            create = not self.deleted
            if isinstance(self.store, Store):
                self._session = self.store.session(self.name, create=create)
                return self._session
            entry = _acquire(self.store)
            try:
                self._session = entry[1].store.session(self.name, create=create)
            except BaseException:
                _release(*entry)
                raise
            self._entry = entry
            return self._session

    def close(self) -> None:
        """Closes the session, and the store with the last session that found it by its path."""
        with _opening:
            session, self._session = self._session, None
            entry, self._entry = self._entry, None
        try:
            if session is not None:
                session.close()
        finally:
            if entry is not None:
                _release(*entry)


def _acquire(path: Path) -> tuple[str, _Entry]:
    key = _key(path)
    with _lock:
        entry = _entries.get(key)
        if entry is None or entry.store.closed:
            entry = _entries[key] = _Entry(Store.open(path, flush_interval=FLUSH_INTERVAL), os.getpid())
        entry.users += 1
        return key, entry


def _release(key: str, entry: _Entry) -> None:
    if entry.process != os.getpid():
        return
    with _lock:
        entry.users -= 1
        if entry.users > 0:
            return
        if _entries.get(key) is entry:
            del _entries[key]
        # Under the lock, so that the next call that opens the store does not find it open.
        entry.store.close()
