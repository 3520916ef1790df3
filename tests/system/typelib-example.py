"""Prints the results on every frame that passes a pad, by the typelib of libgstvigil:
pad.add_probe(Gst.PadProbeType.BUFFER, print_results)"""
import gi
gi.require_version("Gst", "1.0")
gi.require_version("GstVigil", "1.0")
from gi.repository import Gst, GstVigil


def print_results(pad, info):
    for meta in GstVigil.buffer_get_metas(info.get_buffer()):
        for result in meta.get_results():
            detected, label, _, score = result.get_detection()
            if not detected and result.get_n_classes():
                label, score = result.get_class(0).label, result.get_class(0).score
            print(result.get_region_pixels(*meta.get_frame_size()), label, score)
    return Gst.PadProbeReturn.OK
