"""Every manner of network that people give to a detector: read rightly, or refused by name.

The rows of `docs/reference/models.md`, which `python -m tests.detector.layout_rows` writes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from tests.hazardcast.vision.models import heads
from tests.hazardcast.vision.models.heads import HEIGHT, INPUTS, RGB_TO_ONE, WIDTH, Seen
from tests.hazardcast.vision.models.networks import Dims, Graph

PAGE = Path(__file__).parents[4] / "docs" / "reference" / "models.md"
COCO = str(dict(enumerate(["person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", *["thing"] * 72])))  # fmt: skip
ONE, TWO = "{0: 'car'}", "{0: 'truck', 1: 'car'}"
WHOLE_NUMBERS = {"labels": "int64", "num_dets": "int32", "det_classes": "int32"}
SIZES = ("orig_target_sizes", ("N", 2), "int64")


@dataclass(frozen=True)
class Row:
    """A network, and what becomes of it."""

    what: str
    """Whose, and what it is."""
    output: str
    """As its exporter makes it."""
    head: Callable[[Seen], Mapping[str, str]]
    source: str
    """Where its exporter's code is."""
    layout: str = ""
    """As what it is read; none: it is refused."""
    refused: str = ""
    """What the refusal says, a regular expression."""
    how: str = ""
    """How it is recognised, or why it is refused."""
    said: dict[str, Any] = field(default_factory=dict)
    """The file beside it."""
    names: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    classes: int = 80
    car: int = 2
    shape: Dims = (1, 3, HEIGHT, WIDTH)
    size: tuple[int, int] = (WIDTH, HEIGHT)
    """Width and height that the network works in."""
    takes: str = "float32"
    gives: str = "float32"
    opset: int = 13
    ir: int = 8
    more_inputs: tuple[tuple[str, Dims, str], ...] = ()
    input_name: str = "images"

    def write(self, folder: Path) -> Path:
        """The network and, if there is one, the file beside it."""
        graph = Graph()
        picture = graph.input(self.input_name, self.shape, self.takes)
        for name, shape, numbers in self.more_inputs:
            graph.input(name, shape, numbers)
        channels_last = self.shape[-1] == 3
        wants = INPUTS.get(self.layout, RGB_TO_ONE)
        box, score = graph.sees(picture, wants, numbers=self.takes, channels_last=channels_last)
        seen = Seen(graph, box, score, classes=self.classes, car=self.car)
        seen.width, seen.height = self.size
        for name, of in self.head(seen).items():
            whole = {} if self.head is heads.rf_detr else WHOLE_NUMBERS
            graph.output(name, of, ("a", "b", "c"), whole.get(name, self.gives))
        path = folder / "own.onnx"
        metadata = {**self.metadata, **({"names": self.names} if self.names else {})}
        graph.save(path, metadata=metadata, opset=self.opset, ir=self.ir)
        if self.said:
            path.with_suffix(".json").write_text(json.dumps(self.said))
        return path


YOLOV5 = "ultralytics/yolov5 export.py"
YOLOV7 = "WongKinYiu/yolov7 export.py"
YOLOV6 = "meituan/YOLOv6 deploy/ONNX/export_onnx.py"
ULTRALYTICS = "ultralytics/ultralytics engine/exporter.py"
YOLOX = "Megvii-BaseDetection/YOLOX tools/export_onnx.py"
NANODET = "RangiLyu/nanodet tools/export_onnx.py"
RTDETR = "lyuwenyu/RT-DETR tools/export_onnx.py"
DFINE = "Intellindust-AI-Lab/DEIMv2 tools/deployment/export_onnx.py"
RFDETR = "roboflow/rf-detr deploy/export.py"
TRANSFORMERS = "huggingface/transformers models/rt_detr/modeling_rt_detr.py"
TF = "onnx/tensorflow-onnx, TensorFlow Object Detection API"
LARGE: dict[str, Any] = {"shape": (1, 3, 640, 640), "size": (640, 640)}
SHAPE, SHAPE_VALUES = "shape", "shape, then values"
SHAPE_NAMES, NAMES = "shape and names in the file", "names of outputs"
v8 = partial(Row, head=heads.yolov8, source=ULTRALYTICS, layout="yolov8", how=SHAPE, names=COCO)

