/** Functions that other nodes and places send to, spawn and call. */
import { any, atom, match, tuple } from 'beamlet'

/** @import { NodeProcess, Pid, Reference, Term } from 'beamlet' */

const large = Buffer.alloc(200_000, 1)

/**
 * Sends the numbers 1 to `count` alternately by pid and by name, every fifth with so much that it goes in fragments.
 *
 * @this {NodeProcess}
 * @param {Pid} to
 * @param {Term} name
 * @param {number} count
 */
export const number = function (to, name, count) {
  const byName = { name: String(name), node: to.node.name }
  for (let n = 1; n <= count; n++) this.send(n % 2 ? to : byName, n % 5 ? n : tuple(n, large))
}

/**
 * Gives `to` the numbers that have come, and whether all were in order, when there are `count`.
 *
 * @this {NodeProcess}
 * @param {Pid} to
 * @param {number} count
 */
export const collect = async function (to, count) {
  this.send(to, tuple(this.pid, atom('ready')))
  for (let n = 1; n <= count; n++) {
    const message = /** @type {any} */ (await this.receive())
    const got = typeof message === 'number' ? message : message.elements[0]
    if (got !== n) return this.send(to, tuple(this.pid, tuple(got, atom('in_place_of'), n)))
  }
  this.send(to, tuple(this.pid, count))
}

/**
 * Watches a name of another node, then asks the process to end: its answer comes, then its end.
 *
 * @this {NodeProcess}
 * @param {Pid} to
 * @param {Term} name
 * @param {Term} node
 */
export const ask = async function (to, name, node) {
  const server = { name: String(name), node: String(node) }
  const ref = this.monitor(server)
  this.send(server, tuple(this.pid, atom('end')))
  const bye = await this.receive()
  const { elements } = await this.receive(match([atom('DOWN'), ref, any, any, any]))
  this.send(to, tuple(this.pid, [bye, elements[4]]))
}

/**
 * @this {NodeProcess}
 * @param {Pid} to
 */
export const wait = async function (to) {
  this.send(to, tuple(atom('here'), this.pid))
  const alias = /** @type {Reference} */ (await this.receive())
  this.send(alias, tuple(atom('by_alias'), this.pid))
  await this.receive()
}

/** @param {Term} how */
export const fail = how => {
  if (how === atom('type')) throw new TypeError('wrong')
  throw how
}

export const place = () => process.pid
