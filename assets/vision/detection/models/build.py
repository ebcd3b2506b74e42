"""Makes the shipped person detector from the published NanoDet graph (a development tool; needs onnx and
onnxruntime).

    python assets/vision/detection/models/build.py --source nanodet-416.onnx --calibration clip.mp4 [clip.mp4 …]

What changes, and what does not: the weights are the published ones. The graph loses its two constant position
tables and its fixed input size (the paddings move into the convolutions), the normalisation folds into the
first convolution, and of the 80 class rows only `person` is kept beside the 44 rows of box distances. The
result takes `image` (1, 3, H, W) float32, BGR, 0-255, H and W multiples of 32, and gives for each stride s in
8, 16, 32 one map `stride_s` (1, 45, H/s, W/s): person logit, then 4 sides x 11 bins.

Written next to this file: nanodet_person.onnx (weights stored as float16, computed as float32),
nanodet_person_int8.onnx (QDQ, per-channel signed weights, unsigned activations, calibrated on evenly spaced
frames of the clips given) and their SHA-256.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

MEAN_BGR = np.array([103.53, 116.28, 123.675], dtype=np.float32)
STD_BGR = np.array([57.375, 57.12, 58.395], dtype=np.float32)
PERSON_ROW = 0
CLASSES = 80
CALIBRATION_SIZE = (384, 288)  # width, height
FRAMES_PER_CLIP = 40
HEADS = {"Conv__176": 8, "Conv__178": 16, "Conv__180": 32}


def person_graph(source: onnx.ModelProto) -> onnx.ModelProto:
    """The published graph reduced to person logits and box distances, for any input size that is a multiple
    of 32.
    """
    arrays = {item.name: numpy_helper.to_array(item) for item in source.graph.initializer}
    renamed: dict[str, str] = {}
    padded: dict[str, list[int]] = {}
    nodes: list[onnx.NodeProto] = []
    kept: dict[str, np.ndarray] = {"mean_bgr": MEAN_BGR.reshape(1, 3, 1, 1)}
    nodes.append(helper.make_node("Sub", ["image", "mean_bgr"], ["centred"], name="centre"))
    renamed["input_1:0"] = "centred"

    def resolve(name: str) -> str:
        return renamed.get(name, name)

    for node in source.graph.node:
        if node.op_type == "Pad":
            begin_end = arrays[node.input[1]].tolist()
            padded[node.output[0]] = [begin_end[2], begin_end[3], begin_end[6], begin_end[7]]
            renamed[node.output[0]] = resolve(node.input[0])
        elif node.op_type in ("Conv", "MaxPool"):
            copy = onnx.NodeProto()
            copy.CopyFrom(node)
            copy.input[0] = resolve(node.input[0])
            if node.input[0] in padded:
                copy.attribute.append(helper.make_attribute("pads", padded[node.input[0]]))
            if node.op_type == "Conv":
                weight, bias = arrays[node.input[1]], arrays[node.input[2]]
                if copy.input[0] == "centred":
                    weight = weight / STD_BGR.reshape(1, 3, 1, 1)
                if node.name in HEADS:
                    rows = [PERSON_ROW, *range(CLASSES, weight.shape[0])]
                    weight, bias = weight[rows], bias[rows]
                    copy.output[0] = f"stride_{HEADS[node.name]}"
                kept[node.input[1]], kept[node.input[2]] = weight, bias
            nodes.append(copy)
        elif node.op_type in ("LeakyRelu", "Concat", "Resize", "Add"):
            if any(name.startswith("unknown_6") for name in node.input):  # the position tables' arithmetic
                continue
            copy = onnx.NodeProto()
            copy.CopyFrom(node)
            del copy.input[:]
            copy.input.extend(resolve(name) for name in node.input)
            for name in copy.input:
                if name in arrays:
                    kept[name] = arrays[name]
            nodes.append(copy)
    outputs = [
        helper.make_tensor_value_info(f"stride_{s}", TensorProto.FLOAT, [1, 45, f"h{s}", f"w{s}"]) for s in (8, 16, 32)
    ]
    graph = helper.make_graph(
        nodes,
        "nanodet_person",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, "height", "width"])],
        outputs,
        [numpy_helper.from_array(np.ascontiguousarray(array), name) for name, array in kept.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 16)], producer_name="openaisle")
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model


def store_half(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same model with its weights stored as float16 and cast to float32 when it is loaded."""
    stored = onnx.ModelProto()
    stored.CopyFrom(model)
    casts = []
    for item in stored.graph.initializer:
        array = numpy_helper.to_array(item)
        if array.dtype == np.float32 and array.ndim == 4 and array.size > 16:
            name = item.name
            item.CopyFrom(numpy_helper.from_array(array.astype(np.float16), f"{name}_half"))
            casts.append(helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *stored.graph.node]
    del stored.graph.node[:]
    stored.graph.node.extend(nodes)
    onnx.checker.check_model(stored)
    return stored


def calibration_frames(clips: list[Path]) -> Iterator[npt.NDArray[np.float32]]:
    """Evenly spaced frames of each clip as network input."""
    import cv2

    for clip in clips:
        capture = cv2.VideoCapture(str(clip))
        frames = []
        while True:
            ok, frame = capture.read()
            if not ok:
                break
            frames.append(cv2.resize(frame, CALIBRATION_SIZE))
        for index in np.linspace(0, len(frames) - 1, FRAMES_PER_CLIP).round().astype(int):
            yield frames[index].transpose(2, 0, 1)[None].astype(np.float32)


def quantised(model: onnx.ModelProto, clips: list[Path]) -> onnx.ModelProto:
    """Post-training int8 (QDQ) of every convolution but the heads, per channel, unsigned activations, signed
    weights.

    Only the inputs of convolutions are quantised: a rounding between a convolution and its activation keeps
    OpenVINO from fusing the two (measured on AVX2: 18.6 ms with, 16.7 ms without). NNCF's ONNX back end is
    not used because OpenVINO 2026.4 misreads its result: every person is lost, though onnxruntime runs the
    same file well.
    """
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._samples = calibration_frames(clips)

        def get_next(self) -> dict[str, npt.NDArray[np.float32]] | None:
            sample = next(self._samples, None)
            return None if sample is None else {"image": sample}

    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "float.onnx"), Path(folder, "int8.onnx")
        onnx.save(model, str(source))
        quantize_static(
            str(source),
            str(target),
            Reader(),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=list(HEADS),
            op_types_to_quantize=["Conv"],
            extra_options={"OpTypesToExcludeOutputQuantization": ["Conv"]},
        )
        return onnx.load(str(target))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--calibration", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    arguments = parser.parse_args()
    model = person_graph(onnx.load(str(arguments.source)))
    written = []
    for name, result in (
        ("nanodet_person.onnx", store_half(model)),
        ("nanodet_person_int8.onnx", quantised(model, arguments.calibration)),
    ):
        path = arguments.out / name
        onnx.save(result, str(path))
        written.append(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {name}")
    (arguments.out / "SHA256SUMS").write_text("\n".join(written) + "\n")
    sys.stdout.write("\n".join(written) + "\n")


if __name__ == "__main__":
    main()
