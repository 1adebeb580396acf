#!/usr/bin/env python3
"""Checks that the crates stand on each other one way, and the files of a crate, too.

* A crate may need the crates of the layers below its own (LAYERS), and no other of ours.
* Files of a crate may import each other in a circle only if one of them is the others' parent, and
  no circle is left without it.

    check-layers.py           checks this tree
    check-layers.py --test    checks that wrong trees are refused
"""

import re
import sys
import tempfile
import tomllib
from pathlib import Path

# From the ground up; what stands in one line does not know each other.
LAYERS = [
    ["nm-plugin/core/text/derive"],
    ["nm-plugin/core/text"],
    ["nm-plugin/core/profile"],
    ["nm-plugin/core/sign-in"],
    ["nm-plugin/core/session"],
    # What does I/O for the programs of a user's session.
    ["nm-plugin/i18n", "nm-plugin/keyring", "nm-plugin/network-manager"],
    ["nm-plugin/attempt", "nm-plugin/notification", "nm-plugin/profile-file", "nm-plugin/secret-agent"],
    ["nm-plugin/agent", "nm-plugin/auth-dialog", "nm-plugin/cli", "nm-plugin/login-window",
     "nm-plugin/provision", "nm-plugin/service"],
    ["editor/libnm"],
    ["editor/form"],
    ["editor/gtk3", "editor/gtk4", "editor/importer", "editor/plasma", "editor/plugin"],
]


def manifests(root):
    """Our crates: the directory of each, and its manifest."""
    for path in sorted(root.glob("nm-plugin/**/Cargo.toml")) + sorted(root.glob("editor/*/Cargo.toml")):
        directory = path.parent.relative_to(root).as_posix()
        if "target" not in path.parts and not directory.endswith("/fuzz"):
            yield directory, tomllib.loads(path.read_text())


def wrong_crates(root, layers):
    """Crates that need one that is not below them."""
    layer = {directory: number for number, directories in enumerate(layers) for directory in directories}
    crates = dict(manifests(root))
    directory_of = {manifest["package"]["name"]: directory for directory, manifest in crates.items()}
    for directory, manifest in crates.items():
        if directory not in layer:
            yield f"{directory} is in no layer: say in LAYERS what it stands on"
            continue
        for name in manifest.get("dependencies", {}):
            needed = directory_of.get(name)
            if needed in layer and layer[needed] >= layer[directory]:
                yield f"{directory} needs {needed}, which is not below it"


def plain(source):
    """The code without its unit tests, comments, texts and attributes."""
    source = re.split(r"^#\[cfg\(test\)\]\n(?:#\[.*\n)*mod tests", source, maxsplit=1, flags=re.M)[0]
    source = re.sub(r'r(#*)".*?"\1|"(?:\\.|[^"\\])*"|//[^\n]*|/\*.*?\*/', '""', source, flags=re.S)
    return source


def paths(tree, before=()):
    """The paths of a `use`."""
    head, brace, rest = tree.strip().partition("{")
    own = before + tuple(part for part in re.sub(r"\s+as\s+\w+", "", head).strip().split("::") if part)
    if not brace:
        yield own
        return
    depth, item = 0, ""
    for character in rest.rstrip().removesuffix("}") + ",":
        depth += (character == "{") - (character == "}")
        if character == "," and depth == 0:
            if item.strip():
                yield from paths(item, own)
            item = ""
        else:
            item += character


def imports(source):
    """Everything that the code names by a path through modules."""
    code = plain(source)
    for tree in re.findall(r"\buse\s+([^;]+);", code):
        yield from paths(tree)
    code = re.sub(r"\buse\s+[^;]+;", "", code)
    for path in re.findall(r"(?<![\w:$])(?:crate|super|self|[a-z]\w*)(?:::\w+)+", code):
        yield tuple(path.split("::"))


def files_of(directory):
    """Each module of a crate with its file; `()` is the crate's root."""
    source = directory / "src"
    for file in sorted(source.rglob("*.rs")):
        module = file.relative_to(source).with_suffix("").parts
        if module[-1] == "tests" or "bin" in module[:-1]:
            continue
        if module in {("lib",), ("main",)}:
            module = ()
        elif module[-1] == "mod":
            module = module[:-1]
        yield module, file


