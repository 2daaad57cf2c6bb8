"""The section *Records* of FORMAT.md: fields, and the records that a session consists of."""


def number(data, at, length):
    field = data[at:at + length]
    if len(field) != length:
        raise ValueError(f"{length} bytes at {at} are due, and there are {len(data)} bytes")
    return int.from_bytes(field, "little")


def u16(data, at):
    return number(data, at, 2)


def u32(data, at):
    return number(data, at, 4)


def u64(data, at):
    return number(data, at, 8)


def i64(data, at):
    return (u64(data, at) + 2**63) % 2**64 - 2**63


class Fields:
    """The fields of a record, one after the other."""

    def __init__(self, data, tag=None):
        self.data, self.at = data, 0
        if tag is not None and self.take(1) != bytes([tag]):
            raise ValueError(f"a record has tag {data[0]:02x}, and {tag:02x} is due")

    def take(self, length):
        taken = self.data[self.at:self.at + length]
        if len(taken) != length:
            raise ValueError(f"a record ends after {len(self.data)} bytes: too early")
        self.at += length
        return taken

    def end(self):
        if self.at != len(self.data):
            raise ValueError(f"a record has {len(self.data) - self.at} bytes too many")

    def byte(self):
        return self.take(1)[0]

    def unsigned(self):
        first = self.byte()
        if first < 251:
            return first
        lengths = {251: 2, 252: 4, 253: 8}
        if first not in lengths:
            raise ValueError(f"a number begins with byte {first}")
        return int.from_bytes(self.take(lengths[first]), "little")

    def signed(self):
        value = self.unsigned()
        return -(value // 2) - 1 if value % 2 else value // 2

    def varint(self):
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def truth(self):
        value = self.byte()
        if value > 1:
            raise ValueError(f"a truth value or an optional value begins with byte {value}")
        return value == 1

    def optional(self, read):
        return read() if self.truth() else None

    def many(self, read):
        return [read() for _ in range(self.unsigned())]

    def octets(self):
        return self.take(self.unsigned())

    def text(self):
        return self.octets().decode()


def login(fields):
    return {
        "home_dc": fields.optional(fields.signed),
        "user": fields.optional(lambda: (fields.signed(), fields.optional(fields.truth))),
        "api_id": fields.optional(fields.signed),
        "test_mode": fields.optional(fields.truth),
        "takeout_id": fields.optional(fields.signed),
    }


def dc(fields):
    def address():
        return fields.text(), fields.unsigned()

    return {"ipv4": fields.optional(address), "ipv6": fields.optional(address),
            "auth_key": fields.optional(fields.octets)}


def state(fields):
    return {name: fields.signed() for name in ("pts", "qts", "date", "seq")}


READERS = {0x11: login, 0x21: dc, 0x31: state, 0x32: lambda fields: {"pts": fields.signed()}}


def decode(tag, record):
    fields = Fields(record, tag)
    value = READERS[tag](fields)
    fields.end()
    return value


KINDS = [None, "user", "bot", "group", "supergroup", "channel", "gigagroup", "community", "forum", "direct"]


def entity_of(marked, fields):
    """Record 42, of which the tag was read."""
    what, shape = fields.byte(), fields.byte()
    entity = {"id": marked, "kind": KINDS[what & 0x7F], "min": what >= 0x80, "access_hash": None,
              "usernames": [], "phone": None, "name": None, "date": None}
    if shape & 1:
        entity["access_hash"] = i64(fields.take(8), 0)
    if shape & 2:
        entity["usernames"] = [fields.text()]
    if shape & 4:
        entity["usernames"] = fields.many(fields.text)
    if shape & 8:
        entity["phone"] = fields.text()
    if shape & 16:
        entity["name"] = fields.text()
    if shape & 32:
        entity["date"] = u32(fields.take(4), 0)
    if shape & 64:
        entity["date"] = i64(fields.take(8), 0)
    fields.end()
    return entity
