// The slots of ONNX Runtime's C function table that Halftone calls. The table only ever grows at its end, so a view that
// stops at the last slot needed holds for every later release; version 21 of the table is what we ask for.
// kernels/test/ort-api.test.ts compares every slot with a list taken from the full header, and with that header itself.
#pragma once
#include <cstddef>
#include <cstdint>

#ifdef _WIN32
#define ORT_CALL __stdcall
#else
#define ORT_CALL
#endif

namespace halftone::ort {

constexpr uint32_t api_version = 21;

#ifdef _WIN32
using PathChar = wchar_t;
#else
using PathChar = char;
#endif

enum LoggingLevel { log_fatal = 4 };
enum ErrorCode { general_failure = 1, invalid_argument = 2 };
enum OptimizationLevel { optimize_none = 0, optimize_basic = 1, optimize_extended = 2, optimize_all = 99 };
enum AllocatorType { arena_allocator = 1 };
enum MemoryType { default_memory = 0 };
enum Characteristic { required_value = 0, optional_value = 1 };

// The numbers of ONNX files, by which the runtime makes tensors. It reports the last three by other numbers: reported().
enum ElementType {
  type_undefined, type_float32, type_uint8, type_int8, type_uint16, type_int16, type_int32, type_int64, type_string, type_bool, type_float16,
  type_float64, type_uint32, type_uint64, type_complex64, type_complex128, type_bfloat16, type_float8e4m3fn, type_float8e4m3fnuz,
  type_float8e5m2, type_float8e5m2fnuz, type_uint4, type_int4, type_float4e2m1, type_float8e8m0, type_uint2, type_int2,
};

// The element type that the runtime means by a number it gives (1.30: the order of its C enumeration).
constexpr ElementType reported(ElementType number) {
  constexpr ElementType last[] = {type_uint2, type_int2, type_float8e8m0};
  return number < type_float8e8m0 ? number : last[number - type_float8e8m0];
}

struct Allocator;
struct ArenaConfig;
struct CudaOptions;
struct CustomOp;
struct CustomOpDomain;
struct Env;
struct KernelContext;
struct KernelInfo;
struct MemoryInfo;
struct RunOptions;
struct Session;
struct SessionOptions;
struct Status;
struct TensorInfo;
struct TypeInfo;
struct Value;

struct Api {
  Status* (ORT_CALL* CreateStatus)(int code, const char* message);
  const void* gap_1[1];
  const char* (ORT_CALL* GetErrorMessage)(const Status*);
  Status* (ORT_CALL* CreateEnv)(LoggingLevel, const char* name, Env**);
  const void* gap_4[2];
  Status* (ORT_CALL* DisableTelemetryEvents)(const Env*);
  Status* (ORT_CALL* CreateSession)(const Env*, const PathChar* path, const SessionOptions*, Session**);
  Status* (ORT_CALL* CreateSessionFromArray)(const Env*, const void* model, size_t bytes, const SessionOptions*, Session**);
  Status* (ORT_CALL* Run)(Session*, const RunOptions*, const char* const* input_names, const Value* const* inputs, size_t input_count,
                           const char* const* output_names, size_t output_count, Value** outputs);
  Status* (ORT_CALL* CreateSessionOptions)(SessionOptions**);
  const void* gap_11[6];
  Status* (ORT_CALL* DisableMemPattern)(SessionOptions*);
  const void* gap_18[1];
  Status* (ORT_CALL* DisableCpuMemArena)(SessionOptions*);
  const void* gap_20[3];
  Status* (ORT_CALL* SetSessionGraphOptimizationLevel)(SessionOptions*, OptimizationLevel);
  Status* (ORT_CALL* SetIntraOpNumThreads)(SessionOptions*, int count);
  const void* gap_25[1];
  Status* (ORT_CALL* CreateCustomOpDomain)(const char* name, CustomOpDomain**);
  Status* (ORT_CALL* CustomOpDomain_Add)(CustomOpDomain*, const CustomOp*);
  Status* (ORT_CALL* AddCustomOpDomain)(SessionOptions*, CustomOpDomain*);
  const void* gap_29[1];
  Status* (ORT_CALL* SessionGetInputCount)(const Session*, size_t*);
  Status* (ORT_CALL* SessionGetOutputCount)(const Session*, size_t*);
  const void* gap_32[1];
  Status* (ORT_CALL* SessionGetInputTypeInfo)(const Session*, size_t index, TypeInfo**);
  Status* (ORT_CALL* SessionGetOutputTypeInfo)(const Session*, size_t index, TypeInfo**);
  const void* gap_35[1];
  Status* (ORT_CALL* SessionGetInputName)(const Session*, size_t index, Allocator*, char**);
  Status* (ORT_CALL* SessionGetOutputName)(const Session*, size_t index, Allocator*, char**);
  const void* gap_38[1];
  Status* (ORT_CALL* CreateRunOptions)(RunOptions**);
  const void* gap_40[6];
  Status* (ORT_CALL* RunOptionsSetTerminate)(RunOptions*);
  const void* gap_47[2];
  Status* (ORT_CALL* CreateTensorWithDataAsOrtValue)(const MemoryInfo*, void* data, size_t bytes, const int64_t* dims,
                                                      size_t rank, ElementType, Value**);
  Status* (ORT_CALL* IsTensor)(const Value*, int*);
  Status* (ORT_CALL* GetTensorMutableData)(Value*, void**);
  const void* gap_52[3];
  Status* (ORT_CALL* CastTypeInfoToTensorInfo)(const TypeInfo*, const TensorInfo**);
  const void* gap_56[4];
  Status* (ORT_CALL* GetTensorElementType)(const TensorInfo*, ElementType*);
  Status* (ORT_CALL* GetDimensionsCount)(const TensorInfo*, size_t*);
  Status* (ORT_CALL* GetDimensions)(const TensorInfo*, int64_t* dims, size_t rank);
  const void* gap_63[1];
  Status* (ORT_CALL* GetTensorShapeElementCount)(const TensorInfo*, size_t*);
  Status* (ORT_CALL* GetTensorTypeAndShape)(const Value*, TensorInfo**);
  const void* gap_66[3];
  Status* (ORT_CALL* CreateCpuMemoryInfo)(AllocatorType, MemoryType, MemoryInfo**);
  const void* gap_70[6];
  Status* (ORT_CALL* AllocatorFree)(Allocator*, void*);
  const void* gap_77[1];
  Status* (ORT_CALL* GetAllocatorWithDefaultOptions)(Allocator**);
  const void* gap_79[7];
  Status* (ORT_CALL* KernelInfoGetAttribute_int64)(const KernelInfo*, const char* name, int64_t*);
  const void* gap_87[1];
  Status* (ORT_CALL* KernelContext_GetInputCount)(const KernelContext*, size_t*);
  const void* gap_89[1];
  Status* (ORT_CALL* KernelContext_GetInput)(const KernelContext*, size_t index, const Value**);
  Status* (ORT_CALL* KernelContext_GetOutput)(KernelContext*, size_t index, const int64_t* dims, size_t rank, Value**);
  const void* gap_92[1];
  void (ORT_CALL* ReleaseStatus)(Status*);
  const void* gap_94[1];
  void (ORT_CALL* ReleaseSession)(Session*);
  void (ORT_CALL* ReleaseValue)(Value*);
  void (ORT_CALL* ReleaseRunOptions)(RunOptions*);
  void (ORT_CALL* ReleaseTypeInfo)(TypeInfo*);
  void (ORT_CALL* ReleaseTensorTypeAndShapeInfo)(TensorInfo*);
  void (ORT_CALL* ReleaseSessionOptions)(SessionOptions*);
  const void* gap_101[24];
  Status* (ORT_CALL* GetAvailableProviders)(char*** names, int* count);
  Status* (ORT_CALL* ReleaseAvailableProviders)(char** names, int count);
  const void* gap_127[3];
  Status* (ORT_CALL* AddSessionConfigEntry)(SessionOptions*, const char* key, const char* value);
  const void* gap_131[13];
  Status* (ORT_CALL* CreateAndRegisterAllocator)(Env*, const MemoryInfo*, const ArenaConfig*);
  const void* gap_145[5];
  Status* (ORT_CALL* AddInitializer)(SessionOptions*, const char* name, const Value*);
  const void* gap_151[6];
  void (ORT_CALL* ReleaseArenaCfg)(ArenaConfig*);
  const void* gap_158[6];
  Status* (ORT_CALL* CreateArenaCfgV2)(const char* const* keys, const size_t* values, size_t count, ArenaConfig**);
  const void* gap_165[39];
  Status* (ORT_CALL* SessionOptionsAppendExecutionProvider_CUDA_V2)(SessionOptions*, const CudaOptions*);
  Status* (ORT_CALL* CreateCUDAProviderOptions)(CudaOptions**);
  const void* gap_206[2];
  void (ORT_CALL* ReleaseCUDAProviderOptions)(CudaOptions*);
  const void* gap_209[7];
  Status* (ORT_CALL* SessionOptionsAppendExecutionProvider)(SessionOptions*, const char* name, const char* const* keys, const char* const* values,
                                                           size_t count);
  const void* gap_217[57];
  Status* (ORT_CALL* KernelContext_ParallelFor)(const KernelContext*, void (*body)(void*, size_t), size_t count, size_t batches, void* state);
};

struct ApiBase {
  const Api* (ORT_CALL* GetApi)(uint32_t version);
  const char* (ORT_CALL* GetVersionString)();
};

// An operator as the runtime sees it: a table of callbacks. Those of later versions than `version` are never called.
struct CustomOp {
  uint32_t version;
  void* (ORT_CALL* CreateKernel)(const CustomOp*, const Api*, const KernelInfo*);
  const char* (ORT_CALL* GetName)(const CustomOp*);
  const char* (ORT_CALL* GetExecutionProviderType)(const CustomOp*);
  ElementType (ORT_CALL* GetInputType)(const CustomOp*, size_t index);
  size_t (ORT_CALL* GetInputTypeCount)(const CustomOp*);
  ElementType (ORT_CALL* GetOutputType)(const CustomOp*, size_t index);
  size_t (ORT_CALL* GetOutputTypeCount)(const CustomOp*);
  void (ORT_CALL* KernelCompute)(void* kernel, KernelContext*);
  void (ORT_CALL* KernelDestroy)(void* kernel);
  Characteristic (ORT_CALL* GetInputCharacteristic)(const CustomOp*, size_t index);
  Characteristic (ORT_CALL* GetOutputCharacteristic)(const CustomOp*, size_t index);
  MemoryType (ORT_CALL* GetInputMemoryType)(const CustomOp*, size_t index);
  int (ORT_CALL* GetVariadicInputMinArity)(const CustomOp*);
  int (ORT_CALL* GetVariadicInputHomogeneity)(const CustomOp*);
  int (ORT_CALL* GetVariadicOutputMinArity)(const CustomOp*);
  int (ORT_CALL* GetVariadicOutputHomogeneity)(const CustomOp*);
  Status* (ORT_CALL* CreateKernelV2)(const CustomOp*, const Api*, const KernelInfo*, void** kernel);
  Status* (ORT_CALL* KernelComputeV2)(void* kernel, KernelContext*);
  Status* (ORT_CALL* InferOutputShapeFn)(const CustomOp*, void* context);
  int (ORT_CALL* GetStartVersion)(const CustomOp*);
  int (ORT_CALL* GetEndVersion)(const CustomOp*);
  size_t (ORT_CALL* GetMayInplace)(int** inputs, int** outputs);
  void (ORT_CALL* ReleaseMayInplace)(int* inputs, int* outputs);
  size_t (ORT_CALL* GetAliasMap)(int** inputs, int** outputs);
  void (ORT_CALL* ReleaseAliasMap)(int* inputs, int* outputs);
};

}  // namespace halftone::ort
