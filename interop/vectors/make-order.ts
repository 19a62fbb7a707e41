/** Asks OTP 25, 27 and 29 for the term order and writes spec/vectors/order.json. `make vectors` runs this. */
import { readFile, writeFile } from 'node:fs/promises'
import { releases, startBeam } from '../../src/interop/index.js'
import type { Tuple } from '../../src/index.js'

/** Places in `terms`, first to last; an array holds those that compare equal. */
type Order = readonly (number | readonly number[])[]

const code = await readFile(new URL('order.erl', import.meta.url), 'utf8')
const orders: Record<number, { readonly order: Order; readonly keys: Order }> = {}
let terms: readonly Buffer[] = []

for (const otp of releases) {
  const beam = await startBeam({ otp, name: false, code })
  const answer = (await beam.eval('order:sorted().')) as Tuple<[readonly Buffer[], readonly number[][], readonly number[][]]>
  await beam.stop()
  const [sorted, order, keys] = answer.elements
  orders[otp] = { order: order.map(single), keys: keys.map(single) }
  // the latest release has terms that the others lack, at the end
  terms = sorted
}

const json = `{
  "terms": [
    ${terms.map(term => JSON.stringify(term.toString('hex'))).join(',\n    ')}
  ],
  "otp": {
    ${Object.entries(orders)
      .map(([otp, order]) => `"${otp}": ${JSON.stringify(order)}`)
      .join(',\n    ')}
  }
}
`
await writeFile(new URL('../../spec/vectors/order.json', import.meta.url), json)

/** A group of one is written as its only place. */
function single(places: readonly number[]): number | readonly number[] {
  return places.length === 1 ? places[0]! : places
}
