"""The door holds every name of the reference's interface, each the very object of ours, and no logic."""

from __future__ import annotations

import ast
import importlib
import inspect
from pathlib import Path

import pytest

import picasso
import picasso.draw
import picasso.encode
import picasso.module.params
import picasso.primitives
import picasso.surface
import picasso.trace
import picasso.transform
from picasso import savant_rs

HOME = Path(savant_rs.__file__).parent
ROOMS = (
    picasso,
    picasso.draw,
    picasso.encode,
    picasso.primitives,
    picasso.surface,
    picasso.trace,
    picasso.transform,
    picasso.module.params,
)
DOORS = (
    "picasso",
    "deepstream",
    "draw_spec",
    "gstreamer",
    "match_query",
    "primitives",
    "primitives.geometry",
    "utils",
    "utils.serialization",
)

# Class of the engine's interface: what its constructor takes ("" where it is not called), what else it has.
INTERFACE = {
    "Av1DgpuProps": (
        "bitrate=None control_rate=None iframeinterval=None idrinterval=None preset=None tuning_info=None "
        "qp_range=None max_bitrate=None vbv_buf_size=None vbv_init=None cq=None aq=None temporal_aq=None",
        "",
    ),
    "CallbackInvocationOrder": (
        "",
        "GpuMatSkia GpuMatSkiaGpuMat SkiaGpuMat from_name",
    ),
    "Callbacks": (
        "on_encoded_frame=None on_bypass_frame=None on_render=None on_object_draw_spec=None "
        "on_gpumat=None on_eviction=None",
        "",
    ),
    "CodecSpec": (
        "",
        "bypass drop_frames encode is_bypass is_drop is_encode",
    ),
    "ConditionalSpec": (
        "encode_attribute=None render_attribute=None",
        "",
    ),
    "DgpuPreset": (
        "",
        "P1 P2 P3 P4 P5 P6 P7 from_name",
    ),
    "EncoderConfig": (
        "codec width height",
        "encoder_params format fps fps_den fps_num gpu_id mem_type properties",
    ),
    "EncoderProperties": (
        "",
        "av1_dgpu h264_dgpu h264_jetson hevc_dgpu hevc_jetson jpeg png",
    ),
    "EvictionDecision": (
        "",
        "keep_for terminate terminate_immediately",
    ),
    "GeneralSpec": (
        "name='picasso' idle_timeout_secs=30 inflight_queue_size=8",
        "",
    ),
    "H264DgpuProps": (
        "bitrate=None control_rate=None profile=None iframeinterval=None idrinterval=None preset=None "
        "tuning_info=None qp_range=None const_qp=None init_qp=None max_bitrate=None vbv_buf_size=None "
        "vbv_init=None cq=None aq=None temporal_aq=None extended_colorformat=None",
        "",
    ),
    "H264JetsonProps": (
        "bitrate=None control_rate=None profile=None iframeinterval=None idrinterval=None "
        "preset_level=None peak_bitrate=None vbv_size=None qp_range=None quant_i_frames=None "
        "quant_p_frames=None ratecontrol_enable=None maxperf_enable=None two_pass_cbr=None "
        "num_ref_frames=None insert_sps_pps=None insert_aud=None insert_vui=None disable_cabac=None",
        "",
    ),
    "H264Profile": (
        "",
        "BASELINE HIGH HIGH444 MAIN from_name",
    ),
    "HevcDgpuProps": (
        "bitrate=None control_rate=None profile=None iframeinterval=None idrinterval=None preset=None "
        "tuning_info=None qp_range=None const_qp=None init_qp=None max_bitrate=None vbv_buf_size=None "
        "vbv_init=None cq=None aq=None temporal_aq=None extended_colorformat=None",
        "",
    ),
    "HevcJetsonProps": (
        "bitrate=None control_rate=None profile=None iframeinterval=None idrinterval=None "
        "preset_level=None peak_bitrate=None vbv_size=None qp_range=None quant_i_frames=None "
        "quant_p_frames=None ratecontrol_enable=None maxperf_enable=None two_pass_cbr=None "
        "num_ref_frames=None enable_lossless=None",
        "",
    ),
    "HevcProfile": (
        "",
        "FREXT MAIN MAIN10 from_name",
    ),
    "JetsonPresetLevel": (
        "",
        "DISABLED FAST MEDIUM SLOW ULTRA_FAST from_name",
    ),
    "JpegProps": (
        "quality=None",
        "",
    ),
    "ObjectDrawSpec": (
        "",
        "insert is_empty len lookup",
    ),
    "OutputMessage": (
        "",
        "as_eos as_video_frame is_eos is_video_frame",
    ),
    "PicassoEngine": (
        "general callbacks",
        "remove_source_spec send_eos send_frame set_source_spec shutdown",
    ),
    "Platform": (
        "",
        "DGPU JETSON from_name",
    ),
    "PngProps": (
        "compression_level=None",
        "",
    ),
    "RateControl": (
        "",
        "CONSTANT_BITRATE CONSTANT_QP VARIABLE_BITRATE from_name",
    ),
    "SourceSpec": (
        "codec=None conditional=None draw=None font_family=Ellipsis idle_timeout_secs=None "
        "use_on_render=False use_on_gpumat=False callback_order=Ellipsis",
        "",
    ),
    "TuningPreset": (
        "",
        "HIGH_QUALITY LOSSLESS LOW_LATENCY ULTRA_LOW_LATENCY from_name",
    ),
}

