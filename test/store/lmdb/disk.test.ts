/** A disk that is full, and one that may not be written. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, readdirSync } from 'node:fs'
import { env, execPath, geteuid, stderr } from 'node:process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { openStore } from '../../../src/store/index.js'
import { Opener } from './opener.js'

const program = fileURLToPath(new URL('programs/filler.mjs', import.meta.url))
const isRoot = geteuid?.() === 0

/** Runs the program on a disk of its own of two megabytes, which ends with it. @returns undefined where no disk can be mounted */
async function onSmallDisk(directory: string): Promise<{ said: string; errors: string } | undefined> {
  const mount = 'mount -t tmpfs -o size=2m tmpfs "$1" || exit 77; exec "$2" "$3" "$1"'
  const child = spawn('unshare', [isRoot ? '-m' : '-rm', 'sh', '-c', mount, 'sh', directory, execPath, program], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...env, NODE_OPTIONS: '' },
  })
  let [said, errors] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const closed = once(child, 'close').catch((error: Error) => (errors += error.message))
  await closed
  if (child.exitCode !== 0 && said === '' && !/EACCES|not permitted|denied|ENOENT/.test(errors)) throw new Error(errors)
  return said === '' ? undefined : { said, errors }
}

t.test('a full disk: a coded error, nothing half-written, and what was acknowledged is there', { timeout: 120_000 }, async t => {
  const outcome = await onSmallDisk(t.testdir())
  if (outcome === undefined) {
    stderr.write(
      '\n*** test/store/lmdb/disk.test.ts: no small disk can be mounted here (no root, no user namespaces): the full disk was NOT tested. ***\n\n',
    )
    void t.test('NOT TESTED: a tmpfs cannot be mounted here', { skip: true }, () => {})
    return
  }
  const said = JSON.parse(outcome.said) as Record<string, number>
  const acknowledged = said['acknowledged']!
  t.ok(acknowledged > 100, `${acknowledged} rows until it was full`)
  const full = 'STORE_FULL'
  t.match(said, { code: full, transaction: full, large: full, backup: full, compact: full, second: full })
  t.equal(said['small'], 'ok', 'a delete that was asked for beside one that is too large')
  t.match(said, { rows: acknowledged - 1, entries: acknowledged - 1 }, 'no more and no less, and the index agrees')
  t.match(said, { after: 'ok', lost: 0 }, 'with room it goes on')
  t.equal(said['size'], acknowledged - Math.ceil(acknowledged / 2) + 1)
})

t.test('a directory that may not be written', async t => {
  const directory = t.testdir()
  await (await openStore(directory)).close()
  const files = readdirSync(directory)
  chmodSync(directory, 0o555)
  const stranger = new Opener(directory, 'owner', isRoot ? 65_534 : undefined)
  t.equal(await stranger.says(), 'refused STORE_PERMISSION')
  await stranger.close()
  const below = new Opener(`${directory}/below`, 'owner', isRoot ? 65_534 : undefined)
  t.equal(await below.says(), 'refused STORE_PERMISSION')
  await below.close()
  chmodSync(directory, 0o755)
  t.strictSame(readdirSync(directory), files, 'nothing of it is changed')
})

t.test('one that may not be read', async t => {
  const directory = t.testdir()
  await (await openStore(directory)).close()
  chmodSync(`${directory}/data.mdb`, 0o000)
  chmodSync(directory, 0o777)
  const stranger = new Opener(directory, 'reader', isRoot ? 65_534 : undefined)
  t.equal(await stranger.says(), 'refused STORE_PERMISSION')
  await stranger.close()
  chmodSync(`${directory}/data.mdb`, 0o644)
})
