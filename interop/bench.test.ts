/** Every figure of bench/ can be taken, as small as it goes. How fast anything is, is not asked. */
import t from 'tap'
import { take } from '../bench/figure.js'
import { figures } from '../bench/figures.js'
import { tiny } from '../bench/harness.js'

for (const figure of figures) {
  t.test(figure.name, async t => {
    const results = await take(figure, tiny)
    t.ok(results.length > 0)
    for (const { name, unit, ours, peers } of results) {
      // With so few, a cost may well shrink as their number grows.
      if (unit === 'exponent') {
        for (const value of [ours, ...Object.values(peers).map(({ value }) => value)]) t.ok(Number.isFinite(value), `${name}: an exponent`)
        continue
      }
      t.ok(ours > 0 && Number.isFinite(ours), `${name}: Beamlet`)
      t.ok(Object.keys(peers).length > 0, `${name} has a peer`)
      for (const [peer, { value, ratio }] of Object.entries(peers)) {
        t.ok(value > 0 && Number.isFinite(value), `${name}: ${peer}`)
        t.ok(ratio > 0 && Number.isFinite(ratio), `${name}: the ratio to ${peer}`)
      }
    }
  })
}
