/** What processes do that start others in other places than their own. Each scenario runs in a process, and its value goes to who asked. */
import { any, atom, equals, isPid, match, tuple } from 'beamlet'
import { counter } from './counter.mjs'

/** @import { NodeProcess, Pid, Reference, Term, Tuple } from 'beamlet' */
/** @typedef {'main' | 'pool' | 'isolated'} Placement */

/**
 * @this {NodeProcess}
 * @param {Pid} to
 * @param {Term[]} names of scenarios
 * @param {Term} on
 */
export const reach = async function (to, names, on) {
  const values = []
  for (const name of names) values.push(await scenarios[String(name)]?.(this, /** @type {Placement} */ (String(on))))
  this.send(to, tuple(this.pid, /** @type {Term[]} */ (values)))
}

/**
 * Tells `to` in which OS process it runs, then what it gets.
 *
 * @this {NodeProcess}
 * @param {Pid} to
 */
export const report = async function (to) {
  this.send(to, tuple(this.pid, tuple(atom('in'), process.pid)))
  for await (const message of this) this.send(to, tuple(this.pid, message))
}

/**
 * Exits with the first message as its reason.
 *
 * @this {NodeProcess}
 */
export const last = async function () {
  this.exit(/** @type {any} */ (await this.receive()))
}

/**
 * Gives `to` its group leader, its trace token and the size of what came with it.
 *
 * @this {NodeProcess}
 * @param {Pid} to
 * @param {Term} payload
 */
export const origin = function (to, payload) {
  const size = Buffer.isBuffer(payload) ? payload.length : payload
  this.send(to, tuple(this.pid, tuple(this.groupLeader, this.seqTrace.getToken(), size)))
}

/**
 * @this {NodeProcess}
 * @param {Pid} to
 */
export const once = function (to) {
  this.send(to, this.pid)
}

const code = (/** @type {string} */ fun, /** @type {Term[]} */ ...args) => ({ module: 'reach', fun, args })

/** Of the process `pid` in a tuple of two */
const from = (/** @type {NodeProcess} */ self, /** @type {Pid} */ pid) =>
  self.receive(match([pid, any]), { timeout: 20_000 }).then(({ elements }) => elements[1])

const reasonOf = (/** @type {NodeProcess} */ self, /** @type {Reference} */ ref) =>
  self.receive(match([atom('DOWN'), ref, any, any, any]), { timeout: 20_000 }).then(({ elements }) => elements[4])

const exitOf = (/** @type {NodeProcess} */ self, /** @type {Pid} */ pid) =>
  self.receive(match([atom('EXIT'), pid, any]), { timeout: 20_000 }).then(({ elements }) => elements[2])

