#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Results written and read from Python, through the typelib; prints TAP."""
import contextlib
import importlib.util
import io
import os
import sys

try:
    import gi
    gi.require_version("Gst", "1.0")
    gi.require_version("GstVigil", "1.0")
    from gi.repository import GLib, Gst, GstVigil
except (ImportError, ValueError) as missing:
    print(f"1..0 # SKIP {missing}")
    sys.exit(0)

cases = []


def case(function):
    cases.append(function)


def frame(pts):
    buffer = Gst.Buffer.new_allocate(None, 64 * 48 * 3, None)
    buffer.pts = pts
    meta = GstVigil.buffer_add_vigil_meta(
        buffer, "classify0", "EMO_1M", GstVigil.Task.CLASSIFICATION, 64, 48, pts)
    whole = GstVigil.Result.new_full_frame()
    whole.add_class(3, 0.75, "street")
    whole.add_class(1, 0.25, None)
    region = GstVigil.Result.new_region(0.25, 0.5, 0.5, 0.25)
    region.add_class(7, 0.5, "person")
    region.set_parent_id(whole.get_id())
    meta.add_result(whole)
    meta.add_result(region)
    return buffer


def load_example():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "typelib-example.py")
    spec = importlib.util.spec_from_file_location("example", path)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    return example


class Probe:
    def __init__(self, buffer):
        self.get_buffer = lambda: buffer


@case
def metas_are_listed():
    metas = GstVigil.buffer_get_metas(frame(5))
    assert len(metas) == 1
    assert GstVigil.buffer_get_metas(Gst.Buffer.new()) == []


@case
def a_meta_tells_where_it_comes_from():
    buffer = frame(5)
    meta, = GstVigil.buffer_get_metas(buffer)
    assert meta.get_source() == "classify0"
    assert meta.get_model() == "EMO_1M"
    assert meta.get_task() == GstVigil.Task.CLASSIFICATION
    assert meta.get_attribute() is None
    assert tuple(meta.get_frame_size()) == (64, 48)
    assert meta.get_pts() == 5 and meta.get_age(9) == 4


@case
def results_have_classes_and_regions():
    buffer = frame(0)
    meta, = GstVigil.buffer_get_metas(buffer)
    whole, region = meta.get_results()
    assert whole.is_full_frame() and not region.is_full_frame()
    classes = [whole.get_class(i) for i in range(whole.get_n_classes())]
    assert [(c.index, c.score, c.label) for c in classes] == [
        (3, 0.75, "street"), (1, 0.25, None)]
    assert whole.get_class(2) is None
    assert tuple(region.get_region()) == (0.25, 0.5, 0.5, 0.25)
    assert tuple(region.get_region_pixels(64, 48)) == (16, 24, 32, 12)
    assert region.get_parent_id() == whole.get_id()
    assert not region.get_detection()[0]


@case
def detections_are_read_back():
    buffer = Gst.Buffer.new()
    meta = GstVigil.buffer_add_vigil_meta(buffer, "d", "ssdlite", GstVigil.Task.DETECTION,
                                          64, 48, 0)
    result = GstVigil.Result.new_region(0.25, 0.5, 0.5, 0.25)
    result.set_detection("person", 3, 0.75)
    meta.add_result(result)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        load_example().print_results(None, Probe(buffer))
    assert printed.getvalue().endswith(" person 0.75\n"), printed.getvalue()
    meta, = GstVigil.buffer_get_metas(buffer)
    assert meta.get_task() == GstVigil.Task.DETECTION
    result, = meta.get_results()
    assert tuple(result.get_detection()) == (True, "person", 3, 0.75)
    assert result.get_n_classes() == 0 and result.get_class(0) is None


@case
def masks_are_read_back():
    buffer = Gst.Buffer.new()
    meta = GstVigil.buffer_add_vigil_meta(
        buffer, "s", "voc", GstVigil.Task.SEGMENTATION, 64, 48, 0)
    result = GstVigil.Result.new_full_frame()
    pixels = bytes([0, 0, 1, 1, 1, 255])
    result.set_mask(GstVigil.Mask.new(0, 0, 0.5, 1, 3, 2, 1, GLib.Bytes.new(pixels),
                                      ["road", "sky"]))
    meta.add_result(result)
    meta, = GstVigil.buffer_get_metas(buffer)
    assert meta.get_task() == GstVigil.Task.SEGMENTATION
    mask = meta.get_results()[0].get_mask()
    del meta, buffer, result
    assert tuple(mask.get_size()) == (3, 2) and mask.get_bytes_per_pixel() == 1
    assert tuple(mask.get_region()) == (0, 0, 0.5, 1)
    assert mask.get_pixels().get_data() == pixels
    classes = [mask.get_class(i) for i in range(mask.get_n_classes())]
    assert [(c.index, round(c.score, 6), c.label) for c in classes] == [
        (1, 0.5, "sky"), (0, 0.333333, "road")]
    assert (mask.get_pixel(0, 0), mask.get_pixel(2, 1)) == (0, -1)
    assert (mask.get_class_at(0.1, 0.9), mask.get_class_at(0.6, 0.1)) == (1, -1)
    assert GstVigil.Result.new_full_frame().get_mask() is None


@case
def results_outlive_their_buffer():
    buffer = frame(0)
    meta, = GstVigil.buffer_get_metas(buffer)
    results = meta.get_results()
    best = results[0].get_class(0)
    del meta, buffer
    for _ in range(100):
        frame(0)
    assert results[1].get_class(0).label == "person"
    del results
    assert (best.label, best.score) == ("street", 0.75)


@case
def the_example_prints_results_at_the_end_of_a_pipeline():
    pipeline = Gst.parse_launch(
        "appsrc name=in format=time caps=video/x-raw,format=RGB,width=64,height=48,"
        "framerate=10/1 ! videoscale add-borders=false ! video/x-raw,width=128,height=96 "
        "! fakesink name=out")
    pipeline.get_by_name("out").get_static_pad("sink").add_probe(
        Gst.PadProbeType.BUFFER, load_example().print_results)
    pipeline.set_state(Gst.State.PLAYING)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        source = pipeline.get_by_name("in")
        for i in range(3):
            source.emit("push-buffer", frame(i * Gst.SECOND // 10))
        source.emit("end-of-stream")
        message = pipeline.get_bus().timed_pop_filtered(
            10 * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR)
        pipeline.set_state(Gst.State.NULL)
    assert message and message.type == Gst.MessageType.EOS
    lines = printed.getvalue().splitlines()
    assert len(lines) == 6, lines
    assert lines[0].endswith("street 0.75"), lines
    assert "x=32, y=48, width=64, height=24" in lines[1], lines


Gst.init(None)
failed = 0
for number, function in enumerate(cases, 1):
    name = function.__name__.replace("_", " ")
    try:
        function()
        print(f"ok {number} - {name}")
    except Exception as error:  # whatever it is, it is this case that failed
        failed += 1
        print(f"not ok {number} - {name}\n# {type(error).__name__}: {error}")
print(f"1..{len(cases)}")
sys.exit(failed != 0)
