/** What a name server says to other nodes, to its locker and to its node, message for message. */
import t from 'tap'
import { atom, type Atom, format, Pid, Reference, type Sendable, type Term } from '../../src/index.js'
import { GlobalNameServer, type GlobalOutside } from '../../src/otp/global/name-server.js'
import type { NameTerm } from '../../src/otp/global/messages.js'
import { type Bindings, filled } from '../spec/term-pattern.js'

const [a, b, c, d] = ['a@h', 'b@h', 'c@h', 'd@h'].map(name => atom(name)) as [Atom, Atom, Atom, Atom]
const pidOf = (node: Atom, id: number): Pid => new Pid(node, id, 0, 1)
const own = new Reference(a, 1, [1, 2, 3])

/** The name server of a@h, in a world that writes down what it does. */
class World implements GlobalOutside {
  readonly locker = pidOf(a, 1)
  readonly said: string[] = []
  readonly monitors: Pid[] = []
  readonly gone = new Set<Atom>()
  time = 0
  readonly server: GlobalNameServer
  readonly vars: [string, Term][] = [
    ['A', a],
    ['B', b],
    ['C', c],
    ['D', d],
    ['LockerA', this.locker],
    ['LockerB', pidOf(b, 1)],
    ['PidA', pidOf(a, 7)],
    ['PidB', pidOf(b, 7)],
    ['PidC', pidOf(c, 7)],
    ['Asks', pidOf(b, 9)],
    ['Ref', new Reference(b, 1, [9, 9, 9])],
    ['Own', own],
  ]

  constructor({ prevent = true, connectAll = true } = {}) {
    const options = { node: a, creation: 3, own, connectAll, prevent }
    this.server = new GlobalNameServer(this, { used: () => {}, released: () => {} }, options)
  }

  get bindings(): Bindings {
    return new Map(this.vars)
  }

  /** A message comes. */
  hear(pattern: string): string[] {
    this.server.onMessage(filled(pattern, this.bindings))
    return this.said.splice(0)
  }

  /** A call's answer, and what is said besides */
  call(request: string): string[] {
    return this.hear(`{'$gen_call', {Asks, Ref}, ${request}}`)
  }

  up = (node: string): string[] => this.hear(`{Own, nodeup, ${node}}`)
  down = (node: string): string[] => this.hear(`{Own, nodedown, ${node}}`)
  cast = (message: string): string[] => this.hear(`{'$gen_cast', ${message}}`)

  #say = (what: string, term?: Sendable): void => void this.said.push(term === undefined ? what : `${what} ${format(term)}`)
  named = (): void => {}
  send = (node: Atom, message: Sendable): void => this.#say(`${node.name} !`, message)
  sendConnected = (node: Atom, message: Sendable): void => this.#say(`${node.name} ?`, message)
  tellLocker = (message: Sendable): void => this.#say('locker', message)
  tellRegistrar = (message: Sendable): void => this.#say('registrar', message)
  isConnected = (node: Atom): boolean => !this.gone.has(node)
  meet = (node: Atom): void => this.#say(`meets ${node.name}`)
  resolve = (node: Atom, tag: number, names: readonly NameTerm[]): Pid => {
    this.#say(`compares with ${node.name} ${tag}`, [...names])
    return pidOf(a, 5)
  }
  kill = (): void => this.#say('ends the comparison')
  reply = (_: unknown, value: Sendable): void => this.#say('replies', value)
  monitor = (pid: Pid): Reference => {
    this.monitors.push(pid)
    return new Reference(a, 1, [this.monitors.length, 0, 0])
  }
  demonitor = (): void => {}
  monitorNode = (node: Atom, on: boolean): void => this.#say(`${on ? 'watches' : 'lets'} ${node.name}`)
  nodes = (): readonly Atom[] => [b, c]
  disconnect = (node: Atom): void => this.#say(`disconnects ${node.name}`)
  now = (): number => this.time
  warn = (what: string, node: Atom): void => this.#say(`warns: ${what} ${node.name}`)
  unexpected = (): void => this.#say('did not expect that')

