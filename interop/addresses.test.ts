/** How nodes find each other: fixed ports without EPMD, resolvers on both sides, short names, IPv6, and hosts beyond ASCII. */
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import t, { type Test } from 'tap'
import { type Atom, atom, type Node, type Pid, tuple } from '../src/index.js'
import type { Beam } from '../src/interop/index.js'
import { freePort } from '../test/node/support.js'
import { eachOtp, type Real } from './support/each-otp.js'
import { actor, eachWay, evaluator, next, type Pair, startNode, tell } from './support/pair.js'

let made = 0
const fresh = (host: string): string => `ts-at-${process.pid}-${++made}${host}`

t.test('addresses', async t => {
  await eachOtp(t, async (t, { otp, start }) => {
    await fixedPorts(t, start, otp)
    await portRange(t, start)
    await short(t, start)
    await ipv6(t, start)
    await resolvers(t, start)
    await names(t, start)
  })
})

/** A message there and back, with pids of both nodes; a link that breaks as it should. */
async function talk(t: Test, { node, evaluate }: Pick<Pair, 'node' | 'evaluate'>): Promise<void> {
  await node.run(async self => {
    self.trapExit = true
    const pid = (await evaluate('actor:start().')) as Pid
    t.strictSame(await tell(self, pid, 'erlang', 'self'), pid)
    t.strictSame(await tell(self, pid, 'erlang', 'node', self.pid), atom(node.name))
    self.link(pid)
    self.exit(pid, atom('bye'))
    t.strictSame(await next(self), tuple(atom('EXIT'), pid, atom('bye')))
  })
  t.equal(await evaluate('net_adm:ping(Ts).'), atom('pong'))
}

async function fixedPorts(t: Test, start: Real['start'], otp: number): Promise<void> {
  // Nobody listens on EPMD's port; every node listens on one port, each at an address of its own.
  const [port, epmdPort] = [await freePort(), await freePort()]
  const ways: [string, string[]][] = [['-erl_epmd_port', ['-erl_epmd_port', String(port)]]]
  if (otp >= 27) ways.push(['kernel erl_epmd_node_listen_port', ['-kernel', 'erl_epmd_node_listen_port', String(port)]])
  for (const [title, args] of ways) {
    await t.test(`one port for every node: ${title}`, async t => {
      const beam = await start({ epmdPort, code: actor, args: [...args, '-kernel', 'inet_dist_use_interface', '{127,0,0,1}'] })
      const listen = { host: '127.0.0.2' }
      await eachWay(t, beam, talk, () => ({ name: fresh('@127.0.0.2'), epmd: false, resolve: port, listen }))
      await using silent = await startNode(beam, { epmd: false, epmdPort })
      await t.rejects(silent.connect(beam.name), { code: 'EPMD_OFF' }, 'who has no resolver finds nobody')
      await beam.stop()
    })
  }
}

async function portRange(t: Test, start: Real['start']): Promise<void> {
  await t.test('a port that inet_dist_listen_min and inet_dist_listen_max fix, told by a function', async t => {
    const port = await freePort()
    const beam = await start({
      code: actor,
      args: ['-kernel', 'inet_dist_listen_min', String(port), 'inet_dist_listen_max', String(port)],
    })
    const asked: string[] = []
    const resolve = async ({ full }: { full: string }): Promise<number> => (asked.push(full), port)
    await using node = await startNode(beam, { epmd: false, resolve })
    await node.connect(beam.name)
    await talk(t, { node, evaluate: evaluator(beam, node) })
    t.strictSame(asked, [beam.name])
    await using wrong = await startNode(beam, { epmd: false, resolve: () => Promise.reject(new Error('no registry')) })
    await t.rejects(wrong.connect(beam.name), { code: 'RESOLVE_FAILED', message: /no registry/ })
    await using other = await startNode(beam, { resolve: () => port })
    await t.rejects(other.connect('another@127.0.0.1'), { code: 'DIST_NAME_MISMATCH' })
  })
}

