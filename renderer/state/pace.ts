/** @file How fast work goes: amounts a second, over a few pieces together, as layers are of many sizes. Pure. */
import type { Piece } from './live.ts'

/** Pieces that one number is taken over: the layers of a block. */
const together = 7

const pace = (pieces: readonly Piece[]): number => (pieces.reduce((sum, { amount }) => sum + amount, 0) * 1000) / Math.max(1, pieces.reduce((sum, { ms }) => sum + ms, 0))

/** After each piece the amount a second of it and those before it. */
export const paces = (pieces: readonly Piece[]): number[] => pieces.map((_, i) => pace(pieces.slice(Math.max(0, i + 1 - together), i + 1)))

/** The amount a second of all pieces. */
export const meanPace = (pieces: readonly Piece[]): number => pace(pieces)
