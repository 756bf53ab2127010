#!/usr/bin/env python3
"""Fails when a dependency breaks a rule of the house: its licence, where it comes from, or who uses it.

Reads `cargo metadata`, needs no network. (cargo-deny does this and more, but takes longer to build than all our tests
take to run, and its packaged form is too old to read today's lock files.)
"""

import json
import re
import subprocess
import sys

LICENCES = {
    "0BSD", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0",
    "CDLA-Permissive-2.0", "ISC", "MIT", "MIT-0", "Unicode-3.0", "Unlicense", "Zlib",
}
CRATES_IO = "registry+https://github.com/rust-lang/crates.io-index"
BANNED = {"openssl", "openssl-sys", "ring"}
# Who may depend on what: the invariants of ARCHITECTURE.md that a compiler cannot see.
USERS = {
    "rusqlite": {"yinxin-store", "refinery-core"},
    "refinery": {"yinxin-store"},
    "tokio-postgres": {"yinxin-store", "refinery-core"},
    "rustls-native-certs": {"yinxin-store", "rustls-platform-verifier", "async-nats"},
    "argon2": {"yinxin-core", "yinxin-bench"},
    "yinxin-store": {"yinxin-core"},
    "yinxin-easemob": {"yinxin"},
    "yinxin-netease": {"yinxin"},
    "yinxin-lanying": {"yinxin"},
    "yinxin-admin": {"yinxin"},
    "hyper": {"yinxin-http", "yinxin-bench", "axum", "hyper-util", "hyper-rustls", "object_store", "reqwest"},
    "object_store": {"yinxin-core"},
    "reqwest": {"yinxin-hooks", "object_store"},
    "yinxin-hooks": {"yinxin"},
    "async-nats": {"yinxin-bus"},
    "yinxin-bus": {"yinxin"},
    "tokio-tungstenite": {"yinxin-http", "yinxin-bench", "axum"},
    "axum": {"yinxin-http", "yinxin-easemob", "yinxin-netease", "yinxin-lanying", "yinxin-admin", "yinxin", "yinxin-bench",
             "yinxin-testkit"},
}


def permitted(expression):
    """An SPDX expression without nested mixtures: every AND part needs one allowed OR part."""
    parts = re.split(r"\s+AND\s+", expression.replace("/", " OR "))
    return all(any(one.strip(" ()") in LICENCES for one in re.split(r"\s+OR\s+", part)) for part in parts)


def output(*command):
    return subprocess.run(["cargo", *command, "--locked"], check=True, capture_output=True, text=True).stdout


def built():
    """What is compiled, on any platform. `cargo metadata` also has what a feature of nobody's would add."""
    edges = "normal,build,dev"
    tree = output("tree", "--workspace", "--target", "all", "--edges", edges, "--prefix", "none", "--format", "{p}")
    return {tuple(line.split()[:2]) for line in tree.splitlines()}


def faults(metadata, compiled):
    packages = {package["id"]: package for package in metadata["packages"]}
    for package in packages.values():
        if (package["name"], "v" + package["version"]) not in compiled:
            continue
        name, licence, source = package["name"], package["license"], package["source"]
        if not licence or not permitted(licence):
            yield f"{name}: licence {licence!r} is not on the list"
        if source not in (None, CRATES_IO):
            yield f"{name}: comes from {source}"
        if name in BANNED:
            yield f"{name}: is banned"
    for node in metadata["resolve"]["nodes"]:
        user = packages[node["id"]]["name"]
        for dependency in node["deps"]:
            used = packages[dependency["pkg"]]["name"]
            in_product = any(kind["kind"] is None for kind in dependency["dep_kinds"])
            if in_product and used in USERS and user not in USERS[used]:
                yield f"{user}: may not depend on {used}; only {', '.join(sorted(USERS[used]))} may"


def main():
    found = sorted(set(faults(json.loads(output("metadata", "--format-version", "1")), built())))
    print("\n".join(found))
    sys.exit(1 if found else 0)


main()
