"""Go through a stream itself, not through a list of what it gave."""

from __future__ import annotations

from asyncvet.facts import tree
from asyncvet.fix.code import Code, Draft, everything, is_name
from asyncvet.fix.text import Change
from asyncvet.graph.scopes import shown
from asyncvet.model import Finding


def fix(finding: Finding, code: Code) -> Draft | str:
    """Write `async for ... in stream` where a list stands between it and the one loop over it, and nothing between the two.

    Where the loop yields, the items come as they are made, which is what the generator is for; where it does something else with
    each, an error of the stream comes after what was done for the items before it.
    """
    node = code.at(finding, tree.Comprehension) or code.at(finding, tree.For)
    if node is None:
        return "the list is not made there"
    lines, loop = _list_and_loop(code, node)
    source = node.iter if isinstance(node, tree.For) else node.generators[0].iter
    if loop is None or not _is_plain(node):
        return f"the list is more than a copy; use `async for ... in {shown(source)}`"
    if any(isinstance(n, tree.Jump | tree.Return) for n in everything(loop.body)):
        return f"the loop may leave the stream half-way, which then wants to be closed; use `aclosing({shown(source)})`"
    if any(code.text.comments(line.start, code.text.next_line(line.end)) for line in lines) or not all(map(code.is_alone, lines)):
        return "the lines that go hold more than the list"
    changes = [Change(code.text.line_start(line.start), code.text.next_line(line.end), "") for line in lines]
    changes += [Change(loop.start, loop.start, "async "), Change(loop.iter.start, loop.iter.end, code.source(source))]
    yields = any(isinstance(n, tree.Yield) for n in everything(loop.body))
    moved = (min(change.start for change in changes), loop.iter.end)
    return Draft("safe" if yields else "unsafe", f"go through `{shown(source)}` itself", tuple(changes), (), moved)


def _list_and_loop(code: Code, node: tree.Comprehension | tree.For) -> tuple[list[tree.Statement], tree.For | None]:
    """The statements that make a list, and the loop over it right behind them."""
    if isinstance(node, tree.Comprehension):
        holder = next(iter(code.around(node)), None)
        if isinstance(holder, tree.For) and holder.iter is node:
            return [], holder
        statement: tree.Statement | None = holder if isinstance(holder, tree.Assign) else None
    else:
        statement = node
    siblings = code.siblings(statement) if statement is not None else []
    index = siblings.index(statement) if statement is not None and statement in siblings else -1
    loop = siblings[index + 1] if 0 <= index < len(siblings) - 1 else None
    made = siblings[max(index - isinstance(node, tree.For), 0) : index + 1]
    name = made[0].targets[0] if made and isinstance(made[0], tree.Assign) and len(made[0].targets) == 1 else None
    is_over = isinstance(loop, tree.For) and not loop.is_async and isinstance(name, tree.Name) and is_name(loop.iter, name.id)
    return (made, loop) if is_over and isinstance(loop, tree.For) else ([], None)


def _is_plain(node: tree.Comprehension | tree.For) -> bool:
    """Whether a list holds every item as it is."""
    if isinstance(node, tree.Comprehension):
        generator = node.generators[0]
        return isinstance(generator.target, tree.Name) and is_name(node.element, generator.target.id) and not generator.ifs
    call = node.body[0].value if isinstance(node.body[0], tree.ExprStmt) else None
    return isinstance(node.target, tree.Name) and isinstance(call, tree.Call) and is_name(call.args[0], node.target.id)
