#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""One runtime with one network, in a process of its own: the benches talk to it through
`blocks.Contestant`.

    contestant.py JSON      {"runtime": ..., "threads": N, ...}, the rest as its class says

It says what it is in a line of JSON, then answers commands, one a line:
    outputs FILE    runs once and writes what came out, each array flat, as .npz
    block MS        runs for so many milliseconds, twice at least: the times of each run
"""
import json
import os
import sys
import time

import numpy

WARM_UP_RUNS, WARM_UP_MS = 3, 200


class Vigil:
    """library; and folder, or variant and classes for formula weights without a file;
    side of the input, where it is not the network's own."""

    def __init__(self, job):
        import vigil_library

        folder = job.get("folder")
        file = folder and os.path.join(folder, "model.safetensors")
        self.session = vigil_library.Session(job["library"], job["threads"], file,
                                             job.get("variant"), job.get("classes"),
                                             job.get("side", 0))
        x = folder and numpy.load(os.path.join(folder, "input.npy"))[0].transpose(1, 2, 0)
        self.session.fill(x)
        self.run, self.about = self.session.run, f"vigil, {self.session.isa()}"

    def outputs(self):
        """As the networks of models/training have them: anchors of all levels in a row,
        maps channel by channel."""
        found = self.session.outputs()
        if "low" in found:
            return [found["low"].transpose(2, 0, 1)]
        kinds = {}
        for name, a in found.items():
            kinds.setdefault(name.split("_")[0], []).append(a.ravel())
        return [numpy.concatenate(levels) for levels in kinds.values()]


class OnnxRuntime:
    """folder; and onnxruntime, a libonnxruntime.so, in place of the Python package.  One
    thread for operators in a row, all graph optimisations, no copies."""

    def __init__(self, job):
        model = os.path.join(job["folder"], "model.onnx")
        x = numpy.load(os.path.join(job["folder"], "input.npy"))
        if job.get("onnxruntime"):
            import onnxruntime_library

            session = onnxruntime_library.Session(job["onnxruntime"], model,
                                                  job["threads"], x)
            self.run, self.outputs = session.run, session.outputs
            self.about = f"ONNX Runtime {session.version}"
        else:
            self.take_package(model, job["threads"], x)

    def take_package(self, model, threads, x):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        session = onnxruntime.InferenceSession(model, options, ["CPUExecutionProvider"])
        binding = session.io_binding()
        self.x = onnxruntime.OrtValue.ortvalue_from_numpy(x)
        binding.bind_ortvalue_input("input", self.x)
        for output in session.get_outputs():
            binding.bind_output(output.name)
        self.run = lambda: session.run_with_iobinding(binding)
        self.outputs = binding.copy_outputs_to_cpu
        self.about = f"ONNX Runtime {onnxruntime.__version__}"


class OpenVino:
    """folder.  Float32 arithmetic; oneDNN inside it obeys ONEDNN_MAX_CPU_ISA."""

    def __init__(self, job):
        import openvino

        compiled = openvino.Core().compile_model(
            os.path.join(job["folder"], "model.onnx"), "CPU",
            {"INFERENCE_NUM_THREADS": job["threads"], "PERFORMANCE_HINT": "LATENCY",
             "INFERENCE_PRECISION_HINT": "f32"})
        self.request = compiled.create_infer_request()
        self.x = openvino.Tensor(numpy.load(os.path.join(job["folder"], "input.npy")))
        self.request.set_input_tensor(self.x)
        self.n = len(compiled.outputs)
        self.run, self.about = self.request.infer, f"OpenVINO {openvino.__version__}"

    def outputs(self):
        return [self.request.get_output_tensor(i).data for i in range(self.n)]


RUNTIMES = {"vigil": Vigil, "onnxruntime": OnnxRuntime, "openvino": OpenVino}


def block(run, ms):
    """Milliseconds of each run: by the clock, and of processor time of the process."""
    clock, cpu, times = time.perf_counter_ns, time.process_time_ns, {"wall": [], "cpu": []}
    end = clock() + ms * 1e6
    while len(times["wall"]) < 2 or clock() < end:
        start, start_cpu = clock(), cpu()
        run()
        times["cpu"].append((cpu() - start_cpu) / 1e6)
        times["wall"].append((clock() - start) / 1e6)
    return times


def say(what):
    print(json.dumps(what), file=replies, flush=True)


def main():
    job = json.loads(sys.argv[1])
    runtime = RUNTIMES[job["runtime"]](job)
    for _ in range(WARM_UP_RUNS):
        runtime.run()
    block(runtime.run, WARM_UP_MS)
    say({"about": runtime.about})
    for line in sys.stdin:
        command, argument = line.split(maxsplit=1)
        if command == "outputs":
            runtime.run()
            arrays = [numpy.asarray(a, numpy.float32).ravel() for a in runtime.outputs()]
            numpy.savez(argument.strip(), *arrays)
            say({})
        else:
            say(block(runtime.run, float(argument)))


if __name__ == "__main__":
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no reply
    main()
