"""TDLib: what it makes of a td.binlog. Run it without a network (`unshare -n`), or it calls Telegram.

    tdlib_client.py read FILE ACCOUNT      prints the state of the login and the user, as JSON
    tdlib_client.py rewrite FILE ACCOUNT   lets TDLib open FILE, and leaves what it makes of it there
"""
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tdjson import td_create_client_id, td_execute, td_receive, td_send

action, file, account = sys.argv[1:]
account = json.load(open(account))
client = td_create_client_id()


def answer(request, wanted):
    """Sends a request, and gives the first answer of this type."""
    td_send(client, json.dumps(request).encode())
    until = time.monotonic() + 60
    while time.monotonic() < until:
        received = json.loads(td_receive(1.0) or b"{}")
        if received.get("@type") == "error":
            sys.exit(f"TDLib refuses {request['@type']}: {received['message']}")
        if wanted(received):
            return received
    sys.exit(f"TDLib does not answer {request['@type']}")


def option(name):
    found = answer({"@type": "getOption", "name": name, "@extra": name}, lambda got: got.get("@extra") == name)
    return found.get("value")


td_execute(json.dumps({"@type": "setLogVerbosityLevel", "new_verbosity_level": 0}).encode())
with tempfile.TemporaryDirectory() as folder:
    database = Path(folder) / ("td_test.binlog" if account["test"] else "td.binlog")
    shutil.copy(file, database)
    parameters = {
        "@type": "setTdlibParameters", "use_test_dc": account["test"], "database_directory": folder,
        "files_directory": folder, "api_id": account["api_id"], "api_hash": "0" * 32, "system_language_code": "en",
        "device_model": "test", "application_version": "1", "database_encryption_key": "",
    }
    waiting = ("authorizationStateWaitTdlibParameters",)
    state = answer(parameters, lambda got: got.get("@type") == "updateAuthorizationState"
                   and got["authorization_state"]["@type"] not in waiting)
    found = {"logged_in": state["authorization_state"]["@type"], "user": int(option("my_id"))}
    answer({"@type": "close"}, lambda got: got.get("authorization_state", {}).get("@type") == "authorizationStateClosed")
    if action == "rewrite":
        shutil.copy(database, file)
print(json.dumps(found))
