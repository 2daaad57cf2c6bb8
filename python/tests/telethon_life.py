"""Lives of a real client, each in a process of its own: `telethon_life.py STORE LIFE`."""

import asyncio
import sys

import fake_telethon
from fake_telethon import ME, NEW_KEY, STATE, F, Server, T
from telethon import events

from tgsession_store.telethon import StoreSession


async def connected(path, **options):
    server = Server()
    client = server.client(StoreSession(path, "anon"), **options)
    texts = asyncio.Queue()
    client.add_event_handler(lambda event: texts.put(event.raw_text), events.NewMessage())
    await client.connect()
    return server, client, texts


async def first(path):
    """Connects for the first time, is logged in, and gets updates."""
    server, client, texts = await connected(path)
    assert client.session.auth_key.key == NEW_KEY
    assert server.addresses == [("149.154.167.51", 443, 2)]
    assert (await client.get_me()).id == ME.id
    for number in (1, 2):
        server.push(fake_telethon.updates(number))
        assert {await texts.get(), await texts.get()} == {f"hello {number}", f"post {number}"}
    # Nothing more is asked of the server for whom the session knows.
    asked = len(server.asked)
    assert (await client.get_input_entity("user_2")).access_hash == 2
    assert (await client.get_input_entity("t.me/the_channel")).access_hash == 99
    assert (await client.get_input_entity(ME.phone)) is not None
    assert len(server.asked) == asked
    await client.disconnect()


async def second(path):
    """A new process: the key, the own user, the entities and the states are there."""
    server, client, texts = await connected(path, catch_up=True)
    assert client.session.auth_key.key == NEW_KEY
    assert client._mb_entity_cache.self_id == ME.id
    await client.catch_up()
    asked = (await told(server, F.updates.GetDifferenceRequest))[0]
    assert asked.pts == STATE["pts"] + 2, asked
    # A gap in a channel, from where the session stands.
    server.push(fake_telethon.updates(40))
    asked = (await told(server, F.updates.GetChannelDifferenceRequest))[0]
    assert (asked.channel.channel_id, asked.channel.access_hash, asked.pts) == (1234567890, 99, 12), asked
    assert (await client.get_input_entity("user_1")).user_id == 1001
    await client.disconnect()
    # Telethon connects a client again after it was disconnected.
    await client.connect()
    assert client.session.auth_key.key == NEW_KEY
    await client.disconnect()


async def again(path):
    """After a kill the client goes on with the key that it had."""
    server, client, texts = await connected(path)
    assert client.session.auth_key.key == NEW_KEY
    server.push(fake_telethon.updates(5000))
    assert await texts.get() in ("hello 5000", "post 5000")
    await client.disconnect()


async def move(path):
    """The account moves to another DC, and the key of the one before stays."""
    server, client, _ = await connected(path)
    await client._disconnect()
    dc = T.DcOption(4, "10.0.0.4", 443)
    session = client.session

    async def found(*_):
        return dc

    client._get_dc = found
    await client._switch_dc(4)
    assert server.addresses[-1] == ("10.0.0.4", 443, 4)
    assert (session.dc_id, session.auth_key.key) == (4, NEW_KEY)
    assert session._native.dc(2)[3] == NEW_KEY
    # The session for a CDN is one of its own, in memory.
    clone = session.clone()
    clone.set_dc(203, "10.0.0.203", 443)
    assert (session.dc_id, session._native.dc(203)) == (4, None)
    await client.disconnect()


async def busy(path):
    """Gets updates without end, and says whom the handlers have seen."""
    server, client, texts = await connected(path)
    number = 0
    while True:
        number += 1
        server.push(fake_telethon.updates(number))
        await texts.get()
        await texts.get()
        print(number, flush=True)


async def told(server, kind):
    while not server.requests(kind):
        await asyncio.sleep(0.01)
    return server.requests(kind)


if __name__ == "__main__":
    fake_telethon.install()
    asyncio.run(asyncio.wait_for(globals()[sys.argv[2]](sys.argv[1]), 60))
