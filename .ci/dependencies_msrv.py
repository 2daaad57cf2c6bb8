"""Without a compiler of that age: no dependency states a newer Rust than Cargo.toml does.

The uses of a too new standard library in our own code are clippy's to find (`incompatible_msrv`).
"""

import json
import subprocess
import sys

METADATA = ["cargo", "metadata", "--locked", "--format-version", "1", "--all-features"]


def number(version):
    return tuple(map(int, (version.split(".") + ["0", "0"])[:3]))


metadata = json.loads(subprocess.run(METADATA, check=True, stdout=subprocess.PIPE).stdout)
packages = {package["id"]: package for package in metadata["packages"]}
nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
root = metadata["resolve"]["root"]

reached, waiting = set(), [root]
while waiting:
    at = waiting.pop()
    for edge in nodes[at]["deps"]:
        shipped = any(kind["kind"] != "dev" for kind in edge["dep_kinds"])
        if shipped and edge["pkg"] not in reached:
            reached.add(edge["pkg"])
            waiting.append(edge["pkg"])

own = packages[root]["rust_version"]
silent = [packages[at]["name"] for at in reached if packages[at]["rust_version"] is None]
newer = [
    f"{packages[at]['name']} {packages[at]['version']} needs Rust {packages[at]['rust_version']}"
    for at in reached
    if packages[at]["rust_version"] and number(packages[at]["rust_version"]) > number(own)
]
if newer:
    sys.exit(f"Cargo.toml says Rust {own}, but\n" + "\n".join(sorted(newer)))
print(
    f"no Rust {own} here: of {len(reached)} dependencies none states a newer one"
    f" ({len(silent)} state none: {', '.join(sorted(silent))}); own code by clippy's incompatible_msrv"
)
