"""The storage of the Pyrogram family, whichever of its packages is installed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from ._native import NativeSession
from .migrate import import_once
from .shared import SharedSession
from .store import Path, Store

__all__ = ["StorageMethods"]

T = TypeVar("T")

NO_ARGUMENT: Any = object
"""All packages read when an accessor is called without an argument, and mark that by this class."""

USERNAME_LIFE = 8 * 60 * 60
"""Seconds after which a username is asked for again, as in all packages."""
STALE = 15 * 60
"""Seconds by which the date of an entity may lag behind the last time that it was seen."""

_DATE = "pyrogram.date"
"""The extra in which the store keeps the date of the session, in decimal digits."""

_CHANNEL_MARK = 1_000_000_000_000
_KINDS = {"user", "bot", "group", "supergroup", "channel", "gigagroup", "community", "forum", "direct"}
_USERS = {"user", "bot"}

_DCS = {
    1: "149.154.175.53",
    2: "149.154.167.51",
    3: "149.154.175.100",
    4: "149.154.167.91",
    5: "91.108.56.130",
    203: "91.105.192.100",
}
_TEST_DCS = {1: "149.154.175.10", 2: "149.154.167.40", 3: "149.154.175.117"}
_FIRST_DC = 2


class StorageMethods:
    """Every method that a package of the family calls; the package's own class is mixed in."""

    raw: Any
    """The ``raw`` module of the package."""
    make_state: Callable[..., Any] | None = None
    """The class of update states, where the package has one."""

    def __init__(self, store: Path | Store, name: str, *, import_from: Path | None = None) -> None:
        self.name = name
        self._shared = SharedSession(store, name)
        self._import_from = import_from
        # Known before the user is.
        self._bot: bool | None = None

    @property
    def _native(self) -> NativeSession:
        return self._shared.get()._native

    # Life. What may wait for the disk runs in a thread.

    async def open(self) -> None:
        """Opens the session, after an import of the file of before."""

        def opened() -> None:
            if self._import_from is not None:
                source = self._import_from
                self._shared.with_store(lambda store: import_once(store, self.name, source))
            self._shared.get()

        await asyncio.to_thread(opened)

    async def save(self) -> None:
        """Makes everything durable."""

        def saved() -> None:
            self._set_date(int(time.time()))
            self._native.flush()

        if self._shared.is_open and not self._shared.deleted:
            await asyncio.to_thread(saved)

    async def close(self) -> None:
        """Saves and lets go of the store."""
        await asyncio.to_thread(self._shared.close)

    async def delete(self) -> None:
        """Deletes the session from the store."""

        def deleted() -> None:
            if not self._shared.deleted:
                self._native.delete()
                self._shared.deleted = True

        await asyncio.to_thread(deleted)

    # The account. Accessors read without an argument, and write with one.

    async def _access(self, value: Any, read: Callable[[], T], write: Callable[[], None]) -> T | None:
        if value is NO_ARGUMENT:
            return read()
        await asyncio.to_thread(write)
        return None

    async def dc_id(self, value: Any = NO_ARGUMENT) -> Any:
        """The home DC; 2 before the first."""
        return await self._access(value, self._home, lambda: self._move(value))

    async def server_address(self, value: Any = NO_ARGUMENT) -> Any:
        """The address of the home DC."""
        return await self._access(
            value, lambda: self._endpoint()[0], lambda: self._move(self._home(), (value, self._endpoint()[1]))
        )

    async def port(self, value: Any = NO_ARGUMENT) -> Any:
        """The port of the home DC."""
        return await self._access(
            value, lambda: self._endpoint()[1], lambda: self._move(self._home(), (self._endpoint()[0], value))
        )

    async def auth_key(self, value: Any = NO_ARGUMENT) -> Any:
        """The key of the home DC, or ``None``."""

        def write() -> None:
            if self._native.login()[0] is None:
                self._move(_FIRST_DC)
            self._native.set_auth_key(self._home(), value)

        return await self._access(value, self._key, write)

    async def api_id(self, value: Any = NO_ARGUMENT) -> Any:
        """The api id that logged in."""
        native = self._native
        return await self._access(value, lambda: native.login()[3], lambda: native.set_api_id(value))

    async def test_mode(self, value: Any = NO_ARGUMENT) -> Any:
        """Whether the account is one of the test servers."""
        native = self._native
        mode = value if value is NO_ARGUMENT or value is None else bool(value)
        return await self._access(value, lambda: native.login()[4], lambda: native.set_test_mode(mode))

    async def user_id(self, value: Any = NO_ARGUMENT) -> Any:
        """The account's own user."""

        def write() -> None:
            _, old, bot, *_ = self._native.login()
            known = bot if old == value else self._bot
            self._native.set_user(None if value is None else (value, known))

        return await self._access(value, lambda: self._native.login()[1], write)

    async def is_bot(self, value: Any = NO_ARGUMENT) -> Any:
        """Whether the account is a bot."""

        def read() -> bool | None:
            _, user, bot, *_ = self._native.login()
            return self._bot if user is None else bot

        def write() -> None:
            self._bot = None if value is None else bool(value)
            user = self._native.login()[1]
            if user is not None:
                self._native.set_user((user, self._bot))

        return await self._access(value, read, write)

    async def date(self, value: Any = NO_ARGUMENT) -> Any:
        """When the session was saved last, in seconds since 1970 (UTC); 0 before the first time."""
        return await self._access(value, self._saved_at, lambda: self._set_date(value))

    def _saved_at(self) -> int:
        digits = self._native.extra(_DATE)
        return 0 if digits is None else int(digits)

    def _set_date(self, date: int | None) -> None:
        self._native.set_extra(_DATE, None if date is None else str(date).encode())

    def _home(self) -> int:
        home = self._native.login()[0]
        return _FIRST_DC if home is None else home

    def _known_endpoint(self, dc_id: int) -> tuple[str, int] | None:
        dc = self._native.dc(dc_id)
        return None if dc is None else dc[1] or dc[2]

    def _endpoint(self) -> tuple[str | None, int]:
        home, test = self._home(), bool(self._native.login()[4])
        known = self._known_endpoint(home)
        if known is not None:
            return known
        return ((_TEST_DCS if test else _DCS).get(home), 80 if test else 443)

    def _move(self, dc_id: int, endpoint: tuple[Any, Any] | None = None) -> None:
        if endpoint is not None and (endpoint[0] is None or endpoint[1] is None):
            endpoint = None
        self._native.move_to_dc(dc_id, endpoint or self._known_endpoint(dc_id))

    def _key(self) -> bytes | None:
        dc = self._native.dc(self._home())
        return None if dc is None else dc[3]

    # Peers.

    async def update_peers(self, peers: Iterable[tuple[Any, ...]]) -> None:
        """Takes in peers: (id, access hash, kind, username or usernames, phone), or without the fourth."""
        rows = []
        for peer in peers:
            id, access_hash, kind, *names, phone = peer
            # Usernames that are not in the row come by `update_usernames`, and stay until then.
            usernames = _list(names[0]) if names else None
            rows.append((id, kind if kind in _KINDS else None, access_hash, usernames, phone or None, None))
        if rows:
            self._native.update_peers(rows, int(time.time()), STALE)

    async def update_usernames(self, usernames: Iterable[tuple[int, Any]]) -> None:
        """Replaces the usernames of peers: (id, names), or several of (id, name)."""
        named: dict[int, list[str]] = {}
        for id, names in usernames:
            named.setdefault(id, []).extend(_list(names))
        if named:
            self._native.update_usernames(list(named.items()), int(time.time()), STALE)

    async def get_peer_by_id(self, peer_id: int) -> Any:
        """The peer of a marked id. Raises ``KeyError`` where there is none."""
        return self._peer(self._native.address_by_id(peer_id), "ID", peer_id)

    async def get_peer_by_username(self, username: str) -> Any:
        """The peer of a username that was seen within eight hours, else ``KeyError``."""
        row = self._native.by_username(username)
        if row is None:
            raise KeyError(f"Username not found: {username}")
        if abs(time.time() - (row[7] or 0)) > USERNAME_LIFE:
            raise KeyError(f"Username expired: {username}")
        return self._peer(self._native.address_by_id(row[0]), "Username", username)

    async def get_peer_by_phone_number(self, phone_number: str) -> Any:
        """The peer of a phone number. Raises ``KeyError`` where there is none."""
        return self._peer(self._native.address_by_phone(phone_number), "Phone number", phone_number)

    def _peer(self, address: tuple[int, int] | None, what: str, asked: object) -> Any:
        if address is None:
            raise KeyError(f"{what} not found: {asked}")
        id, access_hash = address
        types = self.raw.types
        if id > 0:
            return types.InputPeerUser(user_id=id, access_hash=access_hash)
        if id >= -_CHANNEL_MARK:
            return types.InputPeerChat(chat_id=-id)
        return types.InputPeerChannel(channel_id=-_CHANNEL_MARK - id, access_hash=access_hash)

    # Update states, by the marked id of a channel, or 0 for the account.

    def _states(self) -> list[tuple[int, int | None, int | None, int | None, int | None]]:
        # The oldest first; of a channel only the pts is kept.
        states: list[tuple[int, int | None, int | None, int | None, int | None]] = [
            (id, pts, None, None, None) for id, pts in self._native.channel_states()
        ]
        account = self._native.update_state()
        return states if account is None else [*states, (0, *account)]

    def _set_states(self, states: Iterable[tuple[Any, ...]]) -> None:
        channels = []
        for id, pts, qts, date, seq in states:
            if id == 0:
                self._native.change_update_state(pts, qts, date, seq)
            elif pts is not None:
                channels.append((id, pts))
        if channels:
            self._native.set_channel_states(channels)

    def _delete_states(self, ids: Iterable[int]) -> None:
        channels = []
        for id in ids:
            if id == 0:
                self._native.set_update_state(None)
            else:
                channels.append(id)
        if channels:
            self._native.remove_channel_states(channels)

    async def get_update_states(self, ids: int | Iterable[int] | None = None) -> list[Any]:
        """The states of these ids, or all."""
        asked = None if ids is None else {ids} if isinstance(ids, int) else set(ids)
        make = self.make_state or (lambda *state: state)
        return [make(*state) for state in self._states() if asked is None or state[0] in asked]

    async def set_update_state(self, update_state: Any) -> None:
        """Saves one state or several. What is ``None`` in them stays as it was."""
        states = [update_state] if hasattr(update_state, "pts") else update_state
        self._set_states([(s.id, s.pts, s.qts, s.date, s.seq) for s in states])

    async def delete_update_state(self, state_id: int | Iterable[int]) -> None:
        """Forgets the states of these ids."""
        self._delete_states([state_id] if isinstance(state_id, int) else state_id)

    async def update_state(self, value: Any = NO_ARGUMENT) -> Any:
        """Without an argument all states; an id is forgotten; a tuple is saved."""
        if value is NO_ARGUMENT:
            return self._states()
        if isinstance(value, int):
            self._delete_states([value])
        else:
            self._set_states([value])
        return None

    async def remove_state(self, chat_id: int) -> None:
        """Forgets the state of a chat."""
        self._delete_states([chat_id])


def _list(names: Any) -> list[str]:
    """One name, several or none."""
    return [name for name in ([names] if isinstance(names, str) else names or ()) if name]
