/**
 * genStatem: OTP's gen_statem with a table of what each state takes.
 *
 * @example
 * ```ts
 * import { Node } from 'beamlet'
 * import { genStatem, keep, next, reply } from 'beamlet/otp'
 * import assert from 'node:assert/strict'
 *
 * const door = genStatem({
 *   init: (code: number) => next('locked', { code, opened: 0 }),
 *   states: {
 *     locked: {
 *       call: {
 *         enter: (data, code: number) =>
 *           code === data.code ? reply(true, next('open', { ...data, opened: data.opened + 1 }, { stateTimeout: 10_000 })) : reply(false, keep(data)),
 *       },
 *     },
 *     open: {
 *       call: { enter: data => keep(data, { postpone: true }) }, // answered when it is locked again
 *       cast: { lock: data => next('locked', data) },
 *       stateTimeout: data => next('locked', data),
 *     },
 *   },
 * })
 * await using node = await Node.start({ name: 'door-docs@127.0.0.1', cookie: 'secret' })
 * const ref = await node.start(door, { args: [42] })
 * assert.equal(await ref.call('enter', 1), false)
 * assert.equal(await ref.call('enter', 42), true)
 * ref.cast('lock')
 * ```
 */
import { type Atom, atom } from '../../term/index.js'
import { moduleOf } from './runner.js'
import { refOf } from './gen-server.js'
import { GenStatemRunner, type StatemDefinition } from './statem-runner.js'
import type { GenStatemDefinition, StatemRef } from './statem-types.js'
import { define } from './start.js'
import { checkPersist } from './persistent-runner.js'
import { PersistentStatemRunner } from './persistent-statem.js'
import type { Startable } from '../supervisor/types.js'

export { type Actions, type Event, keep, next, repeat, type State, type StatemProcess, type StatemRef } from './statem-types.js'

/** Defines a state machine: `init` gives the first state and the data, each handler the next. */
export function genStatem<A extends unknown[], D, St = {}>(definition: GenStatemDefinition<A, D, St>): Startable<A, StatemRef<St>> {
  const { persist } = definition
  if (persist) checkPersist(persist)
  return define<Startable<A, StatemRef<St>>, StatemDefinition>({
    module: definition.module,
    erlangModule: moduleOf(definition.module, 'gen_statem'),
    behaviour: atom('gen_statem') as Atom,
    code: definition as unknown as StatemDefinition,
    runner(self, life) {
      return this.code.persist ? new PersistentStatemRunner(self, this, life) : new GenStatemRunner(self, this, life)
    },
    refOf: (node, to, options) => refOf(node, to, options),
  })
}
