"""One model in ONNX Runtime: what it takes and gives, who computes it, and the call."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from picasso.errors import DeviceError, MissingDependencyError, ModelError, ShapeError
from picasso.infer.providers import PROVIDERS, choose_providers, load_runtime, threads_for

if TYPE_CHECKING:
    from picasso.surface import DeviceTensor
    from picasso_kernels.cuda.driver import Device

Array = npt.NDArray[Any]
_LOG: Final = logging.getLogger("picasso.infer")
_QUIET: Final = 3
"""ONNX Runtime's level of errors: its warnings are about how it rewrites a graph."""
ROW_OF_A_BATCH: Final = 7
"""Numbers of a row of graphs that suppress for a whole batch: the first says which picture it is of."""
_DTYPES: Final = {
    "tensor(float16)": "float16",
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(bool)": "bool",
    **{f"tensor({sign}int{bits})": f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)},
}


_OTHERS: Final = {
    **dict.fromkeys((".pt", ".pth", ".ckpt", ".safetensors"), "weights of PyTorch"),
    **dict.fromkeys((".engine", ".plan"), "an engine of TensorRT"),
    **dict.fromkeys((".tflite", ".pb", ".h5", ".keras"), "a model of TensorFlow"),
}
"""Files by their suffix that ONNX Runtime does not load."""


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """An input or an output of a graph."""

    name: str
    """As the graph calls it."""
    dtype: str
    """NumPy's name, such as ``float32``; ONNX's own where NumPy has none."""
    shape: tuple[int | None, ...]
    """None for an axis whose length the graph leaves open."""

    def __str__(self) -> str:
        sides = ", ".join("any" if side is None else str(side) for side in self.shape)
        return f"{self.name}: {self.dtype} ({sides})"


