"""Write the two files of a new rule: its module and its specification. Run as `make new-rule NAME=... CODE=...`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

MODULE = '''"""Checks for ...

## Why is this bad?

...

## Example

```python
async def bad() -> None: ...
```

Write instead:

```python
async def good() -> None: ...
```

## When it is fine

...

## Known limits

...

## Fix safety

No fix is offered.

## References

- ...
"""

from __future__ import annotations

from collections.abc import Iterator

from asyncvet.graph.project import Project
from asyncvet.model import Finding, Severity
from asyncvet.rules import Rule


def check(project: Project) -> Iterator[Finding]:
    """Yield a finding for each ..."""
    yield from ()


RULE = Rule(code="{code}", name="{name}", severity=Severity.MEDIUM, item=0, check=check)
'''

SPECIFICATION = """# {name}

...

## What it reports

```python
async def bad() -> None: ...  # error: [{name}] "..."
```

## What it leaves alone

```python
async def good() -> None: ...
```
"""


def write_rule(root: Path, name: str, code: str) -> tuple[Path, Path]:
    """Write the files under a checkout's root; every `...` in them, and the item 0, is for the author to fill in.

    Raises:
        ValueError: The name or the code has not the form of one, or a rule has it.
    """
    if not re.fullmatch(r"[a-z]+(-[a-z]+)+", name):
        raise ValueError(f"NAME={name!r} is not a name: two or more lower-case words joined by hyphens, such as busy-wait")
    if not re.fullmatch(r"AV[1-8]\d\d", code):
        raise ValueError(f"CODE={code!r} is not a code: AV and three digits, the first a category from 1 to 8, such as AV109")
    rules = root / "src" / "asyncvet" / "rules"
    module = rules / f"{name.replace('-', '_')}.py"
    specification = root / "tests" / "spec" / "rules" / f"{name}.md"
    for path in (module, specification):
        if path.exists():
            raise ValueError(f"the name {name} is taken: {path.relative_to(root)} exists")
    for other in sorted(rules.glob("*.py")):
        if f'code="{code}"' in other.read_text(encoding="utf-8"):
            raise ValueError(f"the code {code} is taken by {other.relative_to(root)}")
    for path, template in ((module, MODULE), (specification, SPECIFICATION)):
        path.write_text(template.format(name=name, code=code), encoding="utf-8")
    return module, specification


def main() -> int:
    """Write the rule that the arguments name, and say what is next."""
    try:
        name, code = sys.argv[1:]
        paths = write_rule(ROOT, name, code)
    except ValueError as error:
        usage = "usage: make new-rule NAME=busy-wait CODE=AV109"
        print(usage if len(sys.argv) != 3 else f"{error}\n{usage}", file=sys.stderr)
        return 2
    for path in paths:
        print(f"wrote {path.relative_to(ROOT)}")
    print("Fill in every '...' and the item's number; CONTRIBUTING.md says how. `make test` says what is missing.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
