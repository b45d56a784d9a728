"""Parts of an operation that are forgotten once they return, so that equal runs become one.

A part is a function of core whose caller learns nothing but what it returns or raises, and what it
changes in its arguments: a read, a removal, the moves of a row. Two runs that were at the same
place when a part began, and that know the same when it ends, go on alike, whatever the part asked
and was answered. So the exploration goes on with one of them. (In words of model checking: a
summary of a procedure.) What a run still knows is compared by value, through all arguments; what
cannot be compared is an error.
"""

from __future__ import annotations

import dataclasses
import enum
import inspect
import sys
import threading
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime
from functools import partial, wraps
from typing import Any
from unittest import mock

Known = Any
"""A value that is equal to another where no caller can tell them apart."""

_PLAIN = frozenset({str, bytes, int, type(None), datetime})
_LOCK = type(threading.Lock())


def known(
    value: Any,
    constant: type,
    unused: Mapping[type, tuple[str, ...]],
    around: tuple[int, ...] = (),
) -> Known:
    """``value`` as something to compare.

    Of ``constant`` there is one in an operation; ``unused`` are attributes that decide nothing.
    """
    if type(value) in _PLAIN or _is_a_value(value, constant):
        return value
    if isinstance(value, bool | float):  # which are equal to integers
        return (type(value), value)
    if id(value) in around:
        return ("around", around.index(id(value)))
    inner = partial(known, constant=constant, unused=unused, around=(*around, id(value)))
    match value:
        case enum.Enum() | type() | types.BuiltinFunctionType() | types.ModuleType():
            return value
        case Mapping():  # in its order, which a caller may see
            return (type(value), tuple((inner(key), inner(item)) for key, item in value.items()))
        case list() | tuple():
            return (type(value), tuple(map(inner, value)))
        case set() | frozenset():
            return (type(value), frozenset(map(inner, value)))
        case types.MethodType():
            return (value.__func__, inner(value.__self__))
        case types.FunctionType():
            cells = [cell.cell_contents for cell in value.__closure__ or ()]
            return (value.__code__, tuple(map(inner, cells)))
        case BaseException():
            return (type(value), inner(value.args), inner(vars(value)), inner(value.__cause__))
        case _ if isinstance(value, constant | _LOCK):
            return type(value)
    skipped = unused.get(type(value), ())
    items = ((name, inner(item)) for name, item in _attributes(value) if name not in skipped)
    return (type(value), tuple(items))


def _is_a_value(value: Any, constant: type) -> bool:
    """Whether it cannot change, and is equal to what has the same content."""
    parameters = getattr(type(value), "__dataclass_params__", None)
    if parameters is None or not parameters.frozen or isinstance(value, constant):
        return False
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _attributes(value: Any) -> Iterator[tuple[str, Any]]:
    if dataclasses.is_dataclass(value):
        names = [field.name for field in dataclasses.fields(value)]
    elif hasattr(value, "__dict__"):
        names = list(vars(value))
    else:
        raise TypeError(f"{value!r} cannot be compared: name no part that uses it")
    return ((name, getattr(value, name)) for name in names)


Owner = types.ModuleType | type
Place = tuple[Owner, str]
"""A function by its module or class, and its name."""


@dataclasses.dataclass(frozen=True)
class Parts:
    """What is forgotten of the operations that run now.

    ``turns`` are functions that a loop calls: before such a call, the loop forgets all but its
    local variables, except those that it sets again before it reads them.
    """

    functions: Mapping[Owner, tuple[str, ...]]
    turns: tuple[Place, ...]
    loops: Mapping[Place, tuple[str, ...]]
    current: Callable[[], Any]
    known: Callable[[Any], Known]

    @contextmanager
    def forgotten(self) -> Iterator[None]:
        """Put this in the place of the functions, wherever their names were imported."""
        modules = [module for name, module in sys.modules.items() if name.startswith("core.")]
        codes = {getattr(*place).__code__: unread for place, unread in self.loops.items()}
        parts = [(owner, name) for owner, names in self.functions.items() for name in names]
        with ExitStack() as stack:
            for owner, name in parts:
                part = self._part(getattr(owner, name))
                self._replace(stack, modules, owner, name, part)
            for owner, name in self.turns:
                turn = self._turn(getattr(owner, name), codes)
                self._replace(stack, modules, owner, name, turn)
            yield

    def _replace(
        self,
        stack: ExitStack,
        modules: Iterable[types.ModuleType],
        owner: Owner,
        name: str,
        replacement: Callable[..., Any],
    ) -> None:
        function = getattr(owner, name)
        for place in (owner, *modules):
            if vars(place).get(name) is function:
                stack.enter_context(mock.patch.object(place, name, replacement))

    def _part(self, function: Callable[..., Any]) -> Callable[..., Any]:
        code = inspect.unwrap(function).__code__

        @wraps(function)
        def part(*args: Any, **kwargs: Any) -> Any:
            hand = self.current()
            began = hand.place
            end = (began, code, len(hand.within))  # a part may begin with another one
            hand.within.append((began, code))
            try:
                result = function(*args, **kwargs)
            except Exception as error:
                hand.within.pop()
                if hand.place != began:
                    hand.forget(end, partial(self.known, (error, args, kwargs)))
                raise
            hand.within.pop()
            if hand.place != began:
                hand.forget(end, partial(self.known, (result, args, kwargs)))
            return result

        return part

    def _turn(
        self, function: Callable[..., Any], loops: Mapping[types.CodeType, tuple[str, ...]]
    ) -> Callable[..., Any]:
        @wraps(function)
        def turn(*args: Any, **kwargs: Any) -> Any:
            hand, frame = self.current(), sys._getframe(1)
            if hand.within and hand.within[-1][1] is frame.f_code and frame.f_code in loops:
                began, unread = hand.within[-1][0], loops[frame.f_code]
                variables = {k: v for k, v in frame.f_locals.items() if k not in unread}
                if hand.place != began:
                    hand.forget((began, frame.f_lasti), partial(self.known, variables))
            return function(*args, **kwargs)

        return turn