class Session:
    """A model that is loaded. ``run`` may be called from any thread, and several calls run at the same time.

    Args:
        model: An ONNX file, or its bytes.
        provider: ``auto``, ``cpu``, ``cuda`` or ``tensorrt``, or several, best first; see ``choose_providers``.
        gpu_id: Which GPU, for the providers that use one.
        threads: How many threads compute a model on the CPU; by default what ``threads_for(sources)`` says.
        sources: How many sources run beside the model in this process. With any, idle threads sleep, so that decoders
            and encoders get the cores; without, they spin for a moment, which is faster where nothing else runs.
        stream: Address of the CUDA stream that a GPU works on; by default one of ONNX Runtime's. Tensors that are made
            on the same stream need no wait.
        engine_cache: Folder in which TensorRT keeps what it compiled; by default it keeps nothing.

    Raises:
        MissingDependencyError: ONNX Runtime is not installed, or was built without a provider that was named.
        ModelError: The file is not there or is not a model that ONNX Runtime runs, or a provider that was named cannot
            start.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | bytes,
        *,
        provider: str | Sequence[str] = "auto",
        gpu_id: int = 0,
        threads: int | None = None,
        sources: int = 0,
        stream: int = 0,
        engine_cache: str | os.PathLike[str] | None = None,
    ) -> None:
        runtime = load_runtime()
        wanted = choose_providers(provider)
        self.name: str = "model" if isinstance(model, bytes) else os.fspath(model)
        if not isinstance(model, bytes) and not os.path.isfile(model):
            raise ModelError(f"{self.name}: there is no such file")
        if not isinstance(model, bytes) and (known := _OTHERS.get(os.path.splitext(self.name)[1].lower())):
            raise ModelError(
                f"{self.name}: {known}; export the model to ONNX, as `yolo export model=… format=onnx` does"
            )
        self.threads: int = threads_for(sources) if threads is None else threads
        if self.threads < 1:
            raise ModelError(f"threads = {threads}: expected 1 or more")
        self.gpu_id: int = gpu_id
        self._stream = stream
        options = _options(runtime, self.threads, spin=not sources)
        is_strict = isinstance(provider, str) and provider != "auto"
        if wanted[0] != "cpu":
            _load_cuda(runtime)
        content = model if isinstance(model, bytes) else os.fspath(model)
        settings = {name: _settings(name, gpu_id, stream, engine_cache) for name in wanted}
        self._device = None if wanted[0] == "cpu" else _device_at(gpu_id)
        with self._on_device():
            self._session = self._opened(runtime, content, options, settings, is_strict=is_strict)
        self.provider: str = self._started(wanted, strict=is_strict)
        self.inputs: tuple[TensorInfo, ...] = tuple(_info(node) for node in self._session.get_inputs())
        outputs = self._session.get_outputs()
        self.outputs: tuple[TensorInfo, ...] = tuple(_info(node) for node in outputs if node.type.startswith("tensor("))
        if not self.outputs:
            given = ", ".join(f"{node.name}: {node.type}" for node in outputs)
            raise ModelError(f"{self.name}: expected an output that is a tensor, got {given}")
        self._output_names = [output.name for output in self.outputs]

    def _opened(
        self,
        runtime: Any,
        content: str | bytes,
        options: Any,
        settings: Mapping[str, Mapping[str, str]],
        *,
        is_strict: bool,
    ) -> Any:
        """Load the model by all providers, and by fewer of them where the best one refuses."""
        names = list(settings)
        while True:
            try:
                return runtime.InferenceSession(
                    content,
                    sess_options=options,
                    providers=[PROVIDERS[name] for name in names],
                    provider_options=[settings[name] for name in names],
                    enable_fallback=0,  # which ONNX Runtime announces on stdout
                )
            except Exception as error:  # its exceptions have no base class of their own
                if is_strict or len(names) == 1:
                    raise ModelError(f"{self.name}: ONNX Runtime does not load it: {_first_line(error)}") from error
                del names[0]

    def _started(self, wanted: Sequence[str], *, strict: bool) -> str:
        """Return the best provider that runs; ONNX Runtime goes on without one that does not start."""
        running = self._session.get_providers()
        best = next((name for name in wanted if PROVIDERS[name] in running), "cpu")
        if best != wanted[0]:
            reason = f"{self.name}: provider {wanted[0]!r} does not start"
            if strict:
                raise ModelError(f"{reason}; ONNX Runtime's log says why")
            _LOG.warning("%s, %r takes its place; ONNX Runtime's log says why", reason, best)
        return best

    @property
    def input(self) -> TensorInfo:
        """The input, of a model that has one.

        Raises:
            ModelError: It has several.
        """
        if len(self.inputs) != 1:
            names = ", ".join(info.name for info in self.inputs)
            raise ModelError(f"{self.name} has {len(self.inputs)} inputs, {names}: expected one")
        return self.inputs[0]

    @property
    def image_input(self) -> TensorInfo:
        """The input that takes pictures: the only one of four axes.

        Raises:
            ModelError: There is none, or there are several.
        """
        found = [info for info in self.inputs if len(info.shape) == 4]
        if len(found) != 1:
            given = "; ".join(map(str, self.inputs)) or "none"
            raise ModelError(f"{self.name}: expected one input of four axes for pictures, got {given}")
        return found[0]

    @property
    def batch(self) -> int | None:
        """How many pictures a call takes, None for any number: the first axis of the input for pictures."""
        shapes = sorted((info.shape for info in self.inputs), key=lambda shape: len(shape) != 4)
        return shapes[0][0] if shapes and shapes[0] else None

    @property
    def metadata(self) -> dict[str, str]:
        """What the model's maker wrote into the file, such as ``names`` of classes."""
        return dict(self._session.get_modelmeta().custom_metadata_map)

    @property
    def on_gpu(self) -> bool:
        """Whether a GPU computes it, so that a tensor in GPU memory needs no copy."""
        return self.provider != "cpu"

    def run(self, feeds: Mapping[str, Array | DeviceTensor] | Array | DeviceTensor) -> dict[str, Array]:
        """Compute once and wait.

        Args:
            feeds: A tensor for each input, by name; or the tensor of the only input. In host memory, or, where
                ``on_gpu``, a ``DeviceTensor``, which is read where it is; one on another GPU is copied there.

        Returns:
            The outputs by name, in host memory.

        Raises:
            ModelError: A tensor has another name, dtype or shape than its input, or the model fails.
        """
        named = feeds if isinstance(feeds, Mapping) else {self.input.name: feeds}
        self._check(named)
        try:
            with self._on_device():
                if all(isinstance(tensor, np.ndarray) for tensor in named.values()):
                    values = self._session.run(self._output_names, dict(named))
                else:
                    values = self._run_bound(named)
        except ModelError:
            raise
        except Exception as error:
            raise ModelError(f"{self.name}: the model fails: {_first_line(error)}") from error
        return dict(zip(self._output_names, values, strict=True))

    def run_batches(
        self,
        tensor: Array | DeviceTensor,
        *,
        count: int | None = None,
        at_most: int | None = None,
        extras: Callable[[int], Mapping[str, Array]] | None = None,
    ) -> Iterator[tuple[slice, dict[str, Array]]]:
        """Compute a tensor of any number of pictures in calls that the model takes.

        Where the batch is fixed and the last pictures are fewer, zeros follow them, and an output whose first axis is
        the batch is cut.

        Args:
            tensor: ``(N, …)``; in GPU memory N is a multiple of a fixed batch.
            count: How many of the N are pictures, from the first on; None for all.
            at_most: The most pictures a call, of a model that takes any number; None for no limit.
            extras: Returns what other inputs are fed in a call of this number of pictures.

        Yields:
            Which pictures, and the outputs of that call.

        Raises:
            ModelError: As ``run``.
            ShapeError: ``at_most`` is less than 1.
        """
        if at_most is not None and at_most < 1:
            raise ShapeError(f"at_most = {at_most}: expected 1 or more")
        there = tensor.shape[0]
        count = there if count is None else count
        step = self.batch or min(at_most or there, there)
        for first in range(0, count, step or 1):
            part = tensor if step == there else self._part(tensor, first, step)
            outputs = self.run(part if extras is None else {self.image_input.name: part, **extras(part.shape[0])})
            taken = min(step, count - first)
            if taken < step:
                outputs = {
                    info.name: value[:taken] if _is_a_row_each(info, value, step) else value
                    for info, value in zip(self.outputs, outputs.values(), strict=True)
                }
            yield slice(first, first + taken), outputs

    def _part(self, tensor: Array | DeviceTensor, first: int, step: int) -> Array | DeviceTensor:
        """Return the pictures of one call, with zeros behind them where the batch is fixed."""
        part = tensor[first : first + step]
        missing = step - part.shape[0]
        if not missing or self.batch is None:
            return part
        if not isinstance(part, np.ndarray):
            raise ModelError(f"{self.name} takes {step} pictures a call, the tensor on a GPU has {tensor.shape[0]}")
        return np.concatenate([part, np.zeros((missing, *part.shape[1:]), part.dtype)])

    def _on_device(self) -> AbstractContextManager[None]:
        """Return a place after which the thread's device is what it was before: ONNX Runtime changes it."""
        return nullcontext() if self._device is None else self._device.current()

    def _check(self, named: Mapping[str, Array | DeviceTensor]) -> None:
        """Refuse what ONNX Runtime would refuse with less to go on."""
        names = [info.name for info in self.inputs]
        if set(named) != set(names):
            raise ModelError(f"{self.name}: expected a tensor for each of {', '.join(names)}, got {', '.join(named)}")
        for info in self.inputs:
            tensor = named[info.name]
            fits = len(tensor.shape) == len(info.shape) and all(
                want in {None, got} for want, got in zip(info.shape, tensor.shape, strict=True)
            )
            if not fits or str(tensor.dtype) != info.dtype:
                raise ModelError(f"{self.name}: input {info}, got {tensor.dtype} {tuple(tensor.shape)}")

    def _run_bound(self, named: Mapping[str, Array | DeviceTensor]) -> list[Array]:
        """Compute tensors where they are; the outputs come to the host."""
        binding = self._session.io_binding()
        held = []  # until the model has read it
        for name, tensor in named.items():
            if isinstance(tensor, np.ndarray):
                binding.bind_cpu_input(name, tensor)
            else:
                held.append(self._bind_device(binding, name, tensor))
        for name in self._output_names:
            binding.bind_output(name, "cpu")
        self._session.run_with_iobinding(binding)
        return list(binding.copy_outputs_to_cpu())

    def _bind_device(self, binding: Any, name: str, tensor: DeviceTensor) -> DeviceTensor:
        if not self.on_gpu:
            raise ModelError(f"{self.name} runs on the CPU, the tensor is on GPU {tensor.gpu_id}")
        if not tensor.is_contiguous:
            raise ModelError(f"{self.name}: a tensor without gaps is expected, got strides {tensor.strides}")
        if tensor.gpu_id != self.gpu_id:
            tensor = self._brought(tensor)
        if tensor.cuda_stream != self._stream:
            tensor.wait()
        binding.bind_input(name, "cuda", self.gpu_id, np.dtype(tensor.dtype), tensor.shape, tensor.data_ptr)
        return tensor

    def _brought(self, tensor: DeviceTensor) -> DeviceTensor:
        """Return a copy on the model's GPU; where the hardware can, it comes directly from the other one."""
        from picasso.surface.cuda_memory import open_device
        from picasso.surface.tensor import bring_tensor
        from picasso_kernels.cuda.driver import Stream

        return bring_tensor(tensor, Stream(open_device(self.gpu_id)))

    def __repr__(self) -> str:
        inputs, outputs = ("; ".join(map(str, infos)) for infos in (self.inputs, self.outputs))
        return (
            f"Session({self.name!r}, {self.provider}, threads={self.threads}, inputs=[{inputs}], outputs=[{outputs}])"
        )


