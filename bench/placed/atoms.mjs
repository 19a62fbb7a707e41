/** Says how many milliseconds so many atoms take, each time: what the module of Erlang in bench/atoms.ts does. Ends with its channel. */
import process from 'node:process'
import { atom } from 'beamlet'
import { decode, encode } from 'beamlet/etf'

/** @type {Record<string, (names: string[]) => () => unknown>} */
const works = {
  made: names => () => {
    for (const name of names) atom(name)
  },
  decoded(names) {
    const bytes = bytesOf(names)
    return () => decode(bytes, { limits: { atoms: Infinity } })
  },
  encoded(names) {
    const atoms = names.map(name => atom(name))
    return () => encode(atoms)
  },
}

/** @param {string[]} names */
function bytesOf(names) {
  const head = Buffer.from([131, 108, 0, 0, 0, 0])
  head.writeUInt32BE(names.length, 2)
  return Buffer.concat([
    head,
    ...names.map(name => Buffer.from(`\x77${String.fromCharCode(name.length)}${name}`, 'latin1')),
    Buffer.from([106]),
  ])
}

/** @typedef {{ readonly what: string, readonly first: number, readonly n: number, readonly tries: number }} Asked */

process.on('message', asked => {
  const { what, first, n, tries } = /** @type {Asked} */ (asked)
  const times = []
  for (let time = 0; time < tries; time++) {
    const names = Array.from({ length: n }, (_, i) => `atom_${first + time * n + i}`)
    const work = /** @type {NonNullable<(typeof works)[string]>} */ (works[what])(names)
    const start = performance.now()
    work()
    times.push(performance.now() - start)
  }
  process.send?.(times)
})
process.send?.('here')
