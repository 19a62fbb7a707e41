/**
 * The definitions of modules, in every version that this thread has imported, and which is the newest of one: what has the same name among the exports of
 * the current version, or, where it is not exported, what was defined as the how-manieth.
 */
import type { Code } from '../../node/code.js'
import { fileOf } from '../../node/code-file.js'
import type { Process } from '../../process/index.js'
import type { Behaviour, Defined, GenRunner, Life } from './runner.js'

interface Exports {
  readonly byName: ReadonlyMap<string, Defined>
}

/** In the order in which they were defined, by the URL of their module */
const modules = new Map<string, WeakRef<Defined>[]>()
/** When the first of them was made, as Date.now(): what its module imports had been imported by then. */
const times = new Map<string, number>()
const numbers = new WeakMap<Defined, number>()
/** What is exported by that URL, where that is known */
const exports = new Map<string, Exports>()
const names = new WeakMap<Defined, string>()
/** By what genServer(), eventHandler() … returned */
const definitions = new WeakMap<object, Defined>()

/** Remembers a definition, and where it can be found again. */
export function remember(made: object, definition: Defined): void {
  definitions.set(made, definition)
  const { module } = definition
  if (module === undefined) return
  const known = modules.get(module) ?? []
  modules.set(module, known)
  if (!times.has(module)) times.set(module, Date.now())
  numbers.set(definition, known.push(new WeakRef(definition)) - 1)
}

/** What stands behind something that genServer(), eventHandler() … returned */
export const definedBy = (made: unknown): Defined | undefined => (made instanceof Object ? definitions.get(made) : undefined)

/** Which of its module's definitions it is: the first is 0. */
export const numberOf = (definition: Defined): number => numbers.get(definition) ?? -1

export const definitionAt = (url: string, number: number): Defined | undefined => modules.get(url)?.[number]?.deref()

/** The URLs, that one's file in other versions too, by which something was imported here that defines something */
export const definitionsOf = (url: string): string[] => [...modules.keys()].filter(each => fileOf(each) === fileOf(url))

export const definedAt = (url: string): number | undefined => times.get(url)

export const isLearnt = (url: string): boolean => exports.has(url)

/** A module has been imported: what it exports has names. */
export function learn(url: string, exported: Readonly<Record<string, unknown>>): void {
  const byName = new Map<string, Defined>()
  for (const [name, value] of Object.entries(exported)) {
    const definition = definedBy(value)
    if (definition?.module !== url) continue
    byName.set(name, definition)
    if (!names.has(definition)) names.set(definition, name)
  }
  exports.set(url, { byName })
}

/** What a definition is in another version of its module; undefined: it is not there, or something else. */
export function successorOf<D extends Defined>(definition: D, url: string): D | undefined {
  if (definition.module === url) return definition
  const name = names.get(definition)
  const found = name === undefined ? definitionAt(url, numberOf(definition)) : exports.get(url)?.byName.get(name)
  return found?.behaviour === definition.behaviour ? (found as D) : undefined
}

/** What a definition is in the current version of its module; itself where that has no such one. */
export function latestOf<D extends Defined>(code: Code, definition: D): D {
  const { module } = definition
  const current = module === undefined ? null : code.currentOf(module)
  return current === null ? definition : (successorOf(definition, current) ?? definition)
}

/** What runs a process of a definition, in its newest version. */
export function begin(code: Code, definition: Behaviour, self: Process, life: Life): GenRunner {
  const runner = latestOf(code, definition).runner(self, life)
  code.mover?.began(runner)
  return runner
}

/** What a definition is called in its file: by its name there, or which one it is. */
export const nameIn = (definition: Defined): string => names.get(definition) ?? `number ${numberOf(definition)}`
