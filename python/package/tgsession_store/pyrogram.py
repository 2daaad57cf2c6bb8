"""A storage of Pyrogram, Kurigram, PyroTGFork and Pyrofork on a store.

>>> from tgsession_store.pyrogram import StoreStorage
>>> app = Client("anon", api_id, api_hash, storage_engine=StoreStorage("accounts", "anon"))
"""

from __future__ import annotations

try:
    import pyrogram.storage
    from pyrogram import raw
    from pyrogram.storage import Storage
except ImportError as error:
    raise ImportError(
        "tgsession_store.pyrogram needs a package of the Pyrogram family; install one of them: "
        "pip install kurigram (or PyroTGFork, pyrofork, Pyrogram)"
    ) from error

from .pyrogram_storage import StorageMethods

__all__ = ["StoreStorage"]


class StoreStorage(StorageMethods, Storage):  # type: ignore[misc]
    """A session of a store, for ``Client``.

    Kurigram and PyroTGFork take it as ``storage_engine``, Pyrofork as ``storage``. With Pyrogram set
    ``app.storage`` to it before the client is started.

    ``store`` is the path of a store, which is made if there is none, or an open :class:`Store`.
    ``name`` is the session in it. ``import_from`` is the session file of before: it is imported if
    the store has nothing of that name yet, and not looked at afterwards.
    """

    raw = raw
    make_state = getattr(pyrogram.storage, "UpdateState", None)
