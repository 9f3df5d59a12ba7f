"""Every exception of the package, one tree.

::

    PicassoError
    ├── SpecError (ValueError)               a value of a specification is out of range
    │   └── TemplateError                    a label template does not parse
    ├── ShapeError (ValueError)              an array has the wrong rank or shape
    ├── GeometryError (ValueError)           sizes, crops and paddings that leave nothing to draw on
    ├── TransformationChainError (RuntimeError)  a frame's chain cannot be applied or inverted
    ├── MetadataError (ValueError)           JSON that is not ours
    ├── ExpressionError (ValueError)         an expression of a query or parameter does not parse, or has no value
    ├── ProtocolError (ValueError, RuntimeError)  bytes that are not a message, or what a message cannot carry
    ├── DetachedObjectError (RuntimeError)   the frame no longer holds this object
    ├── SurfaceError (ValueError)            pixels that cannot be wrapped
    ├── SurfaceTypeError (TypeError)         not pixels at all
    ├── UploadError (RuntimeError)           an array that does not fit the surface
    ├── ConsumedError (RuntimeError)         a surface that was handed over already
    ├── FrameInFlightError (RuntimeError)    a frame that was sent and has not come out yet
    ├── AcquireTimeoutError (TimeoutError)   every buffer of a pool stayed in use
    ├── DeviceError (RuntimeError)           a GPU, or what a GPU must have, is not there
    ├── EncoderError (RuntimeError)          an encoder cannot open, or failed
    ├── ModelError (ValueError)              a model cannot be loaded, or its graph is not what was said of it
    ├── MediaError (OSError)                 a file or stream cannot be read or written
    │   ├── ConnectionLostError (ConnectionError)  a stream broke off: it has not ended
    │   │   └── ReadTimeoutError (TimeoutError)    it said nothing for longer than the caller would wait
    │   ├── PictureError (ValueError)        a file holds no picture that can be sent
    │   ├── UnreadableError                  it is open, and what it holds cannot be decoded
    │   └── OpeningStoppedError              a stop signal came while it was being opened
    ├── EngineError (RuntimeError)           the engine refuses
    │   ├── ShutDownError                    it is shut down
    │   └── OutputKindError                  the output is of the other kind
    ├── SendTimeoutError (TimeoutError)      a source's queue stayed full
    ├── SourceRejectedError (RuntimeError)   a source may not come in: too many are in already
    ├── TransportError (OSError)             a socket cannot be opened or used, or its bytes are not a message
    │   ├── HealthError (RuntimeError)       what answers at a health endpoint is not a module
    │   └── TransportTimeoutError (TimeoutError)  no one took a message, or acknowledged it, in time
    ├── OperationError (RuntimeError)        a running module cannot do what it was asked to
    ├── ClusterError (RuntimeError)          a module on a cluster cannot go on
    └── MissingDependencyError (ImportError) an optional library is not there
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from types import ModuleType


class PicassoError(Exception):
    """Root of all errors that the package raises on purpose."""


class SpecError(PicassoError, ValueError):
    """A value of a specification is out of its range."""


class TemplateError(SpecError):
    """A label template has an unknown name, an unclosed brace or a stray one."""


class ShapeError(PicassoError, ValueError):
    """An array has the wrong rank or shape."""


class GeometryError(PicassoError, ValueError):
    """Sizes, crops or paddings that leave nothing to draw on."""


class TransformationChainError(PicassoError, RuntimeError):
    """A frame's transformation chain cannot be applied or inverted."""


class MetadataError(PicassoError, ValueError):
    """Text that does not hold a frame's metadata."""


class ExpressionError(PicassoError, ValueError):
    """An expression does not parse, or has no value; the message holds it, with the place."""


class ProtocolError(PicassoError, ValueError, RuntimeError):
    """Bytes that hold no message of the protocol, or metadata that the protocol cannot carry."""


