import { describe, expect, it } from 'vitest'
import { scaledLoss } from './scale.ts'

describe('scaledLoss', () => {
  it('is proportional to the error with one probe', () => {
    const probe = { error: 0.5, divergence: 0.02, stderr: 0.001 }
    expect(scaledLoss(0.25, [probe])).toEqual({ value: 0.01, stderr: 0.0005 })
  })

  it('goes through both probes and follows the power law between them', () => {
    const probes = [{ error: 1, divergence: 1e-3, stderr: 0 }, { error: 100, divergence: 1e-3 * 100 ** 1.2, stderr: 0 }]
    expect(scaledLoss(1, probes).value).toBeCloseTo(1e-3, 12)
    expect(scaledLoss(100, probes).value).toBeCloseTo(1e-3 * 100 ** 1.2, 9)
    expect(scaledLoss(10, probes).value).toBeCloseTo(1e-3 * 10 ** 1.2, 9)
  })

  it('does not trust a slope that noise has made', () => {
    const probes = [{ error: 1, divergence: 1e-3, stderr: 0 }, { error: 2, divergence: 1, stderr: 0 }]
    expect(scaledLoss(0.5, probes).value).toBeCloseTo(1e-3 * 0.5 ** 1.4, 9)
  })

  it('is nothing for no error and for no usable probe', () => {
    expect(scaledLoss(0, [{ error: 1, divergence: 1, stderr: 0 }]).value).toBe(0)
    expect(scaledLoss(1, [{ error: 1, divergence: 0, stderr: 0 }]).value).toBe(0)
  })
})
