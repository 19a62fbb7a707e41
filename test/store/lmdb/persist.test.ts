/** `persist` of genServer in a real store: its program is killed again and again, and what a server has answered stays. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { env, execPath } from 'node:process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { openStore } from '../../../src/store/index.js'
import type { Tuple } from '../../../src/term/index.js'

const program = fileURLToPath(new URL('programs/counter.mjs', import.meta.url))
const kills = 20

t.setTimeout(1_200_000)

/** Runs the program until it has said so many lines, and kills it `delay` ms later. @returns the numbers that it said: first that with which it started */
async function killed(directory: string, lines: number, delay: number): Promise<number[]> {
  const child = spawn(execPath, [program, directory], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...env, NODE_OPTIONS: '' } })
  let [said, errors, doomed] = ['', '', false]
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
    if (doomed || said.split('\n').length <= lines) return
    doomed = true
    setTimeout(() => child.kill('SIGKILL'), delay)
  })
  const [, signal] = (await once(child, 'close')) as [number | null, string | null]
  if (signal !== 'SIGKILL' || errors !== '') throw new Error(`The program ended with ${signal} and said: ${errors}`)
  // A line that was cut off was not said.
  return said
    .split('\n')
    .slice(0, -1)
    .map(line => Number(line.split(' ')[1]))
}

t.test(`a server is killed ${kills} times, and has all that it has answered`, { timeout: 1_200_000 }, async t => {
  const directory = t.testdir()
  let last = 0
  for (let n = 0; n < kills; n++) {
    const [start = NaN, ...did] = await killed(directory, 2 + ((n * 37) % 40), (n * 7) % 20)
    t.equal(start, last, 'it starts with what was saved last')
    const answered = Math.max(start, ...did)
    t.equal(new Set(did).size, did.length, 'no number was given twice')
    await using store = await openStore(directory)
    const states = await store.table<string, Tuple<[number, number]>>('states')
    const [vsn, saved = NaN] = (await states.get('counter'))?.elements ?? []
    t.equal(vsn, 0)
    // Three callers: three answers may have been on their way, and of three more calls nobody had heard.
    t.ok(saved >= answered && saved <= answered + 6, `${answered} was answered, and ${saved} is there`)
    last = saved
  }
  t.ok(last > kills * 5, `it has counted to ${last}`)
})
