"""opentele2: what it makes of a tdata folder, and one as it writes it.

    opentele_client.py read FOLDER ACCOUNT     prints user, home DC and key, as JSON
    opentele_client.py write FOLDER ACCOUNT    writes FOLDER with the key of the home DC
"""
import asyncio
import json
import sys

from opentele2.api import UseCurrentSession
from opentele2.td import TDesktop
from opentele2.tl import TelegramClient
from telethon.crypto import AuthKey
from telethon.sessions import MemorySession

action, folder, account = sys.argv[1:]
account = json.load(open(account))


def read():
    opened = TDesktop(folder)
    one = opened.mainAccount
    return {"accounts": opened.accountsCount, "user": one.UserId, "dc": one.MainDcId, "key": one.authKey.key.hex()}


async def write():
    session, home = MemorySession(), account["dcs"][0]
    session.set_dc(home["id"], home["host"], home["port"])
    session.auth_key = AuthKey(bytes.fromhex(home["key"]))
    client = TelegramClient(session, account["api_id"], "0" * 32)
    client.UserId = account["user"]["id"]
    made = await TDesktop.FromTelethon(client, flag=UseCurrentSession)
    made.SaveTData(folder)
    return {}


print(json.dumps(read() if action == "read" else asyncio.run(write())))
