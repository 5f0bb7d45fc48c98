"""Reads a Rust source file and says which paths it names.

Decides what counts as naming: `use` trees, paths in expressions, types and
visibilities, `super::`, `self::` and names brought in by `use`. Comments,
strings and code under `cfg(test)` do not count. Does not judge: `ci/layers`
compares the paths with its table. Not seen: what a macro of another crate
expands to, and paths inside strings (as in `#[serde(with = "...")]`).
"""

import re
from dataclasses import dataclass, field

TOKEN = re.compile(
    r"""(?P<line_comment>//[^\n]*)
      | (?P<block_comment>/\*)
      | (?P<raw_string>[bc]?r(?P<hashes>\#*)".*?"(?P=hashes))
      | (?P<string>[bc]?"(?:\\.|[^"\\])*")
      | (?P<char>b?'(?:\\(?:u\{[^}]*\}|.)[^']*|[^\\'])')
      | (?P<lifetime>'\w+)
      | (?P<number>\d\w*)
      | (?P<word>(?:r\#)?[^\W\d]\w*)
      | (?P<punct>::|\S)""",
    re.VERBOSE | re.DOTALL,
)
SKIPPED = {"line_comment", "raw_string", "string", "char", "lifetime", "number"}
OPEN, CLOSE = set("([{"), set(")]}")
TO_SEMICOLON = {"use", "const", "static", "type", "let"}
TO_BLOCK = {"fn", "struct", "enum", "union", "trait", "impl", "mod", "macro_rules", "extern"}


@dataclass(frozen=True)
class Token:
    """A word or a piece of punctuation, and the line it stands on."""

    text: str
    line: int
    is_word: bool = False


@dataclass(frozen=True)
class Named:
    """A path that a file names, from the crate root or from another crate."""

    path: tuple[str, ...]
    line: int
    imported: bool = False


@dataclass
class Source:
    """What one file names, exports, declares and defines."""

    named: list[Named] = field(default_factory=list)
    exports: dict[str, tuple[str, ...]] = field(default_factory=dict)
    modules: set[str] = field(default_factory=set)
    test_modules: set[str] = field(default_factory=set)
    macros: set[str] = field(default_factory=set)


def tokens(text: str) -> list[Token]:
    """Splits Rust source into tokens, without comments and literals."""
    found, at, line = [], 0, 1
    while match := TOKEN.search(text, at):
        line += text.count("\n", at, match.start())
        end = match.end()
        if match.lastgroup == "block_comment":
            end = _block_comment_end(text, match.end())
        elif match.lastgroup not in SKIPPED:
            is_word = match.lastgroup == "word"
            found.append(Token(match.group().removeprefix("r#"), line, is_word))
        line += text.count("\n", match.start(), end)
        at = end
    return found


def _block_comment_end(text: str, at: int) -> int:
    depth = 1
    for mark in re.finditer(r"/\*|\*/", text[at:]):
        depth += 1 if mark.group() == "/*" else -1
        if depth == 0:
            return at + mark.end()
    return len(text)


def _matching(toks: list[Token], at: int) -> int:
    """The index after the bracket that closes the one at `at`."""
    depth = 0
    for index in range(at, len(toks)):
        depth += (toks[index].text in OPEN) - (toks[index].text in CLOSE)
        if depth == 0:
            return index + 1
    return len(toks)


def _item_end(toks: list[Token], at: int) -> int:
    """The index after the item, field or statement that begins at `at`."""
    head = at
    while head + 1 < len(toks) and (
        toks[head].text in {"pub", "unsafe", "async"}
        or (toks[head].text == "const" and toks[head + 1].text in {"fn", "unsafe", "async"})
    ):
        head += 1
        if toks[head].text == "(":
            head = _matching(toks, head)
    kind = toks[head].text if head < len(toks) else ""
    while at < len(toks) and toks[at].text not in CLOSE:
        text = toks[at].text
        at = _matching(toks, at) if text in OPEN else at + 1
        if text == ";" or (text == "{" and kind not in TO_SEMICOLON):
            break
        if text == "," and kind not in TO_SEMICOLON | TO_BLOCK:
            break
    return at


