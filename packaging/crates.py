#!/usr/bin/env python3
"""What the packages are made of besides our own code, read from cargo's metadata.

    crates.py vendor DIR            copies of all crates into DIR; those that no package needs are
                                    empty, so that Windows' libraries are in no source package
    crates.py copyright TEMPLATE    debian/copyright: the template and a paragraph for each crate
    crates.py targets               what Rust calls the systems that the packages are built for
    crates.py linked                the crates that are linked into a program, name and version
    crates.py texts                 the texts of the licences of all that is linked, and of OpenVPN's
    crates.py licences              one SPDX expression of all that is linked, for the RPM package
    crates.py sbom VERSION          CycloneDX 1.5 bill of materials, JSON

Licences come from each crate's own manifest; packaging/check-dependencies.sh holds them to deny.toml.
"""

import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import uuid

ROOT = pathlib.Path(__file__).resolve().parent.parent
CARGO = os.environ.get("CARGO", "cargo")
# What Debian, Fedora and openSUSE build for; the crates of other systems are left out.
TARGETS = [
    f"{machine}-unknown-linux-gnu"
    for machine in ("x86_64", "aarch64", "i686", "s390x", "powerpc64le", "riscv64gc", "loongarch64")
] + ["armv7-unknown-linux-gnueabihf"]
# OpenVPN's, which our patches extend: without its exception, nobody could pass on what is linked with OpenSSL.
OPENVPN = "GPL-2.0-only WITH openvpn-openssl-exception"
# Members that are in no package; what only they need is not vendored.
UNSHIPPED = "tests"


def metadata():
    command = [CARGO, "metadata", "--format-version=1", "--locked"]
    command += [f"--filter-platform={target}" for target in TARGETS]
    return json.loads(subprocess.check_output(command, cwd=ROOT))


def shipped(meta, with_tests):
    """The packages that the shipped programs need: linked ones, or all to build and test them."""
    nodes = {node["id"]: node for node in meta["resolve"]["nodes"]}
    packages = {package["id"]: package for package in meta["packages"]}
    members = [
        member
        for member in meta["workspace_members"]
        if pathlib.Path(packages[member]["manifest_path"]).relative_to(ROOT).parts[0] != UNSHIPPED
    ]
    found, queue = set(), list(members)
    while queue:
        name = queue.pop()
        if name in found:
            continue
        found.add(name)
        for dependency in nodes[name]["deps"]:
            kinds = {kind["kind"] for kind in dependency["dep_kinds"]}
            wanted = {None, "build"} if with_tests else {None}
            if with_tests and name in members:
                wanted.add("dev")
            if kinds & wanted:
                queue.append(dependency["pkg"])
    return sorted((packages[name] for name in found), key=lambda p: (p["name"], p["version"]))


def foreign(packages):
    return [package for package in packages if package["source"]]


def directory(package):
    return f'{package["name"]}-{package["version"]}'


def vendor(destination):
    destination = pathlib.Path(destination).resolve()
    shutil.rmtree(destination, ignore_errors=True)
    subprocess.run(
        [CARGO, "vendor", "--quiet", "--locked", "--versioned-dirs", str(destination)],
        cwd=ROOT, check=True, stdout=subprocess.DEVNULL,
    )
    wanted = {directory(package) for package in foreign(shipped(metadata(), with_tests=True))}
    for crate in sorted(destination.iterdir()):
        if crate.name not in wanted:
            empty(crate)
            continue
        # Libraries of other systems that a crate brings along have no source.
        without(crate, lambda path: path.suffix in (".a", ".lib", ".dll", ".exe", ".o", ".so"))


def checksums(crate):
    return json.loads((crate / ".cargo-checksum.json").read_text())


def write_checksums(crate, known):
    (crate / ".cargo-checksum.json").write_text(json.dumps(known, sort_keys=True))


