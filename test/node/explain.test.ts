/** What another look finds out about a node that EPMD told of and that cannot be reached. */
import t from 'tap'
import { DistError } from '../../src/dist/errors.js'
import { EpmdError } from '../../src/dist/epmd-error.js'
import type { EpmdEntry } from '../../src/net/epmd.js'
import { NetError } from '../../src/net/errors.js'
import { explain } from '../../src/node/explain.js'
import { parseNodeName } from '../../src/node/node-name.js'

const entry: EpmdEntry = { name: 'shop', port: 4001, hidden: false, highest: 6, lowest: 5, extra: Buffer.alloc(0) }
const attempted = {
  peer: parseNodeName('shop@h'),
  host: 'h',
  entry,
  connected: false,
  cookieFrom: 'BEAMLET_COOKIE',
  epmd: { lookup: () => Promise.reject(new EpmdError('EPMD_CLOSED', 'It closed.')) },
}
const refused = new NetError('NET_REFUSED', 'Nothing listens at h:4001.', { cause: 'why' })

t.test('refused: EPMD is asked again', async t => {
  const asked = (lookup: () => Promise<EpmdEntry>) => explain(refused, { ...attempted, epmd: { lookup } })
  const gone = await asked(() => Promise.reject(new EpmdError('EPMD_NO_SUCH_NODE', 'No.')))
  t.match(gone, {
    code: 'NET_REFUSED',
    cause: 'why',
    says: 'Nothing listens at h:4001. EPMD has forgotten shop@h by now: it has just ended.',
  })
  const moved = await asked(() => Promise.resolve({ ...entry, port: 4002 }))
  t.match(moved, { says: /EPMD tells port 4002 by now: the node has just been restarted/, remedy: 'Try again.' })
  const still = { code: 'NET_REFUSED', says: /EPMD still tells that port/, remedy: /container .* inet_dist_listen_min/ }
  t.match(await asked(() => Promise.resolve(entry)), still)
  t.match(await explain(refused, attempted), still, 'an EPMD that fails now takes nothing from what it said before')
})

t.test('no connection, though EPMD answers', async t => {
  for (const code of ['NET_TIMEOUT', 'NET_UNREACHABLE']) {
    const error = new NetError(code, 'No connection to h:4001.', { remedy: 'Look.' })
    t.match(await explain(error, attempted), { code, says: error.says, remedy: /^EPMD answers at h, so a firewall lets .* not 4001\./ })
    t.equal(await explain(error, { ...attempted, connected: true }), error)
  }
})

t.test('another cookie: where ours is from', async t => {
  const error = new DistError('DIST_BAD_COOKIE', 'The cookies differ.')
  t.match(await explain(error, attempted), {
    code: 'DIST_BAD_COOKIE',
    message: /^The cookies differ\. This node's is from BEAMLET_COOKIE\./,
  })
})

t.test('all else as it was', async t => {
  for (const error of [new DistError('DIST_NOK', 'No.'), new TypeError('x')]) t.equal(await explain(error, attempted), error)
})