class DetachedObjectError(PicassoError, RuntimeError):
    """The frame no longer holds this object."""


class SurfaceError(PicassoError, ValueError):
    """Pixels that cannot be wrapped: wrong dtype, shape, size or pitch."""


class SurfaceTypeError(PicassoError, TypeError):
    """Something that holds no pixels."""


class UploadError(PicassoError, RuntimeError):
    """An array that does not fit the surface it is uploaded to."""


class ConsumedError(PicassoError, RuntimeError):
    """A surface or buffer that was handed over already."""


class FrameInFlightError(PicassoError, RuntimeError):
    """A frame that was sent to a source and has not come out yet."""


class AcquireTimeoutError(PicassoError, TimeoutError):
    """Every buffer of a pool stayed in use for longer than the caller would wait."""


class DeviceError(PicassoError, RuntimeError):
    """A GPU that was asked for, or something that it must have, is not there."""


class EncoderError(PicassoError, RuntimeError):
    """An encoder cannot open, or failed on a frame."""


class ModelError(PicassoError, ValueError):
    """A model file that cannot be loaded, or whose inputs or outputs are not what was said of them."""


class MediaError(PicassoError, OSError):
    """A file or stream cannot be read or written."""


class ConnectionLostError(MediaError, ConnectionError):
    """A stream broke off before its end: the other side went away, or the network did."""


class ReadTimeoutError(ConnectionLostError, TimeoutError):
    """A stream, pipe or device said nothing for longer than the caller would wait."""


class PictureError(MediaError, ValueError):
    """A file that is not there, or that holds no picture which can be sent."""


class UnreadableError(MediaError):
    """A file or stream that is open, and that holds nothing which can be decoded."""


class OpeningStoppedError(MediaError):
    """A stop signal came while the file or stream was being opened."""


class EngineError(PicassoError, RuntimeError):
    """The engine refuses a call."""


class ShutDownError(EngineError):
    """The engine is shut down."""


class OutputKindError(EngineError):
    """The output message is of the other kind."""


class SendTimeoutError(PicassoError, TimeoutError):
    """A source's queue stayed full for longer than the caller would wait."""


class SourceRejectedError(PicassoError, RuntimeError):
    """A source that may not come in now: as many are in as may be."""


class TransportError(PicassoError, OSError):
    """A socket cannot be opened or used, or what came through it is not a message."""


class HealthError(TransportError, RuntimeError):
    """What answers at the address of a module's health is not a module."""


class TransportTimeoutError(TransportError, TimeoutError):
    """No one took a message in time, or no one acknowledged it; it counts as lost."""


class OperationError(PicassoError, RuntimeError):
    """A running module cannot do what it was asked to.

    ``status`` is the number that HTTP has for it, and ``problems`` holds each thing that is wrong, where there are
    several.
    """

    def __init__(self, text: str, status: int = 409, problems: Sequence[str] = ()) -> None:
        super().__init__(text)
        self.status = status
        self.problems: tuple[str, ...] = tuple(problems)


class ClusterError(PicassoError, RuntimeError):
    """A module on a cluster cannot go on: no actor can run it, or an element has failed."""


class MissingDependencyError(PicassoError, ImportError):
    """An optional library is not installed, or a system library it needs is missing."""


def require(module: str, *, extra: str | None = None, hint: str | None = None) -> ModuleType:
    """Import ``module``, or say in one sentence how to get it.

    Args:
        module: Dotted name, e.g. ``"cv2"``.
        extra: Extra of this distribution that brings it, e.g. ``"demo"``.
        hint: What else to do, in one sentence, e.g. the system package to install.

    Raises:
        MissingDependencyError: The module is missing or does not load; the message names the fix.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        target = f"picasso-engine[{extra}]" if extra else "picasso-engine"
        advice = hint or f"pip install '{target}'"
        raise MissingDependencyError(f"{module} cannot be imported ({error}); {advice}") from error
