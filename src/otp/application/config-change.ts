/**
 * What applications that run are told of a change of their configuration. Setting an entry tells nobody: who changes several, as a release upgrade does,
 *
 *   remembers what was before        prep_config_change
 *   makes the changes                change_application_data, set_env, …
 *   and has each told, the latest first, whose configuration is another now       config_change(Changed, New, Removed)
 *
 * An application without processes has nobody to be told. OTP counts that as an error, which its release handler does not look at.
 *
 * Source: application_controller.erl (do_prep_config_change, do_config_change, do_config_diff); release_handler.erl (do_install_release).
 */
import { atom, type Atom, equals, type Term, Tuple } from '../../term/index.js'
import { caught } from './caught.js'
import type { EnvTable } from './application-keys.js'
import type { LoadedApplications } from './loaded-applications.js'
import type { ApplicationCode } from './types.js'
import type { Starting } from '../gen/start.js'
import { reason } from '../../process/index.js'

/** The configurations of the applications that ran, by their names */
export type EnvBefore = ReadonlyMap<Atom, EnvTable>

export const envOf = (running: readonly Atom[], loaded: LoadedApplications): EnvBefore =>
  new Map(running.map(name => [name, new Map(loaded.allEnv(name))]))

/** Resolves to what went wrong, the last first. Never rejects but when the node closes: NODE_CLOSED. */
export async function tellConfigChange(
  node: Starting,
  running: readonly Atom[],
  loaded: LoadedApplications,
  before: EnvBefore,
): Promise<Term[]> {
  const errors: Term[] = []
  for (const name of running) {
    const code = loaded.get(name)
    const difference = differenceOf(before.get(name) ?? new Map<string, Term>(), new Map(loaded.allEnv(name)))
    const error = code && difference && (await tell(node, code, difference))
    if (error !== undefined) errors.unshift(error)
  }
  return errors
}

interface Difference {
  readonly changed: Record<string, Term>
  readonly added: Record<string, Term>
  readonly removed: string[]
}

function differenceOf(before: EnvTable, now: EnvTable): Difference | undefined {
  const [changed, added]: Record<string, Term>[] = [{}, {}]
  for (const [key, value] of now) {
    const old = before.get(key)
    if (old === undefined) added![key] = value
    else if (!equals(old, value)) changed![key] = value
  }
  const removed = [...before.keys()].filter(key => !now.has(key))
  const isSame = [changed!, added!].every(part => Object.keys(part).length === 0) && removed.length === 0
  return isSame ? undefined : { changed: changed!, added: added!, removed }
}

async function tell(node: Starting, { definition }: ApplicationCode, { changed, added, removed }: Difference): Promise<Term | undefined> {
  const { start, configChange } = definition
  if (start === undefined || !configChange) return undefined
  const out = await node.run(self => caught(() => configChange.call(self as never, changed, added, removed)))
  if (out === undefined || out === atom('ok')) return undefined
  return out instanceof Tuple && out.length === 2 && out.tag === 'error' ? (out.elements[1] as Term) : reason.termOf(out)
}
