/** What is told of an error, on stderr: a sentence; a stack only where somebody's code is at fault. */
import process, { stderr } from 'node:process'
import { inspect } from 'node:util'
import { NodeError, RpcError } from '../index.js'
import { describe } from './exception.js'
import { exitCodeOf } from './exit-code.js'
import { toJson } from './json.js'

/** Writes it, and sets the exit code. */
export function report(error: unknown, json: boolean): void {
  process.exitCode = exitCodeOf(error)
  stderr.write(`${json ? inJson(error) : inText(error)}\n`)
}

function inText(error: unknown): string {
  if (error instanceof RpcError && error.class !== 'erpc') return describe(error)
  if (!(error instanceof NodeError)) return `beamlet: This is a fault in Beamlet; please report it. ${inspect(error)}`
  // The file that was started is somebody's program, and its author wants the stack.
  return `beamlet: ${error.message}${error.code === 'CLI_PROGRAM' ? `\n${inspect(error.cause)}` : ''}`
}

/** `{"error":{"code":…,"message":…}}`, on one line; an exception of another node has its class, reason and stack trace too. */
function inJson(error: unknown): string {
  const { code, message } = error instanceof NodeError ? error : { code: 'CLI_FAULT', message: inspect(error) }
  const members = [`"code":${JSON.stringify(code)}`, `"message":${JSON.stringify(message)}`]
  if (error instanceof RpcError)
    members.push(`"class":"${error.class}"`, `"reason":${toJson(error.reason)}`, `"stacktrace":${toJson(error.stacktrace)}`)
  return `{"error":{${members.join(',')}}}`
}
