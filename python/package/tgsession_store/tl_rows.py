"""Users and chats of Telethon as rows for the store."""

from __future__ import annotations

from typing import Any

from telethon import utils
from telethon.tl import TLObject, types

__all__ = ["Row", "row_of"]

Row = tuple[int, "str | None", "int | None", "str | list[str]", "str | None", "str | None"]
"""Marked id, kind, access hash, the username or all, phone, name."""

_CHANNEL_MARK = 1_000_000_000_000
_User = types.User
_Channel = types.Channel

_KINDS = {
    "Chat": "group",
    "ChatForbidden": "group",
    "Community": "community",
    "CommunityForbidden": "community",
}


def row_of(entity: Any) -> Row | None:
    """The row of what Telethon can address, or ``None``: no access hash, a reduced view, nothing."""
    cls = entity.__class__
    if cls is _User:
        if entity.access_hash is None or entity.min:
            return None
        first, last = entity.first_name, entity.last_name
        name = f"{first} {last}" if first and last else first or last or None
        kind = "bot" if entity.bot else "user"
        main = entity.username
        names = _usernames(entity) if entity.usernames or not main else main
        return (entity.id, kind, entity.access_hash, names, entity.phone or None, name)
    if cls is _Channel and not entity.min and 0 < entity.id <= _MOST_BARE_CHANNEL:
        if entity.access_hash is None:
            return None
        marked = -_CHANNEL_MARK - entity.id
        names = _usernames(entity)
        return (marked, _channel_kind(entity), entity.access_hash, names, None, entity.title or None)
    return _row_by_telethon(entity)


_MOST_BARE_CHANNEL = 9_999_999_999


def _row_by_telethon(entity: Any) -> Row | None:
    """The rare rest, decided by Telethon's own functions."""
    if not isinstance(entity, TLObject):
        return None
    try:
        peer = utils.get_input_peer(entity, allow_self=False)
        marked = utils.get_peer_id(peer)
    except TypeError:
        return None
    if isinstance(peer, (types.InputPeerUser, types.InputPeerChannel)):
        access_hash = peer.access_hash
    elif isinstance(peer, types.InputPeerChat):
        access_hash = 0
    else:
        return None
    kind = _KINDS.get(type(entity).__name__)
    if isinstance(entity, (types.Channel, types.ChannelForbidden)):
        kind = _channel_kind(entity)
    phone = getattr(entity, "phone", None) or None
    name = utils.get_display_name(entity) or None
    return (marked, kind, access_hash, _usernames(entity), phone, name)


def _usernames(entity: Any) -> str | list[str]:
    """The main username and every other active one."""
    main = getattr(entity, "username", None)
    more = getattr(entity, "usernames", None)
    if not more:
        return [main] if main else []
    names = [main] if main else []
    names.extend(name.username for name in more if name.active and name.username != main)
    return names


def _channel_kind(channel: Any) -> str | None:
    if channel.megagroup:
        if getattr(channel, "monoforum", False):
            return "direct"
        return "forum" if getattr(channel, "forum", False) else "supergroup"
    if getattr(channel, "gigagroup", False):
        return "gigagroup"
    return "channel" if channel.broadcast else None
