"""Where we replace a part of Daphne, autobahn, or Twisted: marked with @hook, and tried before the first connection."""

import inspect
import logging
from collections.abc import Callable
from typing import Any, TypeVar

logger = logging.getLogger(__name__)

Method = TypeVar("Method", bound=Callable[..., Any])


def hook(method: Method) -> Method:
    """Marks a method that replaces one of its base class, and is called by it."""
    method.is_hook = True  # type: ignore[attr-defined]
    return method


def is_fit(ours: type, rehearsal: Callable[[type], None] | None = None) -> bool:
    """Whether the class that ours is made from is as it was; one line when it is not."""
    try:
        changed = changed_hooks(ours)
        if rehearsal and not changed:
            rehearsal(ours)
    except Exception as error:
        changed = [repr(error)]
    if changed:
        logger.warning("%s is not used, its base is not as expected: %s", ours.__name__, ", ".join(changed))
    return not changed


def changed_hooks(subclass: type) -> list[str]:
    """Names the hooks of this class for which its base class has no method, or one with other parameters."""
    hooks = [(name, method) for name, method in vars(subclass).items() if hasattr(method, "is_hook")]
    base = subclass.__bases__[0]
    return [
        f"{base.__name__}.{name}"
        for name, method in hooks
        if not hasattr(base, name) or _parameters(getattr(base, name)) != _parameters(method)
    ]


def _parameters(method: Callable[..., Any]) -> list[str]:
    return list(inspect.signature(method).parameters)
