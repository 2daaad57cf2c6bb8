"""Lives of a real Kurigram client, each in a process of its own: `kurigram_life.py STORE LIFE`.

A server in this process takes the place of the socket. Packing, encryption, update handling and every
call of the storage are the client's own. Only the exchange of a new key is replaced, which needs the
server's secret RSA key.
"""

import asyncio
import hashlib
import struct
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from unittest import mock

from pyrogram import Client, filters, raw
from pyrogram.crypto import aes, mtproto
from pyrogram.handlers import MessageHandler
from pyrogram.raw.core import MsgContainer, TLObject, Vector

from tgsession_store.pyrogram import StoreStorage

NEW_KEY = bytes(range(256))
DATE = 1_700_000_000
CHANNEL = 1234567890
F, T = raw.functions, raw.types
ME = T.User(id=777, is_self=True, bot=True, access_hash=7770, first_name="Me", username="me_bot")


class Server:
    """What the client asked for, and what it is told."""

    def __init__(self, storage):
        server = self

        class ToServer(Protocol):
            def __init__(self, **_):
                super().__init__()
                server.protocol = self
                self.server = server

        self.asked, self.protocol = [], None
        self.app = Client(
            "anon", api_id=1, api_hash="x", bot_token="777:token", storage_engine=storage,
            protocol_factory=ToServer, no_updates=False, skip_updates=False,
        )

    def answer(self, request):
        self.asked.append(request)
        match request:
            case F.InvokeWithLayer():
                return T.NearestDc(country="", this_dc=2, nearest_dc=2)
            case F.auth.ImportBotAuthorization():
                return T.auth.Authorization(user=ME)
            case F.users.GetUsers():
                return Vector([ME])
            case F.users.GetFullUser():
                full = T.UserFull(
                    id=ME.id, settings=T.PeerSettings(), notify_settings=T.PeerNotifySettings(), common_chats_count=0
                )
                return T.users.UserFull(full_user=full, chats=[], users=[ME])
            case F.updates.GetState():
                return T.updates.State(pts=100, qts=10, date=DATE, seq=5, unread_count=0)
            case F.updates.GetDifference():
                return T.updates.DifferenceEmpty(date=DATE, seq=5)
            case F.updates.GetChannelDifference():
                return T.updates.ChannelDifferenceEmpty(pts=request.pts, final=True, timeout=60)
        raise AssertionError(f"the client asks for {request}")

    def requests(self, kind):
        return [request for request in self.asked if isinstance(request, kind)]


class Protocol:
    """In the place of `pyrogram.connection.transport.TCP`."""

    def __init__(self):
        self.crypto_executor = ThreadPoolExecutor(1)
        self.answers = asyncio.Queue()
        self.last = 0

    async def connect(self, address):
        self.address = address

    async def close(self):
        self.answers.put_nowait(None)

    async def recv(self):
        return await self.answers.get()

    async def send(self, packet):
        key, iv = mtproto.kdf(NEW_KEY, packet[8:24], True)
        body = aes.ige256_decrypt(packet[24:], key, iv)
        self.session_id = body[8:16]
        message_id, _, length = struct.unpack("<qii", body[16:32])
        self.handle(message_id, TLObject.read(BytesIO(body[32 : 32 + length])))

    def handle(self, message_id, request):
        if isinstance(request, MsgContainer):
            for message in request.messages:
                self.handle(message.msg_id, message.body)
        elif isinstance(request, (F.Ping, F.PingDelayDisconnect)):
            self.tell(T.Pong(msg_id=message_id, ping_id=request.ping_id).write())
        elif not isinstance(request, T.MsgsAck):
            answer = self.server.answer(request)
            self.tell(struct.pack("<Iq", 0xF35C6D01, message_id) + answer.write())

    def tell(self, body):
        self.last = max(self.last + 4, int(time.time() * 2**32)) | 1
        plain = struct.pack("<q", 0) + self.session_id + struct.pack("<qii", self.last, 1, len(body)) + body
        plain += bytes(-(len(plain) + 12) % 16 + 12)
        message_key = hashlib.sha256(NEW_KEY[96:128] + plain).digest()[8:24]
        key_id = hashlib.sha1(NEW_KEY).digest()[-8:]
        self.answers.put_nowait(
            key_id + message_key + aes.ige256_encrypt(plain, *mtproto.kdf(NEW_KEY, message_key, False))
        )


class NewKey:
    """In the place of `pyrogram.session.Auth`."""

    def __init__(self, *_):
        pass

    async def create(self):
        return NEW_KEY


def updates(number):
    """A batch as a client gets it: a message of a user, one in a channel, and whoever is in them."""
    user = T.User(
        id=1000 + number, access_hash=number, first_name="U",
        usernames=[T.Username(username=f"user_{number}", active=True), T.Username(username=f"also_{number}", active=True)],
    )
    channel = T.Channel(
        id=CHANNEL, title="Channel", photo=T.ChatPhotoEmpty(), date=DATE, access_hash=99, username="the_channel",
        broadcast=True,
    )
    peer, posted = T.PeerUser(user_id=user.id), T.PeerChannel(channel_id=CHANNEL)
    direct = T.Message(id=number, peer_id=peer, date=DATE, message=f"hello {number}", from_id=peer)
    post = T.Message(id=number, peer_id=posted, date=DATE, message=f"post {number}")
    return T.Updates(
        updates=[
            T.UpdateNewMessage(message=direct, pts=100 + number, pts_count=1),
            T.UpdateNewChannelMessage(message=post, pts=10 + number, pts_count=1),
        ],
        users=[user], chats=[channel], date=DATE, seq=0,
    )


async def started(path):
    server = Server(StoreStorage(path, "anon"))
    texts = asyncio.Queue()

    async def on_message(_, message):
        await texts.put(message.text)

    server.app.add_handler(MessageHandler(on_message, filters.all))
    await server.app.start()
    return server, texts


async def first(path):
    """Logs in for the first time, and gets updates."""
    server, texts = await started(path)
    assert server.requests(F.auth.ImportBotAuthorization)
    for number in (1, 2):
        server.protocol.tell(updates(number).write())
        assert {await texts.get(), await texts.get()} == {f"hello {number}", f"post {number}"}
    asked = len(server.asked)
    for name, access_hash in (("user_2", 2), ("also_1", 1), ("the_channel", 99)):
        assert (await server.app.resolve_peer(name)).access_hash == access_hash
    assert len(server.asked) == asked
    assert len(await server.app.export_session_string()) > 300
    await server.app.stop()


async def second(path):
    """A new process: no new login, and the client goes on from where it was."""
    server, texts = await started(path)
    assert not server.requests(F.auth.ImportBotAuthorization)
    assert server.app.me.id == 777
    await server.app.recover_gaps()
    asked = server.requests(F.updates.GetDifference)[0]
    assert asked.pts == 102, asked
    asked = server.requests(F.updates.GetChannelDifference)[0]
    assert (asked.channel.channel_id, asked.channel.access_hash, asked.pts) == (CHANNEL, 99, 12), asked
    assert (await server.app.resolve_peer("also_1")).user_id == 1001
    await server.app.stop()


async def busy(path):
    """Gets updates without end, and says whom the handlers have seen."""
    server, texts = await started(path)
    number = 0
    while True:
        number += 1
        server.protocol.tell(updates(number).write())
        await texts.get()
        await texts.get()
        print(number, flush=True)


if __name__ == "__main__":
    mock.patch("pyrogram.client.Auth", NewKey).start()
    asyncio.run(asyncio.wait_for(globals()[sys.argv[2]](sys.argv[1]), 60))
