import { createHash, randomBytes } from 'node:crypto'
import type { Secrets } from '../dist/handshake.js'

/** What a handshake needs from the machine. The cookie is proved by MD5 because OTP does; it is no secret channel, and TLS is. */
export const machineSecrets: Omit<Secrets, 'cookie'> = {
  md5: bytes => createHash('md5').update(bytes).digest(),
  challenge: () => randomBytes(4).readUInt32BE(),
}
