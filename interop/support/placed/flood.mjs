/** Functions that send more than is read. */
import { atom, tuple } from 'beamlet'

/** @import { NodeProcess, Pid, Term } from 'beamlet' */

const block = Buffer.alloc(2 ** 18, 7)

/** What `send` may be told to wait for: another node, or a process of this one */
const wayTo = (/** @type {NodeProcess} */ self, /** @type {Pid} */ to) => (to.node.name === self.node.name ? to : to.node)

/**
 * Sends so many numbered blocks, and waits whenever it is told to. Tells `asked` when it waits for the first time, and at its end how often
 * it did, and the events of the node that it saw.
 *
 * @this {NodeProcess}
 * @param {Pid} asked
 * @param {Pid} to
 * @param {number} count
 */
export const pump = async function (asked, to, count) {
  /** @type {Term[]} */
  const events = []
  for (const event of /** @type {const} */ (['busy', 'drain'])) {
    this.node.on(event, name => void (name === to.node.name && events.push(atom(event))))
  }
  let waited = 0
  for (let number = 1; number <= count; number++) {
    if (this.send(to, tuple(number, block))) continue
    if (waited++ === 0) this.send(asked, tuple(this.pid, atom('waiting')))
    await this.node.drained(wayTo(this, to))
  }
  this.send(asked, tuple(this.pid, tuple(waited, events)))
}

/**
 * Sends until the node of `to` is down, and does not mind that it is busy. Gives the reason.
 *
 * @this {NodeProcess}
 * @param {Pid} asked
 * @param {Pid} to
 */
export const flood = async function (asked, to) {
  const ref = this.monitor(to)
  const down = new Promise(resolve => this.node.once('nodedown', (_, { reason }) => resolve(reason)))
  while (this.node.nodes('connected').includes(to.node.name)) {
    this.send(to, block)
    // Main has it: only what waits there is not minded.
    await this.node.drained(this.node.name)
  }
  const why = /** @type {Term} */ (await down)
  const { elements } = /** @type {any} */ (await this.receive())
  this.send(asked, tuple(this.pid, tuple(why, elements[1].words.join() === ref.words.join(), elements[4])))
}

/**
 * Sends more in one turn than may wait.
 *
 * @this {NodeProcess}
 * @param {Pid} to
 * @param {number} count
 */
export const burst = async function (to, count) {
  for (let number = 0; number < count; number++) this.send(to, block)
  await this.receive()
}

/** Never reads. */
export const loop = () => {
  for (;;);
}
