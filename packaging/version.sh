# Sourced in the project's folder: the one version, and the day of the last change, for everything
# that is packed.
version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
    if [ -e packaging/source/date ]; then
        SOURCE_DATE_EPOCH=$(cat packaging/source/date)
    else
        SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
    fi
fi
export SOURCE_DATE_EPOCH
