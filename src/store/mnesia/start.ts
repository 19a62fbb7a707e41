/** Mnesia on several BEAM nodes, started and made one cluster: what an administrator does with `mnesia:start`, `change_config` and the schema's copies. */
import { type Atom, atom, format, type Sendable, type Term, Tuple } from '../../term/index.js'
import { StoreError } from '../errors.js'
import { isDone, notThere } from './faults.js'
import type { MnesiaClient } from './session.js'

/**
 * Starts Mnesia where it does not run, and joins those nodes that do not know the others. Done twice it changes nothing.
 *
 * @throws StoreError STORE_NODE_DOWN, STORE_NOT_RUNNING; STORE_ABORTED when two of them are of different clusters
 */
export async function startMnesia(
  node: MnesiaClient,
  nodes: readonly string[],
  { disc, timeout }: { readonly disc: boolean; readonly timeout: number },
): Promise<void> {
  const call = async (beam: string, fun: string, args: readonly Sendable[] = []): Promise<Term> => {
    try {
      return await node.rpc.call(beam, 'mnesia', fun, args, { timeout })
    } catch (cause) {
      throw notThere(beam, cause)
    }
  }
  for (const beam of nodes) {
    const started = await call(beam, 'start')
    if (started !== atom('ok')) throw notThere(beam, started)
  }
  const [first] = nodes as readonly [string, ...string[]]
  const running = (await call(first, 'system_info', [atom('running_db_nodes')])) as readonly Atom[]
  const known = running.map(({ name }) => name)
  for (const beam of nodes.filter(beam => !known.includes(beam))) {
    const joined = await call(first, 'change_config', [atom('extra_db_nodes'), [atom(beam)]])
    if (
      joined instanceof Tuple &&
      joined.tag === 'ok' &&
      ((joined.elements as readonly Term[])[1] as readonly Atom[]).includes(atom(beam) as Atom)
    )
      continue
    throw new StoreError('STORE_ABORTED', `${beam} cannot join the Mnesia of ${first}: ${format(joined)}.`, {
      remedy: 'It may be of another cluster: then stop Mnesia there, and delete its schema, if nothing in it is needed.',
      reason: joined,
    })
  }
  if (!disc) return
  for (const beam of nodes) {
    const changed = await call(first, 'change_table_copy_type', [atom('schema'), atom(beam), atom('disc_copies')])
    if (!isDone(changed, 'already_exists')) {
      throw new StoreError('STORE_ABORTED', `The schema cannot be on the disk of ${beam}: ${format(changed)}.`, {
        remedy: 'Look at the directory that Mnesia has there (-mnesia dir).',
        reason: (changed as Tuple<[Atom, Term]>).elements[1],
      })
    }
  }
}
