/**
 * `make bench`: every figure, each in a process of its own, so that none is compiled, or collected, by what another left behind.
 *
 *     bench/main.ts           all, into bench/results.json
 *     bench/main.ts codec     one
 *     bench/main.ts processes 1000000    one, with at most so many operations in a run
 *     OTP=29 make bench       beside another release (27)
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { argv, env, exit, stderr, stdout, version } from 'node:process'
import { beamName, type Figure, take } from './figure.js'
import { figures } from './figures.js'
import { full, type Result } from './harness.js'
import { table } from './table.js'

const file = new URL('results.json', import.meta.url)

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

async function all(): Promise<void> {
  const results: Record<string, readonly Result[]> = {}
  for (const figure of figures) results[figure.name] = await inChild(figure)
  const machine = { node: version, beam: beamName, cores: cpus().length, cpu: cpus()[0]?.model }
  writeFileSync(file, `${JSON.stringify({ date: new Date().toISOString(), machine, results }, null, 2)}\n`)
}

const [name, most = Infinity, ...more] = argv.slice(2)
if (Number.isNaN(Number(most)) || more.length > 0) {
  stderr.write('One figure at a time, and at most how many operations: a number.\n')
  exit(2)
}
const chosen = figures.find(figure => figure.name === name)
if (name !== undefined && !chosen) {
  stderr.write(`There is no figure '${name}'. These are: ${figures.map(figure => figure.name).join(', ')}.\n`)
  exit(2)
}
await (chosen ? one(chosen, Number(most)) : all())
// The fork's channel would keep it alive.
process.disconnect?.()
