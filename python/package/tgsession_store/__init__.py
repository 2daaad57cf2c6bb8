"""Sessions of Telegram clients in one crash-safe file.

:class:`Store` is the file, :class:`Session` one account in it. Clients of Telethon use
:class:`tgsession_store.telethon.StoreSession`, those of the Pyrogram family
:class:`tgsession_store.pyrogram.StoreStorage`.

Every error is an :class:`Error`; its text says what was being done, to which path, what was found
and what to do.
"""

import os

from ._native import (
    BusyError,
    ClosedError,
    DamagedError,
    Error,
    ExistsError,
    FailedError,
    ForkedError,
    NoSessionError,
    NotFoundError,
    ReadOnlyError,
    RefusedError,
    StoreKeyError,
    forked_child,
    formats,
)
from .session import Session
from .store import Store
from .values import (
    CheckReport,
    Dc,
    Entity,
    ExportReport,
    ImportReport,
    Login,
    Loss,
    UpdateState,
)

__all__ = [
    "BusyError",
    "CheckReport",
    "ClosedError",
    "DamagedError",
    "Dc",
    "Entity",
    "Error",
    "ExistsError",
    "ExportReport",
    "FailedError",
    "ForkedError",
    "ImportReport",
    "Login",
    "Loss",
    "NoSessionError",
    "NotFoundError",
    "ReadOnlyError",
    "RefusedError",
    "Session",
    "Store",
    "StoreKeyError",
    "UpdateState",
    "formats",
]

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=forked_child)
