/** The two ways out: results on stdout, everything else on stderr. */
import process, { stderr, stdout } from 'node:process'

/** 128 + SIGPIPE: what a shell shows of any program whose reader has gone */
const brokenPipe = 141

const closing = new AbortController()

/** Aborted when whoever read stdout or stderr has gone. A command that would go on for ever ends then. */
export const readerGone: AbortSignal = closing.signal

/** From here on a reader that goes away (`beamlet … | head -1`) is no error, only a reason to end. */
export function expectBrokenPipe(): void {
  for (const stream of [stdout, stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
      process.exitCode = brokenPipe
      closing.abort()
    })
  }
}

/** A line of the result. */
export function result(text: string): void {
  stdout.write(`${text}\n`)
}

/** A line for the person who waits. */
export function progress(sentence: string): void {
  stderr.write(`beamlet: ${sentence}\n`)
}
