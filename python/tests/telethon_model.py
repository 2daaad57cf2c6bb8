"""Calls in the order in which a Telethon client makes them, made on two sessions at once.

`Pair` makes each call on a `StoreSession` and on Telethon's own `SQLiteSession`, and refuses a
difference of answers or of exceptions. `live` draws the calls from a seeded generator.

Three differences are wanted, and the generator keeps to what both do alike:

- All active usernames find an entity here. Further usernames are drawn from names that are never
  asked for.
- A username or a phone belongs to who showed it last. `SQLiteSession` settles a username when it is
  looked up, and a phone never, so `Pair.settle` does that after each batch.
- A move to another DC loads that DC's key. The client sets the key to `None` right after it.
"""

import datetime
import random
from unittest import mock

from telethon.crypto import AuthKey
from telethon.sessions import SQLiteSession
from telethon.tl import types as T

from tgsession_store.telethon import StoreSession

ADDRESSES = {1: "149.154.175.53", 2: "149.154.167.51", 4: "149.154.167.91", 5: "2001:b28:f23f:f005::a"}
USERNAMES = [f"name_{letter}{digit}" for letter in "abcdef" for digit in (1, 2)] + ["Straße", "İpek", "дом"]
NAMES = ["Alice", "Bob B", "Group İpek", "15550001", "name_a1", "Ünï ẞ", "x" * 300]
IDS = [1, 2, 3, 777000, 777010, 1777005, 10**10 - 1, 10**10 + 5, 2**40]
PHONES = ["15550001", "0015550002", "49151234", "7"]


class Pair:
    """The same session in a store and in a file of Telethon."""

    def __init__(self, folder, clock):
        self.folder, self.clock = folder, clock
        self.open()
        self.asked = 0

    def open(self):
        self.ours = StoreSession(self.folder / "accounts", "anon")
        self.theirs = SQLiteSession(str(self.folder / "anon"))

    def reopen(self):
        self.ours.close()
        self.theirs.close()
        self.open()

    def both(self, what, call):
        """Makes one call on both, and compares what comes of it."""
        self.asked += 1
        ours, theirs = (outcome(call, session) for session in (self.ours, self.theirs))
        if ours != theirs:
            raise AssertionError(f"{what}: the store gives {ours}, SQLite gives {theirs}")
        return ours

    def settle(self, entities):
        """Has SQLite decide now whose the usernames and phones of these are."""
        for username in {getattr(entity, "username", None) for entity in entities} - {None}:
            self.theirs.get_entity_rows_by_username(username.lower())
        users = [entity for entity in entities if isinstance(entity, T.User) and entity.phone]
        # A reduced view is not stored.
        users = [user for user in users if user.access_hash is not None and not user.min]
        for user in sorted(users, key=lambda user: user.id, reverse=True):
            # Only if it was stored, and of two at once the greater id has it.
            if self.theirs._execute("select id from entities where id = ? and phone = ?", user.id, user.phone):
                forget = "update entities set phone = null where phone = ? and id != ?"
                self.theirs._execute(forget, user.phone, user.id)

    def check_properties(self):
        for name in ("dc_id", "server_address", "port", "takeout_id"):
            self.both(name, lambda session: getattr(session, name))
        self.both("auth_key", lambda session: key_of(session.auth_key))

    def end(self):
        self.ours.delete()
        self.ours.close()
        self.theirs.close()
        self.theirs.delete()


def outcome(call, session):
    try:
        return plain(call(session))
    except Exception as error:
        return type(error)


def plain(value):
    """A value that can be compared: objects of Telegram as dictionaries, iterables as sorted lists."""
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if isinstance(value, (list, tuple)) or hasattr(value, "__next__"):
        return sorted((plain(item) for item in value), key=repr)
    return value


def bare_id(entity):
    """The id of an entity, or of what stands for one."""
    names = ("id", "user_id", "chat_id", "channel_id")
    return next(getattr(entity, name) for name in names if hasattr(entity, name))


def key_of(auth_key):
    return (auth_key.key if auth_key else None) or None