def empty(crate):
    """Leaves what the resolver reads: a manifest, and a library of nothing."""
    known = checksums(crate)
    manifest = (crate / "Cargo.toml").read_bytes()
    shutil.rmtree(crate)
    (crate / "src").mkdir(parents=True)
    (crate / "Cargo.toml").write_bytes(manifest)
    (crate / "src/lib.rs").write_bytes(b"")
    known["files"] = {
        name: hashlib.sha256((crate / name).read_bytes()).hexdigest()
        for name in ("Cargo.toml", "src/lib.rs")
    }
    write_checksums(crate, known)


def without(crate, unwanted):
    known = checksums(crate)
    for path in sorted(crate.rglob("*")):
        if path.is_file() and unwanted(path):
            path.unlink()
            known["files"].pop(str(path.relative_to(crate)), None)
    write_checksums(crate, known)


def licence_files(package):
    where = pathlib.Path(package["manifest_path"]).parent
    named = re.compile(r"(?i)(licen[sc]e|copying|copyright|notice)")
    return [path for path in sorted(where.glob("*")) if named.match(path.name) and path.is_file()]


def holders(package):
    """Whoever the crate's licence files name, else its authors, else its community."""
    found = []
    for path in licence_files(package):
        for line in path.read_text(errors="replace").splitlines():
            # Not the sentences of the licence itself.
            match = re.match(r"\s*copyright (?:\(c\)|©)?\s*(\d{4}.*|the .* developers.*)", line, re.I)
            if match and "[" not in line and "{" not in line:
                found.append(match.group(1).strip().rstrip("."))
    found = found or [re.sub(r"\s*<.*?>", "", author) for author in package["authors"]]
    found = found or [f'the developers of {package["name"]}, {package["repository"] or "crates.io"}']
    return list(dict.fromkeys(found))


def debian_licence(expression):
    """SPDX in Debian's spelling: lower-case words, "Expat" for the MIT licence."""
    expression = expression.replace("/", " OR ")
    words = {"OR": "or", "AND": "and", "WITH": "with", "MIT": "Expat", "Unlicense": "Unlicense"}
    out = [words.get(word, word) for word in re.findall(r"[\w.+-]+|[()]", expression)]
    text = " ".join(out).replace("( ", "(").replace(" )", ")")
    text = text.replace("GPL-2.0-or-later", "GPL-2+").replace("GPL-2.0-only", "GPL-2")
    text = text.replace("Apache-2.0 with LLVM-exception", "Apache-2.0-LLVM")
    # Debian's format has no brackets; a comma binds looser than "and".
    return re.sub(r"\(([^()]*)\) and ", r"\1, and ", text)


def copyright(template):
    text = pathlib.Path(template).read_text()
    lines = [text.rstrip()]
    used = set()
    for package in foreign(shipped(metadata(), with_tests=True)):
        licence = debian_licence(package["license"])
        used |= set(re.split(r",? (?:or|and) ", licence))
        lines.append("")
        lines.append(f"Files: vendor/{directory(package)}/*")
        lines.append("Copyright: " + "\n           ".join(holders(package)))
        lines.append(f"License: {licence}")
    for licence in sorted(used):
        if f"\nLicense: {licence}\n" in text:
            continue
        path = ROOT / "packaging/deb/licences" / licence
        if not path.exists():
            sys.exit(f"crates.py: the text of {licence} is missing: write {path.relative_to(ROOT)}")
        body = path.read_text().rstrip().splitlines()
        lines += ["", f"License: {licence}"] + [f" {line.strip() or '.'}" for line in body]
    print("\n".join(lines))


def texts():
    """Each text once, below the names of what it came with."""
    found = {}
    copying = openvpn_copying()
    found[copying] = ["OpenVPN: COPYING"]
    for package in foreign(shipped(metadata(), with_tests=False)):
        files = licence_files(package)
        if not files:
            sys.exit(f"crates.py: {directory(package)} has no text of its licence")
        for path in files:
            found.setdefault(path.read_bytes().strip(), []).append(f"{directory(package)}: {path.name}")
    for text, names in found.items():
        heading = "\n".join(names).encode()
        sys.stdout.buffer.write(b"=" * 78 + b"\n" + heading + b"\n" + b"=" * 78 + b"\n\n" + text + b"\n\n")


