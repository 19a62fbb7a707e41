/** What the BEAM says is wrong, as errors of a store. */
import { RpcError } from '../../otp/rpc/erpc.js'
import { Atom, atom, format, NodeError, type Term, Tuple } from '../../term/index.js'
import { StoreError } from '../errors.js'

/** Why a node cannot be worked with: what asking it threw, or what its Mnesia says of itself. */
export function notThere(beam: string, cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause
  const reason = cause instanceof RpcError ? cause.reason : cause
  if (reason instanceof Atom && reason !== atom('noconnection') && reason !== atom('notsup')) {
    const remedy = 'Start it there, or give start to openStore.'
    return new StoreError('STORE_NOT_RUNNING', `Mnesia does not run on ${beam}: it says '${reason.name}'.`, { remedy, reason })
  }
  if (reason instanceof Tuple || (cause instanceof RpcError && cause.class === 'error')) {
    const undef = cause instanceof RpcError && cause.reason === atom('undef')
    const says = undef ? `${beam} has no Mnesia.` : `Mnesia does not run on ${beam}: ${format(reason as Term)}.`
    const remedy = undef ? 'Install it there (the package erlang-mnesia of Debian), or take another node.' : 'Look at the log of that node.'
    return new StoreError('STORE_NOT_RUNNING', says, { remedy, reason: reason as Term, cause })
  }
  const why = cause instanceof NodeError ? ` ${cause.says}` : ''
  return new StoreError('STORE_NODE_DOWN', `${beam} cannot be reached.${why}`, {
    remedy: 'Start it, or look with beamlet doctor why not. Nothing was written.',
    cause,
  })
}

/** Mnesia's own answer to a transaction or an operation. */
export function aborted(reason: Term): StoreError {
  const tag = reason instanceof Tuple ? reason.tag : reason instanceof Atom ? reason.name : undefined
  const second = reason instanceof Tuple ? (reason.elements as readonly Term[])[1] : undefined
  if (tag === 'no_exists') {
    const table = second instanceof Atom ? second.name : format(second ?? reason)
    const remedy = 'Wait for it, start a node that has a copy, or add a copy: store.addCopy.'
    return new StoreError('STORE_NO_COPY', `No node that has a copy of the table '${table}' is there.`, { remedy, reason })
  }
  if (tag === 'node_not_running') {
    return new StoreError('STORE_NOT_RUNNING', `Mnesia does not run on ${second instanceof Atom ? second.name : 'that node'}.`, { reason })
  }
  if (tag === 'nomore') {
    const remedy = 'Make it shorter, or let it read less; or raise retries.'
    return new StoreError('STORE_CONFLICT', 'Others held the locks of this transaction too often.', { remedy, reason })
  }
  if (tag === 'beamlet_idle') {
    const remedy = 'A transaction holds locks: let it do nothing but read and write tables, or raise transactionTimeout.'
    return new StoreError('STORE_TIMEOUT', 'The transaction asked for nothing for too long, and was aborted.', { remedy, reason })
  }
  if (tag === 'beamlet_gone' || tag === 'beamlet_fenced') {
    return new StoreError('STORE_NODE_DOWN', 'The transaction was aborted when its node went away.', { reason })
  }
  const remedy = 'Nothing of it was written.'
  return new StoreError('STORE_ABORTED', `Mnesia aborted it: ${format(reason)}.`, { remedy, reason })
}

/** What a worker says at its end that is not `{ok, Results}`. */
export function faultOf(ended: Tuple): StoreError {
  const [how, reason] = ended.elements as readonly [Atom, Term]
  if (how === atom('aborted')) return aborted(reason)
  if (how === atom('unflushed')) {
    const says = `It was written, but Mnesia's log did not reach the disk: ${format(reason)}.`
    return new StoreError('STORE_IO', says, { remedy: 'Look at the disks of the BEAM nodes.', reason })
  }
  return new StoreError('STORE_ABORTED', `It failed on the BEAM node: ${format(reason)}.`, { remedy: 'Nothing of it was written.', reason })
}

export const nodeDown = (beam: string): StoreError =>
  new StoreError('STORE_NODE_DOWN', `${beam} went down in the middle.`, { remedy: 'Nothing of it was written: do it again.' })

export const late = (beam: string, timeout: number): StoreError =>
  new StoreError('STORE_TIMEOUT', `${beam} gave no answer within ${timeout} ms.`, {
    remedy: 'Nothing of it was written. Somebody may hold a lock there for long; or raise timeout.',
  })

export const tooOften = (time: number): StoreError =>
  new StoreError('STORE_CONFLICT', `Others held the locks of this transaction, and Mnesia began it anew, for more than ${time} ms.`, {
    remedy: 'Make it shorter, or let it read less; or raise transactionTimeout.',
  })

/** The rest of a range that was not there any more: it came too late, or nobody asked for it in time. */
export const leftAlone = (cause: { readonly error: StoreError }, time: number): StoreError =>
  cause.error.code === 'STORE_TIMEOUT'
    ? cause.error
    : new StoreError('STORE_TIMEOUT', `Nobody went on with this range for more than ${time} ms, and the BEAM node has given its rows up.`, {
        remedy: 'Begin it again where it ended; or raise transactionTimeout.',
      })

export const noTable = (name: string, known: readonly string[] = []): StoreError =>
  new StoreError('STORE_NO_TABLE', `There is no table '${name}' in Mnesia.`, {
    remedy:
      known.length > 0
        ? `There are ${known
            .slice(0, 20)
            .map(name => `'${name}'`)
            .join(', ')}.`
        : 'There is none at all.',
  })

/** `{atomic, ok}`, or it was so before */
export function isDone(answer: Term, before: string): boolean {
  if (!(answer instanceof Tuple)) return false
  const [how, reason] = answer.elements as readonly Term[]
  return how === atom('atomic') || (reason instanceof Tuple && reason.tag === before)
}
