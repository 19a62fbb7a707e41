// Runs the static checks and the suites named on the command line (all of them without a name), goes on when one fails, and ends with one line:
//
//   node scripts/test.js format unit
//   …
//   ✖ test/term/atom.test.ts > names > should be equal
//   4320 passed, 1 failed
//
// A static check counts one; a suite counts each of its assertions. What failed is named once more just above that line. Exits 1 when anything failed.
//
// These tests watch several operating system processes at once, on machines that others use, too. So up to five test files of a suite that failed run once
// more, alone: what fails again has failed. What passes then is a defect all the same, and never goes unsaid:
//
//   ↻ interop/spawn.test.ts > spawns > OTP 25 > … failed, and its file passed when it ran again
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { argv, exit, stdout } from 'node:process'

const all = ['format', 'lint', 'types', 'knip', 'unit', 'interop']

/** How many failures of a suite are named again at the end. */
const shown = 20

/** How many test files of a suite that failed run once more. More than that is no accident. */
const atMost = 5

/** @type {Record<string, string[]>} what tap is given for each suite; a name that is not here is a target of the Makefile */
const suites = {
  unit: ['test/**/*.test.ts'],
  interop: ['--timeout=1500', 'interop/**/*.test.ts'],
}

/** @typedef {{ passed: number, failed: number }} Count */

/**
 * What a run of tap says at its end: `# { total: 159, pass: 156, fail: 1, todo: 1, skip: 1 }`. A run that never got there, or that
 * exits with an error although no assertion failed (a test file that timed out, say), has failed once.
 *
 * @param {string} tap
 * @param {number | null} status
 * @returns {Count}
 */
export function count(tap, status) {
  const totals = tap.match(/^# \{ total: .*\}$/gm)?.at(-1) ?? ''
  const of = (/** @type {string} */ name) => Number(new RegExp(`\\b${name}: (\\d+)`).exec(totals)?.[1] ?? 0)
  const failed = of('fail')
  return { passed: of('pass'), failed: status === 0 && totals !== '' ? failed : Math.max(failed, 1) }
}

/**
 * The innermost tests that failed, each with the names of those around it: `file > test > assertion`. A run that never got to its end names itself.
 *
 * @param {string} tap
 * @returns {string[]}
 */
export function failures(tap) {
  /** @type {string[]} */
  const around = []
  /** @type {{ depth: number, path: string }[]} */
  const found = []
  for (const line of tap.split('\n')) {
    const [, indent = '', opens, fails] = /^((?: {4})*)(?:# Subtest: (.*)|not ok \d+ - (.*?)(?: # time=.*)?)$/.exec(line) ?? []
    const depth = indent.length / 4
    if (opens !== undefined) around.splice(depth, Infinity, opens)
    else if (fails !== undefined) {
      const inner = found.some(
        failure => failure.depth > depth && failure.path.startsWith([...around.slice(0, depth), fails, ''].join(' > ')),
      )
      if (!inner) found.push({ depth, path: [...around.slice(0, depth), fails].join(' > ') })
    }
  }
  return found.map(({ path }) => path)
}

/**
 * @typedef {Count & { named: string[], again: string[] }} Result `again`: what failed, and passed when its file ran once more
 *
 * @param {string} name
 * @param {string[]} args
 * @returns {Result}
 */
function suite(name, args) {
  const list = `.tap/${name}.failed`
  mkdirSync('.tap', { recursive: true })
  rmSync(list, { force: true })
  const first = run(`.tap/${name}.tap`, [`--save=${list}`, ...args])
  const files = read(list).split('\n').filter(Boolean)
  if (first.failed === 0 || files.length === 0 || files.length > atMost) return { ...first, again: [] }
  stdout.write(`── ${name}: ${first.failed} failed; once more: ${files.join(' ')}\n`)
  return settled(first, run(`.tap/${name}-again.tap`, ['--jobs=1', ...args.filter(arg => arg.startsWith('--')), ...files]))
}

/**
 * A second run of the files that failed, and nothing else, decides.
 *
 * @param {Count & { named: string[] }} first
 * @param {Count & { named: string[] }} second
 * @returns {Result}
 */
export function settled(first, second) {
  if (second.failed > 0) return { passed: first.passed, failed: second.failed, named: second.named, again: [] }
  return { passed: first.passed, failed: 0, named: [], again: first.named }
}

/**
 * @param {string} log
 * @param {string[]} args
 * @returns {Count & { named: string[] }}
 */
function run(log, args) {
  rmSync(log, { force: true })
  const { status } = spawnSync('node_modules/.bin/tap', ['run', '--reporter=min', `--output-file=${log}`, ...args], { stdio: 'inherit' })
  const tap = read(log)
  return { ...count(tap, status), named: failures(tap).slice(0, shown) }
}

/** @param {string} file */
function read(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return '' // tap did not get as far as its first line: counted as a failure
  }
}

/**
 * @param {string} target
 * @returns {Result}
 */
function check(target) {
  const { status } = spawnSync('make', ['--no-print-directory', target], { stdio: 'inherit' })
  return status === 0 ? { passed: 1, failed: 0, named: [], again: [] } : { passed: 0, failed: 1, named: [`make ${target}`], again: [] }
}

if (argv[1]?.endsWith('scripts/test.js')) {
  const total = { passed: 0, failed: 0 }
  /** @type {string[]} */
  const failed = []
  /** @type {string[]} */
  const again = []
  const chosen = argv.slice(2)
  for (const name of chosen.length > 0 ? chosen : all) {
    const args = suites[name]
    const result = args ? suite(name, args) : check(name)
    total.passed += result.passed
    total.failed += result.failed
    failed.push(...result.named)
    again.push(...result.again)
    stdout.write(`── ${name}: ${result.passed} passed, ${result.failed} failed\n`)
  }
  for (const name of again) stdout.write(`↻ ${name} failed, and its file passed when it ran again\n`)
  for (const name of failed) stdout.write(`✖ ${name}\n`)
  stdout.write(`${total.passed} passed, ${total.failed} failed\n`)
  exit(total.failed === 0 && total.passed > 0 ? 0 : 1)
}
