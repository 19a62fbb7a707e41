/** Spawns on any node, awaited: a spawn request whose reply settles a promise. */
import { type Atom, atom, equals, format, Pid, type Reference, type Term, Tuple } from '../term/index.js'
import { ProcessError } from './errors.js'
import type { Process } from './process.js'
import { abandoned } from './reason.js'
import type { ReceiveOptions } from './receive.js'
import type { SpawnRequest, SpawnRequestOptions } from './spawn-requests.js'
import type { SpawnOpt } from './spawn-opt.js'

export interface SpawnAtOptions extends SpawnOpt, ReceiveOptions {}

/** Why a node spawned no process. Code ERR_SPAWN; `reason` is `noconnection`, `notsup`, `badopt`, `system_limit` or what else the node says. */
export class SpawnError extends ProcessError {
  readonly reason: Atom

  constructor(reason: Atom, what: string) {
    super('ERR_SPAWN', `${what} gave no process: ${hints[reason.name] ?? `the node answered ${format(reason)}.`}`)
    this.reason = reason
  }
}

const hints: Readonly<Record<string, string>> = {
  noconnection: 'noconnection, so connect to the node first to learn why it cannot be reached.',
  notsup: 'notsup, for the node is too old to spawn on request.',
  badopt: 'badopt, for the node does not know one of the options, or not with that value.',
  system_limit: 'system_limit, for the node has as many processes as it can hold.',
}

/** @throws SpawnError; ProcessError ERR_TIMEOUT; the signal's reason; EtfError when an argument cannot be sent. */
export async function spawnAt(
  self: Process,
  request: SpawnRequest & Pick<SpawnRequestOptions, 'link' | 'monitor'>,
  { timeout, signal }: ReceiveOptions,
): Promise<[pid: Pid, ref: Reference]> {
  signal?.throwIfAborted()
  const what = `The spawn of ${format(request.module)}:${format(request.fun)}/${request.args.length} on ${request.node.name}`
  const ref = self.makeRef()
  self.host.spawnRequests.request(self, ref, request)
  const isReply = Object.assign((term: unknown): term is Tuple => isReplyTo(term, ref), { reference: ref })
  try {
    const reply = await self.receive(isReply, { timeout, signal })
    const result: Term = reply.elements[3]
    if (!(result instanceof Pid)) throw new SpawnError(result as Atom, what)
    return [result, ref]
  } catch (error) {
    if (error instanceof SpawnError) throw error
    abandon(self, ref, isReply)
    if (!(error instanceof ProcessError && error.code === 'ERR_TIMEOUT')) throw error
    throw new ProcessError('ERR_TIMEOUT', `${what} was not answered within ${timeout} ms.`, { cause: error })
  }
}

/** Nobody takes the process: one that is there already is let go as one that would come. */
function abandon(self: Process, ref: Reference, isReply: (term: unknown) => term is Tuple): void {
  if (self.spawnRequestAbandon(ref)) return
  const pid: Term = self.poll(isReply)?.elements[3] ?? null
  self.demonitor(ref, { flush: true })
  if (!(pid instanceof Pid) || !self.host.links.has(self, pid)) return
  self.exit(pid, abandoned)
  self.unlink(pid)
}

const isReplyTo = (term: unknown, ref: Reference): boolean =>
  term instanceof Tuple && term.length === 4 && term.elements[0] === atom('spawn_reply') && equals(term.elements[1], ref)
