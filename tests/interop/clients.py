"""The clients that are asked: how each is installed and called, and what its formats keep and give back."""
import hashlib
import shutil
import subprocess
import venv
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent


@dataclass
class Format:
    """A format and what of an account is in it (`account.kept`); what the client then says of it (`account.answers`).

    `more` is what the client writes and we leave out.
    """
    name: str
    keeps: str
    gives: str
    more: str = ""


@dataclass
class Client:
    name: str
    install: callable  # (folder) -> the start of its command line
    file: Format
    string: Format | None = None
    people_only: bool = False  # It holds no bots and no accounts of the test servers.
    writes: bool = True  # Else it only goes on with a file that was there: "rewrite".


def python(requirement, script):
    """A package of PyPI, in a virtual environment of its own: many of them have one name for their module."""
    def install(folder):
        home, constraints = folder / requirement, HERE / "python" / "constraints.txt"
        wanted = f"{requirement}\n{constraints.read_text()}"
        if stale(home, wanted):
            print(f"  installing {requirement}", flush=True)
            venv.create(home, with_pip=True, clear=True)
            run([home / "bin" / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check",
                 "-c", constraints, requirement])
            fresh(home, wanted)
        return [home / "bin" / "python", HERE / "python" / script]
    return install


def node(script):
    """The npm packages of `node/package-lock.json`; none of them is compiled or runs a script of its own."""
    def install(folder):
        home, source = folder / "node", HERE / "node"
        home.mkdir(parents=True, exist_ok=True)
        for file in source.iterdir():
            if file.is_file():
                shutil.copy(file, home)
        lock = hashlib.sha256((source / "package-lock.json").read_bytes()).hexdigest()
        if stale(home, lock):
            print("  installing npm packages", flush=True)
            run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], cwd=home)
            fresh(home, lock)
        return ["node", home / script]
    return install


def without_network(install):
    """The same in a network of its own, in which there is nobody."""
    return lambda folder: ["unshare", "-r", "-n", *install(folder)]


def grammers(storage):
    """The crate beside this: its libsql is C."""
    def install(folder):
        target, manifest = folder / "grammers", HERE / "grammers" / "Cargo.toml"
        run(["cargo", "build", "--locked", "-q", "--manifest-path", manifest, "--target-dir", target])
        return [target / "debug" / "tgsession-interop-grammers", storage]
    return install


def stale(home, wanted):
    marker = home / "installed"
    return not marker.exists() or marker.read_text() != wanted


def fresh(home, wanted):
    (home / "installed").write_text(wanted)


def run(command, **options):
    ran = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if ran.returncode:
        raise RuntimeError(f"{command[0]} failed: {ran.stdout.strip()[-2000:]}")


TELETHON = "address user takeout state peers username phone name date files"
TELETHON_GIVES = "dc host port key user takeout state channels by_id by_username by_phone by_name files"
TELETHON_STRING = Format("telethon-string", "address", "dc host port key")

PYROGRAM = "test api_id user bot peers kind phone date"
PYROGRAM_LOGIN = "dc key test api_id user bot"
PYROGRAM_GIVES = f"{PYROGRAM_LOGIN} by_id by_username by_phone"
PYROGRAM_STRING = Format("pyrogram-string", "test api_id user bot", PYROGRAM_LOGIN)

CLIENTS = [
    Client(
        "Telethon 1.45", python("Telethon==1.45.0", "telethon_client.py"),
        Format("telethon", TELETHON, TELETHON_GIVES), TELETHON_STRING),
    Client(
        "Telethon 1.42", python("Telethon==1.42.0", "telethon_client.py"),
        Format("telethon-v7", TELETHON, TELETHON_GIVES), TELETHON_STRING),
    Client(
        "Pyrogram", python("Pyrogram==2.0.106", "pyrogram_client.py"),
        Format("pyrogram", f"{PYROGRAM} username", PYROGRAM_GIVES), PYROGRAM_STRING),
    Client(
        "Hydrogram", python("hydrogram==0.2.0", "pyrogram_client.py"),
        Format("hydrogram", f"{PYROGRAM} username", PYROGRAM_GIVES), PYROGRAM_STRING),
    Client(
        "Pyrofork", python("pyrofork==2.3.69", "pyrogram_client.py"),
        Format("pyrofork", f"{PYROGRAM} usernames state", f"{PYROGRAM_GIVES} state channels"), PYROGRAM_STRING),
    Client(
        "Kurigram", python("kurigram==2.2.26", "pyrogram_client.py"),
        Format("kurigram", f"{PYROGRAM} usernames state address", f"{PYROGRAM_GIVES} state channels host port"),
        # It finds the address of a string by itself.
        Format("pyrogram-string", PYROGRAM_STRING.keeps, f"{PYROGRAM_LOGIN} host port")),
    Client(
        "GramJS", node("gramjs_client.mjs"),
        Format("gramjs-store", "address peers username phone name date", "dc host port key rows by_id"),
        Format("gramjs-string", "address", "dc host port key")),
    Client(
        "mtcute", node("mtcute_client.mjs"),
        Format("mtcute", "address keys test user bot state peers usernames phone date",
             "dc host port keys test user bot state channels by_id by_username by_phone", more="name kind"),
        Format("mtcute-string", "address test user bot", "dc host port key test user bot")),
    Client(
        "opentele2", python("opentele2==2.0.0", "opentele_client.py"),
        Format("tdata", "user", "accounts dc key user"), people_only=True),
    Client(
        "mtcute convert", node("mtcute_convert.mjs"),
        Format("tdata", "user", "accounts dc key keys user"), people_only=True),
    Client(
        "TDLib", without_network(python("tdjson==1.8.69", "tdlib_client.py")),
        Format("tdlib", "keys user bot", "logged_in user"), writes=False),
    Client(
        "grammers 0.11", grammers("sqlite"),
        Format("grammers", "addresses ipv6 keys user bot state peers kind own_row",
             "dc host port keys user bot state channels by_id kinds")),
    Client(
        "grammers 0.7", grammers("tl"),
        Format("grammers-tl", "addresses keys user bot state", "dc host port keys user bot state channels")),
]
