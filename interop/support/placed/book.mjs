/** A module for `{via, shared, Name}` that all places of a node can ask: it keeps names in `global`. */

/** @import { NodeProcess, Pid, Term } from 'beamlet' */

/**
 * @this {NodeProcess}
 * @param {Term} name
 * @param {Pid} pid
 */
export const registerName = function (name, pid) {
  return this.node.global.register(name, pid)
}

/**
 * @this {NodeProcess}
 * @param {Term} name
 */
export const unregisterName = function (name) {
  return this.node.global.unregister(name)
}

/**
 * @this {NodeProcess}
 * @param {Term} name
 */
export const whereisName = function (name) {
  return this.node.global.whereis(name)
}

/**
 * @this {NodeProcess}
 * @param {Term} name
 * @param {Term} message
 */
export const send = function (name, message) {
  this.node.global.send(name, message)
}
