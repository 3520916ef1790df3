# SPDX-License-Identifier: LGPL-2.1-or-later
"""libonnxruntime through ctypes: as much of its C API as a contestant needs.  For releases
that no Python package of the distribution has."""
import ctypes

import numpy

API_VERSION = 17  # the order of functions never changes, newer releases append to it
# Places in the table OrtApi of onnxruntime_c_api.h.
PLACES = dict(
    GetErrorMessage=2, CreateEnv=3, CreateSession=7, CreateSessionOptions=10,
    SetSessionExecutionMode=13, SetSessionGraphOptimizationLevel=23,
    SetIntraOpNumThreads=24, SetInterOpNumThreads=25, SessionGetOutputCount=31,
    SessionGetOutputName=37, CreateTensorWithDataAsOrtValue=49, GetTensorMutableData=51,
    GetTensorShapeElementCount=64, GetTensorTypeAndShape=65, CreateCpuMemoryInfo=69,
    GetAllocatorWithDefaultOptions=78, RunWithBinding=133, CreateIoBinding=134,
    BindInput=136, BindOutputToDevice=138, GetBoundOutputValues=140)
SEQUENTIAL, ALL_OPTIMISATIONS, LOG_ERRORS, FLOAT32 = 0, 99, 3, 1
ARENA_ALLOCATOR, DEFAULT_MEMORY = 1, 0


class ApiBase(ctypes.Structure):
    _fields_ = [("get_api", ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_uint32)),
                ("version", ctypes.CFUNCTYPE(ctypes.c_char_p))]


class Session:
    """A network of one input, "input".  Lives as long as the process."""

    def __init__(self, library, path, threads, x):
        get = ctypes.CDLL(library).OrtGetApiBase
        get.restype = ctypes.POINTER(ApiBase)
        base = get().contents
        self.version = base.version().decode()
        table = base.get_api(API_VERSION)
        if not table:
            raise SystemExit(f"ONNX Runtime {self.version} has no API {API_VERSION}")
        self.table = ctypes.cast(table, ctypes.POINTER(ctypes.c_void_p))
        options = self.made("CreateSessionOptions")
        self.call("SetSessionExecutionMode", options, SEQUENTIAL)
        self.call("SetSessionGraphOptimizationLevel", options, ALL_OPTIMISATIONS)
        self.call("SetIntraOpNumThreads", options, threads)
        self.call("SetInterOpNumThreads", options, 1)
        env = self.made("CreateEnv", LOG_ERRORS, b"bench")
        self.session = self.made("CreateSession", env, path.encode(), options)
        self.allocator = self.made("GetAllocatorWithDefaultOptions")
        self.bind(numpy.ascontiguousarray(x, numpy.float32))

    def call(self, name, *arguments):
        function = ctypes.CFUNCTYPE(ctypes.c_void_p)(self.table[PLACES[name]])
        status = function(*arguments)
        if status:
            message = ctypes.CFUNCTYPE(ctypes.c_char_p)(self.table[PLACES["GetErrorMessage"]])
            raise SystemExit(f"ONNX Runtime, {name}: "
                             f"{message(ctypes.c_void_p(status)).decode()}")

    def made(self, name, *arguments):
        """What a function gives through its last argument, a pointer or a size."""
        value = ctypes.c_void_p()
        self.call(name, *arguments, ctypes.byref(value))
        return ctypes.c_void_p(value.value)

    def bind(self, x):
        memory = self.made("CreateCpuMemoryInfo", ARENA_ALLOCATOR, DEFAULT_MEMORY)
        shape = (ctypes.c_int64 * x.ndim)(*x.shape)
        self.x = x  # is read in its place
        tensor = self.made("CreateTensorWithDataAsOrtValue", memory,
                           ctypes.c_void_p(x.ctypes.data), ctypes.c_size_t(x.nbytes), shape,
                           ctypes.c_size_t(x.ndim), FLOAT32)
        self.binding = self.made("CreateIoBinding", self.session)
        self.call("BindInput", self.binding, b"input", tensor)
        count = self.made("SessionGetOutputCount", self.session).value
        for i in range(count or 0):
            name = self.made("SessionGetOutputName", self.session, ctypes.c_size_t(i),
                             self.allocator)
            self.call("BindOutputToDevice", self.binding, name, memory)
        run = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p,
                               ctypes.c_void_p)(self.table[PLACES["RunWithBinding"]])
        session, binding = self.session, self.binding
        self.run = lambda: run(session, None, binding)

    def outputs(self):
        values = ctypes.POINTER(ctypes.c_void_p)()
        count = ctypes.c_size_t()
        self.call("GetBoundOutputValues", self.binding, self.allocator,
                  ctypes.byref(values), ctypes.byref(count))
        return [self.array(ctypes.c_void_p(values[i])) for i in range(count.value)]

    def array(self, tensor):
        shape = self.made("GetTensorTypeAndShape", tensor)
        n = self.made("GetTensorShapeElementCount", shape).value
        data = ctypes.cast(self.made("GetTensorMutableData", tensor),
                           ctypes.POINTER(ctypes.c_float))
        return numpy.ctypeslib.as_array(data, (n,)).copy()
