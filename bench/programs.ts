/** Programs beside this one, each an OS process of its own. They end with their channel. */
import { type ChildProcess, fork, type Serializable } from 'node:child_process'
import { once } from 'node:events'
import type { Stage } from './figure.js'

/** Starts a module, and waits for the first that it says. It ends with the figure. */
export async function startProgram(
  stage: Stage,
  module: URL,
  args: readonly string[] = [],
): Promise<[child: ChildProcess, first: unknown]> {
  const child = fork(module, args, { execArgv: [] })
  const exit = once(child, 'exit')
  stage.defer(async () => {
    if (child.connected) child.disconnect()
    await exit
  })
  return [child, await said(child)]
}

/** What it says next. @throws when it ends instead */
export async function said(child: ChildProcess): Promise<unknown> {
  const stop = new AbortController()
  const { signal } = stop
  const exit = once(child, 'exit', { signal }).then(([code]) => Promise.reject(new Error(`${child.spawnargs[1]} ended: ${code}`)))
  try {
    const [message] = await Promise.race([once(child, 'message', { signal }), exit])
    return message
  } finally {
    stop.abort()
  }
}

/** Asks it. It answers one at a time. */
export async function ask(child: ChildProcess, what: Serializable): Promise<unknown> {
  const answer = said(child)
  child.send(what)
  return answer
}

const far = new URL('./placed/far.mjs', import.meta.url)

/** Another TypeScript node, with a process `sink` that takes what the one of Erlang takes. */
export async function startFar(stage: Stage, cookie: string): Promise<{ readonly name: string; readonly pid: number }> {
  const [child, name] = await startProgram(stage, far, [cookie])
  return { name: name as string, pid: child.pid as number }
}
