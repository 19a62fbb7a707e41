import { availableParallelism } from 'node:os'
import t from 'tap'
import { schedulerDefaults } from '../../../src/node/places/defaults.js'

t.test('V8 marks beside the program only where it has a core for that', t => {
  const cores = availableParallelism()
  const flagsOf = (count: number) => schedulerDefaults({ count, execArgv: ['--no-warnings'] }).execArgv
  t.strictSame(flagsOf(cores - 1), ['--no-warnings'])
  // What is asked for stands behind it, and the last one counts.
  t.strictSame(flagsOf(cores), ['--no-concurrent-marking', '--no-warnings'])
  t.strictSame(flagsOf(cores + 1), ['--no-concurrent-marking', '--no-warnings'])
  t.end()
})

t.test('a core is left for main', t => {
  t.equal(schedulerDefaults().count, Math.max(1, availableParallelism() - 1))
  t.end()
})
