/** What Linux tells of an OS process. */
import { readFileSync } from 'node:fs'

/** Seconds of one tick of the clock in which Linux counts processor time */
export const tick = 0.01

/** Seconds of processor time that all of its threads have used, in the program and in the kernel */
export function processorTime(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  // The name before it may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * tick
}

/** Bytes of memory that it holds */
export const residentMemory = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]) * 1024
