#!/bin/sh
# Runs each fuzz target of core for FUZZ_SECONDS (default 10), from the seeds in fuzz/seeds/.
#
# These are libFuzzer's binaries, built as cargo-fuzz builds them, but with the stable compiler and
# without a sanitizer (core has no unsafe code). What a run finds new is kept in target/fuzz.
set -eu
cd "$(dirname "$0")/.."
fuzz=nm-plugin/core/fuzz
seconds=${FUZZ_SECONDS:-10}

out=${CARGO_TARGET_DIR:-$PWD/target}/fuzz
export CARGO_TARGET_DIR="$out"
target=$(rustc -vV | sed -n 's/^host: //p')
RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares" \
    cargo build --quiet --release --locked --target "$target" --manifest-path "$fuzz/Cargo.toml"

for source in "$fuzz"/targets/*.rs; do
    name=$(basename "$source" .rs)
    corpus="$out/corpus/$name"
    mkdir -p "$corpus"
    seeds=
    [ ! -d "$fuzz/seeds/$name" ] || seeds="$fuzz/seeds/$name"
    echo "fuzz $name: $seconds s"
    # shellcheck disable=SC2086 # no seeds, no word
    "$out/$target/release/$name" -max_total_time="$seconds" -max_len=16384 -timeout=10 \
        -rss_limit_mb=1024 -artifact_prefix="$out/$name-" -print_final_stats=0 \
        "$corpus" $seeds >"$out/$name.log" 2>&1 || {
        cat "$out/$name.log"
        echo "fuzz $name: failed; the input is $out/$name-*" >&2
        exit 1
    }
    tail -n 1 "$out/$name.log"
done
