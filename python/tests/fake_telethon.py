"""A server of Telegram in this process, behind the connection of a real `TelegramClient`.

It takes the place of the socket alone: packing, encryption, update handling and every call of the
session are the client's own. Only the exchange of a new key is replaced, which needs the server's
secret RSA key.
"""

import asyncio
import hashlib
import struct
import time
from unittest import mock

from telethon import TelegramClient
from telethon.crypto import AES, AuthKey
from telethon.extensions import BinaryReader
from telethon.network import mtprotosender
from telethon.network.mtprotostate import MTProtoState
from telethon.tl import functions as F
from telethon.tl import types as T
from telethon.tl.core import MessageContainer

NEW_KEY = bytes(range(256))
ME = T.User(777, is_self=True, access_hash=7770, first_name="Me", phone="15557770")
STATE = dict(pts=100, qts=10, date=1_700_000_000, seq=5)


class Server:
    """What the client asked for, and what it is told."""

    def __init__(self):
        self.asked = []
        self.connection = None
        self.addresses = []

    def client(self, session, **options):
        connection = type("ToServer", (Connection,), {"server": self})
        return TelegramClient(session, 1, "hash", connection=connection, **options)

    def push(self, updates):
        self.connection.tell(bytes(updates))

    def answer(self, request):
        self.asked.append(request)
        match request:
            case F.InvokeWithLayerRequest():
                return T.NearestDc("", 2, 2)
            case F.users.GetUsersRequest():
                return [ME]
            case F.updates.GetStateRequest():
                return T.updates.State(**STATE, unread_count=0)
            case F.updates.GetDifferenceRequest():
                return T.updates.DifferenceEmpty(STATE["date"], STATE["seq"])
            case F.updates.GetChannelDifferenceRequest():
                return T.updates.ChannelDifferenceEmpty(request.pts, final=True, timeout=60)
            case F.help.GetConfigRequest():
                return config()
        raise AssertionError(f"the client asks for {request}")

    def requests(self, kind):
        return [request for request in self.asked if isinstance(request, kind)]


def config():
    """The least of a `help.config` that the client needs for a DC move."""
    options = [T.DcOption(id, f"10.0.0.{id}", 443) for id in (2, 4)]
    found = mock.Mock(spec=T.Config)
    found.dc_options = options
    return found


class Connection:
    """In the place of `telethon.network.Connection`."""

    server = None

    def __init__(self, ip, port, dc_id, *, loggers, proxy=None, local_addr=None):
        self.server.connection = self
        self.server.addresses.append((ip, port, dc_id))
        self.answers = asyncio.Queue()
        self._connected = False
        self.key = self.session_id = None
        self.last = 0

    async def connect(self, timeout=None, ssl=None):
        self._connected = True

    async def disconnect(self):
        self._connected = False
        self.answers.put_nowait(None)

    async def recv(self):
        packet = await self.answers.get()
        if packet is None:
            raise ConnectionError("disconnected")
        return packet

    async def send(self, packet):
        body = decrypted(self.auth_key, packet)
        self.session_id, message_id, _, length = struct.unpack("<qqii", body[8:32])
        self.handle(message_id, BinaryReader(body[32 : 32 + length]).tgread_object())

    @property
    def auth_key(self):
        return self.sender.auth_key.key

    def handle(self, message_id, request):
        if isinstance(request, MessageContainer):
            for message in request.messages:
                self.handle(message.msg_id, message.obj)
        elif isinstance(request, (F.PingRequest, F.PingDelayDisconnectRequest)):
            self.tell(bytes(T.Pong(message_id, request.ping_id)))
        elif not isinstance(request, T.MsgsAck):
            answer = self.server.answer(request)
            self.tell(struct.pack("<Iq", 0xF35C6D01, message_id) + packed(answer))

    def tell(self, body):
        self.last = max(self.last + 4, int(time.time() * 2**32)) | 1
        plain = struct.pack("<qqqii", 0, self.session_id, self.last, 1, len(body)) + body
        plain += bytes(-(len(plain) + 12) % 16 + 12)
        key = self.auth_key
        message_key = hashlib.sha256(key[96:128] + plain).digest()[8:24]
        aes = MTProtoState._calc_key(key, message_key, False)
        self.answers.put_nowait(
            struct.pack("<Q", AuthKey(key).key_id) + message_key + AES.encrypt_ige(plain, *aes)
        )


def decrypted(key, packet):
    return AES.decrypt_ige(packet[24:], *MTProtoState._calc_key(key, packet[8:24], True))


def packed(answer):
    if isinstance(answer, list):
        return struct.pack("<Ii", 0x1CB5C415, len(answer)) + b"".join(map(bytes, answer))
    return bytes(answer)


async def new_key(plain_sender):
    return AuthKey(NEW_KEY), 0


def install():
    """Gives the connections the key that the client has, and new keys to clients without one."""
    mock.patch.object(mtprotosender.authenticator, "do_authentication", new_key).start()
    connect = mtprotosender.MTProtoSender.connect

    async def with_sender(self, connection):
        connection.sender = self
        return await connect(self, connection)

    mock.patch.object(mtprotosender.MTProtoSender, "connect", with_sender).start()


def updates(number, channel=1234567890):
    """A batch as a client gets it: a message of a user, one in a channel, and whoever is in them."""
    user = T.User(1000 + number, access_hash=number, first_name=f"User {number}", username=f"user_{number}")
    group = T.Channel(
        channel, "Channel", T.ChatPhotoEmpty(), T_DATE, access_hash=99, username="the_channel", broadcast=True
    )
    direct = T.Message(number, T.PeerUser(user.id), T_DATE, f"hello {number}", from_id=T.PeerUser(user.id))
    posted = T.Message(number, T.PeerChannel(channel), T_DATE, f"post {number}")
    return T.Updates(
        [
            T.UpdateNewMessage(direct, STATE["pts"] + number, 1),
            T.UpdateNewChannelMessage(posted, 10 + number, 1),
        ],
        [user],
        [group],
        T_DATE,
        0,
    )


T_DATE = 1_700_000_000
