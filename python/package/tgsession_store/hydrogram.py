"""A storage of Hydrogram on a store.

>>> from tgsession_store.hydrogram import StoreStorage
>>> app = Client("anon", api_id, api_hash, session_storage_engine=StoreStorage("accounts", "anon"))
"""

from __future__ import annotations

try:
    from hydrogram import raw
    from hydrogram.storage import BaseStorage
except ImportError as error:
    raise ImportError(
        "tgsession_store.hydrogram needs Hydrogram; install it: pip install hydrogram"
    ) from error

from .pyrogram_storage import StorageMethods

__all__ = ["StoreStorage"]


class StoreStorage(StorageMethods, BaseStorage):  # type: ignore[misc]
    """A session of a store, for ``Client(session_storage_engine=...)``.

    ``store`` is the path of a store, which is made if there is none, or an open :class:`Store`.
    ``name`` is the session in it. ``import_from`` is the session file of before: it is imported if
    the store has nothing of that name yet, and not looked at afterwards.
    """

    raw = raw
