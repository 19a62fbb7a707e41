import { execPath } from 'node:process'
import t from 'tap'
import { Child } from '../../src/interop/child.js'

const script = (code: string): Child => new Child(execPath, ['-e', code], { env: process.env, stdio: ['ignore', 'pipe', 'pipe'] })
const signal = new AbortController().signal

t.test('what it writes and how it ends', async t => {
  const child = script('console.log("out"); console.error("err"); process.exitCode = 3')
  t.equal(child.exit, undefined)
  t.strictSame(await child.exited, { code: 3, signal: null })
  t.strictSame(child.exit, { code: 3, signal: null })
  t.match(child.output, /out/)
  t.match(child.output, /err/)
  t.strictSame(await child.kill(), { code: 3, signal: null }, 'killing what has ended changes nothing')
})

t.test('waiting for its words', async t => {
  const child = script('console.log("now it "); process.stdout.write("listens"); setInterval(() => {}, 1e6)')
  await child.wrote(/it\s+listens/, signal)
  const late = new AbortController()
  const never = child.wrote(/something else/, late.signal)
  late.abort()
  await t.rejects(never, { name: 'AbortError' })
  const gone = t.rejects(child.wrote(/something else/, signal), { code: 'ERR_INTEROP_EXITED', message: /listens/ })
  t.strictSame(await child.kill(), { code: null, signal: 'SIGKILL' })
  await gone
})

t.test('a program that is not there', async t => {
  const child = new Child('/nowhere/erl', [], { env: {}, stdio: 'pipe' })
  t.strictSame(await child.exited, { code: 127, signal: null })
  t.match(child.output, /ENOENT/)
  t.throws(() => child.pid, { code: 'ERR_INTEROP_EXITED' })
})