class Client:
    """Draws what a client does next."""

    def __init__(self, seed, pair):
        self.random, self.pair = random.Random(seed), pair
        self.auth_key, self.further = None, 0

    def live(self, steps):
        self.connect()
        for _ in range(steps):
            self.random.choices(
                [self.meet, self.ask, self.minute, self.move, self.reconnect, self.files, self.takeout,
                 self.saving, self.address],
                [30, 40, 8, 3, 4, 5, 2, 2, 1],
            )[0]()
            self.pair.clock.now += self.random.choice([1, 1, 5, 3600, 90000])
        self.pair.check_properties()

    # What the client does by itself.

    def connect(self):
        pair = self.pair
        if not pair.both("address", lambda session: session.server_address):
            pair.both("set_dc", lambda session: session.set_dc(2, ADDRESSES[2], 443))
            pair.both("save", lambda session: session.save())
        if self.auth_key is None:
            self.auth_key = AuthKey(self.random.randbytes(256))
        pair.both("set key", lambda session: setattr(session, "auth_key", self.auth_key))
        pair.both("save", lambda session: session.save())
        own = pair.both("own id", lambda session: session.get_input_entity(0))
        if isinstance(own, dict):
            pair.both("own user", lambda session: session.get_input_entity(own["access_hash"]))
        for id, _ in list(pair.theirs.get_update_states()):
            pair.both("channel", lambda session: session.get_input_entity(id))
        pair.both("states", states_of)

    def minute(self):
        pair = self.pair
        own = T.InputPeerUser(0, self.random.choice(IDS))
        pair.both("own row", lambda session: session.process_entities(T.contacts.ResolvedPeer(None, [own], [])))
        state = self.state(self.random.randrange(2**31), self.random.randrange(2**31))
        pair.both("set state", lambda session: session.set_update_state(0, state))
        for channel in self.random.sample(IDS, self.random.randrange(3)):
            pts = self.random.randrange(2**31)
            pair.both("set channel", lambda session: session.set_update_state(channel, self.state(pts, 0)))
        pair.both("save", lambda session: session.save())
        pair.both("states", states_of)

    def state(self, pts, seq):
        date = datetime.datetime.fromtimestamp(self.pair.clock.now, tz=datetime.timezone.utc)
        return T.updates.State(pts, seq // 2, date, seq, unread_count=0)

    def move(self):
        dc = self.random.choice(list(ADDRESSES))
        pair = self.pair
        pair.both("set_dc", lambda session: session.set_dc(dc, ADDRESSES[dc], 443))
        pair.both("no key", lambda session: setattr(session, "auth_key", None))
        pair.both("save", lambda session: session.save())
        pair.check_properties()
        self.auth_key = None
        self.connect()

    def reconnect(self):
        if self.random.random() < 0.5:
            self.pair.both("close", lambda session: session.close())
        else:
            self.pair.reopen()
        self.pair.check_properties()
        self.connect()

    def address(self):
        """The other address of the same DC, of which the key stays."""
        port = self.random.choice([80, 443, 5222])
        dc, key = self.pair.theirs.dc_id, key_of(self.auth_key)
        self.pair.both("address", lambda session: session.set_dc(dc, ADDRESSES[dc], port))
        self.pair.both("key", lambda session: key_of(session.auth_key) == key)

    def saving(self):
        save = self.random.random() < 0.7
        self.pair.both("saving", lambda session: setattr(session, "save_entities", save))

    def takeout(self):
        id = self.random.choice([None, 5, -(2**63), 2**63 - 1])
        self.pair.both("takeout", lambda session: setattr(session, "takeout_id", id))

    # Entities.

    def meet(self):
        drawn = [self.entity() for _ in range(self.random.choice([1, 1, 2, 5]))]
        # An object of Telegram has each user once.
        entities = list({bare_id(entity): entity for entity in drawn}.values())
        tlo = self.random.choice([
            lambda: entities,
            lambda: T.contacts.ResolvedPeer(None, entities, []),
            lambda: T.contacts.ResolvedPeer(None, entities[1:], entities[:1]),
            lambda: T.messages.Dialogs([], [], entities, []),
            lambda: entities + [None, 5, "text", T.PeerUser(3), T.UpdatesTooLong()],
            lambda: T.UpdatesTooLong(),
            lambda: None,
        ])()
        self.pair.both("process", lambda session: session.process_entities(tlo))
        self.pair.settle(entities)

    def entity(self):
        draw = self.random.random
        id, hash = self.random.choice(IDS), self.random.choice([0, 5, -(2**63), 2**63 - 1, None])
        username = self.random.choice([None, "", *USERNAMES])
        username = username and self.random.choice([str, str.upper])(username)
        names = [self.random.choice([None, "", *NAMES]) for _ in range(2)]
        title, flag = self.random.choice(NAMES), draw() < 0.3
        usernames = None
        if draw() < 0.3:
            self.further += 1
            usernames = [T.Username(f"further_{self.further}", active=True), T.Username("other_never", active=None)]
        kinds = {
            "user": lambda: T.User(
                id, access_hash=hash, min=draw() < 0.1, bot=flag, first_name=names[0], last_name=names[1],
                username=username, phone=self.random.choice([None, "", *PHONES]), usernames=usernames),
            "channel": lambda: T.Channel(
                id, title, T.ChatPhotoEmpty(), None, access_hash=hash, min=draw() < 0.1, username=username,
                megagroup=flag, broadcast=not flag, forum=draw() < 0.2, usernames=usernames),
            "group": lambda: T.Chat(id, title, T.ChatPhotoEmpty(), 3, None, 1),
            "forbidden channel": lambda: T.ChannelForbidden(id, hash or 0, title),
            "forbidden group": lambda: T.ChatForbidden(id, title),
            "community": lambda: T.Community(id, title, T.ChatPhotoEmpty(), None, access_hash=hash),
            "empty": lambda: self.random.choice([T.UserEmpty(id), T.ChatEmpty(id)]),
            "input": lambda: self.random.choice([
                T.InputPeerUser(id, hash or 0), T.InputPeerChannel(id, hash or 0), T.InputPeerChat(id)]),
        }
        weights = [40, 25, 10, 5, 3, 3, 4, 4]
        return kinds[self.random.choices(list(kinds), weights)[0]]()

    def ask(self):
        key = self.key()
        self.pair.both(f"get_input_entity({key!r})", lambda session: session.get_input_entity(key))

    def key(self):
        id, name = self.random.choice(IDS), self.random.choice(USERNAMES)
        spelled = self.random.choice(["{}", "@{}", "t.me/{}", "https://t.me/{}/", "telegram.me/{}", " {} "])
        kinds = [
            lambda: id,
            lambda: -id,
            lambda: self.random.choice([0, -(10**12) - id, 10**12 + id, -(10**12)]),
            lambda: self.random.choice([T.PeerUser, T.PeerChat, T.PeerChannel])(id),
            lambda: spelled.format(self.random.choice([str, str.upper])(name)),
            lambda: self.random.choice(["{}", "+{}", "+{} ", "({})"]).format(self.random.choice(PHONES)),
            lambda: self.random.choice(NAMES),
            lambda: self.random.choice([
                "", "no", "nobody_here", "t.me/joinchat/AAAAAEuHcKbBUGSFmBSuvA", "t.me/+abcdef", None, 1.5, b"name_a1",
                True, 2**63 - 1, -(2**63), 2**70, [1], "\ud800", "a\0b", T.InputPeerSelf(), T.InputPeerUser(id, 5),
                T.InputChannel(id, 5), T.UserEmpty(id), T.User(id, access_hash=7), T.User(id), T.UpdatesTooLong(),
                T.InputUserSelf(), T.PeerUser(0)]),
        ]
        return self.random.choices(kinds, [20, 8, 6, 20, 25, 8, 10, 10])[0]()

    def files(self):
        md5, size = bytes([self.random.randrange(3)]) * 16, self.random.randrange(2)
        kind = self.random.choice([T.InputDocument, T.InputPhoto])
        file = kind(self.random.randrange(-(2**63), 2**63), self.random.randrange(2**63), b"")
        if self.random.random() < 0.1:
            file = T.InputPeerSelf()
        if self.random.random() < 0.5:
            self.pair.both("cache_file", lambda session: session.cache_file(md5, size, file))
        # Telethon 1.45 cannot make the object, which has three parameters: both raise alike.
        asked = self.random.choice([T.InputDocument, T.InputPhoto, T.InputPeerSelf])
        self.pair.both("get_file", lambda session: session.get_file(md5, size, asked))


def states_of(session):
    """Every state; of channels the pts, which is all that the client uses."""
    found = []
    for id, state in session.get_update_states():
        known = session.get_update_state(id)
        assert known.pts == state.pts
        found.append((id, state.pts) if id else (id, state.to_json()))
    return sorted(found)


class Clock:
    now = 1_700_000_000

    def time(self):
        return self.now


def live(folder, seed, steps):
    """One life of a client; says how many calls were compared."""
    clock = Clock()
    with mock.patch("time.time", clock.time):
        pair = Pair(folder, clock)
        try:
            Client(seed, pair).live(steps)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}, {steps} steps: {error}") from error
        finally:
            pair.end()
    return pair.asked
