import { readFileSync } from 'node:fs'
import t from 'tap'
import { decode, encode, type EtfError, Writer } from '../../src/etf/index.js'
import * as constants from '../../src/etf/tags.js'
import { atom, LocalTerm } from '../../src/term/index.js'
import { bytesOf, releases, vectorsOf } from './vectors.js'

interface Row {
  readonly tag: number
  readonly name: string
  readonly direction: 'both' | 'decode' | 'none'
  readonly where: 'term' | 'whole' | 'message'
}

const spec: readonly Row[] = JSON.parse(readFileSync(new URL('../../spec/tags.json', import.meta.url), 'utf8')).tags

const { VERSION, ...tags } = constants

const vectors = releases.flatMap(vectorsOf)

const isUnknown = (tag: number): boolean => {
  try {
    decode(Buffer.of(VERSION, tag))
    return false
  } catch (error) {
    return (error as EtfError).code === 'ETF_UNKNOWN_TAG'
  }
}

t.test('spec/tags.json and the code are the same table', async t => {
  t.strictSame(Object.fromEntries(spec.filter(({ direction }) => direction !== 'none').map(({ name, tag }) => [name, tag])), tags)
  t.strictSame(
    spec.map(({ tag }) => tag),
    [...new Set(spec.map(({ tag }) => tag))].sort((a, b) => a - b),
    'each tag once, in order',
  )
})

t.test('what is read', async t => {
  const read = new Set(spec.filter(({ direction, where }) => direction !== 'none' && where !== 'message').map(({ tag }) => tag))
  for (let tag = 0; tag < 256; tag++) t.equal(isUnknown(tag), !read.has(tag) && tag !== tags.ATOM_CACHE_REF, `${tag}`)
  const seen = new Set(vectors.filter(({ kind }) => kind !== 'refused').map(({ hex }) => bytesOf(hex)[1]!))
  t.strictSame(
    [...read].filter(tag => !seen.has(tag)),
    [],
    'and a real BEAM has written each',
  )
})

t.test('what is written', async t => {
  const terms = vectors.filter(({ kind, name }) => kind !== 'refused' && !name.startsWith('bytes after'))
  const written = new Set(terms.map(({ hex }) => encode(decode(bytesOf(hex), { floats: 'exact' }))[1]!))
  written.add(encode(new LocalTerm(Buffer.of(0)))[1]!)
  const writer = new Writer({ atomRef: () => 3 })
  writer.term(atom('ok'))
  written.add(writer.take()[0]!)
  const both = spec.filter(({ direction }) => direction === 'both').map(({ tag }) => tag)
  t.strictSame(
    [...written].sort((a, b) => a - b),
    both,
  )
})
