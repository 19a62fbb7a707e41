/** What an index holds for a row: what its function gives, or what its way leads to. */
import { createHash } from 'node:crypto'
import { encode } from '../etf/index.js'
import { atom, get, type Sendable, type Term, Tuple } from '../term/index.js'
import { StoreError } from './errors.js'
import { sortKey } from './sort-key.js'
import type { IndexBy } from './table.js'

/** What is kept of how an index finds its terms: the way, or what tells one function from another, the hash of its text */
export type IndexMark = readonly (string | number)[] | Buffer

export const markOf = (by: IndexBy): IndexMark => (typeof by === 'function' ? createHash('sha256').update(String(by)).digest() : by)

export const sameMark = (a: IndexMark, b: IndexMark): boolean => encode(termOf(a)).equals(encode(termOf(b)))

const termOf = (mark: IndexMark): Buffer | (string | number)[] => (Buffer.isBuffer(mark) ? mark : [...mark])

export interface IndexFinder {
  readonly name: string
  /** The function, or the way; undefined while nobody has said the function in this program */
  readonly find: IndexBy | undefined
}

/** The index of that name, when every row is in it. @throws StoreError STORE_NO_INDEX */
export function indexOf<I extends { readonly name: string; readonly ready: boolean }>(
  table: { readonly name: string; readonly indexes: readonly I[] },
  name: string,
): I {
  const index = table.indexes.find(index => index.name === name)
  if (index?.ready) return index
  const has = table.indexes.flatMap(({ name, ready }) => (ready ? [`'${name}'`] : [])).join(', ')
  throw new StoreError('STORE_NO_INDEX', `The table '${table.name}' has no index '${name}'.`, {
    remedy: `${has ? `It has ${has}. ` : ''}Say it when the table is opened: store.table('${table.name}', { indexes: { ${name}: … } }).`,
  })
}

/**
 * The sort key of what an index of the table holds for this value; undefined: the row is not in it.
 *
 * @throws StoreError STORE_INDEX
 */
export function indexTerm(table: string, { name, find }: IndexFinder, value: Term): Buffer | undefined {
  if (find === undefined) {
    throw new StoreError('STORE_INDEX', `The index '${name}' of '${table}' is made by a function that this program has not said.`, {
      remedy: `Open the table with it before you write: store.table('${table}', { indexes: { ${name}: value => … } }).`,
    })
  }
  try {
    const term = typeof find === 'function' ? find(value) : follow(value, find)
    return term === undefined ? undefined : sortKey(term)
  } catch (cause) {
    const message = `The index '${name}' of '${table}' cannot take this value: ${(cause as Error)?.message ?? String(cause)}`
    throw new StoreError('STORE_INDEX', message, { remedy: 'Its function returns undefined for what it leaves out.', cause })
  }
}

function follow(value: Term, way: readonly (string | number)[]): Sendable | undefined {
  let term: Term | undefined = value
  for (const step of way) {
    if (typeof step === 'string') term = term instanceof Map ? (get(term, atom(step)) as Term | undefined) : undefined
    else term = term instanceof Tuple ? (term.elements as readonly Term[])[step - 1] : undefined
  }
  return term
}
