"""Tell which imports of a source run when Lambda imports it, which may run, and which may fail.

Run by the interpreter of the functions, so it imports the standard library alone. The run that is judged is the one in
which nothing raises but `raise` itself, the end of a program (`sys.exit`), and the import of a module that is absent.
docs/packages.md says which conditions are understood.
"""

from __future__ import annotations

import sys

from sawhorse.build.condition_values import (
    ASKED,
    UNKNOWN,
    Known,
    Named,
    Names,
    catches,
    exception_named,
    is_caught,
    matches,
    member_of,
    of_elements,
    truth_of,
    value_of,
)
from sawhorse.build.control_flow import ABSENT, BROKEN, CONTINUED, NEXT, RAISED, RETURNED, Flow, Lines, Place
from sawhorse.build.name_bindings import (
    assigned,
    base_of,
    forget_assigned,
    halfway,
    loose_names,
    merge,
    names_within,
    statements_in,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from sawhorse.build.present_modules import Surroundings

ENDS_OF_PROGRAMS = frozenset({"sys.exit", "builtins.exit", "builtins.quit", "os._exit"})
# Python calls its own functions without a deeper C stack from 3.11 on.
DEEPEST = 100_000


def imports_of(tree: Any, package: str, here: Surroundings) -> tuple[Lines, Lines, Lines]:
    """Return what a module imports for certain, what it possibly imports, and what may fail, with lines.

    Named are absent modules by their name at the top, and the package's own by every name that may stand for one;
    `a:b` is what `from a import b` takes of a package, and `.b` what lies above all packages.
    `package` is that of the module, for relative imports.
    """
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(DEEPEST)
    try:
        here.loose = frozenset(loose_names(tree.body))
        names: Names = {}
        place = Place(here, package, [])
        flow = block(tree.body, names, place)
        if NEXT not in flow.ends:
            # The module cannot be imported because of these.
            flow.certain |= flow.failed
        # A function runs later, when nothing around its definition catches any more.
        for function in place.later:
            flow.take(block(function.body, names_within(function, names), place).doubted(silently=False))
    finally:
        sys.setrecursionlimit(before)
    possible = {name: line for name, line in flow.possible.items() if name not in flow.certain}
    optional = {name: line for name, line in flow.optional.items() if name not in flow.certain | possible}
    return flow.certain, possible, optional


def block(statements: Sequence[Any], names: Names, place: Place) -> Flow:
    """Follow statements one after the other, to where nothing follows any more."""
    flow = Flow(NEXT)
    in_doubt = False
    for statement in statements:
        one = follow(statement, names, place)
        flow.take(one.doubted(silently=place.guard is True) if in_doubt else one)
        flow.failed |= one.failed
        flow.raised |= one.raised
        flow.ends = (flow.ends - {NEXT}) | one.ends
        if NEXT not in one.ends:
            break
        # After what raises the import fails anyway, unless something catches it.
        others = one.ends - {NEXT} if place.caught else one.ends - {NEXT, RAISED, ABSENT}
        in_doubt = in_doubt or bool(others)
    return flow


def follow(statement: Any, names: Names, place: Place) -> Flow:
    known = FOLLOWED.get(type(statement).__name__)
    if known:
        return known(statement, names, place)
    for name in assigned(statement):
        names[name] = UNKNOWN
    return Flow(NEXT)


def on_import(statement: Any, names: Names, place: Place) -> Flow:
    flow = Flow(NEXT)
    for alias in statement.names:
        top = alias.name.partition(".")[0]
        if not meet(flow, alias.name, (), statement.lineno, place):
            return flow
        bound = alias.name if alias.asname else top
        names[alias.asname or top] = Named(bound, there="." not in bound)
    return flow


def on_import_from(statement: Any, names: Names, place: Place) -> Flow:
    flow = Flow(NEXT)
    module = base_of(statement, place.package)
    if module is None:
        # It fails for another reason than an absent module, which not everything catches that catches that.
        if place.guard is False:
            flow.certain.setdefault("." * statement.level + (statement.module or ""), statement.lineno)
        return flow
    # `from a import b` imports a.b where that is a module.
    if meet(flow, module, [alias.name for alias in statement.names], statement.lineno, place):
        for alias in statement.names:
            names[alias.asname or alias.name] = member_of(module, alias.name)
    return flow


def meet(flow: Flow, module: str, names: Sequence[str], line: int, place: Place) -> bool:
    """Note an import of a module, or of names from it, and say whether what follows is reached."""
    absent = place.here.is_absent(module)
    top = module.partition(".")[0]
    own = top in place.here.own
    if place.guard is True and absent:
        flow.failed.setdefault(module if own else top, line)
        flow.ends = {ABSENT}
        return False
    noted = {False: flow.certain, None: flow.possible, True: flow.optional}[place.guard]
    if own or absent:
        noted.setdefault(module if own else top, line)
    for member in (place.here.member(module, name) for name in names) if own and not absent else ():
        if member:
            noted.setdefault(member, line)
    return True


def on_if(statement: Any, names: Names, place: Place) -> Flow:
    value = value_of(statement.test, names, place.here)
    truth = truth_of(value)
    if truth is not None:
        return block(statement.body if truth else statement.orelse, names, place)
    branches = []
    for statements in (statement.body, statement.orelse):
        inner = dict(names)
        branches.append((block(statements, inner, place), inner))
    return joined(branches, names, place, silently=value is ASKED)


def joined(branches: Sequence[tuple[Flow, Names]], names: Names, place: Place, *, silently: bool) -> Flow:
    """Return what is known when one of several blocks ran.

    Certain is what each of them imports, and where each imports something that is absent, all of that.
    """
    flow = Flow()
    flows = [one for one, _ in branches]
    # Where nothing catches what a block raises, only the others lead to a module that is imported.
    counting = [one for one in flows if place.caught or not one.ends <= {RAISED}] or flows
    in_all = set(counting[0].certain).intersection(*(one.certain for one in counting[1:]))
    for one in flows:
        flow.ends |= one.ends
        flow.raised |= one.raised
        flow.failed |= one.failed
        flow.take(one.doubted(silently=silently))
    absent = [{name for name in one.certain if place.here.is_absent(name)} for one in counting]
    if all(absent):
        in_all = in_all.union(*absent)
    flow.certain = {name: line for one in counting for name, line in one.certain.items() if name in in_all}
    reached = [found for one, found in branches if NEXT in one.ends] or [found for _, found in branches]
    merge(names, reached, asked=silently)
    if NEXT in flow.ends and ABSENT not in flow.ends:
        # For some it fails.
        (flow.optional if silently else flow.possible).update(flow.failed)
        flow.failed = {}
    return flow


def on_match(statement: Any, names: Names, place: Place) -> Flow:
    subject = value_of(statement.subject, names, place.here)
    branches: list[tuple[Flow, Names]] = []
    for case in statement.cases:
        matched = matches(case.pattern, subject, names, place.here)
        inner = dict(names)
        for name in assigned(case):
            inner[name] = UNKNOWN
        if matched and case.guard is not None:
            matched = truth_of(value_of(case.guard, inner, place.here))
        if matched is False:
            continue
        branches.append((block(case.body, inner, place), inner))
        if matched:
            break
    else:
        branches.append((Flow(NEXT), dict(names)))
    return joined(branches, names, place, silently=subject is ASKED)


def on_while(statement: Any, names: Names, place: Place) -> Flow:
    value = value_of(statement.test, names, place.here)
    first = truth_of(value)
    if first is False:
        return block(statement.orelse, names, place)
    forget_assigned(statement.body, names)
    always = truth_of(value_of(statement.test, names, place.here))
    return loop(statement, names, place, certain=first is True, endless=always is True, asked=value is ASKED)


def on_for(statement: Any, names: Names, place: Place) -> Flow:
    elements = getattr(statement.iter, "elts", None)
    items = value_of(statement.iter, names, place.here)
    if elements == [] or (isinstance(items, Known) and items.value in {(), ""}):
        return block(statement.orelse, names, place)
    forget_assigned(statement.body, names)
    for name in assigned(statement):
        names[name] = UNKNOWN
    plain = elements is not None and any(type(one).__name__ != "Starred" for one in elements)
    filled = isinstance(items, Known) and isinstance(items.value, tuple | str)
    return loop(statement, names, place, certain=plain or filled, endless=False, asked=False)


def loop(  # noqa: PLR0913 # what is known of a loop
    statement: Any, names: Names, place: Place, *, certain: bool, endless: bool, asked: bool
) -> Flow:
    body = block(statement.body, names, place)
    forget_assigned(statement.body, names)
    flow = Flow()
    flow.take(body if certain else body.doubted(silently=asked))
    flow.raised, flow.failed = set(body.raised), dict(body.failed)
    flow.ends = body.ends & {RAISED, ABSENT, RETURNED}
    if BROKEN in body.ends:
        flow.ends.add(NEXT)
    turns = bool(body.ends & {NEXT, CONTINUED})
    if not endless and (turns or not certain):
        broken = BROKEN in body.ends
        inner = dict(names)
        after = block(statement.orelse, inner, place)
        # Who breaks a loop off passes over what its `else` assigns.
        merge(names, [dict(names), inner] if broken else [inner], asked=False)
        flow.take(after.doubted(silently=place.guard is True) if broken else after)
        flow.ends |= after.ends
        flow.raised |= after.raised
        flow.failed |= after.failed
    return flow


def on_with(statement: Any, names: Names, place: Place) -> Flow:
    passed = [passed_over(item.context_expr, names, place.here) for item in statement.items]
    for name in assigned(statement):
        names[name] = UNKNOWN
    absence = [is_caught(value, ModuleNotFoundError) for value in passed]
    guard = True if True in absence else None if None in absence else False
    caught = any(is_caught(value, None) is not False for value in passed)
    flow = block(statement.body, names, place.within(guard=guard, caught=caught))
    # Of each exception that is raised on purpose, whether it is passed over, perhaps, or not.
    over = [{is_caught(value, one) for value in passed} for one in flow.raised] if RAISED in flow.ends else []
    if any(answers & {True, None} for answers in over) or (guard is not False and ABSENT in flow.ends):
        flow.ends = (flow.ends - {ABSENT}) | {NEXT}
        if all(True in answers for answers in over):
            flow.ends.discard(RAISED)
        flow.failed = {}
        forget_assigned(statement.body, names)
    return flow


def passed_over(manager: Any, names: Names, here: Surroundings) -> Any:
    """Return the classes of exceptions that a context manager passes over: `with suppress(ImportError):`."""
    call = manager if type(manager).__name__ == "Call" else None
    called = value_of(call.func, names, here) if call else UNKNOWN
    if not call or not isinstance(called, Named):
        return UNKNOWN
    if called.name == "contextlib.suppress":
        return of_elements(call.args, names, here)
    top = called.name.partition(".")[0]
    # Of what the standard library has, only these pass over what they are told to.
    doubtful = called.name.startswith(("contextlib.ExitStack", "contextlib.AsyncExitStack", "unittest."))
    return Known(()) if top in {*sys.stdlib_module_names, "builtins"} and not doubtful else UNKNOWN


def on_try(statement: Any, names: Names, place: Place) -> Flow:
    flow = guarded(statement, names, place)
    if statement.finalbody:
        last = block(statement.finalbody, names, place)
        flow.take(last)
        if NEXT in last.ends:
            flow.ends |= last.ends - {NEXT}
        else:
            flow.ends, flow.failed = set(last.ends), dict(last.failed)
        flow.raised |= last.raised
        flow.failed |= last.failed
    return flow


def guarded(statement: Any, names: Names, place: Place) -> Flow:
    handlers = statement.handlers
    absence = [catches(handler.type, ModuleNotFoundError, names, place.here) for handler in handlers]
    guard = True if True in absence else None if None in absence else False
    leaving = leaves(statement.finalbody, names, place)
    if leaving is not False:
        # That passes over whatever comes out of the handlers as well.
        place = place.within(guard=leaving, caught=True)
    before = dict(names)
    body = block(statement.body, names, place.within(guard=guard, caught=bool(handlers)))
    sure = certain_handler(body, handlers, absence, names, place)
    if sure is not None:
        flow = handled(sure, body, names, place)
        flow.take(body)
        return flow
    flow = block(statement.orelse, names, place) if NEXT in body.ends else Flow()
    if body.ends - {NEXT} and handlers:
        flow = flow.doubted(silently=guard is not False)
    flow.take(body)
    here = True in absence
    flow.ends |= body.ends - {NEXT, ABSENT} if here else body.ends - {NEXT}
    flow.raised |= body.raised
    flow.failed |= {} if here else body.failed
    after = [names]
    for handler, of_absence in zip(handlers, absence, strict=True):
        inner = halfway(before, names)
        one = handled(handler, body, inner, place)
        flow.take(one.doubted(silently=guard is not False))
        if may_enter(handler, of_absence, body, names, place):
            flow.ends |= one.ends
            flow.raised |= one.raised
            flow.failed |= one.failed
        if NEXT in one.ends:
            after.append(inner)
    merge(names, after, asked=guard is not False)
    if NEXT in flow.ends and ABSENT not in flow.ends:
        # For some it fails.
        flow.possible |= flow.failed
        flow.failed = {}
    return flow


def may_enter(handler: Any, of_absence: object, body: Flow, names: Names, place: Place) -> bool:
    """Say whether something that the body does on purpose may lead to this handler."""
    if ABSENT in body.ends and of_absence is not False:
        return True
    return RAISED in body.ends and any(
        catches(handler.type, raised, names, place.here) is not False for raised in body.raised
    )


def leaves(statements: Sequence[Any], names: Names, place: Place) -> bool | None:
    """Say whether a `finally` ends a loop or a function, which passes over every exception; None when that depends."""
    if not any(type(one).__name__ in {"Break", "Continue", "Return"} for one in statements_in(statements)):
        return False
    # What is in it is noted when it is followed in its turn.
    ends = block(statements, dict(names), Place(place.here, place.package, [])).ends
    if not ends & {BROKEN, CONTINUED, RETURNED}:
        return False
    return None if ends & {NEXT, RAISED, ABSENT} else True


def certain_handler(
    body: Flow, handlers: Sequence[Any], answers: Sequence[bool | None], names: Names, place: Place
) -> Any:
    """Return the handler that runs for certain, because the body ends in what it catches; None otherwise."""
    if body.ends == {ABSENT}:
        sure = answers
    elif body.ends == {RAISED} and len(body.raised) == 1:
        [raised] = body.raised
        sure = [catches(handler.type, raised, names, place.here) for handler in handlers]
    else:
        return None
    for handler, answer in zip(handlers, sure, strict=True):
        if answer is not False:
            return handler if answer else None
    return None


def handled(handler: Any, body: Flow, names: Names, place: Place) -> Flow:
    """Follow a handler; where it raises again, what failed still fails."""
    if handler.name:
        names[handler.name] = UNKNOWN
    again = ModuleNotFoundError if body.ends == {ABSENT} else next(iter(body.raised)) if len(body.raised) == 1 else None
    names["raise"] = Named(f"builtins.{again.__name__}") if again else UNKNOWN
    flow = block(handler.body, names, place)
    if NEXT not in flow.ends and flow.ends <= {RAISED, ABSENT}:
        flow.failed |= body.failed
    return flow


def on_raise(statement: Any, names: Names, place: Place) -> Flow:
    flow = Flow(RAISED)
    raised = statement.exc
    if raised is None:
        value = names.get("raise", UNKNOWN)
    else:
        value = value_of(raised.func if type(raised).__name__ == "Call" else raised, names, place.here)
    flow.raised = {exception_named(value)}
    return flow


def on_expression(statement: Any, names: Names, place: Place) -> Flow:
    value = statement.value
    for name in assigned(statement):
        names[name] = UNKNOWN
    called = value_of(value.func, names, place.here) if type(value).__name__ == "Call" else None
    if isinstance(called, Named) and called.name in ENDS_OF_PROGRAMS:
        flow = Flow(RAISED)
        flow.raised = {SystemExit}
        return flow
    return Flow(NEXT)


def on_assignment(statement: Any, names: Names, place: Place) -> Flow:
    value = value_of(statement.value, names, place.here) if statement.value is not None else UNKNOWN
    for name in assigned(statement):
        names[name] = UNKNOWN
    for target in getattr(statement, "targets", None) or [statement.target]:
        if type(target).__name__ == "Name" and statement.value is not None:
            names[target.id] = value
    return Flow(NEXT)


def on_class(statement: Any, names: Names, place: Place) -> Flow:
    flow = block(statement.body, dict(names), place)
    names[statement.name] = UNKNOWN
    return flow


def on_function(statement: Any, names: Names, place: Place) -> Flow:
    names[statement.name] = UNKNOWN
    place.later.append(statement)
    return Flow(NEXT)


def ends(kind: str) -> Callable[[Any, Names, Place], Flow]:
    return lambda _statement, _names, _place: Flow(kind)


FOLLOWED: dict[str, Callable[[Any, Names, Place], Flow]] = {
    "Import": on_import, "ImportFrom": on_import_from, "If": on_if, "Match": on_match, "While": on_while, "For": on_for,
    "AsyncFor": on_for, "With": on_with, "AsyncWith": on_with, "Try": on_try, "TryStar": on_try, "Raise": on_raise,
    "Expr": on_expression, "Assign": on_assignment, "AnnAssign": on_assignment, "ClassDef": on_class,
    "FunctionDef": on_function, "AsyncFunctionDef": on_function, "Break": ends(BROKEN), "Continue": ends(CONTINUED),
    "Return": ends(RETURNED),
}  # fmt: skip
