"""The storage against the SQLite storage of the package that is installed; each has its own environment."""

import asyncio
import json
import os
import random
import subprocess
import sys
import time
from unittest import mock

import pytest

import tgsession_store as t
from tgsession_store import Entity, Store

try:
    import hydrogram as package
    from hydrogram.storage import BaseStorage as Base
    from hydrogram.storage import SQLiteStorage

    from tgsession_store.hydrogram import StoreStorage
except ImportError:
    package = pytest.importorskip("pyrogram")
    import pyrogram.storage
    from pyrogram.storage import Storage as Base

    from tgsession_store.pyrogram import StoreStorage

    SQLiteStorage = getattr(pyrogram.storage, "SQLiteStorage", None) or pyrogram.storage.FileStorage

KEY = bytes(range(256))
CHANNEL = -1001234567890
HAS_APART = hasattr(Base, "update_usernames")
ENGINE = "storage_engine" in package.Client.__init__.__code__.co_varnames
# How a package gives usernames: apart (Kurigram), as a list in the row (PyroTGFork), or as one text.
SHORT_ROWS = ENGINE and hasattr(Base, "set_update_state")
LIST_ROWS = ENGINE and not SHORT_ROWS


def run(coroutine):
    return asyncio.run(coroutine)


@pytest.fixture
def storage(tmp_path):
    return StoreStorage(tmp_path / "accounts", "anon")


def theirs(tmp_path):
    """The storage that comes with the package, in a file of its own."""
    names = SQLiteStorage.__init__.__code__.co_varnames[: SQLiteStorage.__init__.__code__.co_argcount]
    if "workdir" in names:
        return SQLiteStorage("theirs", tmp_path)
    return SQLiteStorage("theirs")


def row(id, access_hash, kind, username=None, phone=None):
    if SHORT_ROWS:
        return (id, access_hash, kind, phone)
    return (id, access_hash, kind, [username] if username and LIST_ROWS else username, phone)


async def outcome(call):
    try:
        found = await call
    except (KeyError, ValueError) as error:
        return type(error)
    return str(found)


def test_a_fresh_session_reads_as_not_logged_in(storage):
    async def main():
        await storage.open()
        empty = [await read() for read in (storage.test_mode, storage.auth_key, storage.user_id, storage.is_bot)]
        assert empty == [None] * 4
        assert (await storage.dc_id(), await storage.api_id(), await storage.date()) == (2, None, 0)
        await storage.close()

    run(main())


def test_the_login_is_there_after_opening_again(storage, tmp_path):
    async def log_in():
        await storage.open()
        await storage.api_id(12345)
        await storage.dc_id(4)
        await storage.date(0)
        await storage.test_mode(False)
        await storage.auth_key(KEY)
        await storage.user_id(None)
        await storage.is_bot(None)
        assert (await storage.user_id(), await storage.is_bot()) == (None, None)
        await storage.user_id(777)
        await storage.is_bot(False)
        before = int(time.time())
        await storage.save()
        assert before <= await storage.date() <= time.time()
        text = await storage.export_session_string()
        await storage.close()
        return text

    async def read_again():
        again = StoreStorage(tmp_path / "accounts", "anon")
        await again.open()
        accessors = (again.dc_id, again.api_id, again.test_mode, again.auth_key, again.user_id, again.is_bot)
        assert [await read() for read in accessors] == [4, 12345, False, KEY, 777, False]
        assert await again.date() > 0
        await again.date(5)
        await again.close()
        assert await again.date() == 5
        await again.close()

    text = run(log_in())
    run(read_again())
    (tmp_path / "string").write_text(text)
    with Store.open(tmp_path / "accounts") as store:
        store.import_(tmp_path / "string", name="string")
        assert store.session("string").auth_key == KEY
        assert store.session("string").login.user_id == 777


