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

const names = Array.from({ length: 1000 }, (_, i) => `the name of number ${i}`)

/** `{{{…, 2}, 1}, 0}` */
const deep = <T>(depth: number, pair: (inner: T | null, level: number) => T): T => {
  let term: T | null = null
  for (let level = depth; level > 0; level--) term = pair(term, level)
  return term as T
}

const client = new Pid(atom('a@127.0.0.1') as never, 64, 0, 1)
const others = Array.from({ length: 20 }, (_, i) => new Pid(atom('b@127.0.0.1') as never, 64 * i, 1, 1))
const plainPid = ({ node, id, serial, creation }: Pid) => ({ node: node.name, id, serial, creation })

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
    term: tuple(atom('$gen_cast'), tuple(atom('add'), 42, 'hello', client)),
    plain: ['$gen_cast', ['add', 42, 'hello', plainPid(client)]],
    erlpack: true,
    json: true,
  },
  {
    name: 'small map',
    term: users[1] as Sendable,
    plain: users[1],
    erlpack: true,
    json: true,
  },
  {
    name: 'gen_server call with 21 pids',
    term: tuple(atom('$gen_call'), tuple(client, 7), tuple(atom('join'), others)),
    plain: ['$gen_call', [plainPid(client), 7], ['join', others.map(plainPid)]],
    erlpack: true,
    json: true,
  },
  { name: '1000 strings', term: names, plain: names, erlpack: true, json: true },
  {
    name: '10,000 integers',
    term: Array.from({ length: 10_000 }, (_, i) => i * 7919),
    plain: Array.from({ length: 10_000 }, (_, i) => i * 7919),
    erlpack: true,
    json: true,
  },
  { name: '1 MiB binary', term: Buffer.alloc(2 ** 20, 'beamlet'), plain: Buffer.alloc(2 ** 20, 'beamlet'), erlpack: false, json: false },
  {
    name: '200 tuples, nested',
    term: deep<Sendable>(200, (inner, level) => tuple(inner, level)),
    plain: deep<unknown>(200, (inner, level) => [inner, level]),
    erlpack: true,
    json: true,
  },
  { name: '200 lists, nested', term: nested(200), plain: nested(200), erlpack: true, json: true },
]
