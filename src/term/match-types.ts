/** Patterns, and the types of what they match. */
import type { Atom } from './atom.js'
import type { BitString, Float, ImproperList, LocalTerm, NativeRecord } from './containers.js'
import type { ExportFun, Fun } from './fun.js'
import type { Pid, Port, Reference } from './identity.js'
import type { Tuple } from './tuple.js'
import type { Term, TermMap } from './types.js'

declare const wildcard: unique symbol
declare const held: unique symbol

/** The type of `any`. */
export interface Any {
  readonly [wildcard]: true
}

/** What `match` makes: a type guard. */
export interface Matcher<T> {
  (x: unknown): x is T
  /**
   * A reference that every matching term holds, when the pattern names one: a message that arrived before the reference was made
   * cannot match.
   */
  readonly reference: Reference | undefined
}

/** Terms that a pattern compares with `equals`. */
type Literal =
  | Atom
  | boolean
  | null
  | number
  | bigint
  | string
  | Uint8Array
  | BitString
  | Float
  | Pid
  | Port
  | Reference
  | Fun
  | ExportFun
  | NativeRecord
  | LocalTerm
  | ImproperList
  | Tuple<readonly any[]>
  | ReadonlyMap<any, any>

/** A type guard, or any other test. */
type Test = (x: any) => boolean

export type Pattern = Any | Literal | Test | readonly Pattern[] | { readonly [key: string]: Pattern }

/** A map that is known to hold these keys, which are atoms. It may hold others. */
export interface MapWith<Fields> extends TermMap {
  /** Only in the types: tells this map from one of which nothing is known. */
  readonly [held]: Fields
  get<K extends keyof Fields & string>(key: Atom<K>): Fields[K]
  get(key: true): Field<Fields, 'true'>
  get(key: false): Field<Fields, 'false'>
  get(key: null): Field<Fields, 'nil'>
  get(key: Term): Term | undefined
}

type Field<Fields, K extends string> = K extends keyof Fields ? Fields[K] : Term | undefined

/** The type of the terms that match a pattern. */
export type Matched<P> = P extends Any
  ? Term
  : P extends (x: any) => x is infer T
    ? T
    : P extends Test
      ? Term
      : P extends string | Uint8Array
        ? Buffer
        : P extends bigint
          ? number | bigint
          : P extends Float
            ? number | Float
            : P extends readonly unknown[]
              ? Tuple<MatchedEach<P>>
              : P extends Literal
                ? P
                : MapWith<{ readonly [K in keyof P]: Matched<P[K]> }>

/** Position by position */
export type MatchedEach<P extends readonly unknown[]> = { readonly [K in keyof P]: Matched<P[K]> }