ENCODING = {
    "Av1DgpuProps", "Av1JetsonProps", "DgpuPreset", "EncoderConfig", "EncoderProperties", "H264DgpuProps",
    "H264JetsonProps", "H264Profile", "HevcDgpuProps", "HevcJetsonProps", "HevcProfile", "JetsonPresetLevel",
    "JpegProps", "Platform", "PngProps", "RateControl", "TuningPreset",
}  # fmt: skip
NAMES = {
    "picasso": {*INTERFACE, "Av1JetsonProps", "PtsResetPolicy", "StreamResetReason"},
    "deepstream": ENCODING
    | {
        "BufferGenerator", "ComputeMode", "DstPadding", "Interpolation", "MIN_EFFECTIVE_DIM", "MemType", "Padding",
        "Rect", "SavantIdMetaKind", "SharedBuffer", "SurfaceView", "TransformConfig", "VideoFormat",
        "get_nvbufsurface_info", "get_savant_id_meta", "gpu_architecture", "gpu_mem_used_mib", "gpu_platform_tag",
        "has_nvenc", "init_cuda", "is_jetson_kernel", "jetson_model",
    },
    "draw_spec": {
        "BBoxSource", "BoundingBoxDraw", "ColorDraw", "DotDraw", "LabelDraw", "LabelPosition", "LabelPositionKind",
        "ObjectDraw", "PaddingDraw", "SetDrawLabelKind",
    },
    "gstreamer": {"Codec"},
    "match_query": {
        "EtcdCredentials", "FloatExpression", "IntExpression", "MatchQuery", "QueryFunctions", "StringExpression",
        "TlsConfig", "config_resolver_name", "env_resolver_name", "etcd_resolver_name",
        "register_config_resolver", "register_env_resolver", "register_etcd_resolver", "register_utility_resolver",
        "unregister_resolver", "update_config_resolver", "utility_resolver_name",
    },
    "utils": {
        "BBoxMetricType", "ByteBuffer", "PropagatedContext", "TelemetrySpan", "VideoObjectBBoxTransformation",
        "eval_expr",
    },
    "utils.serialization": {
        "Message", "load_message", "load_message_from_bytebuffer", "load_message_from_bytes", "save_message",
        "save_message_to_bytebuffer", "save_message_to_bytes",
    },
    "primitives": {
        "Attribute", "AttributeUpdatePolicy", "AttributeValue", "AttributeValueType", "BorrowedVideoObject",
        "EndOfStream", "IdCollisionResolutionPolicy", "ObjectUpdatePolicy", "Shutdown", "UserData", "VideoFrame",
        "VideoFrameBatch", "VideoFrameContent", "VideoFrameTranscodingMethod", "VideoFrameTransformation",
        "VideoFrameUpdate", "VideoObject", "VideoObjectBBoxTransformation", "VideoObjectsView",
    },
    "primitives.geometry": {"BBox", "Intersection", "IntersectionKind", "Point", "PolygonalArea", "RBBox", "Segment"},
}  # fmt: skip


