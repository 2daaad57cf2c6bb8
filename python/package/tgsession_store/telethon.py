"""A session of Telethon 1.x on a store.

>>> from tgsession_store.telethon import StoreSession
>>> client = TelegramClient(StoreSession("accounts", "anon"), api_id, api_hash)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from operator import itemgetter
from typing import Any

try:
    from telethon import utils
    from telethon.crypto import AuthKey
    from telethon.sessions import MemorySession
    from telethon.tl import TLObject, types
except ImportError as error:
    raise ImportError(
        "tgsession_store.telethon needs Telethon 1.28 or later; install it: pip install Telethon"
    ) from error

from .migrate import import_once
from .shared import SharedSession
from .store import Path, Store
from .tl_rows import Row, row_of

__all__ = ["StoreSession"]

_CHANNEL_MARK = 1_000_000_000_000
_marked_id = itemgetter(0)
_MOST_BARE = 9_999_999_999
"""Of ids up to this Telethon takes none for marked already."""


class _ListSessions:
    """``list_sessions`` of a session names those of its store; of the class it needs a store."""

    def __get__(self, session: StoreSession | None, owner: type) -> Callable[..., list[str]]:
        if session is not None:
            return session._list_sessions
        return _sessions_of


def _sessions_of(store: Path | Store | None = None) -> list[str]:
    if store is None:
        return []
    if isinstance(store, Store):
        return store.sessions()
    with Store.read_only(store) as opened:
        return opened.sessions()


class StoreSession(MemorySession):  # type: ignore[misc]
    """A session of a store, for ``TelegramClient``.

    It gives the answers and raises the errors of ``SQLiteSession``, with three differences. All
    active usernames of a user or channel find it, not only the first. A username or a phone belongs
    to who showed it last. Moving to another DC loads the key of that DC.

    ``store`` is the path of a store, which is made if there is none, or an open :class:`Store`.
    Sessions of one path share one open store in a process. ``name`` is the session in it.
    ``import_from`` is the session file of before: it is imported if the store has nothing of that
    name yet, and not looked at afterwards.

    Keys and DCs are on disk when the call returns, entities and update states within a second.
    """

    list_sessions = _ListSessions()

    def __init__(
        self, store: Path | Store, name: str, *, import_from: Path | None = None
    ) -> None:
        super().__init__()
        self.save_entities = True
        self._shared = SharedSession(store, name)
        self._own: tuple[int, bool | None] | None = None
        self._own_bot: bool | None = None
        if import_from is not None:
            source = import_from
            self._shared.with_store(lambda store: import_once(store, name, source))
        self._load()

    @property
    def name(self) -> str:
        """The name in the store."""
        return self._shared.name

    @property
    def _native(self) -> Any:
        return self._shared.get()._native

    def _list_sessions(self) -> list[str]:
        names: list[str] = self._native.sessions()
        return names

    def _load(self) -> None:
        """Login and DC are kept as Telethon's own sessions keep them: it reads them all the time."""
        native = self._native
        home, own, bot, _, _, self._takeout_id = native.login()
        self._own = None if own is None else (own, bot)
        if home is None:
            return
        self._dc_id = home
        dc = native.dc(home)
        if dc is None:
            return
        _, ipv4, ipv6, key = dc
        self._server_address, self._port = _either(ipv4, ipv6)
        self._auth_key = None if key is None else AuthKey(data=key)

    # The DC, its key and the takeout.

    def set_dc(self, dc_id: int, server_address: str | None, port: int | None) -> None:
        """Moves to a DC, whose own key is loaded."""
        endpoint = None if server_address is None or port is None else (server_address, port)
        key = self._native.move_to_dc(dc_id or 0, endpoint)
        super().set_dc(dc_id, server_address, port)
        self._auth_key = None if key is None else AuthKey(data=key)

    @property
    def auth_key(self) -> Any:
        """The key of the current DC, or ``None``."""
        return self._auth_key

    @auth_key.setter
    def auth_key(self, value: Any) -> None:
        key = value.key if value else None
        native = self._native
        if native.login()[0] != self._dc_id:
            endpoint = None if self._server_address is None else (self._server_address, self._port)
            native.move_to_dc(self._dc_id, endpoint)
        native.set_auth_key(self._dc_id, key)
        self._auth_key = value

    @property
    def takeout_id(self) -> int | None:
        """The id of the running takeout."""
        id: int | None = self._takeout_id
        return id

    @takeout_id.setter
    def takeout_id(self, value: int | None) -> None:
        self._native.set_takeout_id(value)
        self._takeout_id = value

    # Update states.

    def get_update_state(self, entity_id: int) -> Any:
        """The state of the account (0) or of a channel, by its id with or without mark."""
        if entity_id == 0:
            return _account_state(self._native.update_state())
        pts = self._native.channel_state(_marked(entity_id))
        return None if pts is None else _channel_state(pts, self._native.update_state())

    def set_update_state(self, entity_id: int, state: Any) -> None:
        """Saves the state of the account (0) or of a channel."""
        date = int(state.date.timestamp())
        if entity_id == 0:
            self._native.set_update_state((state.pts, state.qts, date, state.seq))
        else:
            self._native.set_channel_states([(_marked(entity_id), state.pts)])

    def get_update_states(self) -> Iterable[tuple[int, Any]]:
        """Every state by its id, which is 0 for the account and else bare."""
        native = self._native
        account = native.update_state()
        states = [] if account is None else [(0, _account_state(account))]
        for marked, pts in native.channel_states():
            bare = -_CHANNEL_MARK - marked
            states.append((bare if bare > 0 else marked, _channel_state(pts, account)))
        return states

    # Life.

    def save(self) -> None:
        """Makes everything durable."""
        if self._shared.is_open and not self._shared.deleted:
            self._native.flush()

    def close(self) -> None:
        """Saves and lets go of the store. The session opens it again when it is used."""
        self._shared.close()

    def delete(self) -> bool:
        """Deletes the session from the store; says whether it was there."""
        if self._shared.deleted:
            return False
        self._native.delete()
        self._shared.deleted = True
        return True

    def clone(self, to_instance: Any = None) -> Any:
        """An empty session in memory, for a connection to a CDN."""
        cloned = MemorySession() if to_instance is None else to_instance
        cloned.save_entities = self.save_entities
        return cloned

    # Entities.

    def process_entities(self, tlo: Any) -> None:
        """Takes in every user and chat of an object of Telegram, unless ``save_entities`` is off."""
        if not self.save_entities:
            return
        rows: list[Row] = []
        for entity in _entities_of(tlo):
            row = row_of(entity)
            if row is None:
                continue
            if row[0] == 0:
                self._see_own(row[2])
                continue
            if getattr(entity, "is_self", False):
                self._own_bot = bool(entity.bot)
            rows.append(row)
        if rows:
            # Of two that show one username at once, Telethon finds the greater id.
            if len(rows) > 1:
                rows.sort(key=_marked_id)
            self._native.process(rows, int(time.time()))

    def _see_own(self, id: int | None) -> None:
        """Telethon saves the account's own id as the access hash of the user 0."""
        if id is None:
            return
        bot = self._own_bot
        if bot is None and self._own is not None and self._own[0] == id:
            bot = self._own[1]
        if self._own != (id, bot):
            self._native.set_user((id, bot))
            self._own = (id, bot)

    def get_input_entity(self, key: Any) -> Any:
        """The input peer of an id, a peer, a username, a phone, a link or an exact name.

        Raises ``ValueError`` where the session has none.
        """
        if type(key) is str:
            row = self._by_plain_text(key)
            if row is not None:
                return _input_peer(*row)
        return super().get_input_entity(key)

    def _by_plain_text(self, text: str) -> tuple[int, int] | None:
        """The row of a mere username or phone, which need not be parsed as Telethon does."""
        row: tuple[int, int] | None = None
        digits = text[1:] if text.startswith("+") else text
        if digits.isdigit():
            row = self._native.address_by_phone(digits)
        elif _is_username(text):
            row = self._native.address_by_username(text)
        return row

    def get_entity_rows_by_phone(self, phone: str) -> tuple[int, int] | None:
        row: tuple[int, int] | None = self._native.address_by_phone(phone)
        return row

    def get_entity_rows_by_username(self, username: str) -> tuple[int, int] | None:
        row: tuple[int, int] | None = self._native.address_by_username(username)
        return row

    def get_entity_rows_by_name(self, name: str) -> tuple[int, int] | None:
        row: tuple[int, int] | None = self._native.address_by_name(name)
        return row

    def get_entity_rows_by_id(self, id: int, exact: bool = True) -> tuple[int, int] | None:
        find = self._native.address_by_id
        for candidate in (id,) if exact else _fitting(id):
            row: tuple[int, int] | None = find(candidate)
            if row is None and candidate == 0 and self._own is not None:
                row = (0, self._own[0])
            if row is not None:
                return row
        return None

    # Sent files.

    def cache_file(self, md5_digest: bytes, file_size: int, instance: Any) -> None:
        """Remembers a file that was sent."""
        if not isinstance(instance, (types.InputDocument, types.InputPhoto)):
            raise TypeError(f"Cannot cache {type(instance)} instance")
        self._native.save_sent_file(
            md5_digest, file_size, _is_photo(type(instance)), instance.id, instance.access_hash
        )

    def get_file(self, md5_digest: bytes, file_size: int, cls: Any) -> Any:
        """A file that was sent before, or ``None``."""
        row = self._native.sent_file(md5_digest, file_size, _is_photo(cls))
        return None if row is None else cls(*row)