def graph(directory):
    """Which file of a crate imports which others."""
    files = dict(files_of(directory))
    edges = {module: set() for module in files}
    for module, file in files.items():
        for path in imports(file.read_text()):
            if path[0] == "crate":
                place, rest = (), path[1:]
            elif path[0] in {"self", "super"}:
                place, rest = module, path
                while rest and rest[0] in {"self", "super"}:
                    place = place[:-1] if rest[0] == "super" else place
                    rest = rest[1:]
            elif module + path[:1] in files:
                place, rest = module, path
            else:
                continue
            while rest and place + rest[:1] in files:
                place, rest = place + rest[:1], rest[1:]
            if place != module:
                edges[module].add(place)
    return edges


def circles(edges):
    """The sets of modules that reach each other (Tarjan)."""
    order, low, stack, found = {}, {}, [], []

    def visit(node):
        order[node] = low[node] = len(order)
        stack.append(node)
        for other in edges[node]:
            if other not in edges:
                continue
            if other not in order:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], order[other])
        if low[node] == order[node]:
            group = set()
            while node not in group:
                group.add(stack.pop())
            if len(group) > 1:
                found.append(group)

    for node in edges:
        if node not in order:
            visit(node)
    return found


def wrong_circles(edges):
    """Circles that are not one of a parent with its own children."""
    for group in circles(edges):
        parent = min(group, key=len)
        if all(module[: len(parent)] == parent for module in group):
            rest = group - {parent}
            yield from wrong_circles({node: edges[node] & rest for node in rest})
        else:
            yield group


def problems(root, layers):
    """What is wrong with a tree."""
    yield from wrong_crates(root, layers)
    for directory, _ in manifests(root):
        for group in wrong_circles(graph(root / directory)):
            names = ", ".join(sorted("::".join(module) or "the crate's root" for module in group))
            yield f"{directory}: these import each other in a circle: {names}"


def test():
    """Small trees, and whether each is refused."""
    layers = [["nm-plugin/low"], ["nm-plugin/high"], ["editor/page"]]
    good = {
        "nm-plugin/low/Cargo.toml": '[package]\nname = "low"\n',
        "nm-plugin/high/Cargo.toml": '[package]\nname = "high"\n[dependencies]\nlow.workspace = true\n',
        "editor/page/Cargo.toml": '[package]\nname = "page"\n[dependencies]\nhigh.workspace = true\n',
        "nm-plugin/low/src/lib.rs": "pub mod a;\npub mod b;\nuse a::A;\n",
        "nm-plugin/low/src/a.rs": "mod child;\nuse crate::b::B;\nuse child::C;\n",
        "nm-plugin/low/src/a/child.rs": "use super::A;\n// use crate::a::other;\n",
        "nm-plugin/low/src/b.rs": 'const T: &str = "crate::a::A";\n#[cfg(test)]\nmod tests {\n    use crate::a::A;\n}\n',
    }
    wrong = {
        "an editor below": {"nm-plugin/low/Cargo.toml": '[package]\nname = "low"\n[dependencies]\npage.workspace = true\n'},
        "a crate of the same layer or above": {"nm-plugin/low/Cargo.toml": '[package]\nname = "low"\n[dependencies]\nhigh.workspace = true\n'},
        "a crate in no layer": {"nm-plugin/new/Cargo.toml": '[package]\nname = "new"\n'},
        "two files": {"nm-plugin/low/src/b.rs": "use crate::a::A;\n"},
        "two files, one of them without a use": {"nm-plugin/low/src/b.rs": "fn f() { crate::a::g() }\n"},
        "two files, within braces": {"nm-plugin/low/src/b.rs": "use crate::{a::{self, A}, c};\n"},
        "two children": {
            "nm-plugin/low/src/a.rs": "mod child;\nmod other;\nuse child::C;\n",
            "nm-plugin/low/src/a/child.rs": "use super::other::O;\nuse super::A;\n",
            "nm-plugin/low/src/a/other.rs": "use super::child::C;\n",
        },
        "a child and a stranger": {
            "nm-plugin/low/src/a/child.rs": "use crate::b::B;\n",
            "nm-plugin/low/src/b.rs": "use crate::a::child::C;\n",
        },
    }
    for name, changes in {"": {}, **wrong}.items():
        with tempfile.TemporaryDirectory() as directory:
            for path, text in {**good, **changes}.items():
                file = Path(directory) / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
            found = list(problems(Path(directory), layers))
            if bool(found) != bool(name):
                sys.exit(f"check-layers: {name or 'a good tree'}: {found or 'was not refused'}")


def main():
    if sys.argv[1:] == ["--test"]:
        test()
        return
    found = list(problems(Path(__file__).resolve().parent.parent, LAYERS))
    for problem in found:
        print(problem, file=sys.stderr)
    if found:
        sys.exit(1)
    print("layers: no crate and no file stands on one above it")


main()
