/**
 * @file Trains branches, stored scales and norms beside a base that stays packed: targets of the teacher once, then steps of gradient
 * accumulation, evaluation on held-out windows with early stop, and checkpoints from which a run goes on to the same bytes.
 */
import path from 'node:path'
import type { z } from 'zod'
import { kernels } from '../../../kernels/kernels.ts'
import { AppError } from '../../contract/errors.ts'
import type { Context } from '../../contract/events.ts'
import type { Park } from '../calibrate/runner.ts'
import type { Adapter } from '../correct/adapter.ts'
import { makeFolder } from '../job/files.ts'
import { beginStage } from '../job/progress.ts'
import type { DecoderModel } from '../session/model.ts'
import { createParking, type Parking } from '../session/parking.ts'
import type { Base } from './base/base.ts'
import { openWeightPark, type WeightPark } from './base/weight-park.ts'
import { loadCheckpoint, saveCheckpoint, type Identity, type Point, type Progress } from './checkpoint.ts'
import { identityOf } from './identity.ts'
import { objectives } from './objectives/objectives.ts'
import { targetKind, type Objective } from './objectives/objective.ts'
import { clipGradients, emptyMoments, updateAll } from './optimizer/optimizer.ts'
import { rateFactor } from './optimizer/schedule.ts'
import { pace, TrainOptions } from './options.ts'
import { openTrainingProgram, type TrainingProgram } from './program/program.ts'
import { openTeacherHead } from './program/teacher-head.ts'
import { gradientsOfStep, meanLosses, type StepTask, type UsableStep } from './step.ts'
import { openTargetStore, type TargetStore } from './targets/store.ts'
import { makeTargets } from './targets/teacher.ts'
import { weightsOf, type Trained } from './trained.ts'
import { checkRank, newAdapter } from './trainables/adapters.ts'
import { openState, refreshState, type TrainingState } from './trainables/state.ts'
import { windowsOfStep, type TrainingWindow } from './window.ts'

export interface TrainTask {
  readonly base: Base
  /** The original model; needed by objectives that learn from one. */
  readonly teacher?: DecoderModel | undefined
  /** Branches to begin with: new ones of the rank in `options` where none are given. */
  readonly adapter?: Adapter | undefined
  readonly windows: readonly TrainingWindow[]
  /** Windows to judge by; none for a run of all steps that keeps the last values. */
  readonly heldOut: readonly TrainingWindow[]
  readonly options: z.input<typeof TrainOptions>
  /** Weights of a layer before rounding, from which trained codes begin. */
  readonly source?: ((layer: string) => Promise<Float32Array>) | undefined
  /** Where checkpoints and targets go. */
  readonly folder: string
  /** Most bytes in memory of what may wait on disk: weights of the blocks first, then their inputs. The rest goes to the folder. */
  readonly memoryBytes?: number | undefined
  /** Most bytes of a teacher's targets on disk. */
  readonly diskBytes?: number | undefined
  readonly threads?: number | undefined
}

/** Disk for targets where nothing is said: 300,000 tokens of width 4096. */
const TARGET_BYTES = 5e9
/** Bad batches in a row that end a run: no data is that bad by chance. */
const BAD_IN_A_ROW = 10

function checkTask({ windows, base: { model } }: TrainTask): void {
  if (windows.length === 0) throw new AppError('bad-data', 'training data: found no window, expected at least one', { hint: 'Give more text, or shorter windows (--length).' })
  const longest = Math.max(...windows.map(({ tokens }) => tokens.length))
  if (longest > model.spec.contextLength) {
    throw new AppError('bad-data', `training data: found a window of ${longest} tokens, expected at most ${model.spec.contextLength}, the model's context`, { hint: 'Use shorter windows (--length).' })
  }
  for (const [at, { tokens }] of windows.entries()) {
    const bad = tokens.find((token) => token < 0 || token >= model.spec.vocabulary)
    if (bad !== undefined) throw new AppError('bad-tokenizer', `training data, window ${at}: found token ${bad}, expected ids from 0 to ${model.spec.vocabulary - 1}`, { hint: 'The tokenizer is of another model.' })
  }
}