def _either(ipv4: Any, ipv6: Any) -> Any:
    return ipv4 or ipv6 or (None, None)


def _entities_of(tlo: Any) -> Iterable[Any]:
    """What Telethon's own sessions look at in an object."""
    if not isinstance(tlo, TLObject) and utils.is_list_like(tlo):
        return tlo  # type: ignore[no-any-return]
    entities: list[Any] = []
    for one in ("user", "chat"):
        if hasattr(tlo, one):
            entities.append(getattr(tlo, one))
    for many in ("chats", "users"):
        found = getattr(tlo, many, None)
        if found and utils.is_list_like(found):
            entities.extend(found)
    return entities


def _is_username(text: str) -> bool:
    """Whether this is a username that Telethon takes as it stands. It takes others too."""
    return (
        text.isidentifier()
        and text.isascii()
        and 3 <= len(text) <= 32
        and "__" not in text
        and text[0] != "_"
        and text[-1] != "_"
    )


def _input_peer(id: int, access_hash: int) -> Any:
    if id > 0:
        return types.InputPeerUser(id, access_hash)
    if id >= -_CHANNEL_MARK:
        return types.InputPeerChat(-id)
    return types.InputPeerChannel(-_CHANNEL_MARK - id, access_hash)


def _fitting(id: int) -> Iterable[int]:
    """The marked ids that a positive id may mean, a channel before a group before a user."""
    if 0 < id <= _MOST_BARE:
        return (-_CHANNEL_MARK - id, -id, id)
    peers = (types.PeerUser(id), types.PeerChat(id), types.PeerChannel(id))
    return sorted(utils.get_peer_id(peer) for peer in peers)


def _marked(id: int) -> int:
    """The marked id of a channel whose states Telethon saves by the bare one."""
    return -_CHANNEL_MARK - id if id > 0 else id


def _account_state(row: tuple[int, int, int, int] | None) -> Any:
    if row is None:
        return None
    pts, qts, date, seq = row
    return _state(pts, qts, date, seq)


def _channel_state(pts: int, account: tuple[int, int, int, int] | None) -> Any:
    """Of a channel the store keeps the pts, as the client uses nothing else."""
    return _state(pts, 0, 0 if account is None else account[2], 0)


def _state(pts: int, qts: int, date: int, seq: int) -> Any:
    when = datetime.fromtimestamp(date, tz=timezone.utc)
    return types.updates.State(pts, qts, when, seq, unread_count=0)


def _is_photo(cls: Any) -> bool:
    if cls is types.InputPhoto:
        return True
    if cls is types.InputDocument:
        return False
    raise ValueError("The cls must be either InputDocument/InputPhoto")
