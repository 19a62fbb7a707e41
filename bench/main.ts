/**
 * `make bench`: every figure, each in a process of its own, so that none is compiled, or collected, by what another left behind.
 *
 *     bench/main.ts           all, into bench/results.json
 *     bench/main.ts codec     one
 *     bench/main.ts processes 1000000    one, with at most so many operations in a run
 *     OTP=29 make bench       beside another release (27)
 *     make bench-newest       on the newest Node.js: bench/results.md shows both
 *     make bench-check        all, beside what bench/results.json says of this Node.js: exits 1 when a ratio is worse, beyond noise
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { cpus, loadavg } from 'node:os'
import { argv, env, exit, stderr, stdout, version } from 'node:process'
import { compared, regressions, type Results, sentence } from './check.js'
import { beamName, type Figure, take } from './figure.js'
import { figures } from './figures.js'
import { full, type Result } from './harness.js'
import { lastRun, type Run, save } from './runs.js'
import { table } from './table.js'

async function one(figure: Figure, most: number): Promise<void> {
  const results = await take(figure, { ...full, most }, row => stderr.isTTY && stderr.write(`\r\x1b[K${figure.name}: ${row}`))
  if (stderr.isTTY) stderr.write('\r\x1b[K')
  stdout.write(`\n${figure.name}: ${figure.about}\n${table(results)}\n`)
  process.send?.(results)
}

/** Undefined: it failed, and said why. */
async function inChild({ name }: Figure): Promise<readonly Result[] | undefined> {
  const child = fork(argv[1]!, [name], { env })
  let results: readonly Result[] | undefined
  child.on('message', message => (results = message as readonly Result[]))
  const [code] = (await once(child, 'exit')) as [number | null]
  return code === 0 ? results : undefined
}

/** One that fails takes none of the others with it. */
async function all(): Promise<Results> {
  const results: Record<string, readonly Result[]> = {}
  for (const figure of figures) {
    const found = await inChild(figure)
    if (found) results[figure.name] = found
  }
  const failed = figures.filter(({ name }) => !(name in results)).map(({ name }) => name)
  if (failed.length > 0) {
    stderr.write(`\nThese figures failed, see above: ${failed.join(', ')}.\n`)
    process.exitCode = 1
  }
  return results
}

const runOf = (results: Results): Run => ({
  date: new Date().toISOString(),
  machine: { node: version, beam: beamName, cores: cpus().length, cpu: cpus()[0]?.model ?? 'unknown', load: loadavg()[0] ?? 0 },
  results,
})

/** Exits with 1 when a ratio is worse than it was. */
async function check(): Promise<void> {
  const before = lastRun(version)?.results
  if (!before) {
    stderr.write(`There are no results of Node.js ${version} to compare with: run make bench with it first.\n`)
    exit(2)
  }
  const now = await all()
  const worse = regressions(before, now)
  stdout.write(`\n${compared(before, now)} ratios compared, ${worse.length} worse.\n${worse.map(each => `${sentence(each)}\n`).join('')}`)
  if (worse.length > 0) process.exitCode = 1
}

const isCheck = argv[2] === '--check'
const [name, most = Infinity, ...more] = isCheck ? [] : argv.slice(2)
if (Number.isNaN(Number(most)) || more.length > 0) {
  stderr.write('One figure at a time, and at most how many operations: a number.\n')
  exit(2)
}
const chosen = figures.find(figure => figure.name === name)
if (name !== undefined && !chosen) {
  stderr.write(`There is no figure '${name}'. These are: ${figures.map(figure => figure.name).join(', ')}.\n`)
  exit(2)
}
if (isCheck) await check()
else if (chosen) await one(chosen, Number(most))
else save(runOf(await all()))
// The fork's channel would keep it alive.
process.disconnect?.()