interface TargetsTask {
  readonly task: TrainTask
  readonly objective: Objective
  readonly options: TrainOptions
  readonly parking: Parking
}

/** The teacher's targets of all windows; null for objectives that learn without one. */
async function targetsOf({ task, objective, options, parking }: TargetsTask, context: Context): Promise<TargetStore | null> {
  const { base, teacher, folder, windows, heldOut, diskBytes = TARGET_BYTES, threads } = task
  const kind = targetKind(objective, base.model.spec.blocks)
  if (kind === null) return null
  if (teacher === undefined) throw new AppError('bad-request', `objective ${options.objective}: found no reference model, expected the original to learn from`, { hint: 'Name it with --reference, or train with --objective ce.' })
  const { hidden, vocabulary, blocks } = base.model.spec
  if (teacher.spec.hidden !== hidden || teacher.spec.vocabulary !== vocabulary || teacher.spec.blocks !== blocks) {
    throw new AppError('measurement-mismatch', `${teacher.path}: found a model of ${teacher.spec.blocks} blocks of width ${teacher.spec.hidden}, expected ${blocks} of ${hidden} as in ${base.model.path}`, { hint: 'The reference must be the model that the quantized one was made from.' })
  }
  const sha256 = await teacher.checkpoint.sha256(context.signal)
  const store = await openTargetStore({ folder: path.join(folder, 'targets', sha256.slice(0, 16)), limitBytes: diskBytes, hidden, top: options.top })
  await makeTargets({ teacher, store, kind, top: options.top, park: (count) => parking.open(count), threads }, [...windows, ...heldOut], context)
  return store
}

/** A run under way: where it stands and what it has seen. */
interface Run {
  readonly task: TrainTask
  readonly options: TrainOptions
  readonly state: TrainingState
  readonly identity: Identity
  readonly steps: StepTask
  readonly heldOut: StepTask
  readonly moments: ReturnType<typeof emptyMoments>
  best: readonly Float32Array[]
  progress: Progress
}

function begun(identity: Identity): Progress {
  return { identity, step: 0, updates: 0, skipped: [], points: [], best: null, stale: 0, finished: false }
}

function record(run: Run, context: Context, values: Readonly<Record<string, number>>): void {
  const { step } = run.progress
  const points: Point[] = Object.entries(values).map(([series, value]) => ({ series, step, value }))
  for (const point of points) context.report({ type: 'point', ...point })
  run.progress = { ...run.progress, points: [...run.progress.points, ...points] }
}

/** Evaluates on the held-out windows and keeps the best values. */
async function evaluateRun(run: Run, context: Context): Promise<void> {
  const { loss } = await meanLosses(run.heldOut)
  if (!Number.isFinite(loss)) throw new AppError('training-diverged', `training, step ${run.progress.step}: found a held-out loss of ${loss}, expected a finite number`, { hint: 'Use a smaller learning rate. The last checkpoint is kept.' })
  record(run, context, { 'held-out loss': loss })
  const { best, step } = run.progress
  const isBetter = best === null || loss < best.loss
  if (isBetter && run.best.length === 0) run.best = run.state.trainables.map(({ values }) => values.slice())
  else if (isBetter) for (const [at, { values }] of run.state.trainables.entries()) run.best[at].set(values)
  run.progress = { ...run.progress, best: isBetter ? { step, loss } : best, stale: isBetter ? 0 : run.progress.stale + 1 }
}

function checkSkipped({ progress: { skipped, step } }: Run): void {
  const recent = skipped.slice(-BAD_IN_A_ROW)
  if (recent.length < BAD_IN_A_ROW || recent[0].step !== step - BAD_IN_A_ROW) return
  const last = recent[BAD_IN_A_ROW - 1]
  throw new AppError('training-diverged', `training, step ${step}: found ${BAD_IN_A_ROW} batches in a row without a usable gradient (windows ${last.windows.join(', ')}: ${last.reason}), expected finite numbers`, {
    hint: 'Use a smaller learning rate, or look at these windows of the data. The last checkpoint is kept.',
    details: { windows: last.windows },
  })
}

