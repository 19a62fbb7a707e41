/** Who may connect: `net_kernel:allow/1` and `erlang:set_cookie/2`, on this side and on the BEAM's. */
import t, { type Test } from 'tap'
import { atom, type Node, type ProtocolFault } from '../src/index.js'
import type { Beam } from '../src/interop/index.js'
import { eachOtp, type Real } from './support/each-otp.js'
import { evaluator, startNode } from './support/pair.js'

const fault = (node: Node): Promise<[string | null, ProtocolFault]> =>
  new Promise(resolve => node.once('protocol', (...told) => resolve(told)))

/** Ends the connection, and waits until both sides have seen it. */
async function parted(node: Node, beam: Beam): Promise<void> {
  node.disconnect(beam.name)
  await beam.waitForNode(node.name, 'down')
}

const connects = 'net_kernel:connect_node(Ts).'

t.test('who may connect', async t => {
  await eachOtp(t, async (t, { start }) => {
    const beam = await start()
    beam.expectLog(/Connection attempt (from|to) (disallowed )?node/)
    await allowed(t, beam)
    await allowedThere(t, start)
    await cookies(t, beam)
  })
})

async function allowed(t: Test, beam: Beam): Promise<void> {
  await t.test('a node that is not allowed is refused, and told', async t => {
    await using node = await startNode(beam, { allow: ['other@127.0.0.1'] })
    const evaluate = evaluator(beam, node)
    const told = fault(node)
    t.equal(await evaluate(connects), false)
    t.match(await told, [beam.name, { code: 'DIST_NOT_ALLOWED' }])
    await t.rejects(node.connect(beam.name), { code: 'NODE_NOT_ALLOWED' })
    node.allow([beam.name])
    t.strictSame(node.allowed(), ['other@127.0.0.1', beam.name])
    t.equal(await evaluate(connects), true)
    await parted(node, beam)
    await node.connect(beam.name)
  })

  await t.test('a host allows all that dial from it, and dials nobody; so it is on the BEAM', async t => {
    await using node = await startNode(beam, { allow: ['127.0.0.1'] })
    t.equal(await evaluator(beam, node)(connects), true)
    await parted(node, beam)
    await t.rejects(node.connect(beam.name), { code: 'NODE_NOT_ALLOWED' })
  })
}

async function allowedThere(t: Test, start: Real['start']): Promise<void> {
  await t.test('net_kernel:allow/1 on the BEAM', async t => {
    const strict = await start()
    strict.expectLog(/disallowed node/)
    await using node = await startNode(strict)
    const evaluate = evaluator(strict, node)
    t.equal(await evaluate("net_kernel:allow(['other@127.0.0.1'])."), atom('ok'))
    await t.rejects(node.connect(strict.name), { code: 'DIST_NOT_ALLOWED' })
    t.equal(await evaluate("net_kernel:allow(['127.0.0.1'])."), atom('ok'))
    await node.connect(strict.name)
    await parted(node, strict)
    t.equal(await evaluate(connects), false, 'a host does not allow to dial')
    t.equal(await evaluate('net_kernel:allow([Ts]).'), atom('ok'))
    t.equal(await evaluate(connects), true)
  })
}

async function cookies(t: Test, beam: Beam): Promise<void> {
  await t.test('a cookie for one peer counts in both directions', async t => {
    await using node = await startNode(beam, { cookie: 'ours', cookies: { [beam.name]: beam.cookie } })
    t.strictSame([node.cookie, node.getCookie(beam.name), node.getCookie('any@host')], ['ours', beam.cookie, 'ours'])
    await node.connect(beam.name)
    await parted(node, beam)
    t.equal(await evaluator(beam, node)(connects), true)
  })

  await t.test('erlang:set_cookie/2 on the BEAM, setCookie here', async t => {
    await using node = await startNode(beam)
    const evaluate = evaluator(beam, node)
    t.equal(await evaluate('erlang:set_cookie(Ts, another).'), true)
    await t.rejects(node.connect(beam.name), { code: 'DIST_BAD_COOKIE' })
    const told = fault(node)
    t.equal(await evaluate(connects), false)
    t.match(await told, [beam.name, { code: 'DIST_BAD_COOKIE' }])

    node.setCookie(beam.name, 'another')
    await node.connect(beam.name)
    node.setCookie(beam.name, 'a third')
    t.equal(await evaluate('net_adm:ping(Ts).'), atom('pong'), 'a connection that is up stays')
    await parted(node, beam)
    await t.rejects(node.connect(beam.name), { code: 'DIST_BAD_COOKIE' })
    node.setCookie(beam.name, 'another')
    t.equal(await evaluate(connects), true)
  })
}
