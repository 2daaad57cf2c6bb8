"""The storage classes of Pyrogram and its forks: what they make of a session, and one as they write it.

    pyrogram_client.py read FILE ACCOUNT           prints what the file storage gives back, as JSON
    pyrogram_client.py write FILE ACCOUNT          writes FILE with it
    pyrogram_client.py meet FILE ACCOUNT           adds the peers that the account has met to FILE
    pyrogram_client.py read-string TEXT ACCOUNT    the same of the storage in memory
    pyrogram_client.py write-string - ACCOUNT
"""
import asyncio
import inspect
import json
import sys
import time
from pathlib import Path

try:
    from hydrogram import storage
    from hydrogram.raw import types
except ImportError:
    from pyrogram import storage
    from pyrogram.raw import types

action, what, account = sys.argv[1:]
account = json.load(open(account))
File = getattr(storage, "FileStorage", None) or storage.SQLiteStorage
LOGIN = {"dc_id": "dc", "api_id": "api_id", "test_mode": "test", "user_id": "user", "is_bot": "bot"}
ADDRESS = {"server_address": "host", "port": "port"}  # Kurigram alone.


async def opened_file():
    made = File(Path(what).stem, Path(what).parent)
    await made.open()
    return made


async def opened_string(string):
    """A storage of this string; the libraries have no common name for it."""
    if hasattr(storage, "MemoryStorage"):
        made = storage.MemoryStorage("account", string)
    else:
        asked = inspect.signature(storage.SQLiteStorage.__init__).parameters
        flag = next(name for name in asked if name.endswith("memory"))
        made = storage.SQLiteStorage("account", Path("."), string, **{flag: True})
    await made.open()
    return made


async def login(session):
    found = {ours: await getattr(session, theirs)() for theirs, ours in LOGIN.items()}
    found = {key: bool(value) if key in ("test", "bot") else value for key, value in found.items()}
    for theirs, ours in ADDRESS.items():
        if hasattr(session, theirs):
            found[ours] = await getattr(session, theirs)()
    return {**found, "key": (await session.auth_key()).hex()}


async def fill(session):
    home, user = account["dcs"][0], account["user"]
    values = {"dc_id": home["id"], "api_id": account["api_id"], "test_mode": account["test"],
              "user_id": user["id"], "is_bot": user["bot"], "auth_key": bytes.fromhex(home["key"]),
              "date": int(time.time())}
    for theirs, value in values.items():
        await getattr(session, theirs)(value)
    for theirs, ours in ADDRESS.items():
        if hasattr(session, theirs):
            await getattr(session, theirs)(home[ours])


async def states(session):
    """Rows (id, pts, qts, date, seq), where the storage has them: 0 is the account."""
    if hasattr(session, "get_update_states"):
        return [(row.id, row.pts, row.qts, row.date, row.seq) for row in await session.get_update_states()]
    if hasattr(session, "update_state"):
        return await session.update_state()
    return None


async def set_state(session, row):
    if hasattr(session, "set_update_state"):
        await session.set_update_state(storage.storage.UpdateState(*row))
    elif hasattr(session, "update_state"):
        await session.update_state(row)


def peer_found(peer):
    """Marked id and hash of what the library would send."""
    if isinstance(peer, types.InputPeerUser):
        return [peer.user_id, peer.access_hash]
    if isinstance(peer, types.InputPeerChannel):
        return [-(10**12) - peer.channel_id, peer.access_hash]
    return [-peer.chat_id, 0]


async def read():
    session = await opened_file()
    found = {**await login(session), "by_id": {}, "by_username": {}, "by_phone": {}}
    for peer in account["peers"]:
        marked, access_hash = peer_found(await session.get_peer_by_id(peer["id"]))
        assert marked == peer["id"], f"{peer['id']} gave {marked}"
        found["by_id"][marked] = access_hash
        for username in peer["usernames"]:
            try:
                found["by_username"][username] = peer_found(await session.get_peer_by_username(username))
            except KeyError as error:
                if "expired" in str(error):
                    raise
        if peer["phone"]:
            found["by_phone"][peer["phone"]] = peer_found(await session.get_peer_by_phone_number(peer["phone"]))
    rows = await states(session)
    if rows is not None:
        found["state"] = next((list(row[1:]) for row in rows if row[0] == 0), None)
        found["channels"] = {-(10**12) - row[0]: row[1] for row in rows if row[0]}
    await session.close()
    return found


async def write():
    session = await opened_file()
    await fill(session)
    await store(session, account["peers"])
    await set_state(session, (0, *account["state"]))
    for bare, pts in account["channels"].items():
        await set_state(session, (-(10**12) - int(bare), pts, None, account["state"][2], None))
    await session.save()
    await session.close()
    return {}


async def meet():
    session = await opened_file()
    await store(session, account["met"])
    await session.save()
    await session.close()
    return {}


async def store(session, peers):
    if hasattr(session, "get_update_states"):
        # Kurigram keeps usernames on their own.
        await session.update_peers([(p["id"], p["hash"], p["kind"], p["phone"]) for p in peers])
        await session.update_usernames([(p["id"], p["usernames"]) for p in peers if p["usernames"]])
        return
    await session.update_peers([(p["id"], p["hash"], p["kind"], (p["usernames"] or [None])[0], p["phone"])
                                for p in peers])
    if hasattr(session, "update_usernames"):
        # Pyrofork adds all of a peer's, where there are several.
        await session.update_usernames([(p["id"], username) for p in peers
                                        if len(p["usernames"]) > 1 for username in p["usernames"]])


async def main():
    if action == "read":
        return await read()
    if action == "write":
        return await write()
    if action == "meet":
        return await meet()
    if action == "read-string":
        return await login(await opened_string(what))
    session = await opened_string(None)
    await fill(session)
    return {"string": await session.export_session_string()}


print(json.dumps(asyncio.run(main())))