/** The losses of a step, but for those that labels belong to where its windows have none: they are not less for it. */
function comparableLosses({ losses: { loss, terms: { ce, ...others } }, labels }: UsableStep): Readonly<Record<string, number>> {
  if (ce === undefined) return { loss, ...others }
  return labels === 0 ? others : { loss, ce, ...others }
}

/** One step: gradients, checks, update. */
async function takeStep(run: Run, park: Park, context: Context): Promise<void> {
  const { options, state, steps, moments } = run
  const { base, trainables } = state
  const { step } = run.progress
  const chosen = windowsOfStep(step, options.batch, steps.windows.length, options.seed)
  const outcome = await gradientsOfStep(steps, chosen, park)
  run.progress = { ...run.progress, step: step + 1 }
  if (!outcome.isUsable) {
    context.report({ type: 'log', level: 'warning', text: `step ${step + 1}: windows ${outcome.windows.join(', ')} give ${outcome.reason}; the batch is left out` })
    run.progress = { ...run.progress, skipped: [...run.progress.skipped, { step, windows: [...outcome.windows], reason: outcome.reason }] }
    checkSkipped(run)
    return
  }
  const { rates, warmup } = pace(options, base.model.spec.hidden)
  clipGradients(trainables, outcome.norm, options.clip)
  const updates = run.progress.updates + 1
  await updateAll(trainables, moments, updates, rateFactor({ steps: options.steps, warmup, floor: options.floor }, step), { ...options, rates })
  await refreshState(state)
  run.progress = { ...run.progress, updates }
  record(run, context, { ...comparableLosses(outcome), 'gradient norm': outcome.norm })
}

function isStopped({ options, progress: { stale } }: Run): boolean {
  return options.patience > 0 && stale >= options.patience
}

async function save({ task, state, moments, best, progress }: Run): Promise<void> {
  await saveCheckpoint(task.folder, state.trainables, { progress, moments, best })
}

/** Steps until the end, or until held-out windows say that it is time. */
async function goOn(run: Run, park: Park, context: Context): Promise<void> {
  const { options } = run
  const isEvaluated = run.heldOut.windows.length > 0
  const progress = beginStage(context, 'train', options.steps, run.progress.step)
  if (isEvaluated && run.progress.best === null) await evaluateRun(run, context)
  while (run.progress.step < options.steps && !isStopped(run)) {
    context.signal.throwIfAborted()
    await takeStep(run, park, context)
    const { step } = run.progress
    const isLast = step === options.steps
    if (isEvaluated && (isLast || step % options.evaluateEvery === 0)) await evaluateRun(run, context)
    if (isLast || step % options.checkpointEvery === 0) await save(run)
    progress.advance(`step ${step}`)
  }
}

function resultOf({ progress: { step, updates, skipped, points, best }, options }: Run): Omit<Trained, 'adapter' | 'blobs' | 'norms'> {
  const before = points.find(({ series }) => series === 'held-out loss')?.value
  return {
    steps: step, updates, skipped, points,
    stopped: step < options.steps ? 'early' : 'steps',
    heldOut: before === undefined || best === null ? null : { before, after: best.loss, step: best.step },
  }
}

/** Gives back the memory of what a run worked with. What it results in are values of branches and norms, and bytes of their own. */
async function letGo({ state: { trainables }, moments, best }: Run): Promise<void> {
  const worked = trainables.flatMap(({ set, values, gradient }) => (set === 'codes' || set === 'scales' ? [values, gradient] : [gradient]))
  await kernels().release([...worked, ...moments.flatMap(({ m, v }) => [m, v]), ...best])
}

