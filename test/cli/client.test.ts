/** The node that a command is: its cookie, its name, and what is refused before anybody is asked. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { atom } from '../../src/index.js'
import { fails } from './beamlet.js'
import { machine } from './peers.js'

t.test('nothing is tried', async t => {
  const here = await machine(t)
  const refused = async (code: string, sentence: RegExp, ...args: string[]): Promise<void> => {
    const ended = await here.run(args)
    fails(t, ended, 2, code, sentence)
    t.equal(ended.stdout, '', 'a pang would say that somebody was asked')
  }
  await refused('NAME_FORMAT', /'peer' is no node name: write name@host/, 'ping', 'peer')
  await refused('NAME_CHARACTERS', /letters A to Z/, 'ping', 'pe er@127.0.0.1')
  await refused('NAME_FORMAT', /'@' is no node name/, 'ping', 'peer@127.0.0.1', '--name', '@')
  await refused('COOKIE_FORMAT', /no newline/, 'ping', 'peer@127.0.0.1', '--cookie', 'a\nb')
  const noPort = await here.run(['ping', 'peer@127.0.0.1'], { env: { ERL_EPMD_PORT: 'x' } })
  fails(t, noPort, 2, 'EPMD_PORT', /ERL_EPMD_PORT=x: make it a number/)
})

t.test('the cookie', async t => {
  const here = await machine(t)
  await here.node('peer')
  const home = t.testdir()
  const ping = (env: Record<string, string>, ...options: string[]) =>
    here.run(['ping', 'peer@127.0.0.1', ...options], { env: { BEAMLET_COOKIE: '', ...env } })
  fails(t, await ping({ HOME: home }), 2, 'COOKIE_NONE', /[gG]ive one \(--cookie\), set BEAMLET_COOKIE/)
  writeFileSync(join(home, '.erlang.cookie'), 'secret', { mode: 0o400 })
  t.match(await ping({ HOME: home }), { code: 0 }, 'from ~/.erlang.cookie')
  t.match(
    await ping({ HOME: home, BEAMLET_COOKIE: 'other' }),
    { code: 3, stderr: /DIST_BAD_COOKIE/ },
    'the environment goes before the file',
  )
  t.match(await ping({ BEAMLET_COOKIE: 'other' }, '--cookie', 'secret'), { code: 0 }, 'and the option before both')
  const open = join(home, 'open')
  mkdirSync(open)
  writeFileSync(join(open, '.erlang.cookie'), 'secret', { mode: 0o644 })
  fails(t, await ping({ HOME: open }), 2, 'COOKIE_PERMISSIONS', /chmod 400/)
})

t.test('the node that a command is', async t => {
  const here = await machine(t)
  const node = await here.node('peer', { hidden: false })
  const told: [string, boolean, string[]][] = []
  node.on('nodeup', (name, { hidden }) => told.push([name, hidden, here.server.nodes().map(({ name }) => name)]))
  await node.code.load('peer', { self: () => atom('ok') })
  const call = (...options: string[]) => here.run(['call', node.name, 'peer', 'self', ...options])

  t.match(await call(), { code: 0, stdout: 'ok\n', stderr: '' })
  t.match(told.pop(), [/^beamlet_\d+_[0-9a-f]{8}@127\.0\.0\.1$/, true, ['peer']], 'new, hidden, and unknown to EPMD')
  t.match(await call('--name', 'probe'), { code: 0 })
  t.match(told.pop(), ['probe@127.0.0.1', true, ['peer']], 'the host comes from the node that is dialled')
  t.match(await call('--name', 'probe@10.1.2.3'), { code: 0 })
  t.match(told.pop(), ['probe@10.1.2.3', true, ['peer']], 'unless it is given')
  t.match(await call('--no-hidden', '--name', 'seen'), { code: 0 })
  t.strictSame(told.pop(), ['seen@127.0.0.1', false, ['seen', 'peer']], 'a visible one can be dialled')
  t.strictSame(told, [])
})
