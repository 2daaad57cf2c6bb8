"""Telethon -> store -> Pyrogram -> store -> Telethon: what is missing is what the reports said, and nothing else."""
import json
from collections import Counter

# What clients that keep no address know by themselves: (DC, test servers) -> address.
WELL_KNOWN = {
    (2, False): {"host": "149.154.167.51", "port": 443},
    (1, True): {"host": "149.154.175.10", "port": 80},
}


def full_circle(bench, name):
    """Every export loses what its report says, an import nothing, and the whole way no more than its parts."""
    account, at = bench.accounts[name], lambda file: bench.folder / f"{name}-{file}"
    given = ["--api-id", account["api_id"], *(["--bot"] if account["user"]["bot"] else [])]
    leg(bench, bench.source(name), "telethon", at("one.session"))
    bring(bench, at("one.session"), at("a.tgsession"))
    lost = leg(bench, at("a.tgsession"), "pyrogram", at("two.session"), *given)
    bring(bench, at("two.session"), at("b.tgsession"))
    lost += leg(bench, at("b.tgsession"), "telethon", at("three.session"))
    begin, middle, end = (fields(bench.dump(at(f"{count}.session"))) for count in ("one", "two", "three"))
    # What Pyrogram's file alone told came in on the way, and is reported too when it goes out again.
    gained = Counter(what for what, whose in middle.keys() - begin.keys() if (what, whose) not in end)
    same_counts(missing(begin, end), lost - gained, "missing at the end, and reported on the way")
    print(f"  {name}: missing at the end, and reported: {dict(missing(begin, end))}", flush=True)


def leg(bench, source, format, target, *given):
    """One export; gives what its report says, which is what the target's dump lacks."""
    report = bench.folder / "report.json"
    report.unlink(missing_ok=True)
    bench.run_tool("export", source, "--to", format, "-o", target, "--report", report, *given)
    export, = json.loads(report.read_text())["exports"]
    lost = Counter({loss["what"]: loss["count"] for loss in export["lost"]})
    gone = missing(fields(bench.dump(source)), fields(bench.dump(target)))
    same_counts(gone, lost, f"to {format}: missing, and reported")
    return lost


def bring(bench, source, store):
    bench.run_tool("import", source, "--into", store, "--as", "account")
    gone = missing(fields(bench.dump(source)), fields(bench.dump(store)))
    same_counts(gone, Counter(), f"missing after the import of {source.name}")


def missing(before, after):
    """How many values of which field are gone or changed."""
    return Counter(what for (what, whose), value in before.items() if after.get((what, whose)) != value)


def fields(session):
    """Every value of a dumped session under (its field's name in reports, whose it is)."""
    found = {(key, None): session[key] for key in ("home_dc", "test_mode", "api_id", "takeout_id", "state")}
    user = session["user"] or {}
    found["user", None], found["user.bot", None] = user.get("id"), user.get("bot")
    for dc in session["dcs"]:
        test = session["test_mode"]
        if test is None:
            test = next((test for (_, test), address in WELL_KNOWN.items() if address == dc["ipv4"]), None)
            found["test_mode", None] = test
        # A DC goes as a whole, and its key names it.
        found["dcs.auth_key", dc["id"]] = (dc["auth_key"], dc["ipv4"] or WELL_KNOWN.get((dc["id"], test)))
        if dc["id"] == session["home_dc"]:
            found["dcs.ipv6", dc["id"]] = dc["ipv6"]
    for state in session["channel_states"]:
        found["channel_states", state["id"]] = state["pts"]
    for file in session["files"]:
        found["files", (file["md5"], file["size"], file["kind"])] = (file["id"], file["access_hash"])
    for entity in session["entities"]:
        found["entities", entity["id"]] = True
        for key in ("kind", "access_hash", "phone", "name", "date"):
            found[f"entities.{key}", entity["id"]] = entity[key]
        for username in entity["usernames"]:
            found["entities.usernames", (entity["id"], username)] = True
    return {key: value for key, value in found.items() if value is not None}


def same_counts(found, wanted, what):
    if found != wanted:
        raise AssertionError(f"{what}: {dict(found)} and {dict(wanted)}")
