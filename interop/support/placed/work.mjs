/** Functions that processes in other places run, well and badly. Plain JavaScript: so a place starts as quickly as it does for users. */
import { execSync } from 'node:child_process'
import { setImmediate } from 'node:timers/promises'
import { atom, equals, isPid, tuple } from 'beamlet'

/** @import { NodeProcess, Pid, Process, Term, Tuple } from 'beamlet' */

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
 * Does `how` when it gets `{go, From}`, and tells From `going` before.
 *
 * @this {Process}
 * @param {Term} how
 */
export const end = async function (how) {
  const [, from] = /** @type {Tuple} */ (await this.receive()).elements
  if (isPid(from)) this.send(from, atom('going'))
  // What was said in this turn goes out with it, before what may never let go.
  for (let turns = 0; turns < 3; turns++) await setImmediate()
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
  // By the digits it is found among all processes of the machine.
  sleep: () => execSync(`sleep 60.${process.pid}`),
  stop: () => process.kill(process.pid, 'SIGSTOP'),
  gigabyte: () => void Array.from({ length: 64 }, () => Buffer.alloc(2 ** 24, 1)),
  buffers: () => {
    const all = []
    for (;;) all.push(Buffer.alloc(2 ** 24, 1))
  },
  array: () => {
    const all = []
    for (;;) all.push({})
  },
  fill: () => {
    const all = []
    for (;;) all.push(new Array(1e5).fill(0.5))
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

/**
 * Says `ready`, then hears of nodes, and gives `to` all that came until one was lost.
 *
 * @this {NodeProcess}
 * @param {Pid} to
 */
export const comings = async function (to) {
  /** @type {any[]} */
  const heard = []
  this.monitorNodes(true, { nodeType: 'all' })
  this.send(to, atom('ready'))
  for await (const message of this) {
    const { elements = [], tag } = /** @type {any} */ (message)
    if (tag === 'link') this.monitor(elements[1])
    else if (tag === 'last') this.send(elements[1], atom('heard'))
    else if (tag === 'DOWN') heard.push(tuple(atom('DOWN'), elements[4]))
    else heard.push(typeof elements[0] === 'number' ? elements[0] : message)
    if (tag === 'nodedown') return this.send(to, tuple(heard))
  }
}

/**
 * Tells `to` what is known here of a global name and of groups: {Pid, IsRegistered, Answer, Members, LocalMembers, Groups, MembersOfTheScopeShop}.
 *
 * @this {NodeProcess}
 * @param {Pid} to
 * @param {Term} name
 */
export const names = async function (to, name) {
  const { global, pg } = this
  const pid = /** @type {Pid} */ (global.whereis(name))
  const listed = global.registeredNames().some(known => equals(known, name))
  const answer = await this.call({ global: name }, atom('get'))
  const groups = [pg.members('seen'), pg.localMembers('seen'), pg.whichLocalGroups()]
  this.send(to, tuple(pid, listed, answer, ...groups, pg.scope('shop').members('seen')))
}
