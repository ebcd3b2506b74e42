"""YAML as a store or an operator may write it: the plain subset that JSON could say too.

The library alone takes more than that: tags that build objects, dates that do not exist, aliases that grow to
gigabytes, a key twice of which the last wins. Here each of these is one error, which repeats nothing of the text.
"""

from __future__ import annotations

import yaml

MOST_NODES = 2_000_000
"""Values of a document with every alias written out: a store of 100,000 slots has nine for each."""

_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float", "str", "seq", "map"))


class NotPlainYaml(Exception):
    """The text is no YAML, or more than plain YAML. `line` counts from 1; 0 where it is not known."""

    def __init__(self, line: int = 0, *, is_key_twice: bool = False) -> None:
        super().__init__(f"line {line}: not plain YAML")
        self.line = line
        self.is_key_twice = is_key_twice


class _PlainLoader(yaml.SafeLoader):
    """Reads dates as texts, and `<<` as a name like any other."""

    # SafeLoader's table: first letter of a value -> tags to try.
    yaml_implicit_resolvers = {  # noqa: RUF012 - the library's name, read by it from the class
        letter: [(tag, pattern) for tag, pattern in resolvers if tag in _TAGS]
        for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def load(content: str) -> object:
    """Mappings, lists, texts, numbers, true, false and null. Raises NotPlainYaml."""
    loader = None
    try:
        # The reader of the library refuses characters that YAML does not have when it is made.
        loader = _PlainLoader(content)
        root = loader.get_single_node()
        if root is None:
            return None
        _check(root, loader, {})
        return loader.construct_document(root)
    except yaml.MarkedYAMLError as error:
        raise NotPlainYaml(error.problem_mark.line + 1 if error.problem_mark else 0) from None
    # ValueError: numbers such as `0x_` or of five thousand digits; IndexError, AttributeError: half-written tokens and
    # escapes, which the scanner does not expect.
    except (yaml.YAMLError, ValueError, IndexError, AttributeError, RecursionError):
        raise NotPlainYaml from None
    finally:
        if loader is not None:
            loader.dispose()


def _check(node: yaml.Node, loader: _PlainLoader, sizes: dict[int, int]) -> int:
    """Number of values in a node, aliases written out. `sizes`: what was counted before; 0 while it is being
    counted, so that a node inside itself is found."""
    line = node.start_mark.line + 1
    known = sizes.get(id(node))
    if known is not None:
        if known == 0:
            raise NotPlainYaml(line)
        return known
    sizes[id(node)] = 0
    size = 1
    if node.tag not in _TAGS:
        raise NotPlainYaml(line)
    if isinstance(node, yaml.MappingNode):
        names = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise NotPlainYaml(key.start_mark.line + 1)
            if key.value in names:
                raise NotPlainYaml(key.start_mark.line + 1, is_key_twice=True)
            names.add(key.value)
            size += _check(key, loader, sizes) + _check(value, loader, sizes)
    elif isinstance(node, yaml.SequenceNode):
        size += sum(_check(value, loader, sizes) for value in node.value)
    elif node.tag != "tag:yaml.org,2002:str" and node.tag != _implied_tag(loader, node):
        # A tag that was written out and does not fit the value.
        raise NotPlainYaml(line)
    if size > MOST_NODES:
        raise NotPlainYaml(line)
    sizes[id(node)] = size
    return size


def _implied_tag(loader: yaml.SafeLoader, node: yaml.Node) -> str:
    """The tag that the value has when none is written out."""
    tag: str = loader.resolve(yaml.ScalarNode, node.value, (True, False))  # type: ignore[no-untyped-call]
    return tag
