"""What look-ups and reports give: plain, immutable values."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["CheckReport", "Dc", "Entity", "ExportReport", "ImportReport", "Login", "Loss", "UpdateState"]


@dataclass(frozen=True, slots=True)
class Entity:
    """A user, group or channel that the account has seen."""

    id: int
    """The marked id: a user is ``id``, a group ``-id``, a channel ``-1000000000000 - id``."""
    kind: str | None = None
    """``user``, ``bot``, ``group``, ``supergroup``, ``channel``, ``gigagroup``, ``community``,
    ``forum`` or ``direct``, where that is known."""
    access_hash: int | None = None
    """What this account needs to address it. Groups need none."""
    min: bool = False
    """Only a reduced view was seen: the access hash is not valid on its own."""
    usernames: tuple[str, ...] = ()
    """The public usernames, the main one first, without ``@``."""
    phone: str | None = None
    """Digits only."""
    name: str | None = None
    """The full name or the title."""
    date: int | None = None
    """When it was seen last, in seconds since 1970 (UTC)."""


@dataclass(frozen=True, slots=True)
class Login:
    """What a session says of the account as a whole. ``None`` is not known."""

    home_dc: int | None = None
    user_id: int | None = None
    bot: bool | None = None
    api_id: int | None = None
    test_mode: bool | None = None
    takeout_id: int | None = None


@dataclass(frozen=True, slots=True)
class Dc:
    """A data center: its addresses, and the key to it."""

    id: int
    ipv4: tuple[str, int] | None = None
    """Address or host name, and port."""
    ipv6: tuple[str, int] | None = None
    auth_key: bytes | None = field(default=None, repr=False)
    """The secret of 256 bytes. Who has it is logged in."""


@dataclass(frozen=True, slots=True)
class UpdateState:
    """Where the updates of the account stand."""

    pts: int
    qts: int
    date: int
    """Seconds since 1970 (UTC)."""
    seq: int


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a check found. A store without problems is whole."""

    sessions: int
    entities: int
    records: int
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import stored of one session."""

    name: str
    entities: int
    usernames: int
    """How many usernames find an entity now."""
    phones: int
    notes: tuple[str, ...]
    """What was not stored as it came, one sentence each."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Values that the format of an export has no place for."""

    what: str
    """The field: ``dcs``, ``entities.phone``."""
    why: str
    count: int


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export wrote and left out."""

    data: bytes | None = field(repr=False)
    """The bytes, where no path was given."""
    lost: tuple[Loss, ...]
    filled: tuple[str, ...]
    """What was taken from elsewhere than the session, one sentence each."""
    entities: int

    @property
    def text(self) -> str:
        """The bytes of a string format as text."""
        if self.data is None:
            raise ValueError("the export was written to a file")
        return self.data.decode().strip()