def _options(runtime: Any, threads: int, *, spin: bool) -> Any:
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _QUIET
    options.add_session_config_entry("session.intra_op.allow_spinning", "1" if spin else "0")
    return options


def _settings(name: str, gpu_id: int, stream: int, engine_cache: str | os.PathLike[str] | None) -> dict[str, str]:
    """Return what a provider is told."""
    if name == "cpu":
        return {}
    settings = {"device_id": str(gpu_id)}
    if stream:
        settings |= {"user_compute_stream": str(stream)}
    if name == "cuda":
        settings |= {"cudnn_conv_algo_search": "HEURISTIC"}  # the default measures each size for seconds
    elif engine_cache is not None:
        settings |= {"trt_engine_cache_enable": "1", "trt_engine_cache_path": os.fspath(engine_cache)}
    return settings


def _device_at(gpu_id: int) -> Device | None:
    """Return a GPU; None where the driver's bindings are not installed, or there is none."""
    from picasso.surface.cuda_memory import open_device

    try:
        return open_device(gpu_id)
    except (DeviceError, MissingDependencyError):
        return None


def _load_cuda(runtime: Any) -> None:
    """Load CUDA's and cuDNN's libraries from their wheels, where they are installed."""
    preload = getattr(runtime, "preload_dlls", None)
    if preload is not None:
        with contextlib.redirect_stdout(sys.stderr):  # where it says what it does not find
            preload()


def _info(node: Any) -> TensorInfo:
    shape = tuple(side if isinstance(side, int) and side >= 0 else None for side in node.shape)
    return TensorInfo(node.name, _DTYPES.get(node.type, node.type), shape)


def _is_a_row_each(info: TensorInfo, value: Array, pictures: int) -> bool:
    """Whether an output has a row for each picture; ``(N, 7)`` of as many rows as there happen to be has not."""
    is_list_of_rows = len(info.shape) == 2 and info.shape[0] is None and info.shape[1] == ROW_OF_A_BATCH
    return bool(value.ndim) and len(value) == pictures and not is_list_of_rows


def _first_line(error: BaseException) -> str:
    text = str(error).strip()
    return text.splitlines()[0][:300] if text else type(error).__name__