READ = (
    Row("YOLOv5, 80 classes", "[1,3N,85]", heads.yolov5, YOLOV5, "yolov5", how=SHAPE, names=COCO),
    Row("YOLOv5, 80 classes, 640 px", "[1,25200,85]", heads.yolov5, YOLOV5, "yolov5", how=SHAPE, names=COCO, **LARGE),
    Row("YOLOv5, one class", "[1,25200,6]", heads.yolov5, YOLOV5, "yolov5", how=SHAPE_VALUES, names=ONE, classes=1, car=0, **LARGE),
    Row("YOLOv5, one class, small picture", "[1,756,6]", heads.yolov5, YOLOV5, "yolov5", how=SHAPE_VALUES, names=ONE, classes=1, car=0),
    Row("YOLOv5 up to 6.0, raw heads beside it", "[1,3N,85] and [1,3,h,w,85]", heads.yolov5_with_heads, YOLOV5, "yolov5", how=SHAPE),
    Row("YOLOv7 with --grid", "[1,3N,85]", heads.yolov5, YOLOV7, "yolov5", how=SHAPE),
    Row("YOLOv6", "[1,N,85]", heads.yolov6, YOLOV6, "yolov6", how="shape, then values (objectness is always 1)"),
    v8("YOLOv8, 80 classes", "[1,84,N]"),
    v8("YOLO11, YOLO12, two classes", "[1,6,N]", names=TWO, classes=2, car=1),
    v8("YOLOv8, one class", "[1,5,N]", names=ONE, classes=1, car=0),
    v8("YOLOv8, 1000 classes", "[1,1004,N]", names=str({**dict.fromkeys(range(1000), "thing"), 7: "car"}), classes=1000, car=7),
    v8("YOLOv8, no names, COCO's 80 classes", "[1,84,N]", names=""),
    v8("YOLOv8, no names, three classes", "[1,7,N]", names="", classes=3, said={"classes": ["bus", "bicycle", "car"]}),
    Row("YOLOv8 to YOLO12 with nms=True", "[1,300,6]", heads.end_to_end, ULTRALYTICS, "yolo-end-to-end", how=SHAPE_VALUES, names=COCO),
    Row("the same of two classes", "[1,300,6]", heads.end_to_end, ULTRALYTICS, "yolo-end-to-end", how=SHAPE_VALUES, names=TWO, classes=2, car=1),
    Row("YOLOv10, YOLO26 (end to end), no names", "[1,300,6]", heads.end_to_end_of_all, ULTRALYTICS, "yolo-end-to-end", how="shape, then values (class numbers reach over 40)"),
    Row("YOLOv7 with --end2end --max-wh", "[n,7]", heads.yolo_nms, YOLOV7, "yolo-nms", how=SHAPE, said={"classes": "coco"}),
    Row("YOLOv6, v7, v9 with --end2end, by operators of ONNX instead of TensorRT", "num_dets, det_boxes, det_scores, det_classes", heads.efficient_nms, YOLOV6, "efficient-nms", how=NAMES, said={"classes": "coco"}),
    Row("YOLOX", "[1,N,85]", heads.yolox, YOLOX, "yolox", how=SHAPE_VALUES),
    Row("YOLOX with --decode_in_inference", "[1,N,85]", heads.yolox_decoded, YOLOX, "yolox-decoded", how=SHAPE_VALUES),
    Row("YOLOX, one class", "[1,N,6]", heads.yolox, YOLOX, "yolox", how=SHAPE_VALUES, classes=1, car=0, said={"classes": ["car"]}),
    Row("YOLOX decoded, one class", "[1,N,6]", heads.yolox_decoded, YOLOX, "yolox-decoded", how=SHAPE_VALUES, classes=1, car=0, said={"classes": ["car"]}),
    Row("NanoDet-Plus", "[1,N,112]", heads.nanodet_plus, NANODET, "nanodet-plus", how=SHAPE, input_name="data"),
    Row("NanoDet (before Plus)", "cls_pred_stride_8 [1,n,80], dis_pred_stride_8 [1,n,32], …", heads.nanodet, NANODET, "nanodet", how=SHAPE, input_name="data"),
    Row("RT-DETR", "labels, boxes, scores", heads.detr, RTDETR, "detr", how=NAMES, shape=("N", 3, HEIGHT, WIDTH), more_inputs=(SIZES,)),
    Row("D-FINE, DEIM, DEIMv2", "labels, boxes, scores", heads.detr, DFINE, "detr", how=NAMES, shape=("N", 3, HEIGHT, WIDTH), more_inputs=(SIZES,)),
    Row("D-FINE, one class", "labels, boxes, scores", heads.detr, DFINE, "detr", how=NAMES, more_inputs=(SIZES,), classes=1, car=0, said={"classes": ["car"]}),
    Row("RT-DETR of Ultralytics", "[1,300,84]", heads.ultralytics_detr, ULTRALYTICS, "ultralytics-detr", how=SHAPE_VALUES, names=COCO),
    Row("the same of two classes", "[1,300,6]", heads.ultralytics_detr, ULTRALYTICS, "ultralytics-detr", how=SHAPE_VALUES, names=TWO, classes=2, car=1),
    Row("RT-DETR, D-FINE of Transformers", "logits [1,300,80], pred_boxes [1,300,4]", heads.transformers_detr, TRANSFORMERS, "raw-detr", how=SHAPE_VALUES, input_name="pixel_values", shape=("batch_size", "num_channels", "height", "width"), said={"input": {"size": [WIDTH, HEIGHT]}}),
    Row("RF-DETR", "dets [1,300,4], labels [1,300,91]", heads.rf_detr, RFDETR, "rf-detr", how=NAMES, classes=91, car=3, input_name="input"),
    Row("RF-DETR, two classes", "dets [1,300,4], labels [1,300,3]", heads.rf_detr, RFDETR, "rf-detr", how=NAMES, classes=3, car=1, input_name="input", said={"classes": ["none", "car", "bus"]}),
    Row("TensorFlow's detectors", "num_detections, detection_boxes, detection_scores, detection_classes", heads.tf_detection, TF, "tf-detection", how=NAMES, classes=91, car=3, shape=(1, "height", "width", 3), size=(640, 640), takes="uint8", input_name="input_tensor", said={"classes": "coco"}),
    v8("half precision", "[1,84,N] float16", takes="float16", gives="float16"),
    v8("bytes as input", "[1,84,N], input uint8", takes="uint8"),
    v8("double precision", "[1,84,N] float64", takes="float64", gives="float64"),
    v8("channels last (NHWC)", "[1,84,N], input [1,H,W,3]", shape=(1, HEIGHT, WIDTH, 3)),
    v8("open batch, height and width", "[1,84,N], input [batch,3,height,width]", shape=("batch", 3, "height", "width"), metadata={"imgsz": f"[{HEIGHT}, {WIDTH}]"}),
    v8("the same, size not said", "[1,84,N], input [batch,3,height,width]", shape=("batch", 3, "height", "width"), size=(640, 640)),
    v8("the same, another size", "[1,84,N], input [batch,3,height,width]", shape=("batch", 3, "height", "width"), said={"input": {"size": [WIDTH, HEIGHT]}}),
    v8("opset 21", "[1,84,N]", opset=21, ir=10),
    v8("trained on stretched pictures", "[1,84,N]", said={"input": {"letterbox": False}}),
    v8("boxes in fractions", "[1,84,N]", head=heads.yolov8_fractions, said={"boxes": "fractions"}),
)  # fmt: skip

