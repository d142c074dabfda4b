"""Say what an expression of a source is when Lambda imports it, as far as the source itself shows.

Run by the interpreter of the functions, so it imports the standard library alone; `import_statements.py` asks.
"""

from __future__ import annotations

import builtins
import operator
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from sawhorse.build.present_modules import Surroundings

# Nothing is known.
UNKNOWN = object()
# Nothing is known, but the source asks itself whether a module is there, so that it may be absent.
ASKED = object()


class Known:
    """A constant."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


class Named:
    """A module, or what a module has, by its full name. `there` says that it is no None and counts as true."""

    __slots__ = ("name", "there")

    def __init__(self, name: str, *, there: bool = False) -> None:
        self.name, self.there = name, there


class Many:
    """A tuple with members that are no constants, such as classes of exceptions."""

    __slots__ = ("values",)

    def __init__(self, values: list[Any]) -> None:
        self.values = values


class Version(tuple[object, ...]):
    """`sys.version_info`, of which only the first two places are the same here and in Lambda."""

    __slots__ = ()


# Functions run on Linux under CPython; TYPE_CHECKING is recognised by its name, wherever it comes from.
FACTS: dict[str, Any] = {
    "sys.platform": "linux",
    "os.name": "posix",
    "sys.version_info": Version(sys.version_info[:2]),
    "sys.implementation.name": "cpython",
}
PLACES = ("major", "minor")
CALLED: dict[str, Any] = {"platform.system": "Linux", "platform.python_implementation": "CPython"}
# What Lambda always sets
# (https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime).
SET_IN_LAMBDA = frozenset({
    "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION", "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT",
})  # fmt: skip
READS_OF_ENVIRONMENT = frozenset({"os.environ.get", "os.getenv"})
FINDERS = frozenset({"find_spec", "find_loader"})
TEXT_METHODS = frozenset({"casefold", "endswith", "lower", "startswith", "strip", "upper"})
COMPARED: dict[str, Callable[[Any, Any], Any]] = {
    "Eq": operator.eq, "NotEq": operator.ne, "Lt": operator.lt, "LtE": operator.le, "Gt": operator.gt,
    "GtE": operator.ge, "Is": operator.is_, "IsNot": operator.is_not,
    "In": lambda one, two: one in two, "NotIn": lambda one, two: one not in two,
}  # fmt: skip
# The constants of which there is one each.
SINGLE = frozenset(map(id, (None, True, False)))
MIRRORED = {"Lt": "Gt", "Gt": "Lt", "LtE": "GtE", "GtE": "LtE"}
NEGATED = frozenset({"NotEq", "IsNot", "NotIn"})


Names = dict[str, "Any"]


def value_of(expression: Any, names: Names, here: Surroundings) -> Any:
    """Return a Known, Named or Many, or UNKNOWN or ASKED."""
    read = READERS.get(type(expression).__name__)
    return read(expression, names, here) if read else UNKNOWN


def truth_of(value: Any) -> bool | None:
    """Say whether a value counts as true; None when that is not known."""
    if isinstance(value, Known):
        return bool(value.value)
    if isinstance(value, Named):
        return True if value.there else None
    return bool(value.values) if isinstance(value, Many) else None


def of_constant(expression: Any, _names: Names, _here: Surroundings) -> Any:
    return Known(expression.value)


def of_name(expression: Any, names: Names, here: Surroundings) -> Any:
    name = expression.id
    if name == "TYPE_CHECKING":
        return Known(value=False)
    if name in here.loose:
        return UNKNOWN
    if name in names:
        return names[name]
    if name == "__name__":
        return Known(here.name) if here.name else UNKNOWN
    return Named(f"builtins.{name}", there=True) if hasattr(builtins, name) else UNKNOWN


def of_attribute(expression: Any, names: Names, here: Surroundings) -> Any:
    if expression.attr == "TYPE_CHECKING":
        return Known(value=False)
    owner = value_of(expression.value, names, here)
    if isinstance(owner, Known) and isinstance(owner.value, Version) and expression.attr in PLACES:
        return Known(owner.value[PLACES.index(expression.attr)])
    return member_of(owner.name, expression.attr) if isinstance(owner, Named) else UNKNOWN


def member_of(owner: str, name: str) -> Any:
    """Return what a module has by a name."""
    if name == "TYPE_CHECKING":
        return Known(value=False)
    full = f"{owner}.{name}"
    return Known(FACTS[full]) if full in FACTS else Named(full)


def of_tuple(expression: Any, names: Names, here: Surroundings) -> Any:
    return of_elements(expression.elts, names, here)


def of_elements(elements: list[Any], names: Names, here: Surroundings) -> Any:
    values: list[Any] = []
    for element in elements:
        starred = type(element).__name__ == "Starred"
        value = value_of(element.value if starred else element, names, here)
        if starred and isinstance(value, Many):
            values += value.values
        elif starred:
            values += [Known(one) for one in value.value] if is_tuple(value) else [UNKNOWN]
        else:
            values.append(value)
    if all(isinstance(value, Known) for value in values):
        return Known(tuple(value.value for value in values))
    return Many(values)


def is_tuple(value: Any) -> bool:
    return isinstance(value, Known) and isinstance(value.value, tuple)


def of_sum(expression: Any, names: Names, here: Surroundings) -> Any:
    """Return the sum of two tuples or texts."""
    if type(expression.op).__name__ != "Add":
        return UNKNOWN
    left, right = (value_of(one, names, here) for one in (expression.left, expression.right))
    parts = [
        value.values if isinstance(value, Many) else [Known(one) for one in value.value] if is_tuple(value) else None
        for value in (left, right)
    ]
    if parts[0] is not None and parts[1] is not None:
        return Many(parts[0] + parts[1])
    texts = [value.value for value in (left, right) if isinstance(value, Known) and isinstance(value.value, str)]
    return Known(texts[0] + texts[1]) if len(texts) == len(parts) else UNKNOWN


def of_boolean(expression: Any, names: Names, here: Surroundings) -> Any:
    """`and` is false as soon as one operand is, `or` true, whatever is known of the others."""
    deciding = type(expression.op).__name__ == "Or"
    values = [value_of(operand, names, here) for operand in expression.values]
    truths = [truth_of(value) for value in values]
    if deciding in truths:
        first = values[truths.index(deciding)]
        return first if None not in truths[: truths.index(deciding)] else Known(deciding)
    return values[-1] if None not in truths else unknown_of(values)


def unknown_of(values: list[Any]) -> Any:
    return ASKED if any(value is ASKED for value in values) else UNKNOWN


def of_unary(expression: Any, names: Names, here: Surroundings) -> Any:
    value = value_of(expression.operand, names, here)
    kind = type(expression.op).__name__
    if kind == "Not":
        truth = truth_of(value)
        return unknown_of([value]) if truth is None else Known(not truth)
    if kind == "USub" and isinstance(value, Known) and isinstance(value.value, int | float):
        return Known(-value.value)
    return UNKNOWN


def of_choice(expression: Any, names: Names, here: Surroundings) -> Any:
    test = value_of(expression.test, names, here)
    truth = truth_of(test)
    branches = [value_of(one, dict(names), here) for one in (expression.body, expression.orelse)]
    return unknown_of([test, *branches]) if truth is None else branches[0 if truth else 1]


def of_walrus(expression: Any, names: Names, here: Surroundings) -> Any:
    names[expression.target.id] = value_of(expression.value, names, here)
    return names[expression.target.id]


def of_comparison(expression: Any, names: Names, here: Surroundings) -> Any:
    left = value_of(expression.left, names, here)
    results = []
    for operation, right_expression in zip(expression.ops, expression.comparators, strict=True):
        right = value_of(right_expression, names, here)
        results.append(compared(type(operation).__name__, left, right))
        left = right
    truths = [truth_of(result) for result in results]
    if False in truths:
        return Known(value=False)
    return Known(value=True) if None not in truths else unknown_of(results)


def compared(operation: str, left: Any, right: Any) -> Any:
    if isinstance(right, Named):
        return of_membership(operation, left, right)
    if isinstance(left, Named) and left.there and isinstance(right, Known) and right.value is None:
        return Known(operation in NEGATED) if operation in {"Is", "IsNot", "Eq", "NotEq"} else UNKNOWN
    if not isinstance(left, Known) or not isinstance(right, Known):
        return unknown_of([left, right])
    return of_constants(operation, left.value, right.value)


def of_constants(operation: str, left: Any, right: Any) -> Any:
    if isinstance(right, Version):
        return of_version(MIRRORED.get(operation, operation), right, left)
    if isinstance(left, Version):
        return of_version(operation, left, right)
    # Whether two equal constants are one object is Python's own business.
    one_object = any(value in SINGLE for value in map(id, (left, right)))
    try:
        result = COMPARED[operation](left, right)
    except TypeError:
        return UNKNOWN
    return Known(bool(result)) if one_object or operation not in {"Is", "IsNot"} else UNKNOWN


def of_membership(operation: str, left: Any, right: Named) -> Any:
    """Say what `"x" in sys.modules` is, and `"X" in os.environ`."""
    if operation not in {"In", "NotIn"}:
        return UNKNOWN
    if right.name == "sys.modules":
        return ASKED
    always = right.name == "os.environ" and isinstance(left, Known) and left.value in SET_IN_LAMBDA
    return Known(operation == "In") if always else UNKNOWN


def of_version(operation: str, version: Version, other: Any) -> Any:
    """Compare `sys.version_info`, which is longer than the two places that are known of it."""
    if not isinstance(other, tuple) or operation in {"In", "NotIn", "Is", "IsNot"}:
        return UNKNOWN
    try:
        if other[:2] == tuple(version) and len(other) > len(version):
            return UNKNOWN
        return Known(bool(COMPARED[operation]((*version, 0), other)))
    except TypeError:
        return UNKNOWN


def matches(pattern: Any, subject: Any, names: Names, here: Surroundings) -> bool | None:
    """Say whether a `case` takes a subject; None when that is not known."""
    kind = type(pattern).__name__
    if kind == "MatchAs":
        return True if pattern.pattern is None else matches(pattern.pattern, subject, names, here)
    if kind == "MatchOr":
        found = [matches(one, subject, names, here) for one in pattern.patterns]
        return True if True in found else None if None in found else False
    if kind == "MatchValue":
        return truth_of(compared("Eq", subject, value_of(pattern.value, names, here)))
    if kind == "MatchSingleton":
        return truth_of(compared("Is", subject, Known(pattern.value)))
    return None


def of_call(expression: Any, names: Names, here: Surroundings) -> Any:
    function = expression.func
    arguments = [value_of(argument, names, here) for argument in expression.args]
    first = arguments[0].value if arguments and isinstance(arguments[0], Known) else None
    if getattr(function, "attr", getattr(function, "id", "")) in FINDERS:
        return found_module(first, here)
    called = value_of(function, names, here)
    if isinstance(called, Named):
        if called.name.rpartition(".")[2] in FINDERS:
            return found_module(first, here)
        if called.name in READS_OF_ENVIRONMENT and first in SET_IN_LAMBDA:
            return Named(f"os.environ.{first}", there=True)
        return Known(CALLED[called.name]) if called.name in CALLED else of_truth(called.name, arguments)
    if type(function).__name__ == "Attribute" and function.attr in TEXT_METHODS and not expression.keywords:
        return of_text(value_of(function.value, names, here), function.attr, arguments)
    return UNKNOWN


def found_module(name: Any, here: Surroundings) -> Any:
    """Say what `importlib.util.find_spec` returns for a module."""
    if not isinstance(name, str) or not name:
        return ASKED
    top = name.partition(".")[0]
    if here.is_absent(top):
        return Known(None)
    # What lies below a module that is there is not looked for.
    return ASKED if top in here.expected or "." in name else Named(f"spec of {name}", there=True)


def of_truth(function: str, arguments: list[Any]) -> Any:
    """Return what `bool(x)` is."""
    if function != "builtins.bool" or len(arguments) != 1:
        return UNKNOWN
    truth = truth_of(arguments[0])
    return unknown_of(arguments) if truth is None else Known(truth)


def of_text(owner: Any, method: str, arguments: list[Any]) -> Any:
    if not isinstance(owner, Known) or not isinstance(owner.value, str):
        return UNKNOWN
    if not all(isinstance(argument, Known) for argument in arguments):
        return UNKNOWN
    try:
        return Known(getattr(owner.value, method)(*(argument.value for argument in arguments)))
    except (TypeError, ValueError):
        return UNKNOWN


def of_part(expression: Any, names: Names, here: Surroundings) -> Any:
    """Return `x[0]` and `x[:2]` of a constant."""
    owner = value_of(expression.value, names, here)
    if not isinstance(owner, Known) or not isinstance(owner.value, tuple | str):
        return UNKNOWN
    index: Any
    if type(expression.slice).__name__ == "Slice":
        bounds = [expression.slice.lower, expression.slice.upper, expression.slice.step]
        values = [Known(None) if bound is None else value_of(bound, names, here) for bound in bounds]
        if not all(isinstance(value, Known) for value in values):
            return UNKNOWN
        index = slice(*(value.value for value in values))
    else:
        value = value_of(expression.slice, names, here)
        index = value.value if isinstance(value, Known) else None
    if isinstance(owner.value, Version) and not within(index, len(owner.value)):
        return UNKNOWN
    try:
        part = owner.value[index]
    except (IndexError, TypeError, ValueError):
        return UNKNOWN
    return Known(tuple(part) if isinstance(part, tuple) else part)


def within(index: Any, length: int) -> bool:
    """Say whether an index asks for the first places alone."""
    if isinstance(index, slice):
        return index.step is None and index.start in {None, 0} and index.stop in range(length + 1)
    return index in range(length)


READERS: dict[str, Callable[[Any, Names, Surroundings], Any]] = {
    "Constant": of_constant, "Name": of_name, "Attribute": of_attribute, "Tuple": of_tuple, "List": of_tuple,
    "Set": of_tuple, "BoolOp": of_boolean, "UnaryOp": of_unary, "IfExp": of_choice, "NamedExpr": of_walrus,
    "Compare": of_comparison, "BinOp": of_sum, "Call": of_call, "Subscript": of_part,
}  # fmt: skip


def catches(caught: Any, raised: type[BaseException] | None, names: Names, here: Surroundings) -> bool | None:
    """Say whether an `except` of this expression catches an exception of this class; None when that is not known."""
    if caught is None:
        return True
    return is_caught(value_of(caught, names, here), raised)


def is_caught(value: Any, raised: type[BaseException] | None) -> bool | None:
    """`raised` is None for a class that is not known."""
    if isinstance(value, Many):
        found = [is_caught(one, raised) for one in value.values]
        return True if True in found else None if None in found else False
    if is_tuple(value) and not value.value:
        return False
    known = exception_named(value)
    if known is BaseException:
        return True
    if known is None or raised is None:
        return None
    return issubclass(raised, known)


def exception_named(value: Any) -> type[BaseException] | None:
    """Return the built-in exception that a value is."""
    if not isinstance(value, Named) or not value.name.startswith("builtins."):
        return None
    found = getattr(builtins, value.name.removeprefix("builtins."), None)
    return found if isinstance(found, type) and issubclass(found, BaseException) else None