async function short(t: Test, start: Real['start']): Promise<void> {
  await t.test('short names', async t => {
    const host = hostname().split('.')[0] as string
    const beam = await start({ name: `beam-short-${process.pid}`, code: actor })
    t.equal(beam.name, `beam-short-${process.pid}@${host}`)
    const check = async (t: Test, pair: Pair): Promise<void> => {
      t.equal(pair.node.name.split('@')[1], host)
      await talk(t, pair)
      await t.rejects(pair.node.connect('any@127.0.0.1'), { code: 'NAME_SHORT_LONG' })
    }
    await eachWay(t, beam, check, () => ({ name: fresh('') }))
    await eachWay(t, beam, check, () => ({ name: fresh(`@${host}`), nameDomain: 'short' }))
    await t.rejects(startNode(beam, { name: 'ts@127.0.0.1', nameDomain: 'short' }), { code: 'NAME_SHORT_LONG' })
  })
}

async function ipv6(t: Test, start: Real['start']): Promise<void> {
  await t.test('IPv6', async t => {
    const beam = await start({ name: `beam-six-${process.pid}@::1`, code: actor, args: ['-proto_dist', 'inet6_tcp'] })
    const suite = async (t: Test, pair: Pair): Promise<void> => {
      await talk(t, pair)
      const registered = await pair.node.epmd.names('::1')
      t.ok(registered.some(({ name }) => `${name}@::1` === pair.node.name), 'EPMD is asked at ::1') // prettier-ignore
    }
    await eachWay(t, beam, suite, () => ({ name: fresh('@::1'), listen: { host: '::1' } }))
  })
}

/** Stands where erl_epmd stands: every node is here, ours and theirs at ports of their own. */
const resolver = (beam: number, ts: number): string => `
-module(resolver).
-export([start_link/0, register_node/2, register_node/3, listen_port_please/2, address_please/3, port_please/2, port_please/3, names/1]).

start_link() -> ignore.
register_node(_, _) -> {ok, 7}.
register_node(_, _, _) -> {ok, 7}.
listen_port_please(_, _) -> {ok, ${beam}}.
address_please(_, _, _) -> {ok, {127, 0, 0, 1}, ${ts}, 6}.
port_please(_, _) -> {port, ${ts}, 6}.
port_please(_, _, _) -> {port, ${ts}, 6}.
names(_) -> {error, address}.
`

/** A BEAM that is no node yet, and the way to make it one. */
async function beamWith(start: Real['start'], code: string[]): Promise<[Beam, (name: string) => Promise<unknown>]> {
  const cookie = `beamlet-${randomBytes(8).toString('hex')}`
  const beam = await start({ name: false, cookie, code, args: ['-epmd_module', 'resolver', '-setcookie', cookie] })
  const become = 'case net_kernel:start(Name, #{name_domain => longnames}) of {ok, _} -> node(); {error, _} -> error end.'
  return [beam, name => beam.eval(become, { bindings: { Name: atom(name) } })]
}

async function resolvers(t: Test, start: Real['start']): Promise<void> {
  await t.test('resolvers on both sides, and a host beyond ASCII', async t => {
    const [port, ours] = [await freePort(), await freePort()]
    const [beam, become] = await beamWith(start, [actor, resolver(port, ours)])
    const name = 'beam@höst.example'
    t.equal(((await become(name)) as Atom).name, name)

    const listen = { host: '127.0.0.1', port: ours }
    const resolve = (): { host: string; port: number } => ({ host: '127.0.0.1', port })
    for (const dials of ['TypeScript', 'the BEAM'] as const) {
      await t.test(`${dials} dials`, async t => {
        await using node: Node = await startNode(beam, { name: fresh('@höst.example'), epmd: false, listen, resolve })
        const evaluate = evaluator(beam, node)
        if (dials === 'TypeScript') await node.connect(name)
        else t.equal(await evaluate('net_kernel:connect_node(Ts).'), true)
        t.equal(await evaluate('nodes(hidden) =:= [Ts].'), true)
        t.strictSame(node.nodes('hidden'), [name])
        await talk(t, { node, evaluate })
        t.equal(await node.rpc.call(name, 'erlang', 'node', []), atom(name))
      })
    }
  })
}

async function names(t: Test, start: Real['start']): Promise<void> {
  await t.test('names that neither OTP nor Beamlet takes', async t => {
    const [beam, become] = await beamWith(start, [resolver(await freePort(), 1)])
    beam.expectLog(/./)
    for (const name of ['bjørn@127.0.0.1', '名@127.0.0.1', 'a.b@127.0.0.1', 'beam@名.example', 'beam@a b.example']) {
      t.equal(await become(name), atom('error'), name)
      await t.rejects(startNode(beam, { name }), { code: 'NAME_CHARACTERS' }, name)
    }
  })
}
