/**
 * @file The closed set of operators that shape inference and differentiation know, after `canonical` (opset 21 forms). What
 * it lacks is lowered to it (canonical.ts) or refused by name. Operators outside ai.onnx carry their domain: `domain:Name`.
 */
import type { Node } from './graph.ts'

/** Operators with a gradient rule: autodiff/rules has one file each. */
export const differentiableOperators = [
  'Neg', 'Sqrt', 'Reciprocal', 'Exp', 'Log', 'Sin', 'Cos', 'Tanh', 'Sigmoid', 'Softplus', 'Erf', 'Abs', 'Relu', 'LeakyRelu', 'Elu', 'Gelu', 'HardSigmoid', 'HardSwish', 'Clip',
  'Add', 'Sub', 'Mul', 'Div', 'Pow', 'Max', 'Min', 'Sum', 'Where', 'PRelu',
  'Softmax', 'LogSoftmax',
  'MatMul', 'Gemm', 'Einsum', 'halftone:QMatMul', 'halftone:QMatMulScaleGrad',
  'Conv', 'ConvTranspose', 'halftone:ConvWeightGradient', 'MaxPool', 'AveragePool', 'GlobalAveragePool', 'Resize',
  'BatchNormalization', 'LayerNormalization', 'RMSNormalization', 'SimplifiedLayerNormalization', 'InstanceNormalization', 'GroupNormalization',
  'Identity', 'Cast', 'Dropout', 'Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Transpose', 'Expand', 'Tile', 'Pad', 'Concat', 'Split', 'Slice', 'Trilu',
  'Gather', 'GatherElements', 'GatherND', 'ScatterElements', 'ScatterND', 'TopK', 'CumSum',
  'ReduceSum', 'ReduceMean', 'ReduceMax', 'ReduceMin',
] as const
export type DifferentiableOperator = (typeof differentiableOperators)[number]

/** Operators whose result does not move with their input: shapes, comparisons, and the piecewise constant. */
export const constantOperators = [
  'Shape', 'Size', 'Constant', 'ConstantOfShape', 'Range', 'EyeLike', 'OneHot', 'NonZero', 'ArgMax', 'ArgMin',
  'Equal', 'Less', 'LessOrEqual', 'Greater', 'GreaterOrEqual', 'Not', 'And', 'Or', 'Xor', 'IsNaN', 'IsInf',
  'Sign', 'Floor', 'Ceil', 'Round',
] as const
export type ConstantOperator = (typeof constantOperators)[number]

/** Operators met where shapes are computed, on integers: their shapes are known, their gradients are not. */
export const shapeOperators = ['ReduceProd', 'Mod'] as const
export type ShapeOperator = (typeof shapeOperators)[number]

export type Operator = DifferentiableOperator | ConstantOperator | ShapeOperator

const differentiable: ReadonlySet<string> = new Set(differentiableOperators)
const constant: ReadonlySet<string> = new Set(constantOperators)
const all: ReadonlySet<string> = new Set([...differentiableOperators, ...constantOperators, ...shapeOperators])

/** The name under which tables hold a node's operator. */
export function operatorName({ op, domain }: Pick<Node, 'op' | 'domain'>): string {
  return domain === '' ? op : `${domain}:${op}`
}

export function isDifferentiable(name: string): name is DifferentiableOperator {
  return differentiable.has(name)
}

export function isConstant(name: string): name is ConstantOperator {
  return constant.has(name)
}

export function isOperator(name: string): name is Operator {
  return all.has(name)
}
