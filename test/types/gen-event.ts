/** What a handler is added with, and its calls, are those of its definition, by the name that its manager has for it. */
import { atom, type Node, type NodeProcess, type Term, type Tuple } from '../../src/index.js'
import { eventHandler, genEvent, removeHandler, reply, stop, swapHandler } from '../../src/otp/index.js'

export async function use(node: Node, self: NodeProcess): Promise<void> {
  const counter = eventHandler({
    init: (start: number) => (start < 0 ? stop(atom('bad')) : start),
    handleEvent(event, n) {
      void this.pid
      if (event === atom('over')) return removeHandler
      return event === atom('text') ? swapHandler(atom('gone'), n, 'text', 'more') : n + 1
    },
    call: {
      add: (n, by: number) => reply(n + by, n + by),
      async get(n) {
        return reply(n, n)
      },
      end: n => reply(n, removeHandler),
    },
    handleInfo: n => (n === null ? removeHandler : 0),
    codeChange: (_vsn, n, _extra) => n,
  })
  const text = eventHandler({
    init: (first: Buffer) => [first],
    handleEvent: (_, lines) => lines,
    call: { lines: lines => reply(lines, lines) },
  })
  const plain = eventHandler({ init: () => 0, handleEvent: (_, n) => n })
  const events = genEvent({ module: import.meta.url, handlers: { counter, text, plain } })
  const ref = await node.start(events, { name: 'events' })
  await ref.addHandler('counter', 1)
  await ref.addHandler(['counter', 'id'], 1)
  await ref.addHandler('text', 'a string is sent as a binary')
  await ref.addHandler('plain')
  const sum: number = await ref.call('counter', 'add', 5)
  const lines: readonly Buffer[] = await ref.call(['text', 1], 'lines')
  const last: number = await node.eventRef<typeof events>({ name: 'events', node: 'x@y' }).call('counter', 'end')
  const any: Term = await node.eventRef('events').call('anything', 'that', 1)
  const result: Term = await ref.deleteHandler('counter')
  await ref.with({ self, timeout: 100 }).addSupHandler('counter', 1)
  await ref.swapHandler(['counter', 1], ['text', 'x'])
  // @ts-expect-error no such handler
  await ref.addHandler('nobody', 1)
  // @ts-expect-error its init wants a number
  await ref.addHandler('counter', 'one')
  // @ts-expect-error its init wants an argument
  await ref.addHandler('counter')
  // @ts-expect-error no such call
  await ref.call('counter', 'lines')
  // @ts-expect-error a number is wanted
  await ref.call('counter', 'add', 'one')
  // @ts-expect-error the state is a number
  eventHandler({ init: () => 0, handleEvent: () => 'text' })
  const terms: Tuple[] = []
  void [sum, lines, last, any, result, terms]
}
