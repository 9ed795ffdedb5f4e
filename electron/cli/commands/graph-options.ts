/** @file Options that only ONNX graphs have: how images become inputs, and which loss counts. */
import { InvalidArgumentError, Option, type Command } from 'commander'
import { lossNames, type MeasureInput } from '../../contract/engine.ts'
import { graphLosses, type GraphOptions } from '../../contract/graph.ts'

export interface GraphFlags {
  /** One name for both kinds of models. */
  loss?: NonNullable<GraphOptions['loss']> | NonNullable<MeasureInput['loss']>
  imageSize?: [number, number]
  mean?: number[]
  std?: number[]
}

/** Parses 224x224 or 48x320: height, then width. */
function imageSize(text: string): [number, number] {
  const match = /^([1-9]\d{0,4})x([1-9]\d{0,4})$/.exec(text)
  if (!match) throw new InvalidArgumentError('expected HEIGHTxWIDTH, such as 224x224')
  return [Number(match[1]), Number(match[2])]
}

/** Parses 0.485,0.456,0.406 or one number for all channels. */
function channels(text: string): number[] {
  const values = text.split(',').map(Number)
  if (values.length > 4 || !values.every(Number.isFinite)) throw new InvalidArgumentError('expected one number, or one a channel, such as 0.485,0.456,0.406')
  return values
}

/** Adds the options to a command; `isMeasuring` where a language model's loss is chosen too. */
export function addGraphOptions(command: Command, isMeasuring = false): Command {
  const graphText = 'of an ONNX graph: ce or mse with labels, or self, against its own predictions (default: by data and model)'
  const loss = isMeasuring
    ? new Option('--loss <name>', `what metrics of derivatives differentiate: next-token, or own-predictions, whose tokens the model draws itself (default); ${graphText}`).choices([...lossNames, ...graphLosses])
    : new Option('--loss <name>', graphText).choices([...graphLosses])
  return addImageOptions(command.addOption(loss))
}

/** Adds those of images alone: to a command that makes samples and takes no loss. */
export function addImageOptions(command: Command): Command {
  return command
    .option('--image-size <HxW>', 'of images for an ONNX graph whose input has no fixed size', imageSize)
    .option('--mean <list>', 'taken off images after dividing by 255, a channel each', channels)
    .option('--std <list>', 'that images are divided by then', channels)
}

const isGraphLoss = (loss: GraphFlags['loss']): loss is NonNullable<GraphOptions['loss']> => graphLosses.some((name) => name === loss)

/** A language model's loss, where that was given. */
export function lossOf(loss: GraphFlags['loss']): Pick<MeasureInput, 'loss'> {
  const own = lossNames.find((name) => name === loss)
  return own === undefined ? {} : { loss: own }
}

/** The graph options among parsed flags, or nothing where none was given. */
export function graphOptionsOf({ loss, imageSize: size, mean, std }: GraphFlags): { readonly graph?: GraphOptions } {
  const image = { ...(size && { size }), ...(mean && { mean }), ...(std && { std }) }
  const graph = { ...(isGraphLoss(loss) && { loss }), ...(Object.keys(image).length > 0 && { image }) }
  return Object.keys(graph).length > 0 ? { graph } : {}
}
