/** What `application:get_key/2` and `get_all_key/1` tell of an application. Source: application_controller.erl (make_appl_i, get_key, get_all_key). */
import { type Atom, atom, charlist, type Sendable, type Term, tuple } from '../../term/index.js'
import type { Application, ApplicationCode, ApplicationKey } from './types.js'

export type EnvTable = ReadonlyMap<string, Term>

/** The name of an application that a definition names */
export const nameOf = (app: string | Application<any>): Atom => atom(typeof app === 'string' ? app : app.name) as Atom

export const namesOf = (apps: readonly (string | Application<any>)[] = []): Atom[] => apps.map(nameOf)

const atomsOf = (names: readonly string[] = []): Sendable => names.map(name => atom(name))

/** In OTP's order */
const keys: { readonly [K in ApplicationKey]: (code: ApplicationCode, env: EnvTable) => Sendable } = {
  description: ({ definition }) => charlist(definition.description ?? ''),
  id: () => [],
  vsn: ({ definition }) => charlist(definition.vsn ?? ''),
  modules: ({ definition }) => atomsOf(definition.modules),
  maxP: () => atom('infinity'),
  maxT: () => atom('infinity'),
  registered: ({ definition }) => atomsOf(definition.registered),
  included_applications: ({ definition }) => namesOf(definition.includedApplications),
  optional_applications: () => [],
  applications: ({ definition }) => namesOf(definition.applications),
  env: (_, env) => [...env].map(([key, value]) => tuple(atom(key), value)),
  mod({ module, definition: { start, applicationStarter } }) {
    if (start === undefined) return []
    return applicationStarter ? tuple(atom('application_starter'), [module, []]) : tuple(module, [])
  },
  start_phases({ definition: { startPhases } }) {
    if (!startPhases) return atom('undefined')
    return Object.entries(startPhases).map(([phase, args]) => tuple(atom(phase), args))
  },
}

export const keyNames = Object.keys(keys) as readonly ApplicationKey[]

/** Undefined for what is no key. */
export const keyOf = (code: ApplicationCode, env: EnvTable, key: string): Sendable | undefined =>
  Object.hasOwn(keys, key) ? keys[key as ApplicationKey](code, env) : undefined
