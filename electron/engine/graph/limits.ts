/** @file Limits of the ONNX reader. The file is hostile until it has met them: nothing is allocated or looped over before. */

/** Everything of a model but its big tensors: the largest exports have 200,000 nodes, some 60 MB. */
export const SKELETON_BYTES_MAX = 256 << 20
/** Payloads from this size on stay in the file; smaller ones (shapes, scalars, biases) are wanted in memory for inference of shapes. */
export const INLINE_BYTES_MAX = 4096
/** Nodes after inlining of local functions: a bomb of nested functions would double at every level. */
export const NODES_MAX = 1 << 18
/** Graphs inside attributes (If, Loop, Scan): real models nest 3 deep. */
export const SUBGRAPH_DEPTH_MAX = 16
/** Local functions calling local functions: torch exports nest about 10 deep. */
export const FUNCTION_DEPTH_MAX = 64
/** Dimensions of a tensor: ONNX Runtime's own kernels end at 8. */
export const RANK_MAX = 16
/** Initializers of one model: mixtures of experts stored one by one come to some 50,000. */
export const INITIALIZERS_MAX = 1 << 18
/** Versions of the default operator set: below 7 broadcasting had other rules, above 25 nothing is known yet. */
export const OPSET_MIN = 7
export const OPSET_MAX = 25
