#!/bin/sh
# Holds the dependencies to deny.toml: by cargo-deny where it is installed (advisories need the
# network, so they are left to it and to `cargo deny check`), else by this script's own reading of
# the licences, bans and sources, which takes a second instead of cargo-deny's build.
set -eu
cd "$(dirname "$0")/.."

# On each system that there are packages for.
read_metadata() {
    # shellcheck disable=SC2046 # a list of words
    cargo metadata --format-version 1 --locked \
        $(python3 packaging/crates.py targets | sed 's/^/--filter-platform=/')
}

# The Rust that we ask for is the lowest that the dependencies need: no older one
# builds them, and no newer one is wanted without a reason.
read_metadata |
    python3 -c '
import json, sys


def version(text):
    return tuple(int(number) for number in (text or "1.0").split(".")[:2])


metadata = json.load(sys.stdin)
nodes = {node["id"] for node in metadata["resolve"]["nodes"]}
own = [package for package in metadata["packages"] if package["source"] is None]
needed = max((version(package["rust_version"]), package["name"])
             for package in metadata["packages"] if package["source"] and package["id"] in nodes)
faults = ["%s: rust-version is %s, but %s needs %d.%d" % (package["name"], package["rust_version"], needed[1], *needed[0])
          for package in own if version(package["rust_version"]) != needed[0]]
print("\n".join(faults[:3]) or "%s needs Rust %d.%d, which is what we ask for" % (needed[1], *needed[0]))
sys.exit(1 if faults else 0)
'

# The packages and documents ask for the same one.
lowest=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
asked='(cargo|rustc?)(:native)? \(?>= [0-9.]+|Rust [0-9.]+( or later| is the lowest)'
if grep -EHno "$asked" packaging/deb/control packaging/rpm/*.spec.in docs/*.md | grep -Fv " $lowest"; then
    echo "these ask for another Rust than Cargo.toml, which says $lowest" >&2
    exit 1
fi

if cargo deny --version >/dev/null 2>&1; then
    exec cargo deny --offline check licenses bans sources
fi

read_metadata |
    python3 -c '
import json, re, sys, tomllib

with open("deny.toml", "rb") as file:
    policy = tomllib.load(file)
allowed = set(policy["licenses"]["allow"])
banned = {entry["crate"]: entry["reason"] for entry in policy["bans"]["deny"]}
metadata = json.load(sys.stdin)
used = {node["id"] for node in metadata["resolve"]["nodes"]}
faults = []


def acceptable(expression):
    """An SPDX expression; "/" is an old "OR", an exception only permits more."""
    plain = re.sub(r"\s+WITH\s+[\w.-]+", "", expression.replace("/", " OR "))
    return eval(re.sub(r"[\w.+-]+", truth, plain))


def truth(word):
    return word[0].lower() if word[0] in ("OR", "AND") else str(word[0] in allowed)


for package in metadata["packages"]:
    if package["id"] not in used:
        continue
    name = "%s %s" % (package["name"], package["version"])
    if not package["license"] or not acceptable(package["license"]):
        faults.append("%s: licence %s is not allowed" % (name, package["license"]))
    if package["name"] in banned:
        faults.append("%s: banned, %s" % (name, banned[package["name"]]))
    source = package["source"]
    if source and not source.startswith("registry+https://github.com/rust-lang/crates.io-index"):
        faults.append("%s: comes from %s" % (name, source))
print("\n".join(faults) or "%d packages keep to deny.toml" % len(used))
sys.exit(1 if faults else 0)
'
