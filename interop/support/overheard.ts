/** A pair whose TypeScript node is listened to: what its processes print, and what it tells the logger. Crashes are expected there, and not printed. */
import type { LogEvent } from '../../src/index.js'
import type { Beam } from '../../src/interop/index.js'
import { evaluator, type Pair, startNode } from './pair.js'

export interface Overheard extends Pair {
  readonly printed: string[]
  readonly events: LogEvent[]
  /** Closes the TypeScript node */
  [Symbol.asyncDispose](): Promise<void>
}

export async function overheard(beam: Beam): Promise<Overheard> {
  const printed: string[] = []
  const events: LogEvent[] = []
  const node = await startNode(beam, { output: text => void printed.push(text) })
  node.on('logger', event => void events.push(event))
  node.on('crash', () => {})
  await node.connect(beam.name)
  return { beam, node, evaluate: evaluator(beam, node), printed, events, [Symbol.asyncDispose]: () => node.close() }
}
