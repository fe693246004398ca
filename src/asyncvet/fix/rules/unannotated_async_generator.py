"""Say in the signature of an asynchronous generator that it streams, and what."""

from __future__ import annotations

from asyncvet.facts import tree
from asyncvet.fix.code import Code, Draft, Need, is_name
from asyncvet.fix.text import Change
from asyncvet.graph import walk
from asyncvet.graph.scopes import Binding, Class, Function, last_name
from asyncvet.graph.values import Instance, Text
from asyncvet.model import Finding

_HARMLESS = frozenset({"staticmethod", "classmethod", "override", "abstractmethod"})
_SIMPLE = frozenset({"str", "bytes", "int", "float", "bool"})
_OF_ITEMS = frozenset({"list", "List", "Iterator", "Iterable", "Generator", "set", "Set"})


def fix(finding: Finding, code: Code) -> Draft | str:
    """Annotate with `AsyncGenerator` of the type that every `yield` shows, or of `Any`. No decorator may read the annotation."""
    function = code.function(finding)
    if function is None or not isinstance(function.node, tree.FunctionDef) or not function.decorator_names <= _HARMLESS:
        return "a decorator may read the annotation; name the type of the items: `-> AsyncGenerator[Item]`"
    if any(not isinstance(code.statement(node), tree.ExprStmt) for node in function.yields):
        return "it takes what is sent to it; name both types: `-> AsyncGenerator[Item, Sent]`"
    outside = tree.Node(function.node.start - 1, function.node.start - 1)
    generator = _generator(code, outside)
    item = _item(code, function) or _declared(code, function.node.returns)
    any_ = code.refer("typing", "Any", outside, prefer_module=False) if item is None or "Any" in item else ("", ())
    place = _place(code, function.node)
    if generator is None or any_ is None or place is None:
        return "the names `AsyncGenerator` or `Any` are taken"
    name, needs = generator
    text = f"{name}[{(item or 'Any').replace('Any', any_[0]) if any_[0] else item}, None]"
    start, end = place
    change = Change(start, end, text if start < end else f" -> {text}")
    return Draft("safe", f"annotate `-> {text}`", (change,), (*needs, *any_[1]))


def _generator(code: Code, at: tree.Node) -> tuple[str, tuple[Need, ...]] | None:
    """How to name the type: from where it is imported already, else from `collections.abc`."""
    found = [code.refer(module, "AsyncGenerator", at, prefer_module=False) for module in ("collections.abc", "typing")]
    return next((each for each in found if each is not None and not each[1]), found[0])


def _place(code: Code, node: tree.FunctionDef) -> tuple[int, int] | None:
    """Where the annotation goes: that of the one there is, or behind the closing parenthesis."""
    if node.returns is not None:
        return node.returns.start, node.returns.end
    offset = node.params[-1].end if node.params else node.name_start + len(node.name.encode())
    utf8, opened = code.text.utf8, bool(node.params)
    while offset < node.body[0].start:
        letter = utf8[offset : offset + 1]
        if letter == b")":
            return offset + 1, offset + 1
        if letter == b"(" and not opened:
            opened = True
        elif letter not in b" \t\r\n\\,/*":
            return None
        offset += 1
    return None


# --- the type of the items --------------------------------------------------------------------------


def _item(code: Code, function: Function) -> str | None:
    """The type of all that a generator yields, None if its code does not show it."""
    types = {_type(code, function, node.value) for node in function.yields}
    if None in types:
        return None
    known = sorted(filter(None, types), key=lambda text: (text == "None", text))
    is_late = any(
        isinstance(s, tree.ImportFrom) and s.module == "__future__" and ("annotations", None) in s.names for s in code.facts.body
    )
    return known[0] if len(known) == 1 else " | ".join(known) if known and is_late else None


