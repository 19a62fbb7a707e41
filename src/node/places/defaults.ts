import { availableParallelism } from 'node:os'
import process from 'node:process'
import { isHidden } from '../options.js'
import type { Parts } from '../parts.js'
import type { PlaceConfig } from './config.js'
import { inherited } from './os-process.js'

export interface SchedulerOptions {
  /** Schedulers in the pool. Default: one less than the machine has cores, at least 1. 0: what is placed in the pool runs on main. */
  readonly count?: number | undefined
  /** Modules that each place imports before anything runs there */
  readonly setup?: readonly (URL | string)[] | undefined
  /** Arguments for the Node.js of each place. Default: those of this one, but for a program, a debugger and the like */
  readonly execArgv?: readonly string[] | undefined
  /** Milliseconds: a scheduler that does not come round for longer is ended, and all in it exit `killed`. Default: 0, as long as it takes */
  readonly maxBusy?: number | undefined
  /** MiB of JavaScript heap for an isolated process. Default: 256 */
  readonly isolatedHeap?: number | undefined
  /** MiB of memory in all for an isolated process (on Linux). Default: 1024 */
  readonly isolatedMemory?: number | undefined
  /** Does a place wait for the next isolated process, once there was one? Default: true */
  readonly spare?: boolean | undefined
}

/**
 * V8 marks a heap in threads of its own beside the program. When every core has a scheduler they take its core from one, and cost twice what they
 * do: two places that fill arrays on two cores lost a sixth of their time to them. Marking in between costs no longer pauses.
 */
const marking = (count: number): string[] => (count < availableParallelism() ? [] : ['--no-concurrent-marking'])

type Filled = { readonly [K in keyof SchedulerOptions]-?: Exclude<SchedulerOptions[K], undefined> }

export function schedulerDefaults(options: SchedulerOptions = {}): Filled {
  const { count = Math.max(1, availableParallelism() - 1) } = options
  return {
    count,
    setup: options.setup ?? [],
    execArgv: [...marking(count), ...(options.execArgv ?? inherited(process.execArgv))],
    maxBusy: options.maxBusy ?? 0,
    isolatedHeap: options.isolatedHeap ?? 256,
    isolatedMemory: options.isolatedMemory ?? 1024,
    spare: options.spare ?? true,
  }
}

/** What every place of a node is told of it. */
export function placeNode(parts: Parts): Omit<PlaceConfig, 'place' | 'kind' | 'pool' | 'pulse' | 'witness' | 'setup' | 'modules'> {
  const { name, creation, epmd, listener, options } = parts
  const { netTickTime, floats, limits, sendBufferLimit, sendBufferMax } = options
  const { mode, port } = epmd
  const told = { hidden: isHidden(options), netTickTime, floats, limits, sendBufferLimit, sendBufferMax }
  return { node: name.full, creation, port: listener?.port ?? null, epmd: { mode, port }, ...told }
}