/** @type {Record<string, (self: NodeProcess, on: Placement) => Promise<any>>} */
const scenarios = {
  /** What is sent straight after the spawn comes, in order, large or small. */
  async talk(self, on) {
    const pid = self.spawn(code('report', self.pid), { on })
    const sent = [1, Buffer.alloc(300_000, 1), 2, tuple(atom('x'), Buffer.alloc(100_000)), 3]
    for (const message of sent) self.send(pid, message)
    const got = []
    const { elements } = /** @type {Tuple} */ (await from(self, pid))
    for (let index = 0; index < sent.length; index++) got.push(await from(self, pid))
    self.exit(pid, atom('kill'))
    return tuple(/** @type {Term} */ (elements[1]), equals(got, sent))
  },
  /** The arguments are large, and what is sent next is small. */
  async large(self, on) {
    const pid = self.spawn(code('report', self.pid, Buffer.alloc(3_000_000)), { on })
    self.send(pid, atom('next'))
    await from(self, pid)
    const next = await from(self, pid)
    self.exit(pid, atom('kill'))
    return next
  },
  /** How processes end that are linked and watched from their beginning */
  async ends(self, on) {
    self.trapExit = true
    const linked = self.spawnLink(code('last'), { on })
    self.send(linked, atom('linked'))
    const [watched, ref] = self.spawnMonitor(code('last'), { on })
    self.send(watched, atom('watched'))
    const [killed, byKill] = self.spawnMonitor(code('last'), { on })
    self.exit(killed, atom('kill'))
    const [told, byExit] = self.spawnMonitor(code('last'), { on })
    self.exit(told, atom('told'))
    const [, undef] = self.spawnMonitor(code('nothing', 1), { on })
    const [gone, never] = self.spawnMonitor(code('last'), { on })
    self.demonitor(never)
    self.send(gone, atom('unseen'))
    const unlinked = self.spawnLink(code('last'), { on })
    self.unlink(unlinked)
    self.send(unlinked, atom('unseen'))
    const all = [await exitOf(self, linked), await reasonOf(self, ref), await reasonOf(self, byKill), await reasonOf(self, byExit)]
    const { elements } = /** @type {Tuple} */ (await reasonOf(self, undef))
    const later = self.monitor(watched)
    all.push(/** @type {Term} */ (elements[0]), await reasonOf(self, later), await aliveOf(self, [linked, watched, killed, told]))
    return all
  },
  /** Names, asked for with the spawn */
  async named(self, on) {
    const name = atom(`reach_${self.pid.id}`)
    const pid = self.spawn(code('report', self.pid), { on, name })
    self.send({ name, node: self.node.name }, atom('by_name'))
    self.send(pid, atom('by_pid'))
    const got = [await from(self, pid), await from(self, pid), await from(self, pid)].slice(1)
    const [, ref] = self.spawnMonitor(code('last'), { on: on === 'main' ? 'isolated' : on, name: atom(`${name.name}_2`) })
    const [, taken] = [self.node.whereis(name), self.monitor({ name, node: self.node.name })]
    self.demonitor(ref)
    const claimed = equals(self.node.whereis(name), pid)
    self.exit(pid, atom('over'))
    const why = await reasonOf(self, taken)
    // It is free when the end has been told.
    const again = self.spawn(code('report', self.pid), { on, name })
    await from(self, again)
    self.exit(again, atom('kill'))
    return [claimed, ...got, why]
  },
  /** Two want one name before anybody knows that it is taken. */
  async taken(self, on) {
    const name = atom(`taken_${self.pid.id}`)
    const first = self.spawn(code('report', self.pid), { on, name })
    const [, ref] = self.spawnMonitor(code('report', self.pid), { on, name })
    const { elements } = /** @type {Tuple} */ (await reasonOf(self, ref))
    self.exit(first, atom('kill'))
    return tuple(/** @type {Term} */ (elements[0]), equals(elements[1], first))
  },
  /** The group leader, and the trace token with its number */
  async inherits(self, on) {
    self.groupLeader = self.pid
    self.seqTrace.setToken('label', 17)
    const pid = self.spawn(code('origin', self.pid, Buffer.alloc(200_000)), { on })
    const { elements } = /** @type {Tuple<Term[]>} */ (await from(self, pid))
    const [leader, token, size] = elements
    const [, label, serial, sender, last] = /** @type {Tuple<any[]>} */ (token).elements
    return [equals(leader, self.pid), label, serial, equals(sender, self.pid), last, size]
  },
  /** Its parent ends before it can know of it. */
  async orphan(self, on) {
    const parent = self.spawn(async parent => {
      const child = parent.spawnLink(code('last'), { on })
      self.send(self.pid, tuple(parent.pid, child))
      parent.exit(atom('early'))
    })
    const child = await from(self, parent)
    if (!isPid(child)) throw new Error('no pid')
    // Early enough for the reason, or too late: then it is noproc.
    const why = await reasonOf(self, self.monitor(child))
    return equals(why, atom('early')) || equals(why, atom('noproc'))
  },
  /** Many in one turn, each with a pid of its own that is known at once */
  async burst(self, on) {
    const count = 2_000
    const pids = Array.from({ length: count }, () => self.spawn(code('once', self.pid), { on }))
    const got = []
    for (let index = 0; index < count; index++) got.push(await self.receive(isPid, { timeout: 20_000 }))
    const key = (/** @type {Pid} */ pid) => `${pid.id}.${pid.serial}`
    return equals(new Set(got.map(key)).size, count) && equals(got.map(key).sort(), pids.map(key).sort())
  },
  /** A server, called from here; and linked */
  async server(self, on) {
    const ref = await self.start(counter, { args: [10], on })
    const sum = await ref.call('add', 5)
    self.trapExit = true
    const linked = await self.startLink(counter, { args: [1], on })
    self.exit(linked.pid, atom('stop'))
    const why = await exitOf(self, linked.pid)
    self.exit(ref.pid, atom('kill'))
    const failed = await self.start(counter, { args: [-1], on }).catch((/** @type {any} */ error) => error.reason)
    return [sum, why, failed]
  },
  /** A few of these, where each process costs a place */
  async isolated(self, on) {
    self.trapExit = true
    const linked = self.spawnLink(code('report', self.pid, Buffer.alloc(3_000_000)), { on })
    self.send(linked, atom('next'))
    const got = [await from(self, linked), await from(self, linked)].slice(1)
    self.exit(linked, atom('told'))
    const [killed, ref] = self.spawnMonitor(code('last'), { on })
    self.exit(killed, atom('kill'))
    return [...got, await exitOf(self, linked), await reasonOf(self, ref)]
  },
}

async function aliveOf(/** @type {NodeProcess} */ self, /** @type {Pid[]} */ pids) {
  const alive = await Promise.all(pids.map(pid => self.node.isAlive(pid)))
  return alive.includes(true)
}
