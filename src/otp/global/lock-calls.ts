/**
 * Locks on several nodes, as whoever wants one sets them: each node is asked, and one that refuses makes the others be given back.
 *
 * The resource `global` is locked on the node with the greatest name first, the boss, so that those who want it at once meet there.
 *
 * Source: global.erl, set_lock/4, set_lock_on_nodes, del_lock, random_sleep, trans_all_known, the_boss.
 */
import { type Process, ProcessError } from '../../process/index.js'
import { type Atom, atom, compare, type Term, tuple } from '../../term/index.js'
import { call, multiCall } from '../gen/gen.js'
import { type GlobalLocks, globalResource, type LockId } from './locks.js'

export const serverName = atom('global_name_server') as Atom<'global_name_server'>

export interface Waiting {
  readonly signal?: AbortSignal | undefined
}

/** Greatest in the order of terms */
export const bossOf = (nodes: readonly Atom[]): Atom => nodes.reduce((boss, node) => (compare(node, boss) > 0 ? node : boss))

const without = (nodes: readonly Atom[], node: Atom): Atom[] => nodes.filter(other => other !== node)

/**
 * One attempt. Nodes that cannot be reached are none that refuse.
 *
 * @param locks this node's, which are looked at first
 */
export async function setLockOnNodes(self: Process, locks: GlobalLocks | null, id: LockId, nodes: readonly Atom[]): Promise<boolean> {
  if (nodes.length === 0) return true
  if (nodes.length > 1 && nodes.includes(self.pid.node) && locks?.canSet(id) === false) return false
  const { replies } = await multiCall(self, nodes, serverName, tuple(atom('set_lock'), id))
  if (replies.every(([, reply]) => reply === true)) return true
  const taken = replies.flatMap(([node, reply]) => (reply === true ? [atom(node) as Atom] : []))
  await delLock(self, id, taken)
  return false
}

/** Attempts until it is set, or `retries` more have failed. @throws the signal's reason: then it is not set. */
export async function setLock(
  self: Process,
  locks: GlobalLocks | null,
  id: LockId,
  nodes: readonly Atom[],
  retries: number,
  { signal }: Waiting = {},
): Promise<boolean> {
  for (let times = 1; ; times++) {
    signal?.throwIfAborted()
    if (await setLockOnNodes(self, locks, id, nodes)) return true
    if (times > retries) return false
    await randomSleep(self, times, signal)
  }
}

export async function delLock(self: Process, id: LockId, nodes: readonly Atom[]): Promise<void> {
  if (nodes.length > 0) await multiCall(self, nodes, serverName, tuple(atom('del_lock'), id))
}

/** The boss is let go last, so that whoever has the boss finds the others free. */
export async function delGlobalLock(self: Process, id: LockId, nodes: readonly Atom[]): Promise<void> {
  const boss = bossOf(nodes)
  await delLock(self, id, without(nodes, boss))
  await delLock(self, id, [boss])
}

/** Does work while nobody else changes names, on all nodes that are known while it is done. */
export async function transAllKnown<T>(self: Process, locks: GlobalLocks, work: (nodes: readonly Atom[]) => Promise<T>): Promise<T> {
  const id = tuple(globalResource, self.pid) as LockId
  for (let times = 0; ; times++) {
    const nodes = await lockAllKnown(self, locks, id)
    if (nodes) {
      try {
        return await work(nodes)
      } finally {
        await delGlobalLock(self, id, nodes)
      }
    }
    await randomSleep(self, times)
  }
}

async function lockAllKnown(self: Process, locks: GlobalLocks, id: LockId): Promise<readonly Atom[] | null> {
  const known = await getKnown(self)
  const nodes = [self.pid.node, ...known]
  const boss = bossOf(nodes)
  if (!(await setLockOnNodes(self, locks, id, [boss]))) return null
  if (await setLockOnNodes(self, locks, id, nodes)) {
    // Whoever has become known meanwhile is not locked.
    if ((await getKnown(self)).every(node => known.includes(node))) return nodes
    await delGlobalLock(self, id, nodes)
    return null
  }
  await delLock(self, id, [boss])
  return null
}

const getKnown = async (self: Process): Promise<readonly Atom[]> =>
  (await call(self, serverName, atom('get_known'), { timeout: Infinity })) as readonly Atom[]

/** The longest that is slept, in milliseconds: a quarter of a second at first, then twice as long each time, up to eight seconds */
export const longestSleep = (times: number): number => (times > 5 ? 8000 : (2 ** times * 1000) / 8)

const never = (_term: unknown): _term is Term => false

/** So that those who want one thing at once do not want it again at once. @throws the signal's reason */
export async function randomSleep(self: Process, times: number, signal?: AbortSignal): Promise<void> {
  try {
    await self.receive(never, { timeout: 1 + Math.random() * longestSleep(times), signal })
  } catch (error) {
    if (!(error instanceof ProcessError && error.code === 'ERR_TIMEOUT')) throw error
  }
}
