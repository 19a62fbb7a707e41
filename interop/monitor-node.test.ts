/**
 * `erlang:monitor_node` and `net_kernel:monitor_nodes` beside `self.monitorNode` and `self.monitorNodes`: a process of a BEAM node and one of a TypeScript node
 * do the same things while the same third node comes and goes, and are told the same, message for message.
 */
import t, { type Test } from 'tap'
import type { Node } from '../src/index.js'
import { format, type MonitorNodesOptions, type NodeProcess, type Pid, type Sendable, Tuple, atom, type Term } from '../src/index.js'
import type { Beam } from '../src/interop/index.js'
import { eachOtp, type Real } from './support/each-otp.js'
import { startNode } from './support/pair.js'

const watching = String.raw`
-module(watching).
-export([start/0, loop/1]).
start() -> spawn(?MODULE, loop, [[]]).
loop(Seen) ->
    receive
        {act, From, Ref, M, F, A} -> From ! {Ref, catch apply(M, F, A)}, loop(Seen);
        {last, From, Ref} -> From ! {Ref, last(Seen)}, loop([]);
        {count, From, Ref, Count} -> From ! {Ref, count(Seen, Count)}, loop([]);
        Message -> loop([Message | Seen])
    end.
last([{nodeup, _, #{connection_id := _} = Info} | Seen]) when map_size(Info) =:= 1 -> lists:reverse(Seen);
last(Seen) -> receive Message -> last([Message | Seen]) end.
count(Seen, Count) when length(Seen) >= Count -> lists:reverse(Seen);
count(Seen, Count) -> receive Message -> count([Message | Seen], Count) end.
`

/** The options of monitor_nodes in Erlang and in TypeScript */
const forms: Readonly<Record<string, MonitorNodesOptions | undefined>> = {
  '[]': undefined,
  '[nodedown_reason]': { nodedownReason: true, info: 'list' },
  '[{node_type, all}, nodedown_reason]': { nodeType: 'all', nodedownReason: true, info: 'list' },
  '[connection_id]': { connectionId: true, info: 'list' },
  '[nodedown_reason, {node_type, visible}, connection_id]': { connectionId: true, nodeType: 'visible', nodedownReason: true, info: 'list' },
  '#{}': {},
  '#{nodedown_reason => true}': { nodedownReason: true },
  '#{nodedown_reason => false, connection_id => false}': { nodedownReason: false, connectionId: false },
  '#{connection_id => true, node_type => all}': { connectionId: true, nodeType: 'all' },
  '#{connection_id => true, node_type => visible, nodedown_reason => true}': {
    connectionId: true,
    nodeType: 'visible',
    nodedownReason: true,
  },
  '#{connection_id => true, node_type => hidden, nodedown_reason => true}': {
    connectionId: true,
    nodeType: 'hidden',
    nodedownReason: true,
  },
  '[strange]': { nodeType: 'strange' as never, info: 'list' },
  '#{node_type => strange}': { nodeType: 'strange' as never },
}
/** Says that all was told: nothing else asks for this alone. */
const last = '#{connection_id => true}'

/** `on`, `off`: monitor_node of the third node; `nodes`, `no nodes`: monitor_nodes; `dropped`: the third one disconnects */
type Step =
  | 'on'
  | 'off'
  | 'on nobody'
  | 'off nobody'
  | 'on itself'
  | 'off itself'
  | 'connect'
  | 'disconnect'
  | 'dropped'
  | `${'nodes' | 'no nodes'} ${string}`

const comeAndGo: readonly Step[] = ['connect', 'disconnect', 'connect', 'dropped']
const all = Object.keys(forms)

