/**
 * `beamlet doctor [NODE]`: a diagnosis, one line a step.
 *
 *     ok      port        127.0.0.1:41231 takes the connection. (0.4 ms)
 *     failed  handshake   Connected with 127.0.0.1:41231, but the status did not come within 5000 ms. [NET_TIMEOUT]
 *                         The node hangs or is stopped …
 *     -       flags
 */
import process, { env, stdout } from 'node:process'
import { diagnose, diagnoseHere, diagnosisSteps, machineSteps, type DiagnosisStep } from '../index.js'
import { exitCodeOf } from './exit-code.js'
import { type CommonOptions, tlsOf } from './options.js'
import { result } from './output.js'

export async function doctor(target: string | undefined, options: CommonOptions): Promise<void> {
  const { json } = options
  const show = json ? inJson : inText(stdout.isTTY && !env['NO_COLOR'])
  let failure: DiagnosisStep | undefined
  const toCome = new Set<string>(target === undefined ? machineSteps : diagnosisSteps)
  for await (const step of target === undefined ? diagnoseHere(options) : diagnose(target, { ...options, tls: tlsOf(options) })) {
    toCome.delete(step.step)
    if (!step.ok) failure ??= step
    result(show(step))
  }
  if (!failure) return
  if (!json) for (const step of toCome) result(line('-', step, 'not reached').trimEnd())
  process.exitCode = exitCodeOf(failure.error)
}

/** The step as it is; the error, a class of this program's, is told by code, says and remedy. */
const inJson = ({ error: _, milliseconds, ...step }: DiagnosisStep): string =>
  JSON.stringify({ ...step, milliseconds: Number(milliseconds.toFixed(1)) })

const margin = ' '.repeat(20)

/** The mark alone is coloured. */
export const inText =
  (coloured: boolean) =>
  ({ step, ok, says, code, remedy, milliseconds }: DiagnosisStep): string => {
    const paint = (colour: number, line: string): string => (coloured ? line.replace(/^\w+/, `\u001b[${colour}m$&\u001b[39m`) : line)
    if (ok) return paint(32, line('ok', step, says + duration(milliseconds)))
    return paint(31, line('failed', step, `${says} [${code}]`)) + (remedy === undefined ? '' : `\n${margin}${remedy}`)
  }

const line = (mark: string, step: string, says: string): string => `${mark.padEnd(8)}${step.padEnd(12)}${says}`

/** What took no time tells none. */
const duration = (milliseconds: number): string =>
  milliseconds < 0.1 ? '' : ` (${milliseconds < 10 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms)`
