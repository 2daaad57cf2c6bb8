"""same_answers.py FIXTURES ORDINARY OTHER

Runs two builds of the tool on every session file of a folder: `dump`, and where it can be
imported, `import` and the `dump` of the store. Standard output and exit codes must be the same
byte for byte, and the fixtures must be as before. Prints one line of numbers.
"""

import hashlib
import pathlib
import subprocess
import sys
import tempfile


def main():
    fixtures, ordinary, other = map(pathlib.Path, sys.argv[1:])
    before = fingerprint(fixtures)
    sources = sorted(fixtures.glob("*.session"))
    differences, imported = [], 0
    for source in sources:
        dump = [run(tool, "dump", source, "--secrets") for tool in (ordinary, other)]
        masked = [run(tool, "dump", source) for tool in (ordinary, other)]
        store = [through_a_store(tool, source) for tool in (ordinary, other)]
        for what, (a, b) in (("dump --secrets", dump), ("dump", masked), ("import", store)):
            if a != b:
                differences.append(f"{source.name}: {what}: {difference(a, b)}")
        imported += store[0][0] == 0
    if differences:
        sys.exit("\n".join(differences))
    if not imported:
        sys.exit(f"none of the {len(sources)} session files of {fixtures} could be imported")
    if fingerprint(fixtures) != before:
        sys.exit(f"{fixtures} is not what it was before")
    print(f"same answers on {len(sources)} session files, {imported} of them imported")


def run(tool, *arguments):
    done = subprocess.run([tool, *arguments], capture_output=True, stdin=subprocess.DEVNULL, timeout=60)
    return done.returncode, done.stdout


def through_a_store(tool, source):
    """The exit code of the import; where that is 0, exit code and output of the store's dump."""
    with tempfile.TemporaryDirectory() as folder:
        store = pathlib.Path(folder, "store.tgsession")
        code, _ = run(tool, "import", source, "--into", store)
        return (code, *run(tool, "dump", store, "--secrets")) if code == 0 else (code,)


def difference(a, b):
    """Where two answers differ, in a few words."""
    if a[:-1] != b[:-1] or len(a) == 1:
        return f"exit codes {a[:-1] or a}, {b[:-1] or b}"
    at = next((n for n, (x, y) in enumerate(zip(a[-1], b[-1])) if x != y), min(len(a[-1]), len(b[-1])))
    start = max(at - 20, 0)
    return f"byte {at} of the output: {a[-1][start:at + 40]}, {b[-1][start:at + 40]}"


def fingerprint(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [(path, path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).digest()) for path in files]


main()
