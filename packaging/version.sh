# Sourced in the project's directory: the one version, the day of the last change, and the directory that
# cargo builds in, for everything that is packed.
target=${CARGO_TARGET_DIR:-$PWD/target}
version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
    if [ -e packaging/source/date ]; then
        SOURCE_DATE_EPOCH=$(cat packaging/source/date)
    else
        SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
    fi
fi
export SOURCE_DATE_EPOCH