def _is_test_cfg(attribute: list[Token]) -> bool:
    """Whether `cfg(...)` holds in tests only: `test` or `all(.. test ..)`."""
    words = [token.text for token in attribute]
    return words[:2] == ["cfg", "("] and "test" in words and not {"not", "any"} & set(words)


def without_tests(toks: list[Token]) -> tuple[list[Token], set[str]]:
    """Drops what only tests compile; also names the test modules in files."""
    kept, files, at = [], set(), 0
    while at < len(toks):
        if toks[at].text != "#":
            kept.append(toks[at])
            at += 1
            continue
        inner = at + 1 < len(toks) and toks[at + 1].text == "!"
        opening = at + 1 + inner
        if opening >= len(toks) or toks[opening].text != "[":
            at += 1
            continue
        end = _matching(toks, opening)
        if not _is_test_cfg(toks[opening + 1 : end - 1]):
            kept.extend(toks[at:end])
            at = end
            continue
        if inner:
            return [], files
        while end + 1 < len(toks) and toks[end].text == "#":
            end = _matching(toks, end + 1)
        at = _item_end(toks, end)
        item = [token.text for token in toks[end:at]]
        if "mod" in item and item[-1] == ";":
            files.add(item[item.index("mod") + 1])
    return kept, files


def _use_tree(toks: list[Token], at: int, prefix: tuple[str, ...]):
    """Flattens the tree of a `use`: [(path, the name it brings in)], end."""
    path, leaves = list(prefix), []
    while at < len(toks):
        token = toks[at]
        if token.text == "{":
            at += 1
            while toks[at].text not in {"}", ""}:
                inner, at = _use_tree(toks, at, tuple(path))
                leaves += inner
                at += toks[at].text == ","
            return leaves, at + 1
        if token.text == "as":
            return [(tuple(path), toks[at + 1].text)], at + 2
        if token.text in {",", "}", ";", ""}:
            break
        if token.is_word and not (token.text == "self" and path):
            path.append(token.text)
        elif token.text == "*":
            path.append("*")
        at += 1
    return [(tuple(path), path[-1])] if path else [], at


def read(text: str, module: tuple[str, ...]) -> Source:
    """Reads the file of `module` (its path below the crate root)."""
    toks, test_modules = without_tests(tokens(text))
    toks += [Token("", 0)] * 3
    source = Source(test_modules=test_modules)
    found, aliases = [], {}
    here, closing, at = list(module), [], 0
    while at < len(toks) - 3:
        token, after, before = toks[at], toks[at + 1], toks[at - 1].text if at else ""
        while closing and at >= closing[-1]:
            here.pop()
            closing.pop()
        if token.text == "mod" and after.is_word:
            source.modules.add(after.text)
            if toks[at + 2].text == "{":
                here.append(after.text)
                closing.append(_matching(toks, at + 2) - 1)
            at += 3
        elif token.text == "macro_rules" and after.text == "!":
            source.macros.add(toks[at + 2].text)
            at += 3
        elif token.text == "use" and after.text != "<":
            leaves, at = _use_tree(toks, at + 1, ())
            for path, name in leaves:
                path = _absolute(path, here)
                found.append(Named(path, token.line, imported=True))
                source.exports[name] = path
                if name != path[0]:
                    aliases[name] = path
        elif token.is_word and before not in {".", "fn"}:
            path = [token.text]
            while toks[at + 1].text == "::" and toks[at + 2].is_word:
                path.append(toks[at + 2].text)
                at += 2
            at += 1
            imported = before == "crate"
            if len(path) > 1 or imported:
                found.append(Named(_absolute(tuple(path), here), token.line, imported))
        else:
            at += 1
    source.named = [Named(_expand(n.path, aliases), n.line, n.imported) for n in found]
    return source


def _expand(path: tuple[str, ...], aliases: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Writes out a first word that a `use` of the file brought in."""
    for _ in range(4):
        if path[0] in aliases:
            path = aliases[path[0]] + path[1:]
    return path


def _absolute(path: tuple[str, ...], here: list[str]) -> tuple[str, ...]:
    """Replaces a leading `self` or `super` by the path from `crate`."""
    if not path or path[0] not in {"self", "super"}:
        return path
    base, rest = list(here), list(path)
    if rest[0] == "self":
        rest.pop(0)
    while rest and rest[0] == "super":
        rest.pop(0)
        base = base[:-1]
    return ("crate", *base, *rest)