const scenarios: Readonly<Record<string, readonly Step[]>> = {
  'once': ['connect', 'on', 'disconnect'],
  'each time that it is asked for': ['connect', 'on', 'on', 'on', 'disconnect'],
  'each false takes one back': ['connect', 'on', 'on', 'on', 'off', 'dropped'],
  'all taken back': ['connect', 'on', 'on', 'off', 'off', 'disconnect'],
  'more taken back than asked for: nothing is owed': ['connect', 'on', 'off', 'off', 'off', 'on', 'disconnect'],
  'it is told once, of one connection': ['connect', 'on', 'disconnect', 'connect', 'disconnect'],
  'asked for again': ['connect', 'on', 'disconnect', 'connect', 'on', 'on', 'dropped'],
  'taken back when it was told': ['connect', 'on', 'disconnect', 'off', 'connect', 'on', 'dropped'],
  'a node that is not connected, and may not be': ['on', 'on', 'off', 'connect', 'disconnect'],
  'nobody': ['on nobody', 'on nobody', 'off nobody', 'off nobody', 'on nobody'],
  'itself': ['on itself', 'on itself', 'off itself', 'connect', 'disconnect'],
  ...Object.fromEntries(all.map(form => [`monitor_nodes ${form}`, [`nodes ${form}`, ...comeAndGo] as const])),
  'a connection that was there': ['connect', `nodes ${all[1] as string}`, 'disconnect', 'connect', 'dropped'],
  'every subscription brings one': ['nodes []', 'nodes []', `nodes ${all[4] as string}`, 'nodes []', 'connect', 'disconnect'],
  'false ends all of the same options': ['nodes []', 'nodes []', 'nodes #{}', 'no nodes []', 'connect', 'disconnect'],
  'false with other options ends none': ['nodes []', 'no nodes #{}', 'no nodes [nodedown_reason]', 'connect', 'disconnect'],
  'the same options in another order': ['nodes [nodedown_reason, {node_type, visible}, connection_id]', 'no nodes [connection_id, {node_type, visible}, nodedown_reason]', 'connect', 'disconnect'],
  'false without true': ['no nodes []', 'nodes []', 'connect', 'dropped'],
  'what is false is as if it were not there': ['nodes #{}', `no nodes ${all[7] as string}`, 'connect', 'dropped'],
  'both at once': ['nodes []', 'connect', 'on', 'on', 'disconnect', 'connect', 'dropped'],
} // prettier-ignore

/** A process that watches, of either node */
interface Watcher {
  readonly name: string
  monitorNode(name: string, on: boolean): Promise<void>
  /** ok, or error */
  monitorNodes(on: boolean, form: string): Promise<string>
  /** Resolves when both ends know. */
  connect(): Promise<void>
  disconnect(): Promise<void>
  up(): Promise<void>
  down(): Promise<void>
  /** All messages until what `last` asks for comes, or so many. */
  seen(count?: number): Promise<Term[]>
}

/** The node that comes and goes */
interface Third {
  readonly name: string
  drop(watcher: string): Promise<void>
  waits(watcher: string, for_: 'up' | 'down'): Promise<void>
}

t.test('monitor_node and monitor_nodes', async t => {
  await eachOtp(t, async (t, { start }) => {
    const { beam, node, peer } = await three(start)
    const ts = await startNode(beam, quiet)
    try {
      for (const [what, third] of [['BEAM', ofBeam(peer)], ['TypeScript', ofTypeScript(ts)]] as const) {
        const watchers = [await there(beam, third), await here(node, third)] as const
        for (const [name, steps] of Object.entries(scenarios)) {
          const [theirs, ours] = [await play(watchers[0], third, steps), await play(watchers[1], third, steps)]
          t.strictSame(ours, theirs, `a ${what} node, ${name}`)
        }
      } // prettier-ignore
      await reaching(t, beam, node, peer)
      await killed(t, beam, node, peer)
    } finally {
      await node.close()
      await ts.close()
    }
  })
})

// What comes and goes is what the test connects and disconnects: no node connects others by itself.
const quiet = { hidden: false, connectAll: false, preventOverlappingPartitions: false, distAutoConnect: 'never' } as const

async function three(start: Real['start']): Promise<{ beam: Beam; node: Node; peer: Beam }> {
  const kernel = { connect_all: false, prevent_overlapping_partitions: false, dist_auto_connect: 'never' }
  const args = Object.entries(kernel).flatMap(([key, value]) => ['-kernel', key, String(value)])
  const beam = await start({ args, code: watching })
  const peer = await start({ args, cookie: beam.cookie })
  return { beam, peer, node: await startNode(beam, quiet) }
}

