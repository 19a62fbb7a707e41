/** The type-level mapping between Erlang and TypeScript. `Term` is what arrives, `Sendable` what may be sent. */
import type { Atom } from './atom.js'
import type { BitString, Float, ImproperList, LocalTerm, NativeRecord } from './containers.js'
import type { ExportFun, Fun } from './fun.js'
import type { Pid, Port, Reference } from './identity.js'
import type { Tuple } from './tuple.js'

export interface TermArray extends ReadonlyArray<Term> {}
export interface TermMap extends ReadonlyMap<Term, Term> {}

type Scalar = Atom | boolean | null | number | bigint | Buffer | BitString | Float | Pid | Port | Reference | ExportFun | LocalTerm

export type Term = Scalar | Fun | NativeRecord | ImproperList | Tuple<readonly any[]> | TermArray | TermMap

export interface SendableArray extends ReadonlyArray<Sendable> {}
export interface SendableMap extends ReadonlyMap<Sendable, Sendable> {}
export interface SendableObject {
  readonly [key: string]: Sendable
}

/** What may be sent: every Term, a string (a UTF-8 binary), any Uint8Array (a binary), a plain object (an atom-keyed map). */
export type Sendable = Term | string | Uint8Array | Tuple<readonly any[]> | SendableArray | SendableMap | SendableObject

/** What a value is when it arrives: text is a Buffer, an object a Map. What is any term arrives as any term. */
export type Received<T> = [Term] extends [T] ? T : [TermArray] extends [T] ? T : [TermMap] extends [T] ? T : ReceivedEach<T>

type ReceivedEach<T> = T extends string | Uint8Array
  ? Buffer
  : T extends Scalar | Fun | NativeRecord | ImproperList
    ? T
    : T extends Tuple<infer E>
      ? Tuple<{ [K in keyof E]: Received<E[K]> }>
      : T extends ReadonlyMap<infer K, infer V>
        ? ReadonlyMap<Received<K>, Received<V>>
        : T extends readonly unknown[]
          ? { [K in keyof T]: Received<T[K]> }
          : T extends object
            ? ReadonlyMap<Atom<keyof T & string>, Received<T[keyof T]>>
            : T

/** What a caller may say where a handler declares P: text for a Buffer, an object for a Map with atoms for keys. */
export type Sent<P> = [Term] extends [P]
  ? Sendable
  : [TermArray] extends [P]
    ? SendableArray
    : [TermMap] extends [P]
      ? SendableMap | SendableObject
      : SentEach<P>

type SentEach<P> = P extends Buffer
  ? Buffer | string
  : P extends Tuple<infer E>
    ? Tuple<{ [K in keyof E]: Sent<E[K]> }>
    : P extends ReadonlyMap<infer K, infer V>
      ? ReadonlyMap<Sent<K>, Sent<V>> | (K extends Atom<infer N> ? { readonly [Name in N]?: Sent<V> } : never)
      : P extends readonly unknown[]
        ? { [K in keyof P]: Sent<P[K]> }
        : P
