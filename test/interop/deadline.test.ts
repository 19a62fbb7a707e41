import t from 'tap'
import { within } from '../../src/interop/deadline.js'

const never = (): Promise<never> => new Promise(() => {})

t.test('the value, when it comes in time', async t => {
  t.equal(await within({}, 'it', async () => 1), 1)
  await t.rejects(
    within({}, 'it', async () => {
      throw new Error('its own')
    }),
    /its own/,
  )
})

t.test('the time', async t => {
  let seen: AbortSignal | undefined
  const late = within({ timeout: 1 }, 'the answer', signal => {
    seen = signal
    return never()
  })
  await t.rejects(late, { code: 'ERR_INTEROP_TIMEOUT', message: /the answer: no answer within 1 ms/ })
  t.ok(seen?.aborted, 'what waits is told to give up')
})

t.test('the signal', async t => {
  await t.rejects(within({ signal: AbortSignal.abort(new Error('before')) }, 'it', never), /before/)
  const controller = new AbortController()
  const waiting = within({ signal: controller.signal }, 'it', never)
  controller.abort(new Error('meanwhile'))
  await t.rejects(waiting, /meanwhile/)
})
