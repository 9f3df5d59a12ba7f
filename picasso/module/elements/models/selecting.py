"""Which candidates of a model are objects: the block's ``objects`` with their selectors, or its thresholds alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from picasso.infer import ObjectRule, Selector
from picasso.module.elements.models.code import UserCode, is_own_code

if TYPE_CHECKING:
    from picasso.module.elements.models.block import ModelOutput

DEFAULT_CONFIDENCE: Final = 0.5
DEFAULT_IOU: Final = 0.5
_NUMBERS: Final = {
    "confidence_threshold": "confidence",
    "nms_iou_threshold": "iou",
    "top_k": "top_k",
    "min_width": "min_width",
    "min_height": "min_height",
    "max_width": "max_width",
    "max_height": "max_height",
}
"""Arguments of the stock selector, and what rules call them."""


def selector_of(
    output: ModelOutput, labels: list[str] | None, code: UserCode, wrong: Callable[..., Exception]
) -> Selector:
    """Return the rules of a model.

    Args:
        output: Its block.
        labels: What its classes are called, where that is known.
        code: Loads selectors of users.
        wrong: Makes an error of a text and a key below the model's block.

    Raises:
        ModelError: Numbers are out of their ranges.
        ConfigError: A class is not one of the model's, or a selector has no such argument.
        ElementError: A selector of a user's cannot be loaded.
    """
    confidence = DEFAULT_CONFIDENCE if output.confidence is None else output.confidence
    iou = DEFAULT_IOU if output.iou is None else output.iou
    if not output.objects:
        return Selector(
            class_names=labels or (),
            confidence=confidence,
            iou=iou,
            top_k=output.top_k,
            agnostic=output.agnostic,
            max_objects=output.max_objects,
        )
    rules, filters = [], {}
    for index, one in enumerate(output.objects):
        path = ("output", "objects", index)
        if labels is not None and one.class_id >= len(labels):
            raise wrong(f"class {one.class_id}: the model has {len(labels)}, from 0", *path, "class_id")
        label = one.label or (str(one.class_id) if labels is None else labels[one.class_id])
        numbers: dict[str, Any] = {"confidence": confidence, "iou": iou, "top_k": output.top_k}
        if is_own_code(one.selector):
            filters[one.class_id] = code.build(one.selector, f"selector of class {one.class_id}")
            numbers |= {"confidence": 0.0 if output.confidence is None else confidence, "iou": None}
        elif one.selector is not None:
            numbers |= _numbers(one.selector.get("kwargs") or {}, wrong, (*path, "selector", "kwargs"))
        rules.append(ObjectRule(one.class_id, label, **numbers))
    return Selector(rules, filters=filters, agnostic=output.agnostic, max_objects=output.max_objects)


def _numbers(kwargs: Mapping[str, Any], wrong: Callable[..., Exception], path: tuple[str | int, ...]) -> dict[str, Any]:
    """Return the numbers of a rule by our names."""
    for key, value in kwargs.items():
        if key not in _NUMBERS:
            raise wrong(f"unknown argument {key!r}; one of {', '.join(_NUMBERS)}", *path, key)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise wrong(f"expected a number, got {value!r}", *path, key)
    return {_NUMBERS[key]: value for key, value in kwargs.items() if value is not None}