def _declared(code: Code, annotation: tree.Expression | None) -> str | None:
    """The type of the items as a wrong annotation has it: itself, or what it says that it iterates over."""
    if isinstance(annotation, tree.Name) and annotation.id in _SIMPLE:
        return annotation.id
    if isinstance(annotation, tree.Subscript) and last_name(annotation.value) in _OF_ITEMS:
        index = annotation.index
        if isinstance(index, tree.Sequence):
            index = index.items[0]
        text = code.source(index)
        return text if not {'"', "'", "\n", "["} & set(text) else None
    return None


def _type(code: Code, function: Function, expr: tree.Expression | None) -> str | None:
    if expr is None:
        return "None"
    if isinstance(expr, tree.Const):
        return {"none": "None"}.get(expr.kind, expr.kind)
    if isinstance(expr, tree.Operation):
        return _of_operation(code, function, expr)
    if isinstance(expr, tree.Dict):
        return "dict[str, Any]" if all(isinstance(key, tree.Const) and key.kind == "str" for key in expr.keys) else None
    if isinstance(expr, tree.Name):
        return _of_name(code, function, expr)
    if isinstance(expr, tree.Call):
        return _of_call(code, function, expr)
    return None


def _of_operation(code: Code, function: Function, expr: tree.Operation) -> str | None:
    if expr.op == "fstring":
        return "str"
    if expr.op == "+" and any(_type(code, function, operand) == "str" for operand in expr.operands):
        return "str"
    return None


def _of_name(code: Code, function: Function, name: tree.Name) -> str | None:
    """The type that a parameter or variable is declared with, or that all that it is set to has."""
    bindings = function.bindings.get(name.id, [])
    declared = [binding.annotation for binding in bindings if binding.annotation is not None]
    if declared:
        text = code.source(declared[0])
        is_of_signature = bindings[0].kind == "param"
        return text if len(bindings) == 1 and is_of_signature and not {'"', "'", "\n"} & set(text) else None
    types = {_of_binding(code, function, binding) for binding in bindings}
    return types.pop() if len(types) == 1 else None


def _of_binding(code: Code, function: Function, binding: Binding) -> str | None:
    value = binding.value
    if binding.path or not isinstance(value, tree.Expr) or any(is_name(node, binding.name) for node in walk.nodes(value)):
        return None
    if binding.kind == "assign":
        return _type(code, function, value)
    if binding.kind != "for" or binding.is_async or not isinstance(value, tree.Call):
        return None
    site = next((site for site in code.project.sites(function) if site.node is value), None)
    if site is not None and "builtins.range" in site.names:
        return "int"
    is_split = isinstance(value.func, tree.Attribute) and value.func.attr in ("split", "splitlines")
    return (
        "str"
        if is_split and isinstance(value.func, tree.Attribute) and _type(code, function, value.func.value) == "str"
        else None
    )


def _of_call(code: Code, function: Function, call: tree.Call) -> str | None:
    site = next((site for site in code.project.sites(function) if site.node is call), None)
    if isinstance(call.func, tree.Attribute) and call.func.attr == "encode":
        return "bytes"
    if site is not None and {"json.dumps", "builtins.str"} & set(site.names):
        return "str"
    values = code.project.values(call, function)
    if values and all(isinstance(value, Text) for value in values):
        return "str"
    classes = {value.cls for value in values if isinstance(value, Instance)}
    if len(classes) == 1 and len(values) == 1 and isinstance(call.func, tree.Name) and call.func.id == next(iter(classes)).name:
        return call.func.id if _is_defined_before(code, call.func.id, function) else None
    return None


def _is_defined_before(code: Code, name: str, function: Function) -> bool:
    """Whether a name is a class of the module, or imported into it, when the function is defined."""
    bindings = code.module.bindings.get(name, [])
    return (
        len(bindings) == 1
        and (isinstance(bindings[0].target, Class) or bindings[0].kind == "import")
        and bindings[0].block.parent is None
        and bindings[0].from_ < function.node.start
        and last_name(tree.Name(0, 0, name)) not in function.bindings
    )
