/** @file Measures the density of the loss Hessian's eigenvalues over all layers and writes it: a picture, and the numbers beside it as JSON. */
import { AppError } from '../../../contract/errors.ts'
import type { Context } from '../../../contract/events.ts'
import { writeWhole } from '../../job/files.ts'
import { beginStage } from '../../job/progress.ts'
import type { DifferentiableModel } from '../differentiable.ts'
import { densityOf, densityPicture } from './density.ts'
import { lanczos, type Quadrature } from './lanczos.ts'
import { openHessian } from './operator.ts'

/** Lanczos steps from each start, starts, and samples whose mean Hessian is looked at. */
const [STEPS, STARTS, SAMPLES] = [24, 2, 2]
/** Most bytes of Lanczos vectors, all of which are held. */
const VECTOR_BYTES = 4e9

/** Writes `file` (SVG) and `file` with `.json` in place of its ending. */
export async function drawSpectrum(model: DifferentiableModel, file: string, { seed }: { readonly seed: number }, context: Context): Promise<void> {
  const elements = model.layers.reduce((sum, { shape: [rows, cols] }) => sum + rows * cols, 0)
  if (elements * 4 * STEPS > VECTOR_BYTES) {
    throw new AppError('bad-request', `--spectrum: found ${elements} weights, expected at most ${Math.floor(VECTOR_BYTES / 4 / STEPS)}: ${STEPS} vectors as large as the model are held`, { hint: 'Measure without --spectrum.' })
  }
  const operator = openHessian({ ...model, samples: model.samples.slice(0, SAMPLES) })
  const progress = beginStage(context, 'measure', STEPS * STARTS)
  const quadratures: Quadrature[] = []
  try {
    for (let start = 0; start < STARTS; start++) {
      quadratures.push(await lanczos(operator, { steps: STEPS, seed: seed + start, advance: (step) => progress.advance(`spectrum, step ${step + 1} of ${STEPS}`) }, context))
    }
  } finally {
    operator.dispose()
  }
  const density = densityOf(quadratures)
  await writeWhole(file, densityPicture(density, 'Eigenvalues of the loss Hessian', `of the ${model.lossText}`))
  await writeWhole(`${file.replace(/\.svg$/i, '')}.json`, `${JSON.stringify({ loss: model.lossText, elements, steps: STEPS, quadratures, ...density })}\n`)
}