REFUSED = (
    v8("a batch of four", "[4,84,N]", layout="", shape=(4, 3, HEIGHT, WIDTH), refused=r"images\[4, 3, 96, 128\].*: 4 pictures at once; export it with a batch of 1", how="several runs of one picture cost no less"),
    v8("boxes in fractions, not said so", "[1,84,N]", head=heads.yolov8_fractions, layout="", refused=r'boxes reach only to [01]\.\d+: fractions.*own\.json: \{"boxes": "fractions"\}', how="values"),
    v8("class scores before the sigmoid", "[1,84,N]", head=heads.yolov8_logits, layout="", refused=r"output0\[1, 84, 252\], but not yolov8: its scores reach from -6 to", how="values"),
    v8("no names, three classes", "[1,7,N]", names="", classes=3, layout="", refused=r'output0\[1, 7, 252\].* yolov8 of 3: name all in own\.json: \{"classes"', how="nothing says what the classes are"),
    v8("names that are none", "[1,84,N]", names="names.txt", layout="", refused=r"names: 'names\.txt'; name them in the \.json", how="metadata"),
    v8("no vehicle among the classes", "[1,6,N]", names="{0: 'cat', 1: 'dog'}", classes=2, car=1, layout="", refused="cat, dog: no vehicle among them", how="metadata"),
    v8("segmentation", "[1,116,N], [1,32,h,w]", head=heads.segmentation, layout="", metadata={"task": "segment"}, refused="its task is 'segment'; expected detect", how="metadata; likewise pose, obb and classify"),
    Row("YOLOv5 with --train, YOLOv7 without --grid", "[1,3,h,w,85] three times", heads.raw_heads, YOLOV7, refused=r"raw heads of YOLOv5 or 7.*--grid", how="its anchors are not in the file"),
    Row("YOLOX, one class, not named", "[1,N,6]", heads.yolox, YOLOX, classes=1, car=0, refused=r'output\[1, 252, 6\].*own\.json: \{"', how="nothing says what the class is"),
    Row("YOLOv6, v7 with --end2end, not named", "num_dets, det_boxes, det_scores, det_classes", heads.efficient_nms, YOLOV6, refused=r'efficient-nms, and nothing names its classes.*own\.json: \{"classes"', how="nothing says what the classes are"),
    Row("RT-DETR, D-FINE, one class, not named", "labels, boxes, scores", heads.detr, DFINE, more_inputs=(SIZES,), classes=1, car=0, refused=r'detr, and nothing names its classes.*own\.json: \{"classes"', how="class numbers do not reach over 40"),
    Row("RT-DETR, D-FINE of Objects365, not named", "labels, boxes, scores", heads.detr, DFINE, more_inputs=(SIZES,), classes=365, car=5, refused=r"detr, and nothing names its classes \(numbers up to 298", how="class numbers reach over 79"),
    Row("RF-DETR, two classes named of three columns", "dets [1,300,4], labels [1,300,3]", heads.rf_detr, RFDETR, classes=3, car=1, names=TWO, refused=r'labels\[1, 300, 3\].*RF-DETR has one column more than classes: name each', how="which column is unused is not said"),
    Row("DETR with softmax (facebook/detr)", "logits [1,100,92], pred_boxes [1,100,4]", heads.transformers_detr, TRANSFORMERS, classes=92, refused=r"logits\[1, 300, 92\], pred_boxes\[1, 300, 4\].*understood are", how="92 columns are no classes of COCO"),
    Row("YOLO-NAS, PP-YOLOE, DAMO-YOLO without suppression", "boxes [1,N,4], scores [1,N,80]", heads.yolo_nas, "Deci-AI/super-gradients documentation/source/models_export.md", refused=r"boxes\[1, 252, 4\], scores\[1, 252, 80\], but not raw-detr", how="values: neither logits nor fractions"),
    Row("MMDetection by MMDeploy", "dets [1,n,5], labels [1,n]", heads.mmdeploy, "open-mmlab/mmdeploy configs/mmdet/detection", refused=r"dets\[1, 100, 5\].*export of MMDeploy", how="how its picture is to be given is not in the file"),
    Row("PaddleDetection", "inputs image, im_shape, scale_factor", heads.yolov5, "PaddlePaddle/PaddleDetection tools/export_model.py", more_inputs=(("im_shape", (1, 2), "float32"), ("scale_factor", (1, 2), "float32")), refused=r"takes im_shape\[1, 2\].* beside its picture", how="further inputs"),
    Row("a classifier", "[1,1000]", heads.classifier, ULTRALYTICS, refused=r"output\[1, 1000\].*understood are YOLOX", how=SHAPE),
    Row("grey pictures", "input [1,1,H,W]", heads.yolov5, YOLOV5, shape=(1, 1, HEIGHT, WIDTH), refused=r"takes images\[1, 1, 96, 128\].*expected one float image", how="no three channels"),
    v8("size said of a network that has one", "input [1,3,96,128]", layout="", said={"input": {"size": [640, 640]}}, refused=r"always 128x96; input\.size says 640x640", how="the file beside it"),
    v8("opset of tomorrow", "opset 99", layout="", opset=99, refused="newer than this ONNX Runtime", how="ONNX Runtime"),
    v8("ONNX of tomorrow", "IR 99", layout="", ir=99, refused="newer than this ONNX Runtime", how="ONNX Runtime"),
)  # fmt: skip
ROWS = (*READ, *REFUSED)


def page() -> str:
    """The text of `docs/reference/models.md`."""
    text = PAGE.read_text(encoding="utf-8")
    for mark, rows, header in (
        ("read", READ, "| network | what its exporter makes | read as | recognised by | needed beside it | exporter |"),
        ("refused", REFUSED, "| network | what its exporter makes | why | exporter |"),
    ):  # fmt: skip
        start, end = f"<!-- {mark} -->\n", f"<!-- end of {mark} -->"
        before, rest = text.split(start)
        after = rest.split(end)[1]
        lines = [header, "|" + "---|" * (header.count("|") - 1), *(line(row) for row in rows)]
        text = before + start + "\n".join(lines) + "\n" + end + after
    return text


def line(row: Row) -> str:
    said = f"`{json.dumps(row.said)}`" if row.said else ""
    cells = [row.what, f"`{row.output}`"]
    cells += [f"`{row.layout}`", row.how, said] if row.layout else [row.how]
    return f"| {' | '.join([*cells, row.source])} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
