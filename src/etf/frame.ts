/** A container whose parts a Traversal is walking through. */
import { Atom, type Term } from '../term/index.js'

/** 'object': a plain object that is sent as a map; its keys are different by nature. */
export type Kind = 'tuple' | 'list' | 'improper' | 'map' | 'object' | 'fun' | 'record'

const none: Term[] = []

export class Frame {
  readonly outer: Frame | null
  readonly kind: Kind
  readonly container: object
  /** Of a map: key, value, key, value, … The last of an improper list is its tail. */
  readonly parts: readonly unknown[]
  readonly size: number
  readonly depth: number
  /** In a map key, at any depth */
  readonly inKey: boolean
  /** How many parts have been begun */
  index = 0
  /** What the parts have become, where a Traversal keeps that */
  results: Term[] = none

  constructor(outer: Frame | null, kind: Kind, container: object, parts: readonly unknown[]) {
    this.outer = outer
    this.kind = kind
    this.container = container
    this.parts = parts
    this.size = parts.length
    this.depth = outer === null ? 1 : outer.depth + 1
    this.inKey = outer !== null && (outer.inKey || outer.atKey)
  }

  /** Is the part that was begun last a key? */
  get atKey(): boolean {
    return (this.kind === 'map' || this.kind === 'object') && (this.index & 1) === 1
  }
}

const longestPath = 10

/** The way from the whole term to the part that was begun last, such as `[2].name`; '' for the whole. */
export function pathTo(frame: Frame | null): string {
  const steps: string[] = []
  let at = frame
  for (; at !== null && steps.length < longestPath; at = at.outer) steps.unshift(step(at))
  return at === null ? steps.join('') : `…${steps.join('')}`
}

function step({ kind, parts, index }: Frame): string {
  if (kind !== 'map' && kind !== 'object') return `[${index - 1}]`
  if ((index & 1) === 1) return `.keys()[${index >> 1}]`
  const key = parts[index - 2]
  return key instanceof Atom || typeof key === 'boolean'
    ? `.${String(key)}`
    : `.get(${typeof key === 'object' ? '…' : String(key).slice(0, 40)})`
}
