/** Waits for what no event tells: that something has become so on a node. */
import { setTimeout } from 'node:timers/promises'

/** @throws after 30 s */
export async function until(holds: () => boolean | Promise<boolean>, what = 'what was waited for'): Promise<void> {
  for (const end = performance.now() + 30_000; !(await holds()); await setTimeout(20)) {
    if (performance.now() > end) throw new Error(`${what} did not come to pass within 30 s`)
  }
}
