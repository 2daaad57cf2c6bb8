"""One file with many sessions."""

from __future__ import annotations

import os
from collections.abc import Iterator

from ._native import NativeStore
from .closing import Closing
from .session import Session
from .values import CheckReport, ExportReport, ImportReport, Loss

__all__ = ["Store"]

Path = str | os.PathLike[str]


class Store(Closing):
    """One transactional file with any number of named sessions in it.

    Make one with :meth:`open`, :meth:`create` or :meth:`read_only`. Any number of threads may use
    it. One process writes a store at a time; others may read it.

    Logins and keys are on disk when the call returns. Entities, update states and sent files are
    on disk within ``flush_interval`` seconds, after :meth:`flush`, and after :meth:`close`.

    A store, and all its sessions, belongs to the process that opened it. In a forked child every
    call raises :class:`ForkedError`: open the store after the fork.

    ``key`` is the key of an encrypted store: a passphrase as ``str``, or 32 random ``bytes``. A store
    that is made with a key is encrypted. A wrong or missing key, and a key for a store that is not
    encrypted, raise :class:`StoreKeyError`. A passphrase costs 64 MiB of memory and about 0.2 s.
    """

    __slots__ = ("_native",)

    def __init__(self, native: NativeStore) -> None:
        self._native = native

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        create: bool = True,
        flush_interval: float = 1.0,
        wait: float = 0.0,
        key: bytes | str | None = None,
    ) -> Store:
        """Open a store for reading and writing, and make it if there is none.

        A path that exists is taken as it is; else ``.tgsession`` is added where it is missing.
        ``wait`` is for how many seconds to wait for another process that writes the store.

        Raises :class:`NotFoundError`, :class:`BusyError`, :class:`DamagedError`, or
        :class:`RefusedError` where the file is something else.
        """
        mode = "open_or_create" if create else "open"
        return cls(NativeStore.open(path, mode, flush_interval, wait, key))

    @classmethod
    def create(
        cls, path: Path, *, flush_interval: float = 1.0, key: bytes | str | None = None
    ) -> Store:
        """Make a store. Raises :class:`ExistsError` where there is a file."""
        return cls(NativeStore.open(path, "create", flush_interval, None, key))

    @classmethod
    def read_only(cls, path: Path, *, key: bytes | str | None = None) -> Store:
        """Open a store for reading. Another process may be writing it."""
        return cls(NativeStore.open(path, "read_only", None, None, key))

    @property
    def path(self) -> os.PathLike[str]:
        """The file."""
        return self._native.path

    @property
    def encrypted(self) -> bool:
        """Whether the file is encrypted."""
        return self._native.encrypted

    @property
    def closed(self) -> bool:
        """Whether the store was closed, or was opened by the parent of this process."""
        return self._native.closed

    def sessions(self) -> list[str]:
        """The names of all sessions, sorted."""
        return self._native.sessions()

    def __iter__(self) -> Iterator[str]:
        return iter(self.sessions())

    def __contains__(self, name: object) -> bool:
        return name in self.sessions()

    def session(self, name: str, *, create: bool = True) -> Session:
        """The session of this name; it is made if there is none.

        Raises :class:`NoSessionError` where there is none and ``create`` is false.
        """
        return Session(self._native.session(name, create), self)

    def rename(self, name: str, to: str) -> None:
        """Give a session another name."""
        self._native.rename(name, to)

    def remove(self, name: str) -> None:
        """Delete a session and everything in it."""
        self._native.remove(name)

    def import_(
        self,
        path: Path,
        *,
        name: str | None = None,
        session: str | None = None,
        replace: bool = False,
        passphrase: bytes | None = None,
    ) -> list[ImportReport]:
        """Bring the sessions of another file in; the content tells which client wrote it.

        ``session`` chooses one session of the file, ``name`` is what it is called here. The file is
        not changed, and may be in use by its client. Each session comes in whole or not at all.

        Raises :class:`ExistsError` where there is a session of that name and not ``replace``.
        """
        rows = self._native.import_(path, session, name, replace, passphrase)
        return [ImportReport(*row[:4], tuple(row[4])) for row in rows]

    def export(
        self,
        name: str | list[str],
        *,
        to: str,
        path: Path | None = None,
        api_id: int | None = None,
        user_id: int | None = None,
        bot: bool | None = None,
        entities: bool = True,
        strict: bool = False,
        overwrite: bool = False,
        passphrase: bytes | None = None,
    ) -> ExportReport:
        """Write sessions in the format of another client: to a file, or into the report.

        ``to`` is one of :func:`formats`, such as ``telethon``, ``pyrogram`` or ``telethon-string``.
        ``strict`` refuses to leave anything out.
        """
        names = [name] if isinstance(name, str) else name
        data, (lost, filled, count) = self._native.export(
            names, to, path, api_id, user_id, bot, entities, strict, overwrite, passphrase
        )
        return ExportReport(data, tuple(Loss(*loss) for loss in lost), tuple(filled), count)

    def dump(self, *names: str, secrets: bool = False) -> str:
        """Sessions as JSON; all of them where none is named.

        Without ``secrets`` there is no auth key and no value of an extra in it, and of phones only the end.
        """
        return self._native.dump(names or self.sessions(), secrets)

    def check(self) -> CheckReport:
        """Read everything and say what is wrong with it. Nothing is repaired."""
        sessions, entities, records, problems = self._native.check()
        return CheckReport(sessions, entities, records, tuple(problems))

    def backup(self, path: Path) -> None:
        """Copy the store as it is now into a new file, while others go on writing."""
        self._native.backup(path)

    def compact(self) -> None:
        """Make the file as short as what is in it allows."""
        self._native.compact()

    def flush(self) -> None:
        """Make everything durable that was written so far."""
        self._native.flush()

    def close(self) -> None:
        """Flush, and close the store and every session of it. Closing again does nothing."""
        self._native.close()

    def __repr__(self) -> str:
        return f"<Store {os.fspath(self.path)!r}{' (closed)' if self.closed else ''}>"
