/**
 * A writer is killed at random moments, again and again: all that it said was written is there afterwards, nothing is there by half, and what it had asked
 * for and heard nothing of is there whole or not at all.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { env, execPath } from 'node:process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { openStore } from '../../../src/store/index.js'
import { atom, get, type TermMap, text } from '../../../src/term/index.js'

const program = fileURLToPath(new URL('programs/writer.mjs', import.meta.url))

const kills = 210

// About a minute of a processor, and on a busy machine many times that.
t.setTimeout(1_200_000)

/** What may be under a key: 'gone', or the round of its value */
type Expected = Map<string, string[]>

/** Runs the writer until it has said so many lines, and kills it `delay` ms later. @returns all that it said */
async function killed(directory: string, seed: number, lines: number, delay: number): Promise<string[]> {
  const child = spawn(execPath, [program, directory, String(seed)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...env, NODE_OPTIONS: '' },
  })
  let said = ''
  let errors = ''
  let [count, doomed] = [0, false]
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
    count += text.split('\n').length - 1
    if (count < lines || doomed) return
    doomed = true
    setTimeout(() => child.kill('SIGKILL'), delay)
  })
  const [, signal] = (await once(child, 'close')) as [number | null, string | null]
  if (signal !== 'SIGKILL' || errors !== '') throw new Error(`The writer ended with ${signal} and said: ${errors}`)
  // A line that was cut off was not said.
  return said.split('\n').slice(0, -1)
}

/** Takes what was said into account: an attempt may have happened, what was acknowledged has. */
function take(lines: readonly string[], rows: Expected, log: Set<string>): void {
  for (const line of lines) {
    const [what, name = '', round = ''] = line.split(' ')
    if (what === 'try') rows.set(name, [...(rows.get(name) ?? ['gone']), round])
    else if (what === 'did') rows.set(name, [round])
    else if (what === 'log') log.add(name)
  }
}

const roundOf = (value: TermMap): string => text(get(value, atom('round')) as Buffer)

/** Kills a writer of a directory of its own again and again. @returns how many writes were acknowledged, and what was wrong */
async function lane(directory: string, first: number, count: number): Promise<{ acknowledged: number; faults: string[] }> {
  const expected: Expected = new Map()
  const log = new Set<string>()
  const faults: string[] = []
  let acknowledged = 0
  for (let n = first; n < first + count; n++) {
    const lines = await killed(directory, n, 1 + ((n * 37) % 60), (n * 7) % 20)
    take(lines, expected, log)
    acknowledged += lines.filter(line => !line.startsWith('try')).length
    faults.push(...(await faultsOf(directory, expected, log)).map(fault => `kill ${n}: ${fault}`))
  }
  return { acknowledged, faults }
}

/** The stale lock is taken over, and the file looked at page by page, then row by row. */
async function faultsOf(directory: string, expected: Expected, log: ReadonlySet<string>): Promise<string[]> {
  await using store = await openStore(directory)
  await store.verify()
  const faults: string[] = []
  const rows = await store.table<string, TermMap>('rows', { indexes: { round: ['round'] } })
  for (const [name, rounds] of expected) {
    const value = await rows.get(name)
    const found = value === undefined ? 'gone' : roundOf(value as TermMap)
    if (!rounds.includes(found)) faults.push(`${name} is ${found}, and must be ${rounds.join(' or ')}`)
    // What it is now it will be, until somebody says otherwise
    expected.set(name, [found])
    if (value !== undefined && !(await rows.index('round').get(found)).some(([key]) => text(key as Buffer) === name)) {
      faults.push(`${name} is not in the index`)
    }
  }
  const entries = await store.table<string, number>('log')
  for (const entry of log) if (!(await entries.has(entry))) faults.push(`${entry} was acknowledged, and is lost`)
  let sum = 0
  for await (const [, balance] of (await store.table<number, number>('accounts')).range()) sum += balance
  // The money is made before the first line is said
  if (sum !== 1000) faults.push(`the accounts sum up to ${sum}`)
  return faults
}

t.test(`a writer is killed ${kills} times`, { timeout: 1_200_000 }, async t => {
  const lanes = 3
  const each = kills / lanes
  const directories = t.testdir({ a: {}, b: {}, c: {} })
  const results = await Promise.all(['a', 'b', 'c'].map((name, i) => lane(`${directories}/${name}`, 1 + i * each, each)))
  const acknowledged = results.reduce((sum, result) => sum + result.acknowledged, 0)
  t.strictSame(
    results.flatMap(({ faults }) => faults),
    [],
  )
  t.ok(acknowledged > kills * 10, `${acknowledged} writes were acknowledged`)
  t.comment(`${kills} kills, ${acknowledged} acknowledgements`)
})
