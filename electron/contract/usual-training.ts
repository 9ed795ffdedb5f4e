/** @file How a recipe's correction is trained where the recipe does not say it. Apart from the schemas, as the window needs it too. */

/** Steps, windows of a step, tokens of a window, and most windows to learn from. */
export const usualTraining = { steps: 1000, batch: 2, length: 256, windows: 1024 } as const
