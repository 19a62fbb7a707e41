/** What Erlang's `catch` would give of a callback. */
import { ProcessError, reason } from '../../process/index.js'
import { atom, type Term, tuple } from '../../term/index.js'

export async function caught(run: () => unknown): Promise<unknown> {
  try {
    return await run()
  } catch (thrown) {
    return whatOf(thrown)
  }
}

export function whatOf(thrown: unknown): Term {
  if (thrown instanceof ProcessError && thrown.code === 'ERR_IGNORE') return atom('ignore')
  return thrown instanceof Error ? exited(reason.reasonOf(thrown)) : reason.termOf(thrown)
}

export const exited = (why: Term): Term => tuple(atom('EXIT'), why)