/** What is told, and what the steps returned */
async function play(watcher: Watcher, third: Third, steps: readonly Step[]): Promise<readonly string[]> {
  const answers: string[] = []
  let connected = false
  for (const step of steps) {
    const [, no, form] = /^(no )?nodes (.*)$/.exec(step) ?? []
    const [, on, whom = 'it'] = /^(on|off) ?(.*)$/.exec(step) ?? []
    if (form !== undefined) answers.push(`${step}: ${await watcher.monitorNodes(no === undefined, form)}`)
    else if (on !== undefined) await watcher.monitorNode(named(whom === '' ? 'it' : whom, watcher, third), on === 'on')
    else if (step === 'connect') await watcher.connect()
    else if (step === 'disconnect') await watcher.disconnect()
    else await Promise.all([watcher.down(), third.waits(watcher.name, 'down'), third.drop(watcher.name)])
    if (on === undefined && form === undefined) connected = step === 'connect'
  }
  if (connected) await watcher.disconnect()
  for (const form of new Set(steps.flatMap(step => /nodes (.*)$/.exec(step)?.[1] ?? []))) await watcher.monitorNodes(false, form)
  await watcher.monitorNodes(true, last)
  await watcher.connect()
  const told = await watcher.seen()
  await watcher.monitorNodes(false, last)
  await watcher.disconnect()
  return [...answers, ...inWords(told, watcher.name, third.name)]
}

const named = (whom: string, watcher: Watcher, third: Third): string =>
  whom === 'itself' ? watcher.name : whom === 'nobody' ? 'nobody@127.0.0.1' : third.name

/** The numbers of connections in the order in which they come. What is told of one event to several subscriptions has no order. */
function inWords(told: readonly Term[], watcher: string, third: string): string[] {
  const numbers: string[] = []
  const words = told.map(message => {
    const plain = format(message).replaceAll(watcher, 'Watcher').replaceAll(third, 'Third')
    return plain.replace(/(connection_id(?: =>|,)\s*)(\d+)/, (_, key: string, id: string) => {
      if (!numbers.includes(id)) numbers.push(id)
      return `${key}#${numbers.indexOf(id)}`
    })
  })
  const events: string[][] = []
  for (const [index, word] of words.entries()) {
    const tag = (message: Term | undefined): string | undefined => (message instanceof Tuple ? message.tag : undefined)
    if (index > 0 && tag(told[index]) === tag(told[index - 1])) events.at(-1)?.push(word)
    else events.push([word])
  }
  return events.flatMap(event => event.toSorted())
}

async function there(beam: Beam, third: Third): Promise<Watcher & { readonly pid: Pid }> {
  const pid = (await beam.eval('watching:start().')) as Pid
  const ask = async (message: string, bindings: Readonly<Record<string, Sendable>> = {}): Promise<Term> => {
    return beam.eval(`R = make_ref(), W ! ${message}, receive {R, A} -> A end.`, { bindings: { W: pid, ...bindings } })
  }
  const watcher = {
    pid,
    name: beam.name,
    monitorNode: async (name: string, on: boolean) => void (await ask('{act, self(), R, erlang, monitor_node, [N, On]}', { N: atom(name), On: on })),
    monitorNodes: async (on: boolean, form: string) => {
      const answer = format(await ask(`{act, self(), R, net_kernel, monitor_nodes, [${String(on)}, ${form}]}`))
      return answer === 'ok' ? 'ok' : 'error'
    },
    connect: async () => {
      await beam.eval('true = net_kernel:connect_node(N).', { bindings: { N: atom(third.name) } })
      await Promise.all([watcher.up(), third.waits(beam.name, 'up')])
    },
    disconnect: async () => {
      await beam.eval('true = erlang:disconnect_node(N).', { bindings: { N: atom(third.name) } })
      await Promise.all([watcher.down(), third.waits(beam.name, 'down')])
    },
    up: () => beam.waitForNode(third.name, 'up'),
    down: () => beam.waitForNode(third.name, 'down'),
    seen: async (count?: number) => (await ask(count === undefined ? '{last, self(), R}' : '{count, self(), R, Count}', { Count: count ?? 0 })) as Term[],
  } // prettier-ignore
  return watcher
}

/** Its process, and the messages that it has taken */
interface Hearing {
  readonly self: NodeProcess
  /** Resolves to so many as `fits` says, as soon as that is no less than 0. */
  until(fits: (messages: readonly Term[]) => number): Promise<Term[]>
}

const hearing = (node: Node): Promise<Hearing> =>
  new Promise(ready => {
    node.spawn(async self => {
      const messages: Term[] = []
      let heard = (): void => {}
      const until = async (fits: (messages: readonly Term[]) => number): Promise<Term[]> => {
        while (fits(messages) < 0) await new Promise<void>(resolve => (heard = resolve))
        const count = fits(messages)
        return messages.splice(0).slice(0, count)
      }
      ready({ self, until })
      for await (const message of self) {
        messages.push(message)
        heard()
      }
    })
  })