def openvpn_copying():
    source = pathlib.Path(os.environ.get("OPENVPN_SOURCE", ROOT / "target/openvpn-source"))
    pin = (ROOT / "packaging/openvpn/pin.sh").read_text()
    archive = re.search(r"^orig=(.*)$", pin, re.M).group(1)
    with tarfile.open(source / archive) as tar:
        name = next(name for name in tar.getnames() if re.fullmatch(r"[^/]*/COPYING", name))
        return tar.extractfile(name).read().strip()


def licences():
    """The licences of our programs, of OpenVPN and of the linked crates, each once."""
    found = {"GPL-2.0-or-later", OPENVPN}
    for package in foreign(shipped(metadata(), with_tests=False)):
        expression = package["license"].replace("/", " OR ")
        words = sorted(re.split(r" OR ", expression)) if "AND" not in expression else [expression]
        found.add(" OR ".join(words))
    print(" AND ".join(f"({e})" if " OR " in e or " AND " in e else e for e in sorted(found)))


def sbom(version):
    meta = metadata()
    ours = {
        "type": "application",
        "bom-ref": "network-manager-aws-client-vpn",
        "name": "network-manager-aws-client-vpn",
        "version": version,
        "licenses": [{"license": {"id": "GPL-2.0-or-later"}}],
    }
    components = [openvpn()]
    for package in foreign(shipped(meta, with_tests=False)):
        purl = f'pkg:cargo/{package["name"]}@{package["version"]}'
        components.append({
            "type": "library",
            "bom-ref": purl,
            "name": package["name"],
            "version": package["version"],
            "purl": purl,
            "licenses": [{"expression": package["license"].replace("/", " OR ")}],
            "hashes": [{"alg": "SHA-256", "content": locked()[package["name"], package["version"]]}],
        })
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": ours},
        "components": components,
        "dependencies": [{"ref": ours["bom-ref"], "dependsOn": [c["bom-ref"] for c in components]}],
    }
    # The same contents have the same number, whoever makes the document.
    contents = json.dumps(document, sort_keys=True).encode()
    document["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, hashlib.sha256(contents).hexdigest())}"
    print(json.dumps(document, indent=1, sort_keys=True))


def locked():
    import tomllib

    with open(ROOT / "Cargo.lock", "rb") as file:
        return {(p["name"], p["version"]): p.get("checksum") for p in tomllib.load(file)["package"]}


def openvpn():
    """The private OpenVPN, as packaging/openvpn/pin.sh has it."""
    pin = (ROOT / "packaging/openvpn/pin.sh").read_text()
    checksum, version = re.search(r"([0-9a-f]{64})  openvpn_([0-9.]+)\.orig", pin).groups()
    series = (ROOT / "patches/openvpn/series").read_text().splitlines()
    patches = [{"type": "unofficial", "diff": {"url": f"patches/openvpn/{name}"}} for name in series if name]
    return {
        "type": "application",
        "bom-ref": f"pkg:generic/openvpn@{version}",
        "name": "openvpn",
        "version": version,
        "purl": f"pkg:generic/openvpn@{version}",
        "licenses": [{"expression": OPENVPN}],
        "hashes": [{"alg": "SHA-256", "content": checksum}],
        "pedigree": {"patches": patches},
    }


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["vendor", destination]:
            vendor(destination)
        case ["copyright", template]:
            copyright(template)
        case ["targets"]:
            print("\n".join(TARGETS))
        case ["linked"]:
            print("\n".join(directory(package) for package in foreign(shipped(metadata(), with_tests=False))))
        case ["texts"]:
            texts()
        case ["licences"]:
            licences()
        case ["sbom", version]:
            sbom(version)
        case _:
            sys.exit(__doc__)
