import t from 'tap'
import { openEpmd } from '../../src/net/epmd.js'
import { locate, type Resolver } from '../../src/node/resolve.js'
import { parseNodeName } from '../../src/node/node-name.js'
import { systemClock } from '../../src/process/clock.js'
import { freePort } from './support.js'

const name = parseNodeName('a@localhost')
const { signal } = new AbortController()

t.test('where a node listens', async t => {
  await using epmd = await openEpmd('embedded', { port: await freePort() })
  await epmd.register({ name: 'a', port: 4711 })
  const at = (resolve?: unknown) => locate(name, { resolve: resolve as Resolver, epmd, clock: systemClock, timeout: 5000, signal })

  const answers: readonly [unknown, string, number][] = [
    [undefined, 'localhost', 4711],
    [9100, 'localhost', 9100],
    [() => undefined, 'localhost', 4711],
    [() => ({}), 'localhost', 4711],
    [() => ({ host: '127.0.0.1' }), '127.0.0.1', 4711],
    [() => 9200, 'localhost', 9200],
    [() => ({ port: 9300 }), 'localhost', 9300],
    [async () => ({ host: '10.0.0.1', port: 9400 }), '10.0.0.1', 9400],
  ]
  for (const [resolve, host, port] of answers) t.match(await at(resolve), { host, port })
  await at((asked: unknown) => (t.same(asked, { full: 'a@localhost', alive: 'a', host: 'localhost' }), 1))

  const error = new Error('the registry is down')
  const fails = (): never => {
    throw error
  }
  await t.rejects(at(fails), { code: 'RESOLVE_FAILED', cause: error, message: /registry is down.*a@localhost/ })
  await t.rejects(
    at(() => Promise.reject(error)),
    { code: 'RESOLVE_FAILED', cause: error },
  )
  for (const rubbish of [null, 'x', true, [], { port: '1' }, { host: '', port: 1 }, { host: 7 }])
    await t.rejects(
      at(() => rubbish),
      { code: 'RESOLVE_ANSWER' },
      JSON.stringify(rubbish),
    )
  for (const port of [0, -1, 65536, 1.5, NaN]) {
    await t.rejects(
      at(() => port),
      { code: 'RESOLVE_PORT' },
    )
    await t.rejects(
      at(() => ({ port })),
      { code: 'RESOLVE_PORT' },
    )
  }
})

t.test('a function that never answers', async t => {
  await using epmd = await openEpmd(false)
  const after = (_: number, run: () => void): (() => void) => (queueMicrotask(run), () => {})
  const never = (): Promise<number> => new Promise(() => {})
  const clock = { now: () => 0, after }
  await t.rejects(locate(name, { resolve: never, epmd, clock, timeout: 7000, signal }), {
    code: 'RESOLVE_FAILED',
    message: /within 7000 ms/,
  })
  await t.rejects(locate(name, { epmd, clock, timeout: 7000, signal }), { code: 'EPMD_OFF' })
})
