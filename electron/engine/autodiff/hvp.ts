/**
 * @file Hessian-vector products by differentiating twice: ∇(⟨∇L, v⟩) = H v. Exact, at about three gradients' cost; the Hessian is
 * never formed. Source: Pearlmutter, Fast Exact Multiplication by the Hessian (1994).
 */
import { gradientOf, vjp } from './vjp.ts'
import type { Graph } from '../graph/graph.ts'

export interface HvpOptions {
  /** A scalar value. */
  readonly loss: string
  readonly wrt: readonly string[]
  /** Values that stay outputs; the gradients are `grad:NAME`. */
  readonly keep?: readonly string[]
}

export const directionOf = (name: string): string => `v:${name}`
export const productOf = (name: string): string => `hvp:${name}`

/** A graph with inputs `v:NAME` and outputs `keep`, `grad:NAME`, `hvp:NAME` for every name in `wrt`. */
export function hvp(graph: Graph, { loss, wrt, keep = [] }: HvpOptions): Graph {
  const gradient = vjp(graph, { of: [loss], wrt, seed: 'ones', keep: [...new Set([loss, ...keep])], virtual: true })
  const gradients = wrt.map(gradientOf)
  return vjp(gradient, {
    of: gradients,
    wrt,
    keep: [...keep, ...gradients],
    seedName: (name) => directionOf(name.slice(gradientOf('').length)),
    gradientName: productOf,
  })
}
