/** @file The shape rule of every operator of the set. */
import * as constants from './constants.ts'
import * as convolution from './convolution.ts'
import * as elementwise from './elementwise.ts'
import * as indexing from './indexing.ts'
import * as matrix from './matrix.ts'
import * as movement from './movement.ts'
import * as reduction from './reduction.ts'
import type { Operator } from '../operators.ts'
import type { ShapeRule } from './rule.ts'

const { likeFirst, comparison, variadic, test } = elementwise

export const shapeRules = {
  Neg: elementwise.negating, Sqrt: likeFirst, Reciprocal: likeFirst, Exp: likeFirst, Log: likeFirst, Sin: likeFirst, Cos: likeFirst, Tanh: likeFirst, Sigmoid: likeFirst, Softplus: likeFirst,
  Erf: likeFirst, Abs: likeFirst, Relu: likeFirst, LeakyRelu: likeFirst, Elu: likeFirst, Gelu: likeFirst, HardSigmoid: likeFirst, HardSwish: likeFirst, Clip: likeFirst,
  Sign: likeFirst, Floor: elementwise.flooring, Ceil: elementwise.ceiling, Round: likeFirst, Not: test, IsNaN: test, IsInf: test,
  Add: elementwise.adding, Sub: elementwise.subtracting, Mul: elementwise.multiplying, Div: elementwise.dividing, Pow: elementwise.power, Max: variadic, Min: variadic, Sum: variadic,
  Where: elementwise.choosing, PRelu: likeFirst, Softmax: likeFirst, LogSoftmax: likeFirst,
  Equal: elementwise.equal, Less: comparison, LessOrEqual: comparison, Greater: comparison, GreaterOrEqual: comparison, And: comparison, Or: comparison, Xor: comparison,
  MatMul: matrix.matmul, Gemm: matrix.gemm, Einsum: matrix.einsum, 'halftone:QMatMul': matrix.quantizedMatmul, 'halftone:QMatMulScaleGrad': matrix.scaleGradient,
  Conv: convolution.conv, ConvTranspose: convolution.convTranspose, 'halftone:ConvWeightGradient': convolution.convWeightGradient,
  MaxPool: convolution.pool, AveragePool: convolution.pool, GlobalAveragePool: convolution.globalPool, Resize: convolution.resize,
  BatchNormalization: likeFirst, InstanceNormalization: likeFirst, GroupNormalization: likeFirst, RMSNormalization: likeFirst,
  LayerNormalization: reduction.normalized, SimplifiedLayerNormalization: reduction.normalized,
  Identity: elementwise.passing, Dropout: elementwise.passing, Cast: movement.cast,
  Reshape: movement.reshape, Flatten: movement.flatten, Squeeze: movement.squeeze, Unsqueeze: movement.unsqueeze, Transpose: movement.transpose, Expand: movement.expand, Tile: movement.tile,
  Pad: movement.pad, Concat: movement.concat, Split: movement.split, Slice: movement.slice, Trilu: likeFirst, CumSum: likeFirst,
  Gather: indexing.gather, GatherElements: indexing.gatherElements, GatherND: indexing.gatherND, ScatterElements: likeFirst, ScatterND: likeFirst, TopK: reduction.topK,
  ReduceSum: reduction.reduce, ReduceMean: reduction.reduce, ReduceMax: reduction.reduce, ReduceMin: reduction.reduce, ReduceProd: reduction.reduce, Mod: variadic, ArgMax: reduction.argument, ArgMin: reduction.argument,
  Shape: constants.shape, Size: constants.size, Constant: constants.constant, ConstantOfShape: constants.constantOfShape, Range: constants.range, EyeLike: constants.eyeLike,
  OneHot: constants.oneHot, NonZero: constants.nonZero,
} satisfies Record<Operator, ShapeRule>
