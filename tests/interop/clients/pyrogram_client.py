"""The storage classes of Pyrogram and its forks: what they make of a session, and one as they write it.

    pyrogram_client.py read FILE WORLD     prints what the file storage gives back, as JSON
    pyrogram_client.py write FILE WORLD    writes FILE with it
    pyrogram_client.py read-string TEXT -
    pyrogram_client.py write-string - WORLD
"""
import asyncio
import inspect
import json
import sys
import time
from pathlib import Path

try:
    from hydrogram import storage
except ImportError:
    from pyrogram import storage

action, what, world = sys.argv[1:]
world = json.load(open(world)) if world != "-" else None
File = getattr(storage, "FileStorage", None) or storage.SQLiteStorage
KEYS = ("dc_id", "api_id", "test_mode", "user_id", "is_bot")


async def done(value):
    return await value if inspect.isawaitable(value) else value


async def opened(name, folder):
    made = File(name, folder)
    await made.open()
    return made


async def in_memory(string):
    """A storage of this string; the libraries have no common name for it."""
    if hasattr(storage, "MemoryStorage"):
        made = storage.MemoryStorage("anon", string)
    else:
        asked = inspect.signature(storage.SQLiteStorage.__init__).parameters
        flag = next(name for name in asked if name.endswith("memory"))
        made = storage.SQLiteStorage("anon", Path("."), string, **{flag: True})
    await made.open()
    return made


async def login(session):
    found = {key: await getattr(session, key)() for key in KEYS}
    found["key"] = (await session.auth_key()).hex()
    for key, name in (("server_address", "host"), ("port", "port")):
        if hasattr(session, key):
            found[name] = await getattr(session, key)()
    return found


async def fill(session):
    await session.dc_id(world["dc"])
    await session.api_id(world["api_id"])
    await session.test_mode(False)
    await session.auth_key(bytes.fromhex(world["key"]))
    await session.user_id(world["user"])
    await session.is_bot(False)
    await session.date(int(time.time()))
    for key, name in (("server_address", "host"), ("port", "port")):
        if hasattr(session, key):
            await getattr(session, key)(world[name])


def hash_of(peer):
    return getattr(peer, "access_hash", 0)


async def read():
    path = Path(what)
    session = await opened(path.stem, path.parent)
    found = await login(session)
    # Every fork lets usernames expire after eight hours; what they name is what matters here.
    await done(session.conn.execute("UPDATE peers SET last_update_on = ?", (int(time.time()),)))
    found["by_id"], found["by_username"], found["by_phone"] = {}, {}, {}
    for peer in world["peers"]:
        found["by_id"][peer["id"]] = hash_of(await session.get_peer_by_id(peer["id"]))
        if peer["username"]:
            found["by_username"][peer["username"]] = hash_of(await session.get_peer_by_username(peer["username"]))
        if peer["phone"]:
            found["by_phone"][peer["phone"]] = hash_of(await session.get_peer_by_phone_number(peer["phone"]))
    await session.close()
    return found


async def write():
    path = Path(what)
    session = await opened(path.stem, path.parent)
    await fill(session)
    rows = [(peer["id"], peer["hash"] or 0, peer["kind"], peer["username"], peer["phone"]) for peer in world["peers"]]
    named = {row[0]: [row[3]] for row in rows if row[3]}
    if hasattr(session, "update_usernames") and not hasattr(storage, "FileStorage"):
        # Kurigram: usernames on their own.
        await session.update_peers([(i, h, kind, phone) for i, h, kind, _, phone in rows])
        await session.update_usernames(list(named.items()))
    else:
        await session.update_peers(rows)
    await session.save()
    await session.close()
    return {}


async def main():
    if action == "read":
        return await read()
    if action == "write":
        return await write()
    if action == "read-string":
        return await login(await in_memory(what))
    session = await in_memory(None)
    await fill(session)
    return {"string": await session.export_session_string()}


print(json.dumps(asyncio.run(main())))
