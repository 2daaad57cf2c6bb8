"""The old file of a client, brought in when its session is opened for the first time."""

from __future__ import annotations

from ._native import NoSessionError
from .store import Path, Store

__all__ = ["import_once"]


def import_once(store: Store, name: str, path: Path) -> None:
    """Imports the session file at ``path``, unless the store has a login or entities of that name."""
    if not _is_empty(store, name):
        return
    # A session that was made by a client that never logged in is in nobody's way.
    store.import_(path, name=name, replace=True)


def _is_empty(store: Store, name: str) -> bool:
    try:
        session = store.session(name, create=False)
    except NoSessionError:
        return True
    with session:
        keys = any(dc.auth_key is not None for dc in session.dcs())
        return not keys and session.entity_count() == 0
