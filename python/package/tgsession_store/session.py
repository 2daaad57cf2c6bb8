"""One account's session."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ._native import NativeSession
from .closing import Closing
from .values import Dc, Entity, Login, UpdateState

if TYPE_CHECKING:
    from ._native import EntityRow

__all__ = ["Session"]

_PART = 1000


class Session(Closing):
    """One session of a :class:`Store`: the login, keys, update states and entities of an account.

    Look-ups give ``None`` where there is nothing. They take some microseconds, and need no thread
    of their own in ``async`` code; :meth:`flush` and what changes logins wait for the disk.
    """

    __slots__ = ("_native", "_store")

    def __init__(self, native: NativeSession, store: object) -> None:
        self._native = native
        # A store is closed when nobody uses it any more.
        self._store = store

    @property
    def name(self) -> str:
        """The name in the store."""
        return self._native.name()

    @property
    def closed(self) -> bool:
        """Whether the session or its store was closed."""
        return self._native.closed

    # Entities.

    def entity(self, id: int) -> Entity | None:
        """The entity of this marked id."""
        return _entity(self._native.entity(id))

    def by_bare_id(self, id: int) -> Entity | None:
        """The entity of an id without a mark: a channel before a group before a user."""
        return _entity(self._native.by_bare_id(id))

    def by_username(self, username: str) -> Entity | None:
        """The entity that showed this username last, in any case, with or without ``@``."""
        return _entity(self._native.by_username(username))

    def by_phone(self, phone: str) -> Entity | None:
        """The entity of this phone; everything but digits is passed over."""
        return _entity(self._native.by_phone(phone))

    def by_name(self, name: str) -> Entity | None:
        """The entity of exactly this name. Names have no index: every entity is read."""
        return _entity(self._native.by_name(name))

    def find(self, text: str) -> Entity | None:
        """The entity that a person means: a phone, a username, a ``t.me`` link, an exact name."""
        return _entity(self._native.find(text))

    def entities(self) -> Iterator[Entity]:
        """Every entity, in the order of the marked ids."""
        after: int | None = None
        while rows := self._native.entities(after, _PART):
            for row in rows:
                yield _made(row)
            after = rows[-1][0]

    def entity_count(self) -> int:
        """How many entities there are."""
        return self._native.entity_count()

    def process_entities(self, entities: Iterable[Entity]) -> int:
        """Take in full views of entities; gives how many changed something.

        What a view does not say (no access hash, no kind) stays as it was. A username or a phone
        belongs to who showed it last.
        """
        now = int(time.time())
        rows = [(e.id, e.kind, e.access_hash, list(e.usernames), e.phone, e.name) for e in entities]
        return self._native.process(rows, now)

    def remove_entity(self, id: int) -> None:
        """Forget an entity. An unknown one is no error."""
        self._native.remove_entity(id)

    # The login and the DCs.

    @property
    def login(self) -> Login:
        """What is known of the account as a whole."""
        return Login(*self._native.login())

    def set_user(self, id: int | None, bot: bool | None = None) -> None:
        """Save the account's own user."""
        self._native.set_user(None if id is None else (id, bot))

    def set_api_id(self, api_id: int | None) -> None:
        """Save the api id that logged in."""
        self._native.set_api_id(api_id)

    def dcs(self) -> list[Dc]:
        """Every data center that something is known of."""
        return [Dc(*row) for row in self._native.dcs()]

    def dc(self, id: int) -> Dc | None:
        """What is known of one data center."""
        row = self._native.dc(id)
        return None if row is None else Dc(*row)

    def set_home_dc(self, id: int, host: str, port: int) -> bytes | None:
        """Make a data center the home of the account; gives the key that is known of it."""
        return self._native.move_to_dc(id, (host, port))

    @property
    def auth_key(self) -> bytes | None:
        """The key of the home data center."""
        home = self.login.home_dc
        dc = None if home is None else self.dc(home)
        return None if dc is None else dc.auth_key

    def set_auth_key(self, dc: int, key: bytes | None) -> None:
        """Save the key of a data center, of 256 bytes, or remove it."""
        self._native.set_auth_key(dc, key)

    # Updates.

    @property
    def update_state(self) -> UpdateState | None:
        """Where the updates of the account stand."""
        row = self._native.update_state()
        return None if row is None else UpdateState(*row)

    def set_update_state(self, state: UpdateState | None) -> None:
        """Save where the updates of the account stand."""
        row = None if state is None else (state.pts, state.qts, state.date, state.seq)
        self._native.set_update_state(row)

    def channel_states(self) -> dict[int, int]:
        """The pts of every channel, by marked id."""
        return dict(self._native.channel_states())

    def set_channel_states(self, states: dict[int, int]) -> None:
        """Save the pts of channels, by marked id."""
        self._native.set_channel_states(list(states.items()))

    # Small values of a client's own.

    def extra(self, name: str) -> bytes | None:
        """The small value of this name that a client keeps here."""
        return self._native.extra(name)

    def extras(self) -> dict[str, bytes]:
        """Every small value of a client, by name."""
        return dict(self._native.extras())

    def set_extra(self, name: str, value: bytes | None) -> None:
        """Save a small value of a client's own; ``None`` removes it. It is on disk when the call returns.

        A name has 1 to 64 bytes of UTF-8 without control characters, and begins with the client's
        name: ``pyrogram.date``. A value has at most 4,096 bytes, and a session at most 64 of them,
        else :class:`RefusedError`.
        """
        self._native.set_extra(name, value)

    # Life.

    def flush(self) -> None:
        """Make everything durable that was written so far."""
        self._native.flush()

    def delete(self) -> None:
        """Delete the session and everything in it."""
        self._native.delete()

    def close(self) -> None:
        """Flush and close the session; the store stays open. Closing again does nothing."""
        self._native.close()


def _made(row: EntityRow) -> Entity:
    id, kind, access_hash, min, usernames, phone, name, date = row
    return Entity(id, kind, access_hash, min, tuple(usernames), phone, name, date)


def _entity(row: EntityRow | None) -> Entity | None:
    return None if row is None else _made(row)
