/**
 * Equal keys of a map, where JavaScript's Map cannot see that they are: two tuples, two binaries, `1` and `1n`, 'a' and Buffer 'a'.
 *
 * Each key gets a name, and two keys are `=:=` exactly when their names are the same string. A container inside a key is named when
 * it is complete, which is after everything inside it: its name is made of its parts' names and then replaced by a number. So
 * each part is looked at once, however deep keys nest in keys, and no map costs more than its bytes.
 */
import { types } from 'node:util'
import { Atom, BitString, ExportFun, Float, Fun, NativeRecord, Pid, Port, Reference, Tuple } from '../term/index.js'
import { termOfAtom } from './atoms.js'
import { hasEqualBinaries, textOf } from './binary-keys.js'

const isBinary = (key: unknown): key is Uint8Array => key instanceof Uint8Array

export class Keys {
  // Most terms have no container in a key: these are made when the first is noted.
  #numbers: Map<string, number> | null = null
  #known: Map<object, string> | null = null

  /** Are two of these keys equal? Everything inside them must have been noted. Atoms may be left out: the Map compares them. */
  duplicates(keys: readonly unknown[]): boolean {
    if (keys.every(isBinary)) return hasEqualBinaries(keys)
    const names = new Set<string>()
    for (const key of keys) names.add(this.#name(key))
    return names.size !== keys.length
  }

  /**
   * Are two keys of a map that shall be sent equal in Erlang? The Map has kept apart what JavaScript tells apart; equal may still be two
   * objects, an object and a string, `1` and `1n`, or `true` and the Atom of that name, which stands in funs.
   */
  duplicatesIn(parts: readonly unknown[]): boolean {
    let doubtful = false
    const compared: unknown[] = []
    for (let i = 0; i < parts.length; i += 2) {
      const key = parts[i]
      if (key instanceof Atom && termOfAtom(key) === key) continue
      doubtful ||= (typeof key === 'object' && key !== null) || typeof key === 'bigint'
      compared.push(key)
    }
    return doubtful && compared.length > 1 && this.duplicates(compared)
  }

  /** Forgets what was noted: the next keys are another term's. */
  clear(): void {
    this.#known = null
    this.#numbers = null
  }

  /** Names a container that is (part of) a key, from its parts, which have been noted before it. A map's parts: key, value, key, value, … */
  note(container: object, head: string, parts: readonly unknown[]): string {
    const names = parts.map(part => this.#name(part))
    const text = `${head}(${(head === 'map' ? pairs(names).sort() : names).join()})`
    const numbers = (this.#numbers ??= new Map())
    let number = numbers.get(text)
    if (number === undefined) numbers.set(text, (number = numbers.size))
    const name = `#${number}`
    ;(this.#known ??= new Map()).set(container, name)
    return name
  }

  #name(value: unknown): string {
    switch (typeof value) {
      case 'number':
        return Number.isSafeInteger(value) && !Object.is(value, -0) ? `${value}` : floatName(value)
      case 'bigint':
        return `${value}`
      case 'string':
        return binaryName(Buffer.from(value))
      case 'boolean':
        return atomName(String(value))
      default:
        return value === null ? atomName('nil') : this.#objectName(value as object)
    }
  }

  #objectName(value: object): string {
    if (value instanceof Atom) return atomName(value.name)
    if (value instanceof Uint8Array) return binaryName(value)
    if (value instanceof Float) return floatName(value.value)
    if (value instanceof BitString) return bitStringName(value)
    if (value instanceof Pid) return pidName(value)
    if (value instanceof Port) return `o${atomName(value.node.name)}.${value.id}.${value.creation}`
    if (value instanceof Reference) return `r${atomName(value.node.name)}.${value.creation}.${value.words.join('.')}`
    if (value instanceof ExportFun) return `x${atomName(value.module.name)}${atomName(value.fun.name)}.${value.arity}`
    return this.#known?.get(value) ?? this.#leafName(value)
  }

  /** What has no parts, or only bytes, is not noted on the way. */
  #leafName(value: object): string {
    if (Array.isArray(value)) return this.note(value, 'list', value)
    if (value instanceof Tuple) return this.note(value, 'tuple', value.elements)
    if (value instanceof Fun) return this.note(value, funHead(value), [])
    if (value instanceof NativeRecord) return this.note(value, recordHead(value), [])
    if (types.isUint8Array(value)) return binaryName(value) // another realm's
    return this.note(value, 'map', [])
  }
}

// A length before each text keeps one name from looking like the end of another.
const atomName = (name: string): string => `a${name.length}:${name}`
const floatName = (value: number): string => `f${Object.is(value, -0) ? '-0' : value}`
const binaryName = (bytes: Uint8Array): string => `"${bytes.length}:${textOf(bytes)}`
const bitStringName = ({ bytes, bits }: BitString): string => `b${bits}.${bytes.at(-1)! >>> (8 - bits)}${binaryName(bytes.subarray(0, -1))}`
const pidName = ({ node, id, serial, creation }: Pid): string => `p${atomName(node.name)}.${id}.${serial}.${creation}`

function pairs(names: readonly string[]): string[] {
  const made: string[] = []
  for (let i = 0; i < names.length; i += 2) made.push(`${names[i]}=>${names[i + 1]}`)
  return made
}

export const funHead = (fun: Omit<Fun, 'free' | 'kind'>): string =>
  `fun ${fun.arity}.${fun.uniq.toString('hex')}.${fun.index}.${atomName(fun.module.name)}.${fun.oldIndex}.${fun.oldUniq}.${pidName(fun.pid)}`

export const recordHead = (record: Pick<NativeRecord, 'module' | 'name' | 'fields' | 'flags'>): string =>
  `record ${record.flags}.${atomName(record.module.name)}${atomName(record.name.name)}${record.fields.map(([field]) => atomName(field.name)).join('')}`
