/** Keeps a core from its sleep, out of which it would come late, and gives way to all others. Ends with its channel. */
import { constants, setPriority } from 'node:os'
import process from 'node:process'

setPriority(constants.priority.PRIORITY_LOW)
process.once('disconnect', () => process.exit())
process.send?.('awake')

const spin = () => {
  for (const until = performance.now() + 5; performance.now() < until;);
  setImmediate(spin)
}
spin()
