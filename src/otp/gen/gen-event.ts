/**
 * genEvent: OTP's gen_event, a process that tells events to handlers, which come and go. On the wire it is an ordinary one: Erlang uses it with
 * `gen_event:notify(Pid, Event)`, `gen_event:add_handler(Pid, counter, 10)`.
 *
 * @example
 * ```ts
 * import { atom, Node } from 'beamlet'
 * import { eventHandler, genEvent, reply } from 'beamlet/otp'
 * import assert from 'node:assert/strict'
 *
 * const counter = eventHandler({
 *   init: (start: number) => start,
 *   handleEvent: (event, n) => (event === atom('up') ? n + 1 : n),
 *   call: { get: n => reply(n, n) },
 * })
 * const events = genEvent({ handlers: { counter } })
 * await using node = await Node.start({ name: 'events-docs@127.0.0.1', cookie: 'secret' })
 * const ref = await node.start(events, { name: 'events' })
 * await ref.addHandler('counter', 10)
 * ref.notify(atom('up'))
 * assert.equal(await ref.call('counter', 'get'), 11)
 * ```
 */
import { type Atom, atom } from '../../term/index.js'
import { moduleOf } from './runner.js'
import { eventRef } from './event-ref.js'
import { GenEventRunner, type HandlerDefinition, type Known, type KnownHandler } from './event-runner.js'
import type { EventHandler, EventHandlerDefinition, EventHandlers, GenEvent } from './event-types.js'
import { definedBy, remember } from './latest.js'
import { define } from './start.js'

export { EventError } from './event-ref.js'
export {
  type EventHandler,
  type EventHandlerDefinition,
  type EventRef,
  type GenEvent,
  type HandlerName,
  removeHandler,
  swapHandler,
} from './event-types.js'

const handlerBehaviour = atom('event_handler') as Atom

/** Defines a handler: what an Erlang callback module is to a gen_event. */
export function eventHandler<A, S, C = {}>(definition: EventHandlerDefinition<A, S, C>): EventHandler<A, S, C> {
  const handler: KnownHandler = { module: definition.module, behaviour: handlerBehaviour, code: definition as unknown as HandlerDefinition }
  const made = Object.freeze({ handler })
  remember(made, handler)
  return made as unknown as EventHandler<A, S, C>
}

/** Defines an event manager. Its `handlers` are all that can be added to it, by these names, from TypeScript and from Erlang. */
export function genEvent<const H extends EventHandlers = {}>({
  module,
  handlers,
}: { readonly module?: string | undefined; readonly handlers?: H | undefined } = {}): GenEvent<H> {
  const known = Object.entries(handlers ?? {}).map(([name, handler]) => [name, definedBy(handler) as KnownHandler] as const)
  return define<GenEvent<H>, Known>({
    module,
    erlangModule: moduleOf(module, 'gen_event'),
    behaviour: atom('gen_event') as Atom,
    code: Object.fromEntries(known),
    runner(self, life) {
      return new GenEventRunner(self, this, life)
    },
    refOf: eventRef,
  })
}
