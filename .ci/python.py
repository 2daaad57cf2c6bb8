"""python.py WHEEL FOLDER: installs the wheel beside each client in a virtual environment of its own
under FOLDER, and runs the tests of python/ there. Prints one line of numbers at the end."""

import pathlib
import re
import subprocess
import sys
import venv

TESTS = pathlib.Path("python/tests")
CONSTRAINTS = pathlib.Path("tests/interop/python/constraints.txt")
TOOLS = ["pytest==9.2.0"]
CHECKER = "mypy==2.4.1"

# Which tests need which client. What needs none runs beside Telethon.
CLIENTS = {
    "Telethon==1.45.0": [
        "test_store.py", "test_threads.py", "test_fork.py", "test_telethon.py",
        "test_telethon_differential.py", "test_telethon_client.py",
    ],
    "kurigram==2.2.26": ["test_pyrogram.py", "test_kurigram_client.py"],
    "PyroTGFork==2.2.24.1": ["test_pyrogram.py"],
    "pyrofork==2.3.69": ["test_pyrogram.py"],
    "hydrogram==0.2.0": ["test_pyrogram.py"],
    "Pyrogram==2.0.106": ["test_pyrogram.py"],
}


def main(wheel, folder):
    known = {path.name for path in TESTS.glob("test_*.py")}
    if known != {test for tests in CLIENTS.values() for test in tests}:
        sys.exit("CLIENTS does not name every test of python/tests")
    passed = 0
    for client, tests in CLIENTS.items():
        print(f"--- {client}", flush=True)
        python = installed(folder / client, wheel, client)
        passed += run_tests(python, tests)
        if client.startswith("Telethon"):
            # The source and not the installed copy, whose configuration mypy would not read.
            run(python, "-m", "mypy", cwd="python")
    print(f"{passed} tests of the wheel beside {len(CLIENTS)} clients")


def installed(home, wheel, client):
    python = (home / "bin" / "python").absolute()
    wanted = [client, *TOOLS, *([CHECKER] if client.startswith("Telethon") else [])]
    marker = home / "installed"
    if not marker.exists() or marker.read_text() != f"{wanted}{CONSTRAINTS.read_text()}":
        venv.create(home, with_pip=True, clear=True)
        run(python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-c", CONSTRAINTS, *wanted)
        marker.write_text(f"{wanted}{CONSTRAINTS.read_text()}")
    run(python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-index", "--force-reinstall", wheel)
    return python


def run_tests(python, tests):
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *(TESTS / test for test in tests)]
    ran = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    print(ran.stdout, flush=True)
    counted = re.search(r"(\d+) passed", ran.stdout)
    if ran.returncode or not counted:
        sys.exit(f"{' '.join(tests)}: failed")
    return int(counted[1])


def run(*command, **options):
    subprocess.run(command, check=True, **options)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]).absolute(), pathlib.Path(sys.argv[2]))
