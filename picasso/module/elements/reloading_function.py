"""``dev_mode``: a function of the user's that is loaded again when its file changes: a filter, a converter."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, final

from picasso.module.watched import WatchedFile

if TYPE_CHECKING:
    from picasso.module.config import ConfigWatch
    from picasso.module.elements.loading import CodePath

logger: logging.Logger = logging.getLogger("picasso.module")


@final
class ReloadingFunction:
    """Calls the newest code of a function.

    Before each call its file is looked at. When it has changed, the code runs again and the function is built with the
    same arguments; what does not load is logged, and the old function stays. A function that was never there answers
    with ``default``.
    """

    def __init__(
        self,
        module: str,
        name: str,
        kwargs: dict[str, Any],
        code: CodePath,
        *,
        make: Callable[[Any, dict[str, Any]], Callable[..., Any]],
        default: Any,
        watch: ConfigWatch | None = None,
    ) -> None:
        """Load the function, or wait for code that loads.

        Args:
            module: Import path or file.
            name: The class or function in it.
            kwargs: Arguments of the class.
            code: Where modules are looked for.
            make: Makes a function of the class or function that was found, and of the arguments.
            default: What is answered while there is no function.
            watch: Looks at the module's own file.
        """
        self._module, self._name, self._kwargs = module, name, kwargs
        self._code = code
        self._make = make
        self._default = default
        self._watch = watch
        self._file = WatchedFile(code.file_of(module))
        self._is_due = False
        self._function: Callable[..., Any] | None = None
        self._load(again=False)

    def take(self, kwargs: dict[str, Any]) -> None:
        """Have other arguments from the next call on. Any thread."""
        self._kwargs = kwargs
        self._is_due = True

    @property
    def function(self) -> Callable[..., Any] | None:
        """The newest code that loaded; None while there was none."""
        return self._function

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Call the newest code with ``arguments``."""
        if self._watch is not None:
            self._watch.look()
        if self._file.path is None:
            self._file = WatchedFile(self._code.file_of(self._module))
            self._is_due |= self._file.path is not None
        if self._file.has_changed() or self._is_due:
            self._is_due = False
            self._load(again=True)
        return self._default if self._function is None else self._function(*arguments, **named)

    def _load(self, *, again: bool) -> None:
        from picasso.module.elements.loading import find

        try:
            found = self._code.reload(self._module) if again else self._code.load(self._module)
            self._function = self._make(find(found, self._name), dict(self._kwargs))
        except Exception as error:  # noqa: BLE001 - what the user's code raises while it is edited
            logger.error("%s.%s: not loaded: %s: %s", self._module, self._name, type(error).__name__, error)
            return
        if again:
            logger.info("%s.%s: loaded again", self._module, self._name)