  get names(): string[] {
    return this.server.names.entries().map(({ name, pid }) => `${format(name)} of ${pid.node.name}`)
  }

  /** Of one partition with that node, which has a name and knows another. */
  join(node: 'B' | 'C', tag: number): void {
    this.up(node)
    this.cast(`{init_connect, {8, 50}, ${node}, {locker, no_longer_a_pid, [], Locker${node === 'B' ? 'B' : 'A'}}}`)
    this.cast(`{lock_is_set, ${node}, ${tag}, {global, [x]}}`)
    this.cast(`{exchange, ${node}, [], [], ${tag}}`)
    this.cast(`{exchange_ops, ${node}, ${tag}, [], []}`)
    this.cast(`{resolved, ${node}, [], [], unused, [], ${tag}}`)
  }
}

const written = (pattern: string, world: World): string => format(filled(pattern, world.bindings))

t.test('two nodes become of one partition', async t => {
  const world = new World()
  const say = (...lines: readonly string[]): string[] => lines.map(line => line.replace(/[[{].*$/s, pattern => written(pattern, world)))
  t.strictSame(world.call('{register, mine, PidA, m}'), ['replies yes'])
  t.strictSame(world.up('B'), say("b@h ! {'$gen_cast', {init_connect, {8, 1}, A, {locker, no_longer_a_pid, [], LockerA}}}"))
  t.strictSame(
    world.cast('{init_connect, {8, 50}, B, {locker, no_longer_a_pid, [], LockerB}}'),
    say('locker {his_the_locker, LockerB, {8, []}, 50, 1}', 'b@h ? {init_connect_ack, A, 50, 1}'),
  )
  t.strictSame(world.hear('{init_connect_ack, B, 1, 50}'), [], 'both see the same tags')
  t.strictSame(world.cast('{lock_set, LockerB, true, [], 1}'), say('locker {lock_set, LockerB, true, [], 1}'), 'passed on')
  t.strictSame(world.cast('{lock_is_set, B, 1, {global, [x]}}'), say("b@h ! {'$gen_cast', {exchange, A, [{mine, PidA, m}], [], 50}}"))
  t.strictSame(world.cast('{exchange, B, [{yours, PidB, m}], [], 1}'), say('compares with b@h 1 [{yours, PidB, m}]'))
  t.strictSame(
    world.cast('{exchange_ops, B, 1, [{insert, {yours, PidB, m}}], [{delete, mine}]}'),
    say("b@h ! {'$gen_cast', {resolved, A, [{delete, mine}], [], unused, [], 50}}"),
  )
  t.strictSame(
    world.cast('{resolved, B, [{delete, mine}], [{C, 8}], unused, [], 1}'),
    say(
      'meets c@h',
      'locker {cancel, C, undefined, []}',
      'locker {cancel, B, 1, []}',
      'ends the comparison',
      'locker {add_to_known, [B, C]}',
    ),
  )
  t.strictSame(world.names, ['yours of b@h'])
  t.strictSame(world.call('get_known'), say('replies [B, C]'))
  t.strictSame(world.call('get_synced'), [`replies ${format([b])}`], 'the other is not in sync yet')
  t.strictSame(world.up('C'), [], 'known already: nothing to exchange')
  t.strictSame(world.cast('{in_sync, C, true}'), say('locker {cancel, C, undefined, []}'))
  t.strictSame(world.call('get_synced'), [`replies ${format([b, c])}`])
})

t.test('whoever is known already hears of it from the locker', async t => {
  const world = new World()
  world.join('B', 1)
  world.up('C')
  world.cast('{init_connect, {8, 60}, C, {locker, no_longer_a_pid, [], LockerA}}')
  world.cast('{lock_is_set, C, 2, {global, [x]}}')
  world.cast('{exchange, C, [{theirs, PidC, m}], [], 2}')
  world.cast('{exchange_ops, C, 2, [{insert, {theirs, PidC, m}}], []}')
  const said = world.cast('{resolved, C, [], [{D, 8}], unused, [], 2}')
  const news = '{new_nodes, A, [{insert, {theirs, PidC, m}}], [], [{C, 8}, {D, 8}], [{vsn, 8}, {lock, {global, [x]}}]}'
  t.ok(said.includes(`locker ${written(`{cancel, C, 2, [{B, ${news}}]}`, world)}`), said.join('\n'))
  t.strictSame(world.names, ['theirs of c@h'])
})

t.test('messages that overtake others wait for them', async t => {
  const world = new World()
  world.up('B')
  world.cast('{init_connect, {8, 50}, B, {locker, no_longer_a_pid, [], LockerB}}')
  t.strictSame(world.cast('{exchange, B, [], [], 1}'), [], 'before our lock is set')
  t.match(world.cast('{lock_is_set, B, 1, {global, [x]}}').at(-1), 'compares with b@h 1 []')
  t.strictSame(world.cast('{resolved, B, [{insert, {n, PidB, m}}], [], unused, [], 1}'), [], 'before we have compared')
  world.cast('{exchange_ops, B, 1, [], []}')
  t.strictSame(world.names, ['n of b@h'])
})

t.test('a beginning that comes before its connection is told is kept for it', async t => {
  const world = new World()
  t.strictSame(world.cast('{init_connect, {8, 50}, B, {locker, no_longer_a_pid, [], LockerB}}'), [])
  t.match(
    world.up('B').map(line => line.split(' ')[0]),
    ['b@h', 'locker', 'b@h'],
  )
  world.gone.add(c)
  world.cast('{init_connect, {8, 50}, C, {locker, no_longer_a_pid, [], LockerB}}')
  t.equal(world.up('C').length, 1, 'not that of a node that is not connected')
})

t.test('tags of another attempt do nothing, and where the views differ both begin anew', async t => {
  const world = new World()
  const cancelled = (tag: number): string[] => [`locker ${written(`{cancel, B, ${tag}, []}`, world)}`]
  world.up('B')
  world.cast('{init_connect, {8, 50}, B, {locker, no_longer_a_pid, [], LockerB}}')
  t.strictSame(world.cast('{lock_is_set, B, 9, {global, [x]}}'), cancelled(9))
  t.strictSame(world.cast('{exchange, B, [], [], 9}'), cancelled(9))
  t.strictSame(world.cast('{exchange_ops, B, 9, [], []}'), cancelled(9))
  t.strictSame(world.cast('{resolved, B, [], [], unused, [], 9}'), cancelled(9))
  t.strictSame(world.cast('{lock_set, LockerB, true, [], 9}'), [])
  t.strictSame(world.hear('{cancel_connect, B, 9}'), [])
  const begun = (tag: number): string =>
    `b@h ! ${written(`{'$gen_cast', {init_connect, {8, ${tag}}, A, {locker, no_longer_a_pid, [], LockerA}}}`, world)}`
  t.strictSame(
    world.hear('{init_connect_ack, B, 1, 49}'),
    [`b@h ? ${written('{cancel_connect, A, 49}', world)}`, ...cancelled(1), `b@h ? ${written('{cancel_connect, A, 50}', world)}`, begun(2)],
    'he has begun twice',
  )
  t.strictSame(world.hear('{cancel_connect, B, 2}'), [...cancelled(2), begun(3)], 'he has given up')
  world.cast('{init_connect, {8, 51}, B, {locker, no_longer_a_pid, [], LockerB}}')
  t.strictSame(
    world.cast('{init_connect, {8, 52}, B, {locker, no_longer_a_pid, [], LockerB}}').at(-1),
    begun(4),
    'a second beginning within the first',
  )
  t.strictSame(
    world.hear('{init_connect_ack, D, 1, 4}'),
    [`d@h ? ${written('{cancel_connect, A, 4}', world)}`],
    'of a session that is over',
  )
})

t.test('a node of OTP 24 or before goes on without us', async t => {
  const world = new World()
  world.up('B')
  t.strictSame(
    world.cast('{init_connect, {7, 50}, B, {locker, no_longer_a_pid, [], LockerB}}')[0],
    `b@h ! ${written("{'$gen_cast', {in_sync, A, true}}", world)}`,
  )
  t.strictSame(world.call('get_known'), ['replies []'])
})

t.test('a lost connection is told once, told on once, and answered by letting go', async t => {
  const world = new World()
  world.join('B', 1)
  world.cast('{new_nodes, B, [], [], [{C, 8}, {D, 8}], [{lock, {global, [x]}}]}')
  const lost = world.down('B')
  const told = lost.filter(line => line.includes('lost_connection'))
  t.match(told[0], /^c@h \? \{lost_connection,a@h,\d+,1,b@h\}$/)
  t.match(told[1], /^d@h \? /)
  t.strictSame(world.down('B').filter(line => line.includes('lost_connection')).length, 2, 'and each time anew')

  const heard = '{lost_connection, D, 77, 5, C}'
  const said = world.hear(heard)
  t.ok(said.includes(`c@h ? ${written(heard, world)}`), 'told on, but not to whom it came from')
  t.ok(said.includes(`c@h ? ${written('{remove_connection, A}', world)}`))
  t.equal(said.at(-1), 'warns: requested a disconnect from c@h')
  t.strictSame(world.hear(heard), [], 'heard already')
  t.strictSame(world.hear('{lost_connection, D, 77, 4, C}'), [], 'older')
  t.strictSame(
    world.down('C').filter(line => line.includes('lost_connection')),
    [],
    'its loss is no news',
  )
  t.strictSame(world.hear('{lost_connection, D, 78, 1, C}'), [], 'of another life of that node, but it is not known any more')
  world.time = 3_600_001
  world.hear('{lost_connection, D, 78, 1, B}')
  const again = world.hear('{lost_connection, C, 1, 1, A}')
  t.strictSame(
    again.filter(line => line.includes('remove_connection')),
    [],
    'we are the one, of a node that we do not know',
  )
  t.ok(world.hear('{lost_connection, D, 78, 2, A}').includes(`d@h ? ${written('{remove_connection, A}', world)}`), 'we are the one')
  t.strictSame(world.call('get_known'), ['replies []'])
})

t.test('who is asked to let go does', async t => {
  const world = new World()
  world.join('B', 1)
  t.strictSame(world.hear('{remove_connection, C}'), [], 'of a node that is not known')
  const said = world.hear('{remove_connection, B}')
  t.equal(said[0], 'disconnects b@h')
  t.equal(said.at(-1), 'warns: disconnected b@h')
  t.strictSame(
    world.down('B').filter(line => line.includes('lost_connection')),
    [],
  )
})

t.test('without the prevention nobody lets go; without connectAll nobody exchanges', async t => {
  const world = new World({ prevent: false })
  world.join('B', 1)
  world.cast('{new_nodes, B, [], [], [{C, 8}], [{lock, {global, [x]}}]}')
  t.strictSame(world.hear('{lost_connection, B, 1, 1, C}'), [])
  t.strictSame(
    world.down('B').filter(line => line.includes('lost_connection')),
    [],
  )
  t.strictSame(new World({ connectAll: false }).up('B'), [])
})

t.test('names and locks', async t => {
  const world = new World()
  t.strictSame(world.call('{set_lock, {global, x}}'), ['replies true'])
  t.strictSame(world.call('{register, n, PidA, m}'), ['replies yes'])
  t.strictSame(world.call('{register_ext, c_node, PidC, m, B}'), ['replies yes'])
  t.strictSame(world.call('get_names_ext'), [`replies ${written('[{c_node, PidC, B}]', world)}`])
  t.strictSame(world.names, ['n of a@h', 'c_node of c@h'])
  t.strictSame(world.call('{del_lock, {global, y}}'), ['replies true'], 'of another requester')
  t.ok(world.server.locks.isSet(atom('global')))
  // Who holds the lock ends: what it says late does not count.
  const lockMonitor = new Reference(a, 1, [1, 0, 0])
  world.vars.push(['Lock', lockMonitor])
  world.hear("{'DOWN', Lock, process, Asks, noconnection}")
  t.notOk(world.server.locks.isSet(atom('global')))
  t.strictSame(world.call('{register, late, PidA, m}'), ['replies yes'])
  t.strictSame(world.names, ['n of a@h', 'c_node of c@h'])
  t.strictSame(world.call('{set_lock, {global, x}}'), ['replies true'])
  t.strictSame(world.call('{register, late, PidB, m}'), ['replies yes'])
  t.strictSame(world.call('{del_lock, {global, x}}'), ['replies true'])
  t.strictSame(world.call('{unregister, late}'), ['replies ok'])
  const named = new Reference(a, 1, [2, 0, 0])
  world.vars.push(['Named', named])
  world.hear("{'DOWN', Named, process, PidA, killed}")
  t.strictSame(world.names, ['c_node of c@h'])
  t.strictSame(world.call('get_protocol_version'), ['replies 8'])
  t.strictSame(world.call('{registrar, {unregister, n}}'), ['did not expect that'], 'not for other nodes')
})

t.test('whoever waits for nodes to be in sync', async t => {
  const world = new World()
  t.strictSame(world.call('{sync, []}'), ['replies ok'])
  t.strictSame(world.call('{sync, [A, B, C]}'), ['watches b@h', 'watches c@h'])
  world.join('B', 1)
  t.strictSame(world.hear('{nodedown, C}'), ['lets b@h', 'lets c@h', 'replies ok'])
  t.strictSame(world.call('{sync, [B]}'), ['replies ok'])
})

t.test('who leaves is missed by nobody', async t => {
  const world = new World()
  world.join('B', 1)
  const said = world.call('disconnect')
  t.ok(said.includes('disconnects b@h') && said.includes('disconnects c@h'))
  t.notOk(said.some(line => line.startsWith('replies')))
  t.strictSame(
    world.down('B').filter(line => /replies|lost/.test(line)),
    [],
  )
  t.strictSame(
    world.down('C').filter(line => /replies|lost/.test(line)),
    [`replies ${format([b, c])}`],
  )
})

t.test('what is no message changes nothing', async t => {
  const world = new World()
  world.join('B', 1)
  world.up('C')
  world.cast('{init_connect, {8, 60}, C, {locker, no_longer_a_pid, [], LockerA}}')
  for (const call of ['nothing', '{set_lock, x}', '{del_lock, {a}}', '{register, n, no_pid, m}', '{sync, x}', '[]', '17'])
    t.strictSame(world.call(call), ['did not expect that'], call)
  for (const cast of [
    '{init_connect, x, C, y}',
    '{init_connect, {8}, C, {locker, x, y, LockerB}}',
    '{exchange, C, [x], [], 2}',
    '{exchange, C, x, [], 2}',
    '{resolved, C, [{insert, x}], [], unused, [], 2}',
    '{resolved, C, [], [x], unused, [], 2}',
    '{new_nodes, B, [x], [], [], []}',
    '{new_nodes, B, [], [], x, []}',
    '{exchange_ops, C, 2, x, []}',
  ])
    // prettier-ignore
    t.strictSame(world.cast(cast), [], cast)
  for (const other of ['{in_sync, "c", true}', '{lock_set, x, true, [], 1}', 'x', '{x}', '[]'])
    t.strictSame(world.cast(other), ['did not expect that'], other)
  for (const info of ['{lost_connection, B, 1, 1, "c"}', '{nodedown, "c"}', "{'DOWN', x, process, y, z}", 'x', '{remove_connection, 7}'])
    t.strictSame(world.hear(info), ['did not expect that'], info)
  for (const forged of ['{nodeup, C}', '{Ref, nodedown, B}']) t.strictSame(world.hear(forged), ['did not expect that'], forged)
  t.strictSame(world.call('get_known'), [`replies ${format([b])}`])
})