def door(name):
    return importlib.import_module(f"picasso.savant_rs.{name}")


@pytest.mark.parametrize("name", DOORS)
def test_a_door_has_its_names_and_no_others(name):
    assert set(door(name).__all__) == NAMES[name]


@pytest.mark.parametrize("name", DOORS)
def test_behind_a_door_is_the_very_same_object(name):
    for exported in door(name).__all__:
        ours = [vars(room)[exported] for room in ROOMS if exported in vars(room)]
        assert ours
        assert all(getattr(door(name), exported) is one for one in ours)


@pytest.mark.parametrize("name", INTERFACE)
def test_the_interface_is_there(name):
    constructor, members = INTERFACE[name]
    ours = getattr(door("picasso"), name)
    parameters = inspect.signature(ours).parameters
    expected = [parameter.partition("=") for parameter in constructor.split()]
    for given, (parameter, _, default) in zip(parameters.values(), expected, strict=False):
        assert given.name == parameter
        if default == "":
            assert given.default is inspect.Parameter.empty
        elif default != "Ellipsis":
            assert given.default == ast.literal_eval(default)
    positional = [p for p in parameters.values() if p.kind is not inspect.Parameter.KEYWORD_ONLY]
    assert len(positional) >= len(expected)
    for member in members.split():
        assert hasattr(ours, member), member
    if expected and all(default for _, _, default in expected):
        made = ours()
        assert all(hasattr(made, parameter) for parameter, _, _ in expected)


def test_the_doors_hold_no_logic():
    files = sorted(HOME.rglob("*.py"))
    assert {".".join(file.relative_to(HOME).with_suffix("").parts) for file in files} == {
        *(name for name in DOORS if name not in {"primitives", "utils"}),
        "primitives.__init__",
        "utils.__init__",
        "__init__",
    }
    for file in files:
        docstring, *rest = ast.parse(file.read_text()).body
        assert isinstance(docstring, ast.Expr)
        for statement in rest:
            assert isinstance(statement, ast.ImportFrom | ast.Assign), file
            if isinstance(statement, ast.Assign):
                assert ast.unparse(statement.targets[0]) == "__all__", file


def test_code_for_the_reference_changes_its_import_lines_only():
    from picasso.savant_rs import match_query, primitives
    from picasso.savant_rs.primitives.geometry import RBBox

    frame = primitives.VideoFrame(
        source_id="cam-1",
        framerate="30/1",
        width=1280,
        height=720,
        content=primitives.VideoFrameContent.external("zeromq", None),
        transcoding_method=primitives.VideoFrameTranscodingMethod.Copy,
        codec="jpeg",
        keyframe=True,
        time_base=(1, 10**9),
        pts=0,
        dts=None,
        duration=33333333,
    )
    frame.add_transformation(primitives.VideoFrameTransformation.initial_size(1280, 720))
    color = primitives.AttributeValue.string("red", 0.9)
    frame.create_object(
        namespace="detector",
        label="person",
        parent_id=None,
        confidence=0.87,
        detection_box=RBBox(400, 300, 200, 100, None),
        track_id=7,
        track_box=RBBox(400, 300, 200, 100, None),
        attributes=[primitives.Attribute.persistent("color_model", "color", [color], None, False)],
    )
    frame.set_persistent_attribute("default", "draw", False, None, [primitives.AttributeValue.boolean(True)])
    for found in frame.access_objects(match_query.MatchQuery.idle()):
        assert (found.namespace, found.label, found.confidence, found.track_id) == ("detector", "person", 0.87, 7)
        assert found.detection_box.as_xcycwh() == (400, 300, 200, 100)
        assert found.get_attribute("color_model", "color").values[0].as_string() == "red"
