"""One frame on a stream: the launch of its transform, and the order between streams, handed to the driver at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, final

import numpy as np

from picasso.surface.driver_calls import DriverCalls, order
from picasso_kernels.maths.calls import CALL_SIZE

if TYPE_CHECKING:
    from picasso.surface.cuda_memory import DeviceBlock
    from picasso.transform.placement import Placement
    from picasso_kernels.cuda.driver import Event, Stream
    from picasso_kernels.cuda.frame_table import FramePlan, Place
    from picasso_kernels.cuda.launches import Launch

_FIRST: Final = 2
"""Where the calls in turn have the producer's stream: in the first as the one that is marked,"""
_LAST: Final = 1 - CALL_SIZE
"""and in the last as the one that waits."""


@final
class PutFrame:
    """Puts one transform on its stream again and again. For one thread."""

    __slots__ = ("_alone", "_event", "_in_turn", "_launch", "_producer", "_stream")

    def __init__(self, kernel: Launch, stream: Stream, event: Event) -> None:
        """Take a launch on ``stream``; ``event`` is used and may be used by others between two calls."""
        self._launch, self._stream, self._event = kernel, stream, event
        self._alone: DriverCalls | None = None
        self._in_turn: DriverCalls | None = None
        self._producer = 0

    def alone(self) -> None:
        """Launch.

        Raises:
            CudaError: The driver refuses it.
        """
        calls = self._alone
        if calls is None:
            calls = self._alone = DriverCalls(self._stream.device, self._launch)
        calls.make()

    def in_turn(self, producer: int) -> None:
        """Launch after what the producer's stream has been told so far; what it is told from now on comes after.

        Args:
            producer: That stream's number.

        Raises:
            CudaError: The driver refuses a call; those behind it were not made.
        """
        calls = self._in_turn
        if calls is None:
            ours, event = self._stream.address, self._event
            calls = self._in_turn = DriverCalls(
                self._stream.device,
                *order(event, producer, ours),
                self._launch,
                *order(event, ours, producer),
            )
            self._producer = producer
        if producer != self._producer:
            calls.numbers[_FIRST] = calls.numbers[_LAST] = self._producer = producer
        calls.make()


@dataclass(slots=True)
class DevicePlan:
    """A plan whose tables are on the device, and its launch."""

    plan: FramePlan
    row: np.ndarray[Any, Any]
    tables: DeviceBlock
    """Axis tables; they go back in the order of the stream, after what has been launched."""
    launch: Launch
    put: PutFrame
    placement: Placement
    """Kept because the key of the plan is its identity."""
    targets: tuple[int, int, int] | None = None
    """The addresses of the target that the launch was told last."""
    block: bytearray = field(init=False)
    """The parameters of the launch."""
    places: tuple[Place, Place, Place] = field(init=False)
    """Where the plan's planes are in those of a target."""

    def __post_init__(self) -> None:
        self.block, self.places = self.launch.block, self.plan.targets
