import { availableParallelism } from 'node:os'
import process from 'node:process'
import type { Parts } from '../parts.js'
import type { PlaceConfig } from './config.js'
import { inherited } from './os-process.js'
import type { SchedulerOptions } from './schedulers.js'

type Filled = { readonly [K in keyof SchedulerOptions]-?: Exclude<SchedulerOptions[K], undefined> }

export function schedulerDefaults(options: SchedulerOptions = {}): Filled {
  return {
    count: options.count ?? Math.max(1, availableParallelism() - 1),
    setup: options.setup ?? [],
    execArgv: options.execArgv ?? inherited(process.execArgv),
    maxBusy: options.maxBusy ?? 0,
    isolatedHeap: options.isolatedHeap ?? 256,
    isolatedMemory: options.isolatedMemory ?? 1024,
  }
}

/** What every place of a node is told of it. */
export function placeNode({
  name,
  creation,
  options,
}: Parts): Omit<PlaceConfig, 'place' | 'kind' | 'pool' | 'pulse' | 'witness' | 'setup' | 'modules'> {
  const { hidden = true, floats, limits, sendBufferLimit, sendBufferMax } = options
  return { node: name.full, creation, hidden, floats, limits, sendBufferLimit, sendBufferMax }
}
