/** Every figure of bench/ can be taken, as small as it goes. How fast anything is, is not asked. */
import t from 'tap'
import { take } from '../bench/figure.js'
import { figures } from '../bench/figures.js'
import { tiny } from '../bench/harness.js'

for (const figure of figures) {
  t.test(figure.name, async t => {
    const results = await take(figure, tiny)
    t.ok(results.length > 0)
    for (const { name, ours, peers } of results) {
      t.ok(ours > 0 && Number.isFinite(ours), `${name}: Beamlet`)
      t.ok(Object.keys(peers).length > 0, `${name} has a peer`)
      for (const [peer, { value, ratio }] of Object.entries(peers)) {
        t.ok(value > 0 && Number.isFinite(value), `${name}: ${peer}`)
        t.ok(ratio > 0 && Number.isFinite(ratio), `${name}: the ratio to ${peer}`)
      }
    }
  })
}
