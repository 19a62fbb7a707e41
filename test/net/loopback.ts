/** Two ends over loopback, for tests of dial and listen. */
import type { Test } from 'tap'
import { offeredFlags } from '../../src/dist/flags.js'
import type { AcceptStatus } from '../../src/dist/peer.js'
import type { Signal } from '../../src/dist/signal.js'
import type { Connection, ConnectionDown } from '../../src/net/connection.js'
import { dial, type DialOptions } from '../../src/net/dial.js'
import { type Attempt, listen, type Listener, type ListenOptions } from '../../src/net/listener.js'
import { type Atom, atom, Pid, type Term } from '../../src/term/index.js'
import { payload, plain } from '../dist/signals.js'

export const name = (text: string): Atom => atom(text) as Atom
export const ends = { a: { name: name('a@127.0.0.1'), creation: 4 }, b: { name: name('b@127.0.0.1'), creation: 5 } }
export const offered = offeredFlags({ visible: false })

/** Collects what comes, and lets a test wait for it. */
export class Inbox {
  readonly items: unknown[] = []
  #arrived = (): void => {}

  add(item: unknown): void {
    this.items.push(item)
    this.#arrived()
  }

  async next(): Promise<unknown> {
    while (this.items.length === 0) await new Promise<void>(resolve => (this.#arrived = resolve))
    return this.items.shift()
  }
}

/** Messages as their terms, and the end as its error’s code or its reason */
export function attached(connection: Connection): Inbox {
  const inbox = new Inbox()
  connection.attach({
    signal: (signal: Signal) => inbox.add(plain(signal)['message']),
    closed: (_: Connection, { reason, error }: ConnectionDown) => inbox.add(error?.code ?? reason),
  })
  return inbox
}

interface Host {
  readonly listener: Listener
  readonly accepted: Inbox
  readonly failed: Inbox
  readonly options: DialOptions
}

/** A listener, what came of who dialled it, and how to dial it */
export async function host(t: Test, over: Partial<ListenOptions> = {}): Promise<Host> {
  const [accepted, failed] = [new Inbox(), new Inbox()]
  const listener = await listen({
    host: '127.0.0.1',
    self: () => ({ ...ends.b, flags: offered }),
    cookieFor: () => 'c',
    status: (): AcceptStatus => 'ok',
    connection: (connection, attempt) => {
      t.teardown(() => connection.close())
      accepted.add({ connection, attempt })
    },
    failed: (error, attempt) => failed.add([error.code, attempt.peer]),
    ...over,
  })
  t.teardown(() => listener.close())
  const { port } = listener
  return {
    listener,
    accepted,
    failed,
    options: { host: '127.0.0.1', port, self: { ...ends.a, flags: offered }, peer: ends.b.name, cookie: 'c' },
  }
}

export async function pair(t: Test, over: Partial<DialOptions> = {}): Promise<{ a: Connection; b: Connection; attempt: Attempt }> {
  const { options, accepted } = await host(t)
  const a = await dial({ ...options, ...over })
  const { connection: b, attempt } = (await accepted.next()) as { connection: Connection; attempt: Attempt }
  t.teardown(() => a.close())
  return { a, b, attempt }
}

const pid = { a: new Pid(ends.a.name, 64, 0, 4), b: new Pid(ends.b.name, 64, 0, 5) }
export const message = (from: 'a' | 'b', term: Term): Signal => ({
  op: 'send',
  from: pid[from],
  to: pid[from === 'a' ? 'b' : 'a'],
  message: payload(term),
})
