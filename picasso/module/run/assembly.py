"""From a configuration to the parts of a module: elements, batches, queues and pools with their sizes."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from picasso.module.config.models import TRACKER
from picasso.module.config.notation import MODELS
from picasso.module.config.rules import buffer_warning
from picasso.module.elements import CodePath, PyFuncElement, ReloadingElement
from picasso.module.run.batcher import Batcher
from picasso.module.run.limits import DECODER_LENGTH, Limit
from picasso.module.run.outputs import drawers
from picasso.module.run.work_queue import QueueLimits
from picasso.module.sources import WIRE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from picasso.engine.clock import Clock
    from picasso.flow import Source
    from picasso.module.config import ElementConfig, ModuleConfig
    from picasso.module.run.pipeline import PipelineStep

EGRESS_LENGTH: Final = 200
"""Frames of a source between the elements and the sinks, where nothing is set."""
DRAWER: Final = ("parameters", "draw_func")
"""Where the drawer stands in the tree."""
POOL: Final = 4
"""Pictures of a source, and batches, where nothing is set."""
logger: logging.Logger = logging.getLogger("picasso.module")


class Sizes:
    """How much may wait where in a module."""

    def __init__(self, config: ModuleConfig, sources: Sequence[Source] | None) -> None:
        """Read the sizes.

        Args:
            config: The configuration.
            sources: The sources that it names, in its order; None where others take their places.
        """
        parameters = config.parameters
        self.pictures: int = parameters.get("stream_buffer_pool_size") or POOL
        self.batches: int = parameters.get("muxer_buffer_pool_size") or POOL
        self.egress: Limit = Limit.of(
            parameters.get("egress_queue_length"), parameters.get("egress_queue_byte_size"), EGRESS_LENGTH
        )
        named = [one for one in config.sources if one.element != WIRE]
        pairs = [] if sources is None else zip(sources, named, strict=True)
        self._decoders = {
            source.source_id: Limit.of(
                one.properties.get("decoder_queue_length"),
                one.properties.get("decoder_queue_byte_size"),
                DECODER_LENGTH,
            )
            for source, one in pairs
        }
        self._config = config
        self._has_warned = False

    def decoder(self, source_id: str) -> Limit:
        """Return how many decoded frames of a source may wait beyond its pool."""
        return self._decoders.get(source_id, Limit.of(None, None, DECODER_LENGTH))

    def take_limit_of(self, source: Source) -> None:
        """Use the limit that a ``source`` brings, as those of a socket do."""
        limit = getattr(source, "decoder_limit", None)
        if isinstance(limit, Limit):
            self._decoders[source.source_id] = limit

    def check(self, streams: int) -> None:
        """Warn, once, where that number of sources cannot fill the batches of the pool."""
        parameters = self._config.parameters
        pools = parameters.get("stream_buffer_pool_size"), parameters.get("muxer_buffer_pool_size")
        text = buffer_warning(streams, pools[0], self._config.batch_size, pools[1])
        if text is not None and not self._has_warned:
            self._has_warned = True
            logger.warning("module %r: %s", self._config.name, text)


def batcher_of(config: ModuleConfig, sizes: Sizes, clock: Clock) -> Batcher:
    """Build the batcher of a module."""
    return Batcher(
        config.batch_size,
        config.parameters["batched_push_timeout"],
        capacity=DECODER_LENGTH,
        clock=clock,
        most_of_a_source=config.parameters.get("max_same_source_frames"),
        pictures=sizes.pictures,
        batches=sizes.batches,
        limit_of=sizes.decoder,
    )


def steps_of(config: ModuleConfig, code: CodePath, sources: int = 1) -> list[PipelineStep]:
    """Load the elements of a module, the drawer last, and put queues where ``queue`` stands.

    Args:
        config: The module.
        code: Where code of users is looked for.
        sources: How many sources run beside the models: it decides how many threads those get.

    Raises:
        ConfigError: A model or a tracker cannot be loaded.
        ElementError: The code of an element cannot be loaded.
    """
    return [_step(one, config, code, sources) for one in [*config.elements, *drawers(config)]]


def _step(one: ElementConfig, config: ModuleConfig, code: CodePath, sources: int) -> PipelineStep:
    if one.element == "queue":
        return QueueLimits.of_element(one.name, one.properties)
    if one.element == TRACKER:
        from picasso.module.elements.models import TrackerElement

        return TrackerElement(one, config)
    if one.element.startswith(MODELS):
        from picasso.module.elements.models import ModelElement
        from picasso.module.elements.models.preparing import Preparation

        return ModelElement(one, Preparation(one, config, code, sources).load)
    return _pyfunc(one, config, code)


def _pyfunc(one: ElementConfig, config: ModuleConfig, code: CodePath) -> PyFuncElement:
    """Load a pyfunc; in ``dev_mode`` it follows its file, and its arguments in the module's."""
    if not one.dev_mode:
        return PyFuncElement(one, code)
    element = ReloadingElement(one, code, config.watch)
    if config.watch is not None:
        keys = ("kwargs", "rendered_objects", "condition") if one.path == DRAWER else ("kwargs",)

        def kwargs_of(new: ModuleConfig) -> dict[str, Any] | None:
            same = [
                other
                for other in [*new.elements, *drawers(new)]
                if (other.path, other.module, other.class_name) == (one.path, one.module, one.class_name)
            ]
            return dict(same[0].kwargs) if same else None

        config.watch.follow(*[(*one.path, key) for key in keys], kwargs_of=kwargs_of, take=element.take)
    return element
