/**
 * Pids, ports and references: the identities that a node gives out. Each carries its node *and* the node's creation, and two are
 * equal only when both agree, so that a restarted node's identities are new ones.
 *
 * Source: erl_ext_dist, NEW_PID_EXT, V4_PORT_EXT, NEWER_REFERENCE_EXT.
 */
import { inspect } from 'node:util'
import type { Atom } from './atom.js'
import { nodeNumber } from './node-number.js'

export class Pid {
  readonly node: Atom
  /** 32 bits */
  readonly id: number
  /** 32 bits */
  readonly serial: number
  /** 32 bits */
  readonly creation: number

  constructor(node: Atom, id: number, serial: number, creation: number) {
    this.node = node
    this.id = id
    this.serial = serial
    this.creation = creation
    Object.freeze(this)
  }

  get kind(): 'pid' {
    return 'pid'
  }

  /** `<0.85.0>`: 0 for a node of this program, else this program's number for the node. */
  toString(): string {
    return `<${nodeNumber(this.node)}.${this.id}.${this.serial}>`
  }

  [inspect.custom](): string {
    return `Pid(${this} ${this.node})`
  }
}

export class Port {
  readonly kind = 'port'
  readonly node: Atom
  /** 64 bits */
  readonly id: bigint
  readonly creation: number

  constructor(node: Atom, id: bigint, creation: number) {
    this.node = node
    this.id = id
    this.creation = creation
    Object.freeze(this)
  }

  /** `#Port<0.5>` */
  toString(): string {
    return `#Port<${nodeNumber(this.node)}.${this.id}>`
  }

  [inspect.custom](): string {
    return `Port(${this} ${this.node})`
  }
}

export class Reference {
  readonly kind = 'reference'
  readonly node: Atom
  readonly creation: number
  /** One to five words of 32 bits, in wire order. All of them count. */
  readonly words: readonly number[]

  constructor(node: Atom, creation: number, words: readonly number[]) {
    this.node = node
    this.creation = creation
    this.words = words
    Object.freeze(this)
  }

  /** `#Ref<0.3.2.1>`: the last word first */
  toString(): string {
    return `#Ref<${[nodeNumber(this.node), ...this.words.toReversed()].join('.')}>`
  }

  [inspect.custom](): string {
    return `Reference(${this} ${this.node})`
  }
}
