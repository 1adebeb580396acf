#!/bin/sh
# What the tests of the pure crates do not notice: cargo-mutants changes a function at a time and
# runs the tests of its crate. MUTANTS_PART, `1/8` by default, says which part of all mutations.
# Arguments go to cargo-mutants: `--file nm-plugin/core/text/src/redact.rs`, for one.
#
# What it found is in target/mutants/mutants.out: missed.txt has the mutations that no test caught.
set -eu
cd "$(dirname "$0")/.."
version=27.1.0
part=${MUTANTS_PART:-1/8}
out=${CARGO_TARGET_DIR:-$PWD/target}/mutants

[ "$("$out/bin/cargo-mutants" mutants --version 2>/dev/null)" = "cargo-mutants $version" ] ||
    cargo install --quiet --locked --root "$out" --version "$version" cargo-mutants

# Most of the time goes into building: nobody debugs a mutation, and its copy is written to memory.
# A mutation that is missed has been through all cases of each random test: fewer do here.
export CARGO_PROFILE_DEV_DEBUG=0 PROPTEST_CASES="${PROPTEST_CASES:-64}"
[ ! -w /dev/shm ] || export TMPDIR="${TMPDIR:-/dev/shm}"

# cargo-mutants counts parts from 0.
"$out/bin/cargo-mutants" mutants --output "$out" --no-shuffle --timeout 120 \
    --shard "$((${part%/*} - 1))/${part#*/}" --sharding round-robin \
    --package aws-client-vpn-text --package aws-client-vpn-profile \
    --package aws-client-vpn-sign-in --package aws-client-vpn-session "$@"
