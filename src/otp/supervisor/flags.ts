/** What a supervisor's `init` gives, and what is wrong with it in OTP's terms. Source: supervisor.erl (check_flags, check_startspec). */
import { atom, equals, type Term, tuple } from '../../term/index.js'
import { BadSpec, type Child, childOf } from './child-spec.js'
import type { AutoShutdown, Strategy, SupervisorInit } from './types.js'

export interface Configured {
  readonly strategy: Strategy
  readonly intensity: number
  readonly period: number
  readonly autoShutdown: AutoShutdown
  readonly children: readonly Child[]
}

export const strategyNames: Readonly<Record<Strategy, string>> = {
  oneForOne: 'one_for_one',
  oneForAll: 'one_for_all',
  restForOne: 'rest_for_one',
  simpleOneForOne: 'simple_one_for_one',
  dynamic: 'one_for_one',
}

export const autoShutdownNames: Readonly<Record<AutoShutdown, string>> = {
  never: 'never',
  anySignificant: 'any_significant',
  allSignificant: 'all_significant',
}

/** With its defaults; or why there can be no such supervisor. */
export function configured(init: SupervisorInit): Configured | { readonly wrong: Term } {
  const { strategy = 'oneForOne', intensity = 1, period = 5, autoShutdown = 'never', children: specs = [] } = init
  const wrong = flagsFault(strategy, intensity, period, autoShutdown)
  if (wrong) return { wrong: tuple(atom('supervisor_data'), wrong) }
  try {
    const children = specs.map(spec => childOf(spec, autoShutdown))
    const wanted = children.map(({ spec }) => spec) as Term
    if (strategy === 'simpleOneForOne' && children.length !== 1) return { wrong: tuple(atom('bad_start_spec'), wanted) }
    const twice = children.find((child, index) => children.findIndex(({ id }) => equals(id, child.id)) < index)
    if (twice) throw new BadSpec(tuple(atom('duplicate_child_name'), twice.id))
    return { strategy, intensity, period, autoShutdown, children }
  } catch (thrown) {
    if (!(thrown instanceof BadSpec)) throw thrown
    return { wrong: tuple(atom('start_spec'), thrown.reason) }
  }
}

function flagsFault(strategy: Strategy, intensity: number, period: number, autoShutdown: AutoShutdown): Term | null {
  const fault = (what: string, value: unknown): Term => tuple(atom(what), typeof value === 'number' ? value : atom(String(value)))
  if (!Object.hasOwn(strategyNames, strategy)) return fault('invalid_strategy', strategy)
  if (!(Number.isInteger(intensity) && intensity >= 0)) return fault('invalid_intensity', intensity)
  if (!(Number.isInteger(period) && period > 0)) return fault('invalid_period', period)
  if (!Object.hasOwn(autoShutdownNames, autoShutdown)) return fault('invalid_auto_shutdown', autoShutdown)
  return null
}
