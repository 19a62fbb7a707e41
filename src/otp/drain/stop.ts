/**
 * The end of what belongs to no application and has no parent, in one place: supervisors, the latest first, then servers, all at once. Each is told to
 * terminate, as `sys:terminate/2` does, so it ends behind what waits in its mailbox, and its `terminate` runs.
 */
import { type LocalProcess, type Process, ProcessError, type Processes } from '../../process/index.js'
import { any, atom, match, type Pid, tuple } from '../../term/index.js'
import { GenRunner } from '../gen/runner.js'
import { sendRequest } from '../gen/gen.js'
import { SupervisorRunner } from '../supervisor/runner.js'

/** Runs work in a process of its own. */
export type Run = <T>(work: (self: Process) => Promise<T>) => Promise<T>

/**
 * @param deadline by the clock of the processes: who lives on then is killed
 * @param except stays
 * @returns how many were killed
 */
export async function stopServers(processes: Processes, run: Run, deadline: number, except: Pid | null): Promise<number> {
  const own = [...processes.table].filter(process => isTop(process) && process.pid !== except)
  const supervisors = own.flatMap(({ runner, pid }) => (runner instanceof SupervisorRunner ? [{ pid, number: runner.number }] : []))
  let killed = 0
  for (const { pid } of supervisors.sort((a, b) => b.number - a.number)) killed += await run(self => stop(self, pid, deadline))
  const servers = own.filter(({ runner }) => !(runner instanceof SupervisorRunner))
  const ends = servers.map(({ pid }) => run(self => stop(self, pid, deadline)))
  return (await Promise.all(ends)).reduce((sum, one) => sum + one, killed)
}

const isTop = ({ runner }: LocalProcess): boolean => runner instanceof GenRunner && runner.starter === null

/** @returns 1 when it was killed */
async function stop(self: Process, pid: Pid, deadline: number): Promise<number> {
  const ref = self.monitor(pid)
  const isDown = match([atom('DOWN'), ref, any, any, any])
  sendRequest(self, pid, tuple(atom('terminate'), atom('shutdown')), atom('system'))
  try {
    await self.receive(isDown, { timeout: Math.max(0, deadline - self.host.clock.now()) })
    return 0
  } catch (error) {
    if (!(error instanceof ProcessError && error.code === 'ERR_TIMEOUT')) throw error
    self.exit(pid, atom('kill'))
    await self.receive(isDown)
    return 1
  }
}
