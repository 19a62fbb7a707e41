/**
 * `make bench`: every figure, each in a process of its own, so that none is compiled, or collected, by what another left behind.
 *
 *     bench/main.ts           all, into bench/results.json
 *     bench/main.ts codec     one
 *     bench/main.ts processes 1000000    one, with at most so many operations in a run
 *     OTP=29 make bench       beside another release (27)
 *     make bench-check        all, beside what bench/results.json says: exits 1 when a ratio is worse, beyond noise
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { argv, env, exit, stderr, stdout, version } from 'node:process'
import { compared, regressions, type Results, sentence } from './check.js'
import { beamName, type Figure, take } from './figure.js'
import { figures } from './figures.js'
import { full, type Result } from './harness.js'
import { markdown, table } from './table.js'

const file = new URL('results.json', import.meta.url)
const page = new URL('results.md', import.meta.url)

async function one(figure: Figure, most: number): Promise<void> {
  const results = await take(figure, { ...full, most }, row => stderr.isTTY && stderr.write(`\r\x1b[K${figure.name}: ${row}`))
  if (stderr.isTTY) stderr.write('\r\x1b[K')
  stdout.write(`\n${figure.name}: ${figure.about}\n${table(results)}\n`)
  process.send?.(results)
}

async function inChild({ name }: Figure): Promise<readonly Result[]> {
  const child = fork(argv[1]!, [name], { env })
  let results: readonly Result[] = []
  child.on('message', message => (results = message as readonly Result[]))
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) throw new Error(`The figure ${name} failed: see above.`)
  return results
}

async function all(): Promise<Results> {
  const results: Record<string, readonly Result[]> = {}
  for (const figure of figures) results[figure.name] = await inChild(figure)
  return results
}

function write(results: Results): void {
  const date = new Date().toISOString()
  const machine = { node: version, beam: beamName, cores: cpus().length, cpu: cpus()[0]?.model ?? 'unknown', load: loadavg()[0] }
  writeFileSync(file, `${JSON.stringify({ date, machine, results }, null, 2)}\n`)
  const { node, beam, cores, cpu, load } = machine
  const about = `Node.js ${node}, ${beam}, ${cores} cores (${cpu}), at a load of ${load?.toFixed(1)} when it ended, ${date.slice(0, 10)}.`
  const parts = figures.map(({ name, about }) => `## ${name}\n\n${about}\n\n${markdown(results[name] ?? [])}\n`)
  writeFileSync(page, `# Results\n\n${about}\nHow to read them: docs/bench.md.\n\n${parts.join('\n')}`)
}

/** Exits with 1 when a ratio is worse than it was. */
async function check(): Promise<void> {
  let before: Results
  try {
    before = (JSON.parse(readFileSync(file, 'utf8')) as { results: Results }).results
  } catch {
    stderr.write('There are no results to compare with: run make bench first.\n')
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
else write(await all())
// The fork's channel would keep it alive.
process.disconnect?.()
