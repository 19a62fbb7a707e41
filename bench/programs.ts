/** Programs beside this one, each an OS process of its own. They end with their channel. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { Stage } from './figure.js'

/** Starts a module, and waits for the first that it says. It ends with the figure. */
export async function startProgram(stage: Stage, module: URL, args: readonly string[] = []): Promise<[child: ChildProcess, said: unknown]> {
  const child = fork(module, args, { execArgv: [] })
  const exit = once(child, 'exit')
  stage.defer(async () => {
    if (child.connected) child.disconnect()
    await exit
  })
  const [said] = await Promise.race([once(child, 'message'), exit.then(([code]) => Promise.reject(new Error(`${module} ended: ${code}`)))])
  return [child, said]
}

const far = new URL('./placed/far.mjs', import.meta.url)

/** Another TypeScript node, with a process `sink` that takes what the one of Erlang takes. */
export async function startFar(stage: Stage, cookie: string): Promise<{ readonly name: string; readonly pid: number }> {
  const [child, name] = await startProgram(stage, far, [cookie])
  return { name: name as string, pid: child.pid as number }
}
