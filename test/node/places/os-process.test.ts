import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import type { env } from 'node:process'
import { execArgv, execPath } from 'node:process'
import t from 'tap'
import { withMalloc } from '../../../src/node/places/malloc.js'
import { inherited, OsProcess } from '../../../src/node/places/os-process.js'
import { atom, format, type Term } from '../../../src/term/index.js'

const entry = new URL('./programs/ends.mjs', import.meta.url)

async function end(way: string, limits: { readonly heap?: number; readonly memory?: number } = {}): Promise<Term> {
  const child = new OsProcess({ entry, ...limits })
  child.socket.write(way)
  return child.ended
}

t.test('why it ended', async t => {
  t.equal(format(await end('exit')), '{exit_status,3}')
  t.equal(format(await end('abort')), '{signal,sigabrt}')
  t.equal(format(await end('segfault')), '{signal,sigsegv}')
})

t.test('a full heap', async t => {
  t.equal(await end('array', { heap: 48, memory: 400 }), atom('out_of_memory'))
})

t.test('more memory than it may have, outside of the heap', async t => {
  t.equal(await end('buffers', { heap: 48, memory: 200 }), atom('out_of_memory'))
})

t.test('a loop is ended from outside, with the reason given', async t => {
  const child = new OsProcess({ entry })
  child.socket.write('loop')
  child.kill(atom('killed'))
  child.kill(atom('late'))
  t.equal(await child.ended, atom('killed'))
})

t.test('it does not outlive us, though it computes for ever', async t => {
  const program = `
    import { OsProcess } from '${new URL('../../../src/node/places/os-process.js', import.meta.url)}'
    const child = new OsProcess({ entry: new URL('${entry}') })
    child.socket.write('loop', () => console.log(child.pid))`
  const parent = spawn(execPath, [...inherited(execArgv), '--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [text] = (await once(parent.stdout, 'data')) as [Buffer]
  // One that has ended may stay as a zombie until somebody asks for its status.
  const lives = (): boolean =>
    existsSync(`/proc/${Number(text)}`) && !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${Number(text)}/stat`, 'latin1'))
  t.ok(lives())
  parent.kill('SIGKILL')
  // Its end of our pipe closes with it, for it inherited that.
  await once(parent, 'close')
  t.notOk(lives())
})

t.test('it inherits loaders, and neither program nor debugger', async t => {
  const args = ['--import=x', '-e', 'code', '--inspect=9229', '--conditions', 'y', '--max-old-space-size=64', '--eval=z', '-p', '1']
  t.strictSame(inherited(args), ['--import=x', '--conditions', 'y'])
})

t.test('its malloc keeps memory for what comes next, unless somebody said how', async t => {
  const child = new OsProcess({ entry })
  child.socket.write('environment')
  const seen = JSON.parse(String(await once(child.socket, 'data'))) as typeof env
  t.match(seen, withMalloc({}))
  t.equal(withMalloc({}).MALLOC_TRIM_THRESHOLD_, '67108864')
  await child.ended
  for (const said of [{ MALLOC_ARENA_MAX: '2' }, { GLIBC_TUNABLES: 'glibc.malloc.top_pad=65536' }]) t.equal(withMalloc(said), said)
})
