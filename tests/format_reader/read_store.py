#!/usr/bin/env python3
"""Reads a store after FORMAT.md alone, plain or encrypted, and prints what it found as JSON.

    read_store.py STORE [--passphrase-file FILE | --key-file FILE]
                        [--session NAME] [--id MARKED_ID]... [--username NAME]... [--phone DIGITS]...

A passphrase is all bytes of its file; a key file has 32 bytes. No key is printed: of an auth key there is
the SHA-256 of its first 16 bytes. Nothing is written, and no lock is taken: no writer may be at work.
"""
import argparse
import hashlib
import json
import sys
import zlib
from collections import namedtuple
from pathlib import Path

from records import Fields, decode, entity_of, i64, u16, u32, u64

try:
    from argon2.low_level import Type, hash_secret_raw
    from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt as decrypt
    from nacl.exceptions import CryptoError
except ImportError as missing:
    sys.exit(f"import the cipher: {missing}; install PyNaCl and argon2-cffi")

PAGE, SECTOR, UNIT, TAG = 4096, 512, 4096, 16
MAGIC = bytes.fromhex("89746773657373696f6e0d0a1a0a0000")
ROOT_SLOTS, KEY_SLOTS = (512, 2048), (1024, 1536, 2560, 3072)
MANIFEST, CHANGES, MARK = 1, 2, 3
SESSIONS, LOGINS, DCS, STATES, ENTITIES, USERNAMES, PHONES = range(7)

Root = namedtuple("Root", "revision generation page pages first last file_pages salt")
Record = namedtuple("Record", "number sequence kind content length tag previous")


class Refused(Exception):
    """The file, or the question, is refused for this reason."""


class Seal:
    """The file id, and the master key of an encrypted store."""

    def __init__(self, file_id, master=None):
        self.file_id, self.master = file_id, master

    def open(self, nonce, tag, bound, text=b""):
        """The text, or None if the tag does not match. A plain store has no tags."""
        if self.master is None:
            return text
        try:
            return decrypt(text + tag, bound, nonce, self.master)
        except CryptoError:
            return None


def parse_key_slot(sector):
    """Kind, costs, salt, nonce, sealed key and tag; None if the slot is free."""
    kind = u32(sector, 8)
    if sector[:4] != b"slot" or u32(sector, 4) != zlib.crc32(sector[8:]) or kind not in (1, 2):
        return None
    return kind, tuple(u32(sector, at) for at in (12, 16, 20)), sector


def unlock(slot, passphrase, raw):
    """The master key in this slot, or None if this is not its key."""
    kind, (memory, passes, lanes), sector = slot
    if kind == 1 and passphrase is not None:
        if not (1 <= lanes <= 16 and 1 <= passes <= 16 and 8 * lanes <= memory <= 262144):
            raise Refused(f"a key slot asks for {memory} KiB, {passes} passes, {lanes} lanes: too much")
        key = hash_secret_raw(passphrase, sector[32:48], passes, memory, lanes, 32, Type.ID, 0x13)
    elif kind == 2 and raw is not None:
        key = raw
    else:
        return None
    return Seal(b"", key).open(sector[48:72], sector[104:120], b"slot" + sector[8:72], sector[72:104])


