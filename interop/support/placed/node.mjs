/** What `self.node` does in a place that is not main. */
import { atom, tuple } from 'beamlet'

/** @import { NodeProcess, Pid, Term } from 'beamlet' */

const codeOf = (/** @type {() => unknown} */ work) => {
  try {
    work()
    return null
  } catch (error) {
    return atom(/** @type {any} */ (error).code)
  }
}

/**
 * Connects to `peer` with its cookie, and tells `to` what it sees, before and after; then ends the connection.
 *
 * @this {NodeProcess}
 * @param {Pid} to
 * @param {Term} name
 * @param {Term} secret
 */
export const visit = async function (to, name, secret) {
  const { node } = this
  const [peer, cookie] = [String(name), String(secret)]
  const refused = await node.connect(peer).then(() => null, error => atom(error.code)) // prettier-ignore
  node.setCookie(peer, cookie)
  await node.connect(peer)
  const connected = node.nodes('connected').includes(peer)
  const [alive, host] = /** @type {[string, string]} */ (peer.split('@'))
  const names = await node.epmd.names(host)
  const { port } = await node.epmd.lookup(alive, host)
  const down = new Promise(resolve => node.once('nodedown', gone => resolve(gone === peer)))
  this.monitorNode(peer, true)
  const [ended, none] = [node.disconnect(peer), node.disconnect('nobody@nowhere')]
  const told = [await down, await this.receive()]
  const seen = [connected, names.some(entry => entry.name === alive && entry.port === port), ended, none]
  this.send(to, tuple(this.pid, [refused, seen, /** @type {Term[]} */ (told)]))
}

/**
 * Tells `to` what main says of the node, and with which codes it is told what is wrong, or main's alone.
 *
 * @this {NodeProcess}
 * @param {Pid} to
 */
export const look = function (to) {
  const { node } = this
  node.allow(['friend@host', 'other'])
  const codes = [
    () => node.allow(['a@b@c']),
    () => node.setCookie('x@y', ''),
    () => node.setCookie('x', 'cookie'),
    () => node.getCookie('x@y'),
    () => node.cookie,
    () => node.allowed(),
  ].map(codeOf)
  this.send(to, tuple(this.pid, [[node.port, node.netTickTime, node.hidden, node.epmd.port, atom(String(node.epmd.mode))], codes]))
}
