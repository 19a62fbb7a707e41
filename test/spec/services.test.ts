/** Each service of spec/services.json that is served, asked as another node asks. */
import { existsSync, readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import {
  type Atom,
  atom,
  ExitError,
  format,
  type Node,
  type NodeProcess,
  type Pid,
  type Reference,
  type Sendable,
  type Term,
  type Tuple,
  tuple,
} from '../../src/index.js'
import { genServer, noreply, reply } from '../../src/otp/index.js'
import { cluster } from '../node/support.js'
import { type Bindings, boundBy, filled, fits } from './term-pattern.js'

interface Service {
  readonly name: string | null
  readonly by: 'message' | 'call' | 'cast' | 'spawn'
  readonly takes: string
  readonly gives: string | null
  readonly what: string
  readonly since: number | null
  readonly until: number | null
  readonly source: string
  readonly served: string | null
  readonly example?: Readonly<Record<string, string>>
  /** The test that holds it, where it is one message of a longer talk */
  readonly seen?: string
}

const { services } = JSON.parse(readFileSync('spec/services.json', 'utf8')) as { services: readonly Service[] }
const served = services.filter(({ served }) => served !== null)

/** What is loaded, and a server, on the node that is asked. */
async function prepare(node: Node): Promise<void> {
  await node.code.load('calc', {
    add: (a: number, b: number) => a + b,
    tell(this: NodeProcess, to: Pid, term: Sendable) {
      this.send(to, term)
    },
    toss(term: unknown) {
      throw term
    },
    leave(reason: Term) {
      throw new ExitError(reason)
    },
  })
  const server = genServer({
    init: () => null,
    handleCall: (request: Term, _from: unknown, state: null) => reply(request, state),
    handleCast(request: Term, state: null) {
      const [, to, what] = (request as Tuple).elements as readonly [Term, Pid, Term]
      node.send(to, what)
      return noreply(state)
    },
  } as never)
  await node.start(server as never, { name: 'server' } as never)
}

t.test('each request that is served gets the answer of the table', async t => {
  const { start, close } = await cluster()
  t.teardown(close)
  const printed: string[] = []
  const node = await start({ hidden: false, output: text => printed.push(text) })
  const friend = await start()
  await prepare(node)
  await friend.connect(node.name)
  // One process asks for all, for a lock ends with its holder.
  await friend.run(async self => {
    node.on('logger', ({ level, message }) => node.send(self.pid, tuple(atom('logged'), atom(level), [...Buffer.from(message)])))
    for (const service of served.filter(({ seen }) => seen === undefined)) {
      const title = `${service.name ?? 'a process'}: ${service.takes} (${service.what})`
      await t.test(title, t => ask(t, self, node, service))
    }
  })
  t.strictSame(printed, ['text', '1\n', 'text', 'a', 'b', 'old'])
})

async function ask(t: Test, self: NodeProcess, node: Node, service: Service): Promise<void> {
  const { name, by, takes, gives, example = {} } = service
  const [ref, alias] = [self.makeRef(), self.alias()]
  const me = atom(node.name) as Atom
  const known: [string, Term][] = [
    ['Pid', self.pid],
    ['Ref', ref],
    ['Alias', alias],
    ['Me', me],
    ['You', self.pid.node],
  ]
  const bindings: Bindings = boundBy(example, new Map(known))
  const shape = by === 'call' ? `{'$gen_call', {Pid, Ref}, ${takes}}` : by === 'cast' ? `{'$gen_cast', ${takes}}` : takes
  const listening = example['also'] === 'heard' ? listen(node, self.pid) : undefined
  if (listening) await node.register('listener', listening)
  if (example['peer'] !== undefined) {
    // It is ours to be while we listen.
    if (self.node.whereis(name as string)) await self.node.unregister(name as string)
    await self.register(name as string)
  }
  if (by === 'spawn') spawn(self, me, name as string, ref, filled(shape, bindings))
  else self.send({ name: name ?? 'server', node: node.name }, filled(shape, bindings))

  const answer = by === 'spawn' ? `{'DOWN', Ref, process, Child, ${gives}}` : by === 'call' ? `{Ref, ${gives}}` : gives
  const expected = [example['also'], example['effect'], example['peer'] ?? answer].flatMap(pattern => pattern ?? [])
  t.ok(expected.length > 0, 'there is something to see')
  const messages: Term[] = []
  while (messages.length < expected.length) messages.push(await self.receive(undefined, { timeout: 5000 }))
  for (const pattern of expected) {
    const came = messages.findIndex(message => fits(pattern, message, bindings))
    t.ok(came >= 0, `${pattern}, came: ${messages.map(message => format(message)).join(' and ')}`)
    messages.splice(came, 1)
  }
  t.equal(self.poll(), undefined, 'and nothing more')
  if (listening) node.exit(listening, atom('kill') as Term)
}

/** Tells another process all that it hears. */
const listen = (node: Node, to: Pid): Pid =>
  node.spawn(async self => {
    for await (const message of self) self.send(to, message)
  })

/** A SPAWN_REQUEST with a monitor, for `module:function/arity`. */
function spawn(self: NodeProcess, node: Atom, what: string, ref: Reference, args: Term): void {
  const [, module = '', fun = ''] = /^(\w+):(\w+)\/\d$/.exec(what) ?? []
  const request = { node, module: atom(module) as Atom, fun: atom(fun) as Atom, args: args as readonly Term[] }
  self.host.spawnRequests.request(self.local, ref, { ...request, monitor: true, reply: 'error_only' })
}

t.test('what a node registers is what the table says is served', async t => {
  const { start, close } = await cluster()
  t.teardown(close)
  const node = await start({ hidden: false })
  const registered = (list: readonly Service[]): string[] =>
    [...new Set(list.flatMap(({ name, by }) => (by === 'spawn' ? [] : (name ?? []))))].toSorted()
  t.strictSame(node.registered().toSorted(), registered(served))
  const spawned = services.filter(({ by }) => by === 'spawn')
  for (const { name, served } of spawned) {
    t.equal(node.code.isLoaded(atom((name ?? '').split(':')[0] as string) as Atom), served !== null, `${name}`)
  }
})

t.test('each row is whole', async t => {
  for (const { name, takes, gives, what, source, served, example = {}, by, seen } of services) {
    const title = `${name ?? 'a process'}: ${takes}`
    t.match(source, /^lib\/[\w/]+\.(erl|c)\b/, `${title} has its source in OTP`)
    t.ok(what.length > 3 && ['message', 'call', 'cast', 'spawn'].includes(by), title)
    t.doesNotThrow(() => fits(takes, null, new Map()), `${title} can be read`)
    if (gives !== null && served !== null && example['peer'] === undefined && seen === undefined)
      t.doesNotThrow(() => fits(gives, null, new Map()), `${title}: ${gives}`)
    if (served === null) continue
    t.ok(existsSync(served), `${served} is there`)
    const word =
      /\b(?!Pid\b)[a-z$][a-z_]+\b/.exec(name?.includes(':') ? (name.split(':')[1] as string) : takes.replaceAll(/'\$gen_/g, "'"))?.[0] ?? ''
    t.match(readFileSync(served, 'utf8'), word, `${served} speaks of ${word}`)
    if (seen !== undefined) t.match(readFileSync(seen, 'utf8'), word, `${seen} speaks of ${word}`)
  }
})

t.test('a pattern tells what fits it', async t => {
  const bindings = new Map<string, Term>([['X', 1]])
  t.ok(fits('{a, [X | Y]}', filled('{a, [1 | b]}', bindings), bindings))
  t.notOk(fits('{a, X}', tuple(atom('a'), 2) as Term, bindings))
  t.notOk(fits('{a, X, Y}', tuple(atom('a'), 1) as Term, bindings))
  t.notOk(fits('[a]', [], bindings))
  t.ok(fits("{'DOWN', 'X'}", tuple(atom('DOWN'), atom('X')) as Term, bindings), 'a quoted atom is no variable')
  t.throws(() => filled('{a, Z}', bindings), /nothing is said for Z/)
})
