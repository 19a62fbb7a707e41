// Runs the static checks and the suites named on the command line (all of them without a name), goes on when one fails, and ends with one line:
//
//   node scripts/test.js format unit
//   …
//   4321 passed, 0 failed
//
// A static check counts one; a suite counts each of its assertions. Exits 1 when anything failed.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { argv, exit, stdout } from 'node:process'

const all = ['format', 'lint', 'types', 'knip', 'unit', 'interop']

/** @type {Record<string, string[]>} what tap is given for each suite; a name that is not here is a target of the Makefile */
const suites = {
  unit: ['test/**/*.test.ts'],
  interop: ['--timeout=240', 'interop/**/*.test.ts'],
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
 * @param {string} name
 * @param {string[]} args
 * @returns {Count}
 */
function suite(name, args) {
  const log = `.tap/${name}.tap`
  mkdirSync('.tap', { recursive: true })
  rmSync(log, { force: true })
  const { status } = spawnSync('node_modules/.bin/tap', ['run', '--reporter=min', `--output-file=${log}`, ...args], { stdio: 'inherit' })
  return count(read(log), status)
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
 * @returns {Count}
 */
function check(target) {
  const { status } = spawnSync('make', ['--no-print-directory', target], { stdio: 'inherit' })
  return status === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }
}

if (argv[1]?.endsWith('scripts/test.js')) {
  const total = { passed: 0, failed: 0 }
  const named = argv.slice(2)
  for (const name of named.length > 0 ? named : all) {
    const args = suites[name]
    const { passed, failed } = args ? suite(name, args) : check(name)
    total.passed += passed
    total.failed += failed
    stdout.write(`── ${name}: ${passed} passed, ${failed} failed\n`)
  }
  stdout.write(`${total.passed} passed, ${total.failed} failed\n`)
  exit(total.failed === 0 && total.passed > 0 ? 0 : 1)
}
