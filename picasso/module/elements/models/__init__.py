"""The elements that look at pictures: models, and the tracker behind them."""

from picasso.module.elements.models.tracking import TrackerElement

__all__ = ["TrackerElement"]
