import t from 'tap'
import { atom } from '../../src/index.js'
import { genServer, noreply, reply } from '../../src/otp/index.js'
import { fails } from './beamlet.js'
import { machine } from './peers.js'

t.test('ping', async t => {
  const here = await machine(t)
  const node = await here.node('peer')
  const ping = (...options: string[]) => here.run(['ping', node.name, ...options])

  t.match(await ping(), { code: 0, stdout: 'pong\n', stderr: '' })
  const { code, stdout } = await ping('--json')
  t.strictSame([code, JSON.parse(stdout)], [0, { node: node.name, answer: 'pong' }])
  t.match(await ping('--timeout', 'infinity'), { code: 0, stdout: 'pong\n', stderr: '' })

  await node.unregister('net_kernel')
  const none = await ping()
  fails(t, none, 1, 'ERR_EXIT', /net_kernel .*noproc/)
  t.equal(none.stdout, 'pang\n')

  const other = genServer({
    init: () => [atom('no')],
    handleCall: (_request, _from, [answer, ...more]) => (answer ? reply(answer, more) : noreply(more)),
  })
  await node.start(other, { name: 'net_kernel' })
  const refused = await ping()
  fails(t, refused, 1, 'ERR_PANG', /is connected, but answers a ping with no/)
  t.equal(refused.stdout, 'pang\n')
  const silent = await ping('--timeout', '100')
  fails(t, silent, 4, 'ERR_TIMEOUT', /net_kernel .* got no reply within 100 ms/)
  t.equal(silent.stdout, 'pang\n')
})
