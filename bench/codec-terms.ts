/** The terms of the codec figure, each as Beamlet holds it and as plain JavaScript, for codecs that know nothing else. */
import { atom, Pid, type Sendable, tuple } from '../src/index.js'

export interface CodecTerm {
  readonly name: string
  readonly term: Sendable
  /** Undefined: JSON, msgpack and erlpack have no such thing. */
  readonly plain: unknown
  /** erlpack takes a Buffer for a map. */
  readonly erlpack: boolean
  readonly json: boolean
}

const users = Array.from({ length: 1000 }, (_, id) => ({ id, name: `user ${id}`, score: id / 7, active: id % 3 === 0 }))

const nested = (depth: number): number[] => {
  let term: any = []
  for (let level = 0; level < depth; level++) term = [level, term]
  return term
}

export const codecTerms: readonly CodecTerm[] = [
  {
    name: '1000 small maps',
    term: new Map(users.map(user => [`user:${user.id}`, user])),
    plain: Object.fromEntries(users.map(user => [`user:${user.id}`, user])),
    erlpack: true,
    json: true,
  },
  {
    name: 'small message',
    term: tuple(atom('$gen_cast'), tuple(atom('add'), 42, 'hello', new Pid(atom('a@127.0.0.1') as never, 64, 0, 1))),
    plain: ['$gen_cast', ['add', 42, 'hello', { node: 'a@127.0.0.1', id: 64, serial: 0, creation: 1 }]],
    erlpack: true,
    json: true,
  },
  {
    name: '10,000 integers',
    term: Array.from({ length: 10_000 }, (_, i) => i * 7919),
    plain: Array.from({ length: 10_000 }, (_, i) => i * 7919),
    erlpack: true,
    json: true,
  },
  { name: '1 MiB binary', term: Buffer.alloc(2 ** 20, 'beamlet'), plain: Buffer.alloc(2 ** 20, 'beamlet'), erlpack: false, json: false },
  { name: '200 lists, nested', term: nested(200), plain: nested(200), erlpack: true, json: true },
]
