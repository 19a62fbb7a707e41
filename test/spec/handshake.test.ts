/** spec/handshake.json is what the code says and understands. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { flags, offeredFlags } from '../../src/dist/flags.js'
import { maxHandshakeFrame } from '../../src/dist/frames.js'
import { accept, type Agreement, type Handshake, initiate, type Step } from '../../src/dist/handshake.js'
import * as message from '../../src/dist/handshake-messages.js'
import type { AcceptStatus } from '../../src/dist/peer.js'
import { setupTime } from '../../src/net/shake.js'
import { type Atom, atom, type NodeError } from '../../src/term/index.js'

interface Message {
  readonly name: string
  readonly letter: string
  readonly code: string
  readonly fields: Readonly<Record<string, string | number | boolean>>
  readonly example: string
}

interface Status {
  readonly status: string
  readonly dialler: string | null
  readonly acceptor: string | null
}

interface Table {
  readonly messages: readonly Message[]
  readonly statuses: readonly Status[]
  readonly rules: { readonly setupTime: number; readonly maxFrame: number }
}

const { messages, statuses, rules } = JSON.parse(readFileSync('spec/handshake.json', 'utf8')) as Table

/** As the table writes it: flags and digests in hexadecimal. */
const told = (fields: object): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [
        key,
        typeof value === 'bigint' ? value.toString(16) : value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
      ]),
  )

const meant = ({ flags: bits, digest, ...rest }: Message['fields']): Record<string, unknown> => ({
  ...rest,
  ...(bits !== undefined && { flags: BigInt(`0x${String(bits)}`) }),
  ...(digest !== undefined && { digest: Buffer.from(String(digest), 'hex') }),
})

t.test('each message is read and written as the table has it', async t => {
  const code = message as unknown as Record<string, (argument: unknown) => unknown>
  for (const { name, letter, code: functions, fields, example } of messages) {
    t.equal(Buffer.from(example, 'hex').toString('latin1', 0, 1), letter, name)
    for (const fun of functions.split(', ')) {
      if (fun.startsWith('parse')) {
        const read = code[fun]?.(Buffer.from(example, 'hex'))
        const bare = typeof read === 'boolean' ? { goOn: read } : read instanceof Uint8Array ? { digest: read } : (read as object)
        t.strictSame(told(bare), fields, `${fun} of ${name}`)
      } else {
        const { is, goOn, ...others } = meant(fields)
        const one = fun === 'encodeStatus' ? is : fun === 'encodeAnswer' ? goOn : fun === 'encodeAck' ? others['digest'] : others
        t.equal((code[fun]?.(one) as Buffer | undefined)?.toString('hex'), example, `${fun} of ${name}`)
      }
    }
  }
  const known = Object.keys(message).filter(name => /^(encode|parse)/.test(name))
  t.strictSame([...new Set(messages.flatMap(({ code }) => code.split(', ')))].toSorted(), known.toSorted(), 'and there are no others')
})

t.test('each status ends as the table has it', async t => {
  const md5 = (bytes: Uint8Array): Uint8Array => createHash('md5').update(bytes).digest()
  const secrets = { md5, challenge: () => 5 }
  const [a, b] = ['a@h', 'b@h'].map(name => atom(name) as Atom) as [Atom, Atom]
  for (const { status, dialler, acceptor } of statuses) {
    const named = status === 'named:'
    const asks = named ? { name: atom('h') as Atom, creation: 0 } : { name: a, creation: 4 }
    const self = { ...asks, flags: offeredFlags({ visible: false }) | (named ? flags.NAME_ME : 0n) }
    const says: AcceptStatus = named ? { named: 'guest@h', creation: 9 } : (status as 'ok')
    const ends = run(
      initiate({ self, peer: b, cookie: 'c', ...secrets }),
      accept({
        self: { name: b, creation: 5, flags: offeredFlags({ visible: false }) },
        cookieFor: () => 'c',
        status: () => says,
        ...secrets,
      }),
    )
    t.strictSame(ends, [dialler, acceptor], status)
  }
  const every: Record<message.Status['is'], true> = {
    ok: true,
    ok_simultaneous: true,
    nok: true,
    not_allowed: true,
    alive: true,
    named: true,
  }
  t.strictSame(statuses.map(({ status }) => status.replace(':', '')).toSorted(), Object.keys(every).toSorted(), 'and there are no others')
})

t.test('its rules', async t => {
  t.strictSame([rules.setupTime, rules.maxFrame], [setupTime, maxHandshakeFrame])
})

/** Runs both halves; null where one ends well, else the code. */
function run(...handshakes: readonly [Handshake, Handshake]): (string | null)[] {
  const inboxes: Buffer[][] = [[], []]
  const results: (string | null | undefined)[] = [undefined, undefined]
  const steps: (IteratorResult<Step, Agreement> | undefined)[] = [undefined, undefined]
  const advance = (i: 0 | 1, bytes: Buffer = Buffer.alloc(0)): void => {
    try {
      steps[i] = handshakes[i].next(bytes)
      if (steps[i].done) results[i] = null
    } catch (error) {
      results[i] = (error as NodeError).code
    }
  }
  advance(0)
  advance(1)
  for (let turns = 0; turns < 40 && results.includes(undefined); turns++) {
    for (const i of [0, 1] as const) {
      const step = steps[i]?.value as Step
      if (results[i] !== undefined) continue
      if (step.do === 'send') {
        inboxes[1 - i]?.push(step.bytes)
        advance(i)
      } else {
        const bytes = inboxes[i]?.shift()
        if (bytes !== undefined) advance(i, bytes)
      }
    }
  }
  return results.map(result => (result === undefined ? 'hangs' : result))
}