class Store:
    def __init__(self, data, passphrase=None, raw=None):
        self.data = data
        file_id = self.identity()
        self.slots = {number: slot for number, at in enumerate(KEY_SLOTS, 1)
                      if self.encrypted and (slot := parse_key_slot(data[at:at + SECTOR]))}
        self.seal = Seal(file_id, self.master(passphrase, raw))
        roots = [root for at in ROOT_SLOTS if (root := self.root(data[at:at + SECTOR]))]
        if not roots:
            raise Refused("both slots of the root are damaged")
        self.current = max(roots)
        self.records, self.clean = self.log()
        self.manifest()
        self.rows = {}
        for record in self.records[1:]:
            self.apply(record.content)

    def identity(self):
        head = self.data[:SECTOR]
        if len(self.data) < PAGE or head[:16] != MAGIC:
            raise Refused("the file is not a store: it has another magic")
        if u32(head, 508) != zlib.crc32(head[:508]):
            raise Refused("the identity is damaged: its checksum differs")
        version, page, cipher = (u32(head, at) for at in (16, 20, 24))
        if version != 4 or page != PAGE or cipher not in (0, 1):
            raise Refused(f"version {version}, pages of {page} bytes and cipher {cipher} are not known here")
        self.encrypted = cipher == 1
        return head[32:48]

    def master(self, passphrase, raw):
        if not self.encrypted:
            if passphrase is not None or raw is not None:
                raise Refused("a key was given, and the store is not encrypted")
            return None
        if passphrase is None and raw is None:
            raise Refused("the store is encrypted: give --passphrase-file or --key-file")
        if not self.slots:
            raise Refused("no key slot is whole")
        for slot in self.slots.values():
            if (master := unlock(slot, passphrase, raw)) is not None:
                return master
        raise Refused("the key is wrong: it opens no key slot")

    def root(self, sector):
        if sector[:4] != b"root" or u32(sector, 4) != zlib.crc32(self.seal.file_id + sector[8:]):
            return None
        if sector[56:72] != self.seal.file_id:
            return None
        if self.seal.open(sector[80:104], sector[104:120], b"root" + sector[8:80]) is None:
            return None
        root = Root(u64(sector, 8), u64(sector, 16), u32(sector, 24), u32(sector, 28),
                    u64(sector, 32), u64(sector, 40), u32(sector, 48), u64(sector, 72))
        fits = 0 < root.page < root.file_pages and root.pages > 0 and root.page + root.pages < 2**32
        return root if fits else None

    # ---- log -------------------------------------------------------------------------------------

    def log(self):
        """All records of the log, and whether it ends with a mark."""
        root = self.current
        if len(self.data) < root.file_pages * PAGE:
            raise Refused(f"the file is truncated: it has {len(self.data)} bytes, and {root.file_pages} pages are due")
        at, records, clean, tag = root.page * PAGE, [], False, bytes(16)
        while record := self.record_at(at):
            if record.kind == MARK:
                clean = bool(records) and record.number == records[-1].number
                break
            if record.number != root.first + len(records) or record.previous != tag:
                break
            records.append(record)
            at += record.length
            tag = record.tag
        if not records or records[0].kind != MANIFEST:
            raise Refused("the log has no whole manifest")
        last = records[-1].number
        behind = range(at, min(len(self.data), (root.page + root.pages) * PAGE), SECTOR)
        later = (self.record_at(place) for place in behind) if not clean else ()
        if last < root.last or any(record and record.number > last for record in later):
            raise Refused(f"record {last + 1} of the log is damaged or missing")
        return records, clean

    def record_at(self, at):
        """The whole record of this log at this place of the file, or None."""
        data, root = self.data, self.current
        end = min(len(data), (root.page + root.pages) * PAGE)
        if at + 88 > end or data[at:at + 4] != b"\x89log" or at + 88 + u32(data, at + 32) > end:
            return None
        record = data[at:at + 88 + u32(data, at + 32)]
        kind = record[36]
        place = (0 if kind == MARK else at).to_bytes(8, "little")
        if u32(record, 4) != zlib.crc32(self.seal.file_id + place + record[8:]) or kind not in (1, 2, 3):
            return None
        bound = record[:4] + self.seal.file_id + place + record[8:48]
        content = self.seal.open(record[48:72], record[72:88], bound, record[88:])
        if content is None or (u64(record, 16), u64(record, 40)) != (root.generation, root.salt):
            return None
        length = -(-len(record) // SECTOR) * SECTOR
        linked = 16 if self.encrypted and kind != MARK else 0
        previous, content = content[:linked] or bytes(16), content[linked:]
        return Record(u64(record, 8), u64(record, 24), kind, content, length, record[72:88], previous)

    def manifest(self):
        content, salts = self.records[0].content, []
        if self.encrypted:
            count = u32(content, 0)
            salts = [content[at:at + 16] for at in range(4, 4 + 16 * count, 16)]
            content = content[4 + 16 * count:]
        fields = Fields(content, 0x71)
        fields.unsigned()
        self.base = fields.optional(lambda: [fields.unsigned() for _ in range(5)])
        segments = fields.many(lambda: [fields.unsigned() for _ in range(11)])
        self.removed = set(fields.many(fields.unsigned))
        fields.many(lambda: [fields.unsigned() for _ in range(4)])
        fields.end()
        parts = ([self.base] if self.base else []) + segments
        if self.encrypted and len(salts) != len(parts):
            raise Refused(f"the manifest has {len(salts)} salts, and {len(parts)} are due")
        salts = salts or [b""] * len(parts)
        self.base_salt = salts[0] if self.base else b""
        self.segments = [Segment(self.data, self.seal, fields, salt)
                         for fields, salt in zip(segments, salts[len(parts) - len(segments):])]

    def apply(self, content):
        at = 0
        while at < len(content):
            table, key_len, value_len = content[at], u32(content, at + 1), u32(content, at + 5)
            at += 9
            key, at = content[at:at + key_len], at + key_len
            value = None
            if value_len != 0xFFFFFFFF:
                value, at = content[at:at + value_len], at + value_len
            self.rows[table, key] = value
        if at != len(content):
            raise Refused("a change in the log is cut")

    # ---- answers ---------------------------------------------------------------------------------

    def check_base(self):
        """Checks each block of the base. Its rows are a redb database, which this script does not read."""
        if not self.base:
            return None
        number, _, page, pages, blocks = self.base
        all_bytes = self.data[page * PAGE:(page + pages) * PAGE]
        tags = blocks * PAGE
        sums = tags + (blocks * TAG if self.encrypted else 0)
        bound = b"base" + self.seal.file_id + number.to_bytes(8, "little")
        for block in range(blocks):
            content = all_bytes[block * PAGE:(block + 1) * PAGE]
            place = block.to_bytes(8, "little")
            tag = all_bytes[tags + block * TAG:][:TAG]
            text = self.seal.open(self.base_salt + place, tag, bound, content)
            if u32(all_bytes, sums + 4 * block) != zlib.crc32(bound + place + content) or text is None:
                raise Refused(f"block {block} of base {number} is damaged")
            if block == 0 and text[:4] != b"redb":
                raise Refused("the base is not a redb database")
        return {"number": number, "blocks": blocks, "rows": "not read: the base is a redb database"}

    def sessions(self):
        """The sessions whose rows are in the log."""
        found = {}
        for (table, key), value in self.rows.items():
            if table == SESSIONS and key and value is not None:
                found[key.decode()] = self.session(u32(value, 0))
        return dict(sorted(found.items()))

    def session(self, account):
        prefix = account.to_bytes(4, "big")
        rows = {(table, key[4:]): value for (table, key), value in self.rows.items()
                if table in (LOGINS, DCS, STATES) and key[:4] == prefix and value is not None}
        session = {"account": account, "dcs": {}, "channels": {}}
        for (table, key), value in sorted(rows.items()):
            if table == LOGINS:
                session["login"] = decode(0x11, value)
            elif table == DCS:
                dc = decode(0x21, value)
                auth_key = dc.pop("auth_key")
                dc["key_hash"] = auth_key and hashlib.sha256(auth_key[:16]).hexdigest()
                session["dcs"][int.from_bytes(key, "big") - 2**31] = dc
            elif key == (2**63).to_bytes(8, "big"):
                session["state"] = decode(0x31, value)
            else:
                session["channels"][int.from_bytes(key, "big") - 2**63] = decode(0x32, value)["pts"]
        return session

    def by_id(self, account, marked):
        key = account.to_bytes(4, "big") + (marked + 2**63).to_bytes(8, "big")
        if (ENTITIES, key) in self.rows:
            record = self.rows[ENTITIES, key]
            return record and entity_of(marked, Fields(record, 0x42))
        for segment in reversed(self.segments if account not in self.removed else []):
            payload = segment.find(key)
            if payload is not None:
                return entity_of(marked, Fields(payload)) if payload else None
        return None

    def by_text(self, table, account, text):
        """The entity with this username, in lower case, or phone."""
        row = account.to_bytes(4, "big") + text.encode()
        if (table, row) in self.rows:
            owner = self.rows[table, row]
            return None if owner is None else self.by_id(account, i64(owner, 0))
        newer = []
        for segment in reversed(self.segments if account not in self.removed else []):
            for key, payload in segment.candidates(table, row):
                marked = int.from_bytes(key[4:], "big") - 2**63
                entity = entity_of(marked, Fields(payload)) if key[:4] == row[:4] and payload else None
                texts = entity and ([name.lower() for name in entity["usernames"]] if table == USERNAMES
                                    else [(entity["phone"] or "").lstrip("0")])
                if texts and text in texts and all(other.find(key) is None for other in newer):
                    return self.by_id(account, marked)
            newer.append(segment)
        return None


class Segment:
    def __init__(self, data, seal, fields, salt):
        self.number, _, self.row_bytes, page, pages, self.groups = fields[:6]
        accounts, self.usernames, self.phones = fields[6:9]
        self.seal, self.salt, self.units = seal, salt, {}
        self.bytes = data[page * PAGE + SECTOR:(page + pages) * PAGE]
        lengths = [self.row_bytes, 17 * self.groups, 12 * -(-self.groups // 64), 12 * accounts,
                   64 * self.usernames, 64 * self.phones]
        starts = [0]
        for length in lengths:
            starts.append(-(-(starts[-1] + length) // SECTOR) * SECTOR)
        _, self.groups_at, _, _, self.usernames_at, self.phones_at, self.parts_end = starts
        units = -(-self.parts_end // UNIT) if seal.master else 0
        self.sums_at = -(-(self.parts_end + TAG * units) // SECTOR) * SECTOR
        if -(-(SECTOR + self.sums_at + self.sums_at // SECTOR * 4) // PAGE) != pages:
            raise Refused(f"segment {self.number} has {pages} pages, and its parts need another number")
        self.seed = zlib.crc32(seal.file_id + self.number.to_bytes(8, "little"))
        self.check_header(data[page * PAGE:page * PAGE + SECTOR], fields)

    def check_header(self, header, fields):
        opened = self.seal.open(header[64:88], header[88:104], header[:4] + self.seal.file_id, header[8:64])
        shape = [self.number, self.row_bytes, *fields[5:]]
        whole = header[:4] == b"\x89seg" and u32(header, 4) == zlib.crc32(self.seal.file_id + header[8:])
        salt = self.salt or bytes(16)
        said = opened and [u64(opened, 0), u64(opened, 8), *(u32(opened, at) for at in range(16, 40, 4))]
        if not whole or said != shape or opened[40:] != salt:
            raise Refused(f"the header of segment {self.number} is damaged")

    def unit(self, unit):
        """Content of a unit, checked and decrypted."""
        if unit not in self.units:
            start, end = unit * UNIT, min((unit + 1) * UNIT, self.parts_end)
            content = self.bytes[start:end]
            for sector in range(start // SECTOR, end // SECTOR):
                summed = zlib.crc32(self.bytes[sector * SECTOR:(sector + 1) * SECTOR], self.seed ^ sector % 2**32)
                if summed != u32(self.bytes, self.sums_at + 4 * sector):
                    raise Refused(f"sector {sector} of segment {self.number} is damaged")
            bound = b"unit" + self.seal.file_id + self.number.to_bytes(8, "little")
            tag = self.bytes[self.parts_end + TAG * unit:][:TAG]
            content = self.seal.open(self.salt + unit.to_bytes(8, "little"), tag, bound, content)
            if content is None:
                raise Refused(f"unit {unit} of segment {self.number} is not what was sealed")
            self.units[unit] = content
        return self.units[unit]

    def part(self, start, end):
        if not 0 <= start <= end <= self.parts_end:
            raise Refused(f"segment {self.number} points outside of itself")
        first, last = start // UNIT, -(-end // UNIT)
        joined = b"".join(self.unit(unit) for unit in range(first, last))
        return joined[start - first * UNIT:end - first * UNIT]

    def group(self, number):
        """Keys and payloads of the rows of a group."""
        entry = self.groups_at + 17 * number
        is_last = number + 1 == self.groups
        index = self.part(entry, entry + (17 if is_last else 34))
        start = int.from_bytes(index[12:17], "little")
        end = self.row_bytes if is_last else int.from_bytes(index[29:34], "little")
        content = self.part(start, end)
        heads = Fields(content[2:2 + content[1]])
        account, marked, at, rows = index[:4], int.from_bytes(index[4:12], "big"), 2 + content[1], []
        for row in range(content[0]):
            marked += heads.varint() if row else 0
            length = heads.varint()
            rows.append((account + marked.to_bytes(8, "big"), content[at:at + length]))
            at += length
        return rows

    def find(self, key):
        """The payload of this key, empty for a tombstone; None if there is no such row."""
        low, high = 0, self.groups
        while low < high:
            middle = (low + high) // 2
            at = self.groups_at + 17 * middle
            low, high = (middle + 1, high) if self.part(at, at + 12) <= key else (low, middle)
        return dict(self.group(low - 1)).get(key) if low else None

    def candidates(self, table, row):
        """Keys and payloads of the rows that may have this account and text."""
        start, buckets = ((self.usernames_at, self.usernames) if table == USERNAMES
                          else (self.phones_at, self.phones))
        hashed = siphash13(self.seal.file_id, row)
        for step in range(buckets):
            at = start + 64 * ((buckets * hashed // 2**64 + step) % buckets)
            bucket = self.part(at, at + 64)
            for entry in range(min(bucket[60], 10)):
                if u16(bucket, 2 * entry) == hashed % 2**16:
                    group, place = divmod(u32(bucket, 20 + 4 * entry), 16)
                    rows = self.group(group) if group < self.groups else []
                    yield from rows[place:place + 1]
            if bucket[60] < 10:
                return


def siphash13(key, data):
    """SipHash with one round for each block and three at the end."""
    def rotated(word, by):
        return (word << by | word >> (64 - by)) % 2**64

    def rounds(a, b, c, d, count):
        for _ in range(count):
            a = (a + b) % 2**64
            c = (c + d) % 2**64
            b, d, a = rotated(b, 13) ^ a, rotated(d, 16) ^ c, rotated(a, 32)
            c = (c + b) % 2**64
            a = (a + d) % 2**64
            b, d, c = rotated(b, 17) ^ c, rotated(d, 21) ^ a, rotated(c, 32)
        return a, b, c, d

    k0, k1 = u64(key, 0), u64(key, 8)
    state = k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573
    padded = data + bytes(7 - len(data) % 8) + bytes([len(data) % 256])
    for at in range(0, len(padded), 8):
        word = u64(padded, at)
        a, b, c, d = rounds(*state[:3], state[3] ^ word, 1)
        state = a ^ word, b, c, d
    a, b, c, d = rounds(state[0], state[1], state[2] ^ 0xFF, state[3], 3)
    return a ^ b ^ c ^ d


def asked_entities(store, sessions, args):
    if args.session not in sessions:
        raise Refused(f"no session {args.session!r} in the log of the store")
    account = sessions[args.session]["account"]
    usernames = {name: store.by_text(USERNAMES, account, name.lstrip("@").lower()) for name in args.username}
    phones = {phone: store.by_text(PHONES, account, phone.lstrip("0")) for phone in args.phone}
    return {"id": {marked: store.by_id(account, marked) for marked in args.id}, "username": usernames, "phone": phones}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("store", type=Path)
    parser.add_argument("--passphrase-file", type=Path)
    parser.add_argument("--key-file", type=Path)
    parser.add_argument("--session")
    parser.add_argument("--id", type=int, action="append", default=[])
    parser.add_argument("--username", action="append", default=[])
    parser.add_argument("--phone", action="append", default=[])
    args = parser.parse_args()
    passphrase = args.passphrase_file and args.passphrase_file.read_bytes()
    raw = args.key_file and args.key_file.read_bytes()
    try:
        if raw is not None and len(raw) != 32:
            raise Refused(f"the key file has {len(raw)} bytes, and a key has 32")
        store = Store(args.store.read_bytes(), passphrase, raw)
        kinds = {1: "passphrase", 2: "raw"}
        slots = {number: {"kind": kinds[kind], "costs": costs} for number, (kind, costs, _) in store.slots.items()}
        sessions = store.sessions()
        found = {"encrypted": store.encrypted, "key_slots": slots, "generation": store.current.generation,
                 "records": len(store.records), "clean_end": store.clean, "segments": len(store.segments),
                 "base": store.check_base(), "sessions": sessions}
        if args.session is not None:
            found["entities"] = asked_entities(store, sessions, args)
    except (Refused, ValueError) as error:
        sys.exit(f"read {args.store}: {error}")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
