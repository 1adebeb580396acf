#!/usr/bin/env python3
"""CHANGELOG.md as the packages tell it.

    changelog.py deb VERSION REVISION DATE   debian/changelog
    changelog.py rpm VERSION REVISION DATE   the spec's %changelog
    changelog.py notes VERSION               what is new, for a release's page

DATE is in seconds since 1970. The section of VERSION is taken, or "Unreleased" while there is none.
"""

import datetime
import email.utils
import pathlib
import re
import sys
import textwrap
import time

PACKAGERS = "NetworkManager AWS Client VPN packagers <network-manager-aws-client-vpn@packages.debian.org>"
CHANGELOG = pathlib.Path(__file__).resolve().parent.parent / "CHANGELOG.md"


def section(version):
    text = CHANGELOG.read_text()
    parts = re.split(r"^## +", text, flags=re.M)[1:]
    for heading in (version, "Unreleased"):
        for part in parts:
            if re.match(rf"\[?{re.escape(heading)}\b", part):
                return part.split("\n", 1)[1]
    sys.exit(f"changelog.py: CHANGELOG.md has neither {version} nor Unreleased")


def points(version):
    found = re.findall(r"^- (.*(?:\n {2,}.*)*)", section(version), flags=re.M)
    return [" ".join(point.replace("`", "").split()) for point in found]


def deb(version, revision, date):
    print(f"network-manager-aws-client-vpn ({version}-{revision}) unstable; urgency=medium\n")
    for point in points(version):
        print(textwrap.fill(point, 78, initial_indent="  * ", subsequent_indent="    "))
    day = email.utils.format_datetime(datetime.datetime.fromtimestamp(int(date), datetime.timezone.utc))
    print(f"\n -- {PACKAGERS}  {day}")


def rpm(version, revision, date):
    print("* " + time.strftime("%a %b %d %Y", time.gmtime(int(date))) + f" {PACKAGERS} - {version}-{revision}")
    for point in points(version):
        print(textwrap.fill(point.replace("%", "%%"), 78, initial_indent="- ", subsequent_indent="  "))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["deb", version, revision, date]:
            deb(version, revision, date)
        case ["rpm", version, revision, date]:
            rpm(version, revision, date)
        case ["notes", version]:
            print(section(version).strip())
        case _:
            sys.exit(__doc__)
