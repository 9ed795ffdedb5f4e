/** @file Activations and simple functions written by the operators of the set. */
import { formula, type Form } from './form.ts'
import type { Algebra } from '../algebra.ts'

const softplus = (g: Algebra, x: string): string => g.unary('Softplus', x)

function silu(g: Algebra, x: string, alpha: number): string {
  return g.mul(x, g.unary('Sigmoid', g.scale(x, alpha)))
}

function elu(g: Algebra, x: string, alpha: number, gamma: number): string {
  return g.scale(g.one('Elu', [x], { alpha: { float: alpha } }), gamma)
}

/** Klambauer et al. 2017. */
const seluAlpha = 1.67326319217681884765625
const seluGamma = 1.05070102214813232421875

export const activations: Readonly<Record<string, Form>> = {
  Mish: formula((g, x) => g.mul(x, g.unary('Tanh', softplus(g, x)))),
  Swish: formula((g, x, node) => silu(g, x, node.float('alpha', 1))),
  Softsign: formula((g, x) => g.div(x, g.add(g.scalar(1, x), g.unary('Abs', x)))),
  Selu: formula((g, x, node) => elu(g, x, node.float('alpha', seluAlpha), node.float('gamma', seluGamma))),
  // max(0, x) + min(0, α (e^(x/α) − 1))
  Celu: formula((g, x, node) => {
    const alpha = node.float('alpha', 1)
    return g.scale(g.one('Elu', [g.scale(x, 1 / alpha)]), alpha)
  }),
  ThresholdedRelu: formula((g, x, node) => g.where(g.compare('Greater', x, g.scalar(node.float('alpha', 1), x)), x, g.scalar(0, x))),
  Tan: formula((g, x) => g.div(g.unary('Sin', x), g.unary('Cos', x))),
  Sinh: formula((g, x) => g.scale(g.sub(g.unary('Exp', x), g.unary('Exp', g.neg(x))), 0.5)),
  Cosh: formula((g, x) => g.scale(g.add(g.unary('Exp', x), g.unary('Exp', g.neg(x))), 0.5)),
  Mean: (g, { inputs }) => [g.scale(inputs.length === 1 ? inputs[0] : g.one('Sum', inputs), 1 / inputs.length)],
  Sum: (g, { inputs }) => (inputs.length === 1 ? [inputs[0]] : null),
  'com.microsoft:Gelu': formula((g, x) => g.unary('Gelu', x)),
  'com.microsoft:FastGelu': (g, { inputs: [x, bias = ''] }) => [g.one('Gelu', [bias === '' ? x : g.add(x, bias)], { approximate: { string: 'tanh' } })],
  'com.microsoft:BiasGelu': (g, { inputs: [x, bias] }) => [g.unary('Gelu', g.add(x, bias))],
  'com.microsoft:QuickGelu': formula((g, x, node) => silu(g, x, node.float('alpha', 1.702))),
}
