"""Classifiers: a score for each class becomes an attribute, or several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np

from picasso.errors import ModelError
from picasso.infer.heads.candidates import Floats, shown
from picasso.infer.heads.protocol import Label, Outputs
from picasso.infer.heads.sets import sigmoid, softmax

Activation = Literal["auto", "softmax", "sigmoid", "none"]
"""How scores become probabilities. ``auto`` leaves those that are: in 0 … 1, and where one label holds with sum 1."""

_SUM_IS_ONE: Final = 1e-2
_MANY: Final = 0.5
"""Threshold of attributes of several labels, where none is given."""


@dataclass(frozen=True, slots=True)
class AttributeRule:
    """What one output of a classifier says.

    Raises:
        ModelError: ``threshold`` is not in 0 … 1, ``activation`` is unknown, or there is no label.
    """

    name: str
    """Of the attribute."""
    labels: tuple[str, ...] | None = None
    """What classes are called; None for their numbers."""
    threshold: float | None = None
    """A label is said if the model is more certain than this, 0 … 1. By default one label is always said; of several
    those above a half."""
    multi_label: bool = False
    """Whether any number of labels may hold at once; else the most certain one."""
    activation: Activation = "auto"
    """What makes probabilities of scores; ``auto`` leaves those that are probabilities already."""
    internal: bool = False
    """Whether the attribute is for later elements only, and is not sent out."""

    def __post_init__(self) -> None:
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise ModelError(f"attribute {self.name!r}: threshold: expected 0 to 1, got {self.threshold}")
        if self.activation not in get_args(Activation):
            choices = ", ".join(get_args(Activation))
            raise ModelError(f"attribute {self.name!r}: activation {self.activation!r}: expected one of {choices}")
        if self.labels is not None and not self.labels:
            raise ModelError(f"attribute {self.name!r}: expected a label for each class, got none")


class ClassifierHead:
    """One output for each attribute, ``(B, C)``; axes of length 1 behind them do not count.

    Args:
        rules: One for each output, in their order; or by name, where each attribute is called as an output.

    Raises:
        ModelError: There is no rule.
    """

    name = "classifier"

    def __init__(self, rules: Sequence[AttributeRule]) -> None:
        if not rules:
            raise ModelError(f"{self.name}: expected an attribute for each output, got none")
        self.rules: tuple[AttributeRule, ...] = tuple(rules)

    def decode(self, outputs: Outputs) -> list[list[Label]]:
        """Decode as ``AttributeHead.decode`` says."""
        if all(rule.name in outputs for rule in self.rules):
            values = [outputs[rule.name] for rule in self.rules]
        elif len(outputs) == len(self.rules):
            values = list(outputs.values())
        else:
            raise ModelError(f"{self.name}: expected {len(self.rules)} outputs, one an attribute, got {shown(outputs)}")
        columns = []
        for rule, value in zip(self.rules, values, strict=True):
            if value.ndim < 2 or value.size != value.shape[0] * value.shape[1]:
                raise ModelError(f"{self.name}: {rule.name!r}: expected (B, classes), got {value.shape}")
            columns.append(_labels(rule, value.reshape(value.shape[:2]).astype(np.float32, copy=False)))
        if len({len(column) for column in columns}) > 1:
            raise ModelError(f"{self.name}: outputs of different batches: {shown(outputs)}")
        return [[label for column in columns for label in column[row]] for row in range(len(columns[0]))]


def _labels(rule: AttributeRule, scores: Floats) -> list[list[Label]]:
    """Return the labels of each picture, the most certain one first."""
    count = scores.shape[1]
    if not count or (rule.labels is not None and len(rule.labels) != count):
        wanted = "1 or more" if rule.labels is None else f"{len(rule.labels)}, one a label"
        raise ModelError(f"attribute {rule.name!r}: the output has {count} classes: expected {wanted}")
    odds = _probabilities(rule, scores)
    threshold = rule.threshold
    if rule.multi_label:
        threshold = _MANY if threshold is None else threshold
    said = []
    for row in odds:
        order = np.argsort(-row, kind="stable")
        picked = order if rule.multi_label else order[:1]
        said.append(
            [
                Label(
                    rule.name, str(number) if rule.labels is None else rule.labels[number], float(row[number]), number
                )
                for number in picked.tolist()
                if threshold is None or row[number] > threshold
            ]
        )
    return said


def _probabilities(rule: AttributeRule, scores: Floats) -> Floats:
    if rule.activation == "softmax":
        return softmax(scores)
    if rule.activation == "sigmoid":
        return sigmoid(scores)
    if rule.activation == "none":
        return scores
    inside = bool(((scores >= 0) & (scores <= 1)).all())
    if rule.multi_label:
        if not inside:
            raise ModelError(
                f"attribute {rule.name!r}: scores from {scores.min():.3g} to {scores.max():.3g} are no probabilities: "
                "name the activation, sigmoid for logits"
            )
        return scores
    if inside and (np.abs(scores.sum(axis=1) - 1) < _SUM_IS_ONE).all():
        return scores
    return softmax(scores)