def test_peers_are_answered_as_by_the_packages_own_storage(storage, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    draw = random.Random(1)
    names = [f"name{n}" for n in range(8)]
    ids = {1: "user", 2: "bot", 777000: "user", -5: "group", CHANNEL: "channel", CHANNEL - 1: "supergroup"}
    asked = 0

    async def both(other, call):
        nonlocal asked
        asked += 1
        ours, their = await outcome(call(storage)), await outcome(call(other))
        assert ours == their, asked

    async def main():
        nonlocal asked
        other = theirs(tmp_path)
        await storage.open()
        await other.open()
        # Telegram gives a username to one at a time, and a phone to one for ever.
        holders = {}
        for _ in range(300):
            id = draw.choice(list(ids))
            # Another holds no username that this one shows now.
            name = draw.choice([name for name in names if holders.get(name, id) == id] + [None])
            for old in [old for old, holder in holders.items() if holder == id]:
                del holders[old]
            if name:
                holders[name] = id
            phone = f"1555{id}" if id > 0 and draw.random() < 0.8 else None
            peer = row(id, 0 if id == -5 else draw.randrange(-(2**63), 2**63), ids[id], name, phone)
            for each in (storage, other):
                await each.update_peers([peer])
                if SHORT_ROWS:
                    await each.update_usernames([(id, [name] if name else [])])
            unknown = draw.choice([*ids, 9])
            await both(other, lambda each: each.get_peer_by_id(unknown))
            for known in draw.sample(names, 3):
                await both(other, lambda each: each.get_peer_by_username(known))
            phone = f"1555{draw.choice(list(ids))}"
            await both(other, lambda each: each.get_peer_by_phone_number(phone))
        await storage.close()
        await other.close()

    run(main())
    assert asked == 1500


def test_a_username_is_asked_for_again_after_eight_hours(storage):
    async def main():
        await storage.open()
        await storage.update_peers([row(1, 5, "user", "alice")])
        if SHORT_ROWS:
            await storage.update_usernames([(1, ["alice"])])
        now = time.time()
        for later, expired in ((8 * 3600 - 5, False), (8 * 3600 + 5, True)):
            with mock.patch("time.time", lambda: now + later):
                if expired:
                    with pytest.raises(KeyError, match="expired"):
                        await storage.get_peer_by_username("alice")
                else:
                    await storage.get_peer_by_username("alice")
        # Being seen again renews it, though nothing else has changed.
        with mock.patch("time.time", lambda: now + 8 * 3600 + 5):
            await storage.update_peers([row(1, 5, "user", "alice")])
            await storage.get_peer_by_username("alice")
        await storage.close()

    run(main())


def test_a_peer_that_is_seen_again_keeps_what_its_row_does_not_say(tmp_path):
    """What another client stored: a name, and for one peer the access hash of a reduced view only."""
    with Store.open(tmp_path / "accounts") as store:
        session = store.session("anon")
        session.process_entities(
            [Entity(1, "user", 5, name="Alice", usernames=("alice",)), Entity(2, "user", 6, usernames=("bob",))]
        )
        dump = json.loads(store.dump("anon", secrets=True))
        dump["sessions"][0]["entities"][1]["min"] = True
        (tmp_path / "dump.json").write_text(json.dumps(dump))
        store.import_(tmp_path / "dump.json", name="anon", replace=True)
        assert store.session("anon").entity(2).min

    async def main(later):
        storage = StoreStorage(tmp_path / "accounts", "anon")
        await storage.open()
        with mock.patch("time.time", lambda: now + later):
            await storage.update_peers([row(1, 5, "user", "alice"), row(2, None, "user", "robert")])
            if SHORT_ROWS:
                await storage.update_usernames([(2, ["robert"])])
            with pytest.raises(KeyError, match="not found"):
                await storage.get_peer_by_id(2)
            await storage.get_peer_by_username("alice")
        await storage.close()

    now = time.time()
    # Within the time in which dates stay, and after it.
    for later in (0, 3600, 8 * 3600):
        run(main(later))
        with Store.read_only(tmp_path / "accounts") as store:
            session = store.session("anon")
            alice, bob = session.entity(1), session.entity(2)
            assert (alice.name, alice.usernames, alice.access_hash) == ("Alice", ("alice",), 5)
            assert (bob.min, bob.access_hash, bob.usernames) == (True, 6, ("robert",)), later
            assert abs(alice.date - now - later) < 60


def test_misses_are_key_errors(storage):
    async def main():
        await storage.open()
        for call in (storage.get_peer_by_id(5), storage.get_peer_by_username("x"), storage.get_peer_by_phone_number("1")):
            with pytest.raises(KeyError, match="not found"):
                await call
        await storage.close()

    run(main())


@pytest.mark.skipif(not HAS_APART, reason="this package has one username a peer")
def test_all_usernames_find_a_peer(storage):
    async def main():
        await storage.open()
        await storage.update_peers([row(1, 5, "user", "first")])
        pairs = [(1, ["first", "second", None])] if ENGINE else [(1, "first"), (1, "second")]
        await storage.update_usernames(pairs)
        await storage.update_usernames([])
        for name in ("first", "second"):
            assert (await storage.get_peer_by_username(name)).user_id == 1
        await storage.close()

    run(main())


def test_update_states(storage):
    state = getattr(__import__(package.__name__).storage, "UpdateState", None)

    async def by_object():
        await storage.set_update_state(state(0, 1, 2, 3, 4))
        await storage.set_update_state([state(0, None, None, 30, None), state(CHANNEL, 7, None, 3, None)])
        assert await storage.get_update_states(0) == [state(0, 1, 2, 30, 4)]
        assert [(s.id, s.pts) for s in await storage.get_update_states()] == [(CHANNEL, 7), (0, 1)]
        assert await storage.get_update_states([5]) == []
        await storage.delete_update_state([CHANNEL])
        await storage.delete_update_state(0)
        assert await storage.get_update_states() == []

    async def by_tuple():
        await storage.update_state((0, 1, 2, 3, 4))
        await storage.update_state((CHANNEL, 7, None, 3, None))
        assert [state[:2] for state in await storage.update_state()] == [(CHANNEL, 7), (0, 1)]
        await storage.update_state(CHANNEL)
        await storage.remove_state(0)
        assert await storage.update_state() == []

    async def main():
        await storage.open()
        await (by_object() if state else by_tuple())
        await storage.close()

    run(main())


def test_the_client_takes_the_storage(storage, tmp_path):
    async def main():
        client = package.Client
        names = client.__init__.__code__.co_varnames
        option = next((o for o in ("storage_engine", "session_storage_engine", "storage") if o in names), None)
        more = {option: storage} if option else {}
        app = client("anon", api_id=1, api_hash="x", workdir=str(tmp_path), **more)
        if not option:
            app.storage = storage
        assert isinstance(storage, Base) and app.storage is storage

    run(main())


def test_a_file_of_pyrogram_is_imported_once(tmp_path, fixture):
    async def main():
        source = fixture("telethon/not_telethon_pyrogram.session")
        storage = StoreStorage(tmp_path / "accounts", "anon", import_from=source)
        await storage.open()
        key = await storage.auth_key()
        assert len(key) == 256 and await storage.dc_id()
        await storage.close()
        source.unlink()
        await storage.open()
        assert await storage.auth_key() == key
        await storage.close()

    run(main())


def test_using_a_storage_that_was_deleted_or_closed(storage):
    async def main():
        await storage.open()
        await storage.close()
        await storage.close()
        await storage.open()
        await storage.delete()
        await storage.delete()
        await storage.save()
        await storage.close()
        with pytest.raises(t.NoSessionError):
            await storage.user_id()

    run(main())


# Bad input: a clear exception each, or what the package's own storage does.


@pytest.mark.parametrize("key", [b"short", bytes(257), bytes(255)])
def test_a_key_of_a_wrong_length(storage, key):
    async def main():
        await storage.open()
        with pytest.raises(ValueError, match=f"256 bytes, and this has {len(key)}"):
            await storage.auth_key(key)
        assert await storage.auth_key() is None
        await storage.close()

    run(main())


def test_ids_out_of_range(storage):
    async def main():
        await storage.open()
        for id in (2**63, -(2**63) - 1):
            with pytest.raises(OverflowError):
                await storage.get_peer_by_id(id)
            with pytest.raises(OverflowError):
                await storage.update_peers([row(id, 1, "user")])
            with pytest.raises(OverflowError):
                await storage.user_id(id)
        with pytest.raises(OverflowError):
            await storage.dc_id(2**40)
        with pytest.raises(ValueError):
            await storage.update_peers([row(0, 1, "user")])
        with pytest.raises(KeyError):
            await storage.get_peer_by_id(0)
        await storage.close()

    run(main())


def test_peers_without_an_access_hash_or_of_an_unknown_kind(storage):
    async def main():
        await storage.open()
        await storage.update_peers([row(1, None, "user"), row(-5, None, "group"), row(2, 7, "a kind of tomorrow")])
        await storage.update_peers([])
        with pytest.raises(KeyError):
            await storage.get_peer_by_id(1)
        assert (await storage.get_peer_by_id(-5)).chat_id == 5
        assert (await storage.get_peer_by_id(2)).access_hash == 7
        await storage.close()

    run(main())


def test_a_missing_folder_a_busy_store_and_a_file_of_another_kind(storage, tmp_path):
    async def main():
        with pytest.raises(t.NotFoundError):
            await StoreStorage(tmp_path / "none" / "accounts", "anon").open()
        (tmp_path / "text").write_text("not a store")
        with pytest.raises(t.RefusedError, match="a tgsession store is expected here"):
            await StoreStorage(tmp_path / "text", "anon").open()
        with pytest.raises(t.NotFoundError, match="gone.session"):
            await StoreStorage(tmp_path / "other", "anon", import_from=tmp_path / "gone.session").open()
        await storage.open()
        code = (
            "import asyncio\n"
            f"from {StoreStorage.__module__} import StoreStorage\n"
            f"asyncio.run(StoreStorage({str(tmp_path / 'accounts')!r}, 'b').open())"
        )
        ran = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", code], capture_output=True, text=True)
        assert f"process {os.getpid()}" in ran.stderr and "BusyError" in ran.stderr
        await storage.close()

    run(main())


def test_without_the_package_the_import_says_what_to_install():
    name = package.__name__
    code = f"import sys; sys.modules[{name!r}] = None\nimport {StoreStorage.__module__}"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "ImportError" in ran.stderr and "pip install" in ran.stderr
