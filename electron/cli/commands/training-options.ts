/** @file How compress and plan ask for a trained correction: the options, and the part of a recipe they make. */
import { InvalidArgumentError, Option, type Command } from 'commander'
import { objectiveNames, Training, trainableSets, type ObjectiveName, type TrainableSet } from '../../contract/training.ts'
import { positiveInteger, wholeNumber } from './command.ts'

export interface TrainingOptions {
  trainSteps?: number
  written?: number
  trainable?: TrainableSet[]
  objective?: ObjectiveName
  rate?: number
}

function isTrainable(name: string): name is TrainableSet {
  return trainableSets.some((set) => set === name)
}

/** Parses a list such as adapters,scales. */
export function trainables(text: string): TrainableSet[] {
  const names = text.split(',')
  if (!names.every(isTrainable)) throw new InvalidArgumentError(`expected some of ${trainableSets.join(', ')}`)
  return names
}

/** Parses a learning rate. */
export function learningRate(text: string): number {
  const value = Number(text)
  if (!(value > 0 && value <= 1)) throw new InvalidArgumentError('expected a number above 0, at most 1')
  return value
}

export function addTrainingOptions(command: Command): Command {
  return command
    .option('--train-steps <n>', 'steps of a trained correction (default: 1000)', positiveInteger)
    .option('--written <n>', 'windows that the model writes itself, to learn from beside the data (default: what a long run lacks in data, for small models)', wholeNumber)
    .addOption(new Option('--objective <name>', 'what a trained correction minimizes (default: by --correct)').choices(objectiveNames))
    .option('--trainable <list>', `what it changes: ${trainableSets.join(', ')} (default: by --correct)`, trainables)
    .option('--rate <r>', 'its peak learning rate (default: by the width of the model)', learningRate)
}

/** The recipe's part; nothing where nothing was asked for. */
export function trainingOf({ trainSteps, written, trainable, objective, rate }: TrainingOptions): { training?: Training } {
  const asked = { ...(trainSteps !== undefined && { steps: trainSteps }), ...(written !== undefined && { written }), ...(trainable && { trainable }), ...(objective && { objective }), ...(rate !== undefined && { learningRate: rate, scaleRate: rate }) }
  return Object.keys(asked).length === 0 ? {} : { training: Training.parse(asked) }
}
