/** Where the package `lmdb` is not installed: the package as it is shipped, in a folder above which there is none. */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { env, execPath } from 'node:process'
import t from 'tap'

t.test('without lmdb a store is refused with a code, and all else works', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'no-lmdb-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  for (const name of ['dist', 'package.json']) cpSync(name, join(folder, name), { recursive: true })
  const program = `
    import { Node } from './dist/index.js'
    import { openStore } from './dist/store/index.js'
    const node = await Node.start({ name: 'bare-${process.pid}@127.0.0.1', cookie: 'secret', listen: false, epmd: false })
    const said = []
    for (const options of [{}, { readOnly: true }, {}]) await openStore('./store', options).catch(({ code, message, cause }) => said.push([code, message, cause.code]))
    await node.close()
    console.log(JSON.stringify(said))`
  const run = { cwd: folder, env: { ...env, NODE_OPTIONS: '', NODE_PATH: '' }, encoding: 'utf8' } as const
  const said = JSON.parse(execFileSync(execPath, ['--input-type=module', '--eval', program], run)) as [string, string, string][]
  t.equal(said.length, 3)
  for (const [code, message, cause] of said) {
    t.equal(code, 'STORE_NO_LMDB')
    t.match(message, /npm install lmdb/)
    t.equal(cause, 'ERR_MODULE_NOT_FOUND')
  }
})
