"""The transform on a GPU: one kernel a frame, or one for a batch of frames that have nothing in common.

The arithmetic is that of the CPU, bit for bit. A call puts its kernel on the transformer's stream and returns; it waits
for nothing. Producers are waited for, and told, by events between streams.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from picasso.errors import SpecError, SurfaceError
from picasso.surface import SurfaceView
from picasso.surface.cuda import DevicePlane, check_reach
from picasso.surface.cuda_memory import DeviceBlock, open_device
from picasso.surface.pixels import pixels_of
from picasso.surface.tensor import DTYPES, DeviceTensor, allocate_tensor, check_dtype, tensor_over
from picasso.transform.cuda_batch import Asked, Batch, Batches, Pictures
from picasso.transform.cuda_checks import check_address, check_place, check_surface
from picasso.transform.cuda_frame import DevicePlan, PutFrame
from picasso.transform.cuda_surfaces import (
    BoundTarget,
    alike,
    goes_back_on,
    grid_of,
    numbers_of,
    picture_of,
    signature_of,
    surfaces_of,
    tensor_planes,
    write_planes,
    write_sources,
)
from picasso.transform.filters import FILTERS
from picasso.transform.fitting import Interpolation
from picasso.transform.placement import Placement
from picasso.transform.tensor import Normalization, one_each, pack_pad
from picasso_kernels.cuda.axis_tables import warm_up
from picasso_kernels.cuda.driver import Event, Stream, copy_to_device
from picasso_kernels.cuda.frame_table import ADDRESSES, NUMBERS, FrameRow
from picasso_kernels.cuda.launches import Arguments, Launch
from picasso_kernels.cuda.plan import plan_frame
from picasso_kernels.cuda.plan_target import TARGETS
from picasso_kernels.frame.pixel_formats import SOURCES, Picture, Plane

if TYPE_CHECKING:
    from picasso_kernels.cuda.driver import Device

_PLANS: Final = 64
"""Plans that a transformer keeps on its device."""
_ROW_BYTES: Final = 8 * ADDRESSES + 4 * NUMBERS
_TENSOR_FORMATS: Final = {"float16": "half", "float32": "single"}
_KNOWN: Final = Normalization()


class Job(NamedTuple):
    """One frame of a batch."""

    source: SurfaceView
    placement: Placement
    target: SurfaceView | BoundTarget
    """A surface, or what ``CudaTransformer.bind`` returned for one that many pictures are written to."""


class CudaTransformer:
    """Transforms frames on one GPU, on a stream of its own. For one thread.

    Args:
        gpu_id: Which GPU; surfaces of others are refused.
        stream: Where the kernels go; by default a new stream.

    Raises:
        DeviceError: There is no such GPU.
    """

    def __init__(self, gpu_id: int = 0, stream: Stream | None = None) -> None:
        self.device: Device = open_device(gpu_id)
        self.stream: Stream = stream or Stream(self.device)
        self._ours: int = self.stream.address
        self._closed = False
        warm_up()
        self._plans: OrderedDict[tuple[object, ...], DevicePlan] = OrderedDict()
        self._latest_key: tuple[object, ...] | None = None
        self._latest: DevicePlan
        """The plan of the latest frame, if there is a key."""
        self._event = Event(self.device)
        self._reading: deque[tuple[Event, Sequence[object]]] = deque()
        """Planes that have to live until an event."""
        self._spare: list[Event] = []
        self._batches = Batches()

    def transform(
        self,
        source: SurfaceView,
        placement: Placement,
        target: SurfaceView | BoundTarget,
        interpolation: Interpolation = Interpolation.BILINEAR,
    ) -> None:
        """Put the transform of one frame on the stream: every pixel of ``target`` is written.

        The source is kept alive until the GPU has read it, and its producer's stream waits for that. A target that is
        another stream's is written after what that stream was told before, which waits for it in turn.

        Args:
            source: What is read, on this GPU, of size ``placement.source_wh``.
            placement: Which rectangle of the source lands on which rectangle of the target.
            target: What is written: RGBA, BGRA, BGRx, NV12, NV21 or I420, on this GPU, of size ``placement.target_wh``;
                or what ``bind`` returned for it.
            interpolation: The filter.

        Raises:
            SurfaceError: A surface is not on this GPU, or of a format that cannot be read or written.
            GeometryError: A surface has another size than the placement says.
            ConsumedError: A surface was handed over.
            CudaError: The driver refuses a call; ``DeviceError`` where it has no memory for a new transform's tables.
        """
        bound = target if type(target) is BoundTarget else self._bound(target)
        pixels_of(bound.surface).planes  # noqa: B018  # one that was handed over since raises
        planes: Any
        planes, form, size_wh, color, gpu_id, producer, _ = pixels_of(source)
        first = planes[0]
        if not isinstance(first, DevicePlane):
            check_place(self.device, source, "source")
        own = (first.strides, first.ptr & 15, first.read_only) if len(planes) == 1 else alike(planes)
        key = (placement, interpolation, (form, size_wh, color, gpu_id, own), bound.signature)
        if key == self._latest_key:  # which takes less than to look it up
            prepared = self._latest
        else:
            self._forget()
            prepared = self._prepare(key, source, placement, bound, interpolation)
        put, targets = prepared.put, bound.addresses(prepared.places)
        if targets is prepared.targets:
            write_sources(prepared.block, prepared.plan, planes)
        else:
            write_planes(prepared.block, prepared.plan, planes, targets)
            prepared.targets = targets
        ours = self._ours
        if bound.stream != ours:
            self._put_between(source, prepared, bound.stream)
        elif producer == ours:
            put.alone()
        elif producer and goes_back_on(producer, planes):
            put.in_turn(producer)
        else:
            self._put_between(source, prepared, ours)

    def _put_between(self, source: SurfaceView, prepared: DevicePlan, owner: int) -> None:
        """Launch between what the streams of source and target are told before and after; hold what may go away."""
        with self.device.current():
            self._follow(source.cuda_stream)
            self._follow(owner)
            prepared.launch.put()
            self._keep(source)
            self._hand_back(owner)

    def bind(self, target: SurfaceView) -> BoundTarget:
        """Look up what ``transform`` has to know of a target that many pictures are written to; it is kept alive.

        Raises:
            SurfaceError: It is not on this GPU.
            ConsumedError: It was handed over.
        """
        try:
            return BoundTarget(target)
        except SurfaceError:
            check_place(self.device, target, "target")
            raise

    def transform_batch(self, jobs: Sequence[Job], interpolation: Interpolation = Interpolation.BILINEAR) -> None:
        """Put the transforms of many frames on the stream, one launch for 32 of them and each kernel that they need.

        Frames may differ in size, crop, format and target. A batch that looks like one of those before it, in other
        memory, takes a third of the time, and less into targets that were bound. Errors are those of ``transform``.
        """
        if not jobs:
            return
        with self.device.current():
            self._transform_batch(jobs, interpolation)

    def _transform_batch(self, jobs: Sequence[Job], interpolation: Interpolation) -> None:
        surfaces, placements, targets = zip(*jobs, strict=True)
        sources = self._look_at(surfaces, "source")
        asked, numbers = Asked(sources.kinds, placements, interpolation), numbers_of(targets)
        batch = self._batches.find_aimed(asked, numbers) if numbers else None
        if batch is None:
            into = self._look_at(surfaces_of(targets), "target")
            batch = self._batches.find(asked, into.kinds)
            if batch is None:
                plans = [
                    self._plan_of(*job, interpolation)
                    for job in zip(surfaces, placements, map(self._bound, targets), strict=True)
                ]
                made = Batch(asked, into.kinds, plans, sources.counts, into.counts, self.stream)
                batch = self._batches.add(made)
            batch.aim(into.addresses, into.streams, numbers)
        self._launch(batch, sources)

    def to_tensor(
        self,
        sources: Sequence[SurfaceView],
        placements: Placement | Sequence[Placement],
        normalization: Normalization = _KNOWN,
        *,
        dtype: str = "float16",
        pad: int | Sequence[int] = 0,
        out: object | None = None,
        interpolation: Interpolation = Interpolation.BILINEAR,
    ) -> DeviceTensor:
        """Put on the stream what makes pictures planes of numbers, ``(N, 3, H, W)``.

        One launch for each kernel that the sources need. The same numbers as ``picasso.transform.tensor.to_tensor``.

        Args:
            sources: N pictures on this GPU, of any sizes and formats.
            placements: One for all, or one each; all of one target size.
            normalization: What happens to a channel; of grey there are no tensors on a GPU.
            dtype: ``float16`` or ``float32``; that of ``out`` if that is given.
            pad: What bars are before the scaling, 0..255: one number, or one for each plane.
            out: Where to write: an array of another library on this GPU, ``(N, 3, H, W)`` or, of one picture,
                ``(3, H, W)``. By default memory of the pool.
            interpolation: The filter.

        Raises:
            SurfaceError: A surface, or ``out``, is not on this GPU, a format cannot be read, or ``out`` has another
                shape or dtype.
            SpecError: ``normalization`` is of grey, or ``pad`` is not in 0..255.
            GeometryError: A source has another size than its placement says, or targets differ in size.
            ShapeError: There is no source, or not as many placements.
        """
        each, (width, height) = one_each(sources, placements)
        shape = (len(sources), 3, height, width)
        check_dtype(dtype)
        bars = _bars(normalization, pad)
        tensor = allocate_tensor(shape, dtype, self.stream) if out is None else tensor_over(out)
        if tensor.shape != shape or tensor.gpu_id != self.device.index:
            where = f"shape {shape} on GPU {self.device.index}"
            raise SurfaceError(f"expected out of {where}, got {tensor.shape} on GPU {tensor.gpu_id}")
        if out is not None:
            check_address(self.device, tensor.data_ptr, "tensor")
            check_reach("tensor", height, tensor.strides[2])
        looked_at = self._look_at(sources, "source")
        with self.device.current():
            self._follow(tensor.cuda_stream)
            what = (interpolation, tensor.dtype, tensor.strides, tensor.data_ptr & 15, normalization, bars)
            asked, at = Asked(looked_at.kinds, tuple(each), what), (tensor.data_ptr, tensor.cuda_stream)
            batch = self._batches.find_aimed(asked, at)
            if batch is None:
                planes = tensor_planes(tensor)
                batch = self._batches.find(asked, ())
                if batch is None:
                    plans = [
                        self._prepare_tensor(source, placement, tensor, own, normalization, bars, interpolation)
                        for source, placement, own in zip(sources, each, planes.tolist(), strict=True)
                    ]
                    made = Batch(asked, (), plans, looked_at.counts, (3,) * len(sources), self.stream)
                    batch = self._batches.add(made)
                own = planes if normalization.order == "rgb" else planes[:, ::-1]
                batch.aim(own.reshape(-1), (tensor.cuda_stream,), at)
            self._launch(batch, looked_at)
        return tensor

    def wait(self) -> None:
        """Wait until all of it is done."""
        self.stream.wait()
        self._reading.clear()

    def close(self) -> None:
        """Wait, and give back what is on the device; harmless when repeated."""
        if self._closed:
            return
        self._closed = True
        self.wait()
        self._plans.clear()
        self._latest_key = None
        self.__dict__.pop("_latest", None)
        self._batches.clear()

    def __del__(self) -> None:
        for read, _ in getattr(self, "_reading", ()):
            read.settle()  # what is still being read may go then

    def _plan_of(
        self, source: SurfaceView, placement: Placement, target: BoundTarget, interpolation: Interpolation
    ) -> DevicePlan:
        key = (placement, interpolation, signature_of(source.device_pixels), target.signature)
        return self._prepare(key, source, placement, target, interpolation)

    def _prepare(
        self,
        key: tuple[object, ...],
        source: SurfaceView,
        placement: Placement,
        target: BoundTarget,
        interpolation: Interpolation,
    ) -> DevicePlan:
        by = (id(placement), *key[1:])
        prepared = self._plans.get(by)
        if prepared is None:
            with self.device.current():
                prepared = self._plans[by] = self._make_plan(source, placement, target.surface, interpolation)
        self._latest_key, self._latest = key, prepared
        return prepared

    def _prepare_tensor(
        self,
        source: SurfaceView,
        placement: Placement,
        tensor: DeviceTensor,
        planes: Sequence[int],
        normalization: Normalization,
        bars: tuple[int, ...],
        interpolation: Interpolation,
    ) -> DevicePlan:
        alignments = tuple(plane & 15 for plane in planes)
        try:
            key = (
                id(placement),
                interpolation.value,
                *signature_of(source.device_pixels),
                tensor.dtype,
                tensor.strides,
                alignments,
                normalization,
                bars,
            )
        except SurfaceError:
            check_place(self.device, source, "source")
            raise
        prepared = self._plans.get(key)
        if prepared is None:
            check_surface(self.device, source, "source", placement.source_wh, SOURCES)
            size = DTYPES[tensor.dtype]
            target = tuple(Plane(alignment, tensor.strides[2], size, 1) for alignment in alignments)
            step = 1 if normalization.order == "rgb" else -1
            numbers = (normalization.scale[::step], normalization.bias[::step])
            picture = Picture(_TENSOR_FORMATS[tensor.dtype], target[::step])
            prepared = self._upload(source, placement, picture, interpolation, numbers, bars[::step])
            self._plans[key] = prepared
        return prepared

    def _forget(self) -> None:
        """Drop the oldest plans, whose tables go back in the order of the stream: after what has been launched."""
        while len(self._plans) > _PLANS:
            self._plans.popitem(last=False)

    def _make_plan(
        self, source: SurfaceView, placement: Placement, target: SurfaceView, interpolation: Interpolation
    ) -> DevicePlan:
        check_surface(self.device, source, "source", placement.source_wh, SOURCES)
        check_surface(self.device, target, "target", placement.target_wh, TARGETS)
        return self._upload(source, placement, picture_of(target), interpolation)

    def _upload(
        self,
        source: SurfaceView,
        placement: Placement,
        target: Picture,
        interpolation: Interpolation,
        *numbers: Any,
    ) -> DevicePlan:
        """Plan a transform, and put its tables on the device."""
        plan = plan_frame(
            picture_of(source),
            target,
            placement.crop_ltwh,
            placement.target_wh,
            placement.inner_ltwh,
            FILTERS[interpolation],
            *numbers,
        )
        tables = DeviceBlock(plan.tables.nbytes, self.stream)
        copy_to_device(tables.address, plan.tables.ctypes.data, plan.tables.nbytes, self.stream)
        row = plan.row.copy()
        for name in FrameRow._fields[6:ADDRESSES]:
            row[name] += tables.address
        arguments = Arguments(_ROW_BYTES)
        arguments.block[:] = row.tobytes()[:_ROW_BYTES]
        function = self.device.function(plan.kernel, batched=False)
        kernel = Launch(function, *grid_of(*plan.blocks), self.stream, arguments)
        return DevicePlan(plan, row, tables, kernel, PutFrame(kernel, self.stream, self._event), placement)

    def _look_at(self, surfaces: Sequence[SurfaceView], what: str) -> Pictures:
        try:
            return Pictures(surfaces)
        except SurfaceError:
            for surface in surfaces:
                check_place(self.device, surface, what)
            raise

    def _bound(self, target: SurfaceView | BoundTarget) -> BoundTarget:
        return target if isinstance(target, BoundTarget) else self.bind(target)

    def _launch(self, batch: Batch, sources: Pictures) -> None:
        """Launch a batch after its pictures are made and its targets free; their streams go on after it."""
        ours, makers = self.stream.address, set(sources.streams)
        others = (makers | batch.owners) - {0, ours}
        for stream in others:
            self._follow(stream)
        try:
            batch.launch(sources.addresses)
        finally:  # where one kernel is refused, those before it still read and write
            held = sources.to_hold(ours) if makers != {ours} else []
            if held or others:
                self._hold(held, others)
            self._forget()

    def _follow(self, producer: int) -> None:
        """Let the stream wait for the one that makes the pixels, or that had the target before."""
        ours = self.stream.address
        if producer and producer != ours:
            self._event.order(producer, ours)

    def _hand_back(self, owner: int) -> None:
        """Let the stream that a target belongs to go on after what was written there."""
        ours = self.stream.address
        if owner and owner != ours:
            self._event.order(ours, owner)

    def _keep(self, source: SurfaceView) -> None:
        """Hold a source until it has been read; its producer's stream waits too, before it writes there again."""
        producer = source.cuda_stream
        if producer == self.stream.address:
            return
        if producer and goes_back_on(producer, source.device_planes):
            self._hand_back(producer)
            return
        self._hold(source.device_planes, (producer,) if producer else ())

    def _hold(self, planes: Sequence[object], others: Iterable[int]) -> None:
        """Hold planes until what the stream has been told so far is done; what other streams are told next waits."""
        event = self._spare.pop() if self._spare else Event(self.device)
        self._reading.append((event, planes))
        event.record(self.stream)
        for stream in others:
            event.hold(stream)
        self._let_go()

    def _let_go(self) -> None:
        """Drop what has been read."""
        while self._reading and self._reading[0][0].done:
            self._spare.append(self._reading.popleft()[0])


def _bars(normalization: Normalization, pad: int | Sequence[int]) -> tuple[int, ...]:
    """Return what each plane has in the bars, before the scaling."""
    if normalization.order == "gray":
        raise SpecError("Normalization.order = 'gray': a tensor on a GPU is of rgb or bgr")
    packed = pack_pad(pad, normalization.channels)
    return packed & 255, packed >> 8 & 255, packed >> 16 & 255
