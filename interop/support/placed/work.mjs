/** Functions that processes in other places run, well and badly. Plain JavaScript: so a place starts as quickly as it does for users. */
import { execSync } from 'node:child_process'
import { isPid, tuple } from 'beamlet'

/** @import { NodeProcess, Process, Term, Tuple } from 'beamlet' */

/**
 * Answers `{From, Message}` with `{Self, Message}`, for ever.
 *
 * @this {Process}
 */
export const echo = async function () {
  for await (const message of this) {
    const [from, what] = /** @type {Tuple} */ (message).elements
    if (isPid(from)) this.send(from, tuple(this.pid, /** @type {Term} */ (what)))
  }
}

/** The OS process that it runs in */
export const osProcess = () => process.pid

/**
 * @param {number} a
 * @param {number} b
 */
export const add = (a, b) => a + b

/**
 * Links to one and watches the other, then waits.
 *
 * @this {Process}
 * @param {Term} peer
 * @param {Term} watched
 */
export const tied = async function (peer, watched) {
  if (isPid(peer)) this.link(peer)
  if (isPid(watched)) this.monitor(watched)
  await this.receive()
}

/**
 * Does `how` when it is told to go on.
 *
 * @this {Process}
 * @param {Term} how
 */
export const end = async function (how) {
  await this.receive()
  return ends[String(how)]?.()
}

/** @type {Record<string, () => unknown>} */
const ends = {
  throw: () => {
    throw new TypeError('thrown')
  },
  later: () => {
    setTimeout(() => {
      throw new RangeError('later')
    })
    return new Promise(() => {})
  },
  stray: () => {
    void Promise.reject(new RangeError('stray'))
    return new Promise(() => {})
  },
  exit: () => process.exit(3),
  segfault: () => process.kill(process.pid, 'SIGSEGV'),
  loop: () => {
    for (;;);
  },
  sleep: () => execSync('sleep 60'),
  buffers: () => {
    const all = []
    for (;;) all.push(Buffer.alloc(2 ** 24, 1))
  },
  array: () => {
    const all = []
    for (;;) all.push({})
  },
  from: () => Array.from({ length: 1e9 }, (_, index) => [index]),
  map: () => {
    const all = new Map()
    for (let index = 0; ; index++) all.set(index, [index])
  },
  bigint: () => {
    const all = []
    for (let value = 1n << 4_000_000n; ; value++) all.push(value)
  },
  split: () => {
    const all = []
    for (let text = 'a,b,'.repeat(1e6); ; text += 'c') all.push(text.split(','))
  },
  json: () => {
    const all = []
    for (const text = JSON.stringify(Array.from({ length: 1e6 }, (_, index) => ({ index }))); ;) all.push(JSON.parse(text))
  },
  closures: () => {
    const all = []
    for (let index = 0; ; index++) all.push(() => index)
  },
}

/**
 * Computes for so many milliseconds, and gives the time back.
 *
 * @param {number} ms
 */
export const compute = ms => {
  const start = performance.now()
  while (performance.now() - start < ms);
  return ms
}

/**
 * Joins the group 'placed', then waits for its end.
 *
 * @this {NodeProcess}
 */
export const joined = async function () {
  this.pg.join('placed', this.pid)
  const [ref] = await this.pg.monitor('placed')
  for await (const message of this) {
    const [from, what] = /** @type {Tuple} */ (message).elements
    if (isPid(from)) this.send(from, tuple(ref, /** @type {Term} */ (what)))
  }
}