async function here(node: Node, third: Third): Promise<Watcher> {
  const { self, until } = await hearing(node)
  const isLast = (message: Term): boolean => /^\{nodeup,'[^']*',#\{connection_id => \d+\}\}$/.test(format(message))
  const is = (state: 'up' | 'down') => async (): Promise<void> => {
    while (node.nodes('connected').includes(third.name) !== (state === 'up'))
      await new Promise<void>(resolve => node.once(state === 'up' ? 'nodeup' : 'nodedown', () => resolve()))
  }
  const watcher: Watcher = {
    name: node.name,
    monitorNode: async (name, on) => self.monitorNode(name, on),
    monitorNodes: async (on, form) => {
      try {
        self.monitorNodes(on, form === last ? { connectionId: true } : optionsOf(form))
        return 'ok'
      } catch {
        return 'error'
      }
    },
    connect: async () => {
      await node.connect(third.name)
      await Promise.all([watcher.up(), third.waits(node.name, 'up')])
    },
    disconnect: async () => {
      node.disconnect(third.name)
      await Promise.all([watcher.down(), third.waits(node.name, 'down')])
    },
    up: is('up'),
    down: is('down'),
    seen: count => until(messages => (count === undefined ? messages.findIndex(isLast) : messages.length < count ? -1 : count)),
  }
  return watcher
}

function optionsOf(form: string): MonitorNodesOptions | undefined {
  const same = (one: string): string => [...one].toSorted().join('')
  const found = Object.keys(forms).find(known => same(known) === same(form))
  return forms[found as string]
}

const ofBeam = (peer: Beam): Third => ({
  name: peer.name,
  drop: async watcher => void (await peer.eval('true = erlang:disconnect_node(N).', { bindings: { N: atom(watcher) } })),
  waits: (watcher, state) => peer.waitForNode(watcher, state),
})

const ofTypeScript = (peer: Node): Third => ({
  name: peer.name,
  drop: async watcher => void peer.disconnect(watcher),
  waits: async (watcher, state) => {
    while (peer.nodes('connected').includes(watcher) !== (state === 'up'))
      await new Promise<void>(resolve => peer.once(state === 'up' ? 'nodeup' : 'nodedown', () => resolve()))
  },
})

/** Both connect by themselves here, as by default. */
async function reaching(t: Test, beam: Beam, node: Node, peer: Beam): Promise<void> {
  await beam.eval('application:unset_env(kernel, dist_auto_connect).')
  const third = ofBeam(peer)
  await using connects = await startNode(beam, { ...quiet, distAutoConnect: true })
  const ours = await here(connects, third)
  const theirs = await there(beam, third)
  for (const arity of ['monitor_node/2', 'monitor_node/3']) {
    const told = []
    for (const watcher of [theirs, ours]) {
      await watcher.monitorNodes(true, '[nodedown_reason]')
      if (watcher === ours || arity === 'monitor_node/2') await watcher.monitorNode(third.name, true)
      else await beam.eval(`W ! {act, self(), make_ref(), erlang, monitor_node, [N, true, []]}, ok.`, { bindings: { W: theirs.pid, N: atom(third.name) } })
      await Promise.all([watcher.up(), third.waits(watcher.name, 'up')])
      await watcher.disconnect()
      const messages = await watcher.seen(3)
      await watcher.monitorNodes(false, '[nodedown_reason]')
      told.push(inWords(messages, watcher.name, third.name).toSorted())
    } // prettier-ignore
    t.strictSame(told[1], told[0], `${arity} connects to a node that is not connected`)
    t.equal(told[0]?.length, 3)
  }
  await beam.eval('application:set_env(kernel, dist_auto_connect, never).')
  t.equal(node.nodes('connected').length, 0)
}

async function killed(t: Test, beam: Beam, node: Node, peer: Beam): Promise<void> {
  const third = ofBeam(peer)
  const watchers = [await there(beam, third), await here(node, third)] as const
  for (const watcher of watchers) {
    await watcher.connect()
    for (const form of ['[{node_type, all}, nodedown_reason]', '#{nodedown_reason => true}']) await watcher.monitorNodes(true, form)
    for (const on of [true, true]) await watcher.monitorNode(third.name, on)
  }
  await peer.kill()
  const told = await Promise.all(watchers.map(async watcher => inWords(await watcher.seen(4), watcher.name, third.name).toSorted()))
  t.strictSame(told[1], told[0], 'a node that is killed')
  t.match(told[0], [/^\{nodedown,/, /^\{nodedown,/, /^\{nodedown,/, /^\{nodedown,/])
}
