#!/usr/bin/env python3
"""check_vectors.py FORMAT.md: opens the vectors of encrypted structures, or makes them anew.

The bytes that the vectors leave out are the zeros that FORMAT.md says they are.
"""
import re
import sys
import zlib
from pathlib import Path

from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_encrypt as encrypt

from read_store import SECTOR, TAG, UNIT, Seal, parse_key_slot, siphash13, unlock
from records import u32

FILE_ID, MASTER = b"0123456789abcdef", bytes(range(0x40, 0x60))
SEAL = Seal(FILE_ID, MASTER)


def main():
    text = Path(sys.argv[1]).read_text()
    vectors = {name: bytes.fromhex(digits) for name, digits in re.findall(r"^Vector `(.+?)`: (.+)$", text, re.M)}
    slots(vectors)
    root(vectors["root: encrypted"], vectors["root"])
    log(vectors)
    segment(vectors)
    base(vectors["base: block, encrypted"])
    hashed = int.from_bytes(vectors["segment: phones"][:2], "little")
    same(siphash13(FILE_ID, bytes.fromhex("00000007") + b"1555") % 2**16, hashed, "the hash of a phone")


def same(found, expected, what):
    if found != expected:
        sys.exit(f"{what}: found {found!r}, expected {expected!r}")


def slots(vectors):
    raw = bytes(range(0x60, 0x80))
    for name, passphrase, key in ("passphrase", b"correct horse", None), ("raw", None, raw):
        slot = parse_key_slot(vectors[f"key slot: {name}"].ljust(SECTOR, b"\0"))
        same(unlock(slot, passphrase, key), MASTER, f"the master key of the slot: {name}")


def root(vector, plain):
    same(u32(vector, 4), zlib.crc32(FILE_ID + vector[8:].ljust(SECTOR - 8, b"\0")), "the checksum of the root")
    same(vector[8:80], plain[8:], "the fields of the root")
    same(SEAL.open(vector[80:104], vector[104:120], b"root" + vector[8:80]), b"", "the tag of the root")


def log(vectors):
    for name, place in ("changes", 5 * 4096 + 512), ("mark", 0):
        plain, sealed = vectors[f"log: {name}"], vectors[f"log: {name}, encrypted"]
        place = place.to_bytes(8, "little")
        same(u32(sealed, 4), zlib.crc32(FILE_ID + place + sealed[8:]), f"the checksum of {name}")
        bound = sealed[:4] + FILE_ID + place + sealed[8:48]
        content = SEAL.open(sealed[48:72], sealed[72:88], bound, sealed[88:])
        if name == "changes":
            same(content[:16], b"\x09" * 16, "the tag of the record before")
            same(u32(sealed, 32), u32(plain, 32) + 16, "the length of the content")
            content = content[16:]
        same(sealed[8:32] + sealed[36:48] + content, plain[8:32] + plain[36:], f"the record: {name}")


def segment(vectors):
    header = vectors["segment: header, encrypted"]
    fields = SEAL.open(header[64:88], header[88:104], header[:4] + FILE_ID, header[8:64])
    same(fields[:40], vectors["segment: header"][8:].ljust(40, b"\0"), "the header of the segment")
    parts = [vectors[f"segment: {part}"] for part in ("rows", "groups", "top", "accounts", "usernames", "phones")]
    parts[1] = parts[1].ljust(17, b"\0")
    unit = b"".join(part.ljust(SECTOR, b"\0") for part in parts)
    bound = b"unit" + FILE_ID + fields[:8]
    sealed = encrypt(unit, bound, fields[40:56] + bytes(8), MASTER)
    seed = zlib.crc32(FILE_ID + fields[:8])
    checksum = zlib.crc32(sealed[:SECTOR], seed).to_bytes(4, "little")
    same(sealed[:32] + sealed[-TAG:] + checksum, vectors["segment: unit, encrypted"], "the unit of the segment")


def base(vector):
    bound, place = b"base" + FILE_ID + (6).to_bytes(8, "little"), bytes(8)
    sealed = encrypt(b"\x07" * UNIT, bound, b"\x01" * 16 + place, MASTER)
    checksum = zlib.crc32(bound + place + sealed[:UNIT]).to_bytes(4, "little")
    same(sealed[:32] + sealed[-TAG:] + checksum, vector, "the block of the base")


if __name__ == "__main__":
    main()
