/** Every figure of bench/ can be taken, as small as it goes, and has what a goal was set for. How fast anything is, is not asked. */
import t from 'tap'
import { take } from '../bench/figure.js'
import { figures } from '../bench/figures.js'
import { goals, linesFor } from '../bench/goals.js'
import { tiny } from '../bench/harness.js'

for (const figure of figures) {
  t.test(figure.name, async t => {
    const results = await take(figure, tiny)
    const wanted = goals.filter(goal => goal.figure === figure.name)
    for (const goal of wanted) t.ok(linesFor(goal, results).length > 0, `there is a line for ${goal.row ?? goal.unit ?? 'it'}`)
    // Only what is said to have no peer has none.
    const alone = wanted.filter(({ peer }) => peer === null).flatMap(goal => linesFor(goal, results).map(({ result }) => result))
    t.ok(results.length > 0)
    for (const result of results) {
      const { name, unit, ours, peers } = result
      t.equal(Object.keys(peers).length > 0, !alone.includes(result), `${name} has a peer`)
      // With so few, a cost may well shrink as their number grows.
      if (unit === 'exponent') {
        for (const value of [ours, ...Object.values(peers).map(({ value }) => value)]) t.ok(Number.isFinite(value), `${name}: an exponent`)
        continue
      }
      t.ok(ours > 0 && Number.isFinite(ours), `${name}: Beamlet`)
      for (const [peer, { value, ratio }] of Object.entries(peers)) {
        t.ok(value > 0 && Number.isFinite(value), `${name}: ${peer}`)
        t.ok(ratio > 0 && Number.isFinite(ratio), `${name}: the ratio to ${peer}`)
      }
    }
  })
}