/** The state of a run and what it depends on; the branches to begin with are let go of. */
async function openRun(task: TrainTask, options: TrainOptions, weights: WeightPark, { signal }: Context): Promise<{ state: TrainingState; identity: Identity }> {
  const { base, teacher, windows, heldOut } = task
  const { model } = base
  const adapter = task.adapter ?? (options.trainable.includes('adapters') ? newAdapter(model, options.rank, { seed: options.seed, ...(options.alpha !== undefined && { alpha: options.alpha }) }) : new Map())
  const identity = await identityOf({ base, teacher: teacher ?? null, adapter, windows, heldOut, options }, signal)
  return { identity, state: await openState(base, { adapter, sets: options.trainable, source: task.source, weights }, signal) }
}

/**
 * One block of the largest batch, forward and backward: memory of activations grows by what is asked for, and smaller batches find room in
 * what the largest took. In another order each length would add its own. What it leaves in the gradients a step takes away.
 */
async function makeRoom(program: TrainingProgram, count: number, time: number): Promise<void> {
  const { spec } = program.state.base.model
  const zeros = (): Float32Array => new Float32Array(count * time * spec.hidden)
  await program.backward(spec.blocks - 1, zeros(), zeros(), { count, time, tokens: new Int32Array() })
}

interface Resources {
  readonly objective: Objective
  readonly targets: TargetStore | null
  readonly weights: WeightPark
  readonly parking: Parking
}

async function trainFrom(task: TrainTask, options: TrainOptions, { objective, targets, weights, parking }: Resources, context: Context): Promise<Trained> {
  const { base, teacher, windows, heldOut, folder, threads } = task
  const { state, identity } = await openRun(task, options, weights, context)
  if (state.trainables.length === 0) {
    throw new AppError('bad-request', `${base.model.path}: found nothing to train as ${options.trainable.join(', ')}, expected adapters, scales of quantized layers, or norms`, { hint: 'Scales exist only in quantized layers.' })
  }
  const teacherHead = teacher === undefined || objective.logits.kl === undefined || state.head === null ? null : await openTeacherHead(teacher, base, state.head)
  const program = openTrainingProgram(state, { objective, teacherHead, threads, signal: context.signal })
  const park = parking.open(base.model.spec.blocks)
  try {
    const moments = emptyMoments(state.trainables)
    const saved = await loadCheckpoint(folder, state.trainables, moments, identity)
    await refreshState(state)
    const shared = { program, objective, targets, microBatch: options.microBatch }
    const run: Run = { task, options, state, identity, moments, steps: { ...shared, windows }, heldOut: { ...shared, windows: heldOut }, best: saved?.best ?? [], progress: saved?.progress ?? begun(identity) }
    if (!run.progress.finished) {
      await makeRoom(program, options.microBatch, Math.max(...[...windows, ...heldOut].map(({ tokens }) => tokens.length)))
      await goOn(run, park, context)
      run.progress = { ...run.progress, finished: true }
      await save(run)
    }
    for (const [at, values] of run.best.entries()) state.trainables[at].values.set(values)
    const trained = { ...(await weightsOf(state)), ...resultOf(run) }
    await letGo(run)
    return trained
  } finally {
    program.dispose()
    await park.dispose()
  }
}

/**
 * Trains, or goes on where a run of the same task in the same folder was stopped. The values given are those of the best evaluation.
 * @throws AppError bad-data, bad-request, adapter-mismatch, disk-full, training-diverged, file-exists (a run of another task)
 */
export async function trainAdapters(task: TrainTask, context: Context): Promise<Trained> {
  checkTask(task)
  const options = TrainOptions.parse(task.options)
  const { base: { model }, windows, heldOut, folder, memoryBytes } = task
  const objective = objectives[options.objective](options.weights)
  if (task.adapter === undefined && options.trainable.includes('adapters')) checkRank(model, options.rank)
  await makeFolder(folder)
  const longest = Math.max(...[...windows, ...heldOut].map(({ tokens }) => tokens.length))
  const parking = createParking({ slotBytes: options.microBatch * longest * model.spec.hidden * 4, memoryBytes, folder })
  const targets = await targetsOf({ task, objective, options, parking }, context)
  const weights = openWeightPark({ holds: parking.holds, folder })
  try {
    return await trainFrom(task, options, { objective, targets, weights, parking }, context)
  } finally {
    await weights.dispose()
  }
}
